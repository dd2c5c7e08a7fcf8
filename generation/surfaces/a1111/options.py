"""``/sdapi/v1/options``: what a key has set for its own calls; ``override_settings`` is the same for one call.

A1111 has hundreds of options, one set of them for everybody. Here are those that mean something to our engine; another
one is refused, unless it is sent back with the value that it was given with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.actors import Actor
from generation.expert import generating_families
from generation.models import SurfaceOptions
from generation.surfaces.a1111.fields import as_flag, as_whole
from imodel_site.lib.errors import Refused

CHECKPOINT, CLIP_SKIP, GRID, PNGINFO = (
    "sd_model_checkpoint", "CLIP_stop_at_last_layers", "return_grid", "enable_pnginfo",
)  # fmt: skip
# Told, and taken back as they are: what our engine does anyway.
FIXED: Mapping[str, Any] = {
    "sd_vae": "Automatic",
    "sd_checkpoint_hash": "",
    "samples_format": "png",
    "samples_save": True,
    "grid_format": "png",
    "eta_noise_seed_delta": 0,
    "randn_source": "CPU",
    "live_previews_enable": True,
    "live_previews_image_format": "webp",
    "img2img_fix_steps": False,
    "enable_emphasis": False,
    "face_restoration": False,
    "face_restoration_model": None,
    "sd_lora": "None",
}


def defaults() -> dict[str, Any]:
    """Of a key that has set nothing."""
    return {CHECKPOINT: settings.ENGINE, CLIP_SKIP: 1, GRID: False, PNGINFO: True}


def of(actor: Actor) -> dict[str, Any]:
    """What the actor's key has set, over the defaults; weights that went away since are the site's own again."""
    found = SurfaceOptions.objects.filter(api_key=actor.api_key).first()
    mine = dict(found.values) if found else {}
    if mine.get(CHECKPOINT) not in generating_families():
        mine.pop(CHECKPOINT, None)
    return {**defaults(), **mine}


def told(actor: Actor) -> dict[str, Any]:
    """As GET answers."""
    return {**FIXED, **of(actor)}


def keep(actor: Actor, given: Mapping[str, Any]) -> None:
    """Set these for the actor's key.

    Raises:
        Refused: ``option_unknown``, ``option_invalid``, ``model_unknown``; nothing was set.
    """
    changed = checked(given)
    try:
        with transaction.atomic():
            row = SurfaceOptions.objects.select_for_update().filter(api_key=actor.api_key).first()
            row = row or SurfaceOptions(merchant=actor.merchant, api_key=actor.api_key)
            row.values = {**row.values, **changed}
            row.save()
    except IntegrityError:  # a twin made the row
        keep(actor, given)


def checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """Those of them that can be set; the fixed ones are only looked at."""
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name in FIXED:
            _refuse_other(name, value)
        elif name in _SETTABLE:
            found[name] = _SETTABLE[name](name, value)
        else:
            raise Refused("option_unknown", f"There is no option {name!r:.60} here.", field=name[:60], status=400)
    return found


def family_of(name: Any) -> str:
    """The family of weights of this title; case and an extension or a hash behind it do not matter.

    Raises:
        Refused: ``model_unknown`` (404).
    """
    wanted = str(name).split(" [")[0].strip().lower()
    for family in generating_families():
        if family.lower() in (wanted, wanted.removesuffix(".safetensors").removesuffix(".ckpt")):
            return family
    raise Refused("model_unknown", f"Unknown model: {name!r:.80}. /sdapi/v1/sd-models lists those here.", status=404)


def _checkpoint(name: str, value: Any) -> str:
    return family_of(value)


def _clip_skip(name: str, value: Any) -> int:
    found = as_whole(value)
    if found is None or not 1 <= found <= 12:
        raise Refused("option_invalid", f"{name} must be a whole number from 1 to 12.", field=name, status=400)
    return found


def _flag(name: str, value: Any) -> bool:
    found = as_flag(value)
    if found is None:
        raise Refused("option_invalid", f"{name} must be true or false.", field=name, status=400)
    return found


def _refuse_other(name: str, value: Any) -> None:
    same = value == FIXED[name] or (name == "sd_vae" and value in (None, "", "None", "Automatic", "auto"))
    if not same:
        words = f"{name} can not be changed here: it is {FIXED[name]!r}."
        raise Refused("option_invalid", words, field=name, status=400)


_SETTABLE: Mapping[str, Any] = {CHECKPOINT: _checkpoint, CLIP_SKIP: _clip_skip, GRID: _flag, PNGINFO: _flag}
