"""From a request that was read to shoots in the fair queue, once for a ``force_task_id``."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import DatabaseError, transaction
from PIL import Image

from accounts.access import allow_write
from accounts.actors import Actor
from generation import services
from generation.expert import ControlChoice, ExpertChoices, SecondPass
from generation.models import Shoot
from generation.services.uploads import new_key, store_image
from generation.surfaces import pictures
from generation.surfaces.a1111 import control, options, prompts
from generation.surfaces.a1111.asked import Asked, first_seed, sampler_of, unsupported
from generation.surfaces.a1111.control import Unit
from imodel_site.lib import storage
from imodel_site.lib.errors import NotHere, Refused
from imodel_site.lib.jobs import services as jobs

RESIZE: Mapping[int, str] = {0: "stretch", 1: "crop", 2: "pad"}
MARK = "a1111"
MOST_CELLS = 64  # shoots of one request
ENLARGERS: Mapping[str, str] = {"lanczos": "lanczos", "nearest": "nearest"}


@dataclass(frozen=True)
class Inputs:
    """The request's pictures: the storage keys they will have, empty for none; ``pixels`` by those keys."""

    image: str = ""
    mask: str = ""
    controls: tuple[tuple[str, Unit], ...] = field(default=())
    pixels: Mapping[str, Image.Image] = field(default_factory=dict)


@dataclass(frozen=True)
class Ready:
    """One cell: what was asked with the cell's own values, and what the engine is asked for."""

    asked: Asked
    choices: ExpertChoices
    warnings: tuple[str, ...]
    loras: tuple[prompts.Lora, ...] = ()
    save_maps: tuple[bool, ...] = ()


@dataclass(frozen=True)
class Task:
    """A client's own name for its request: two calls under one name are one order."""

    prefix: str
    said: str
    name: str

    def key(self, number: int) -> str:
        """The idempotency key of its so-manieth shoot."""
        return f"{self.prefix}{number}"


def task_of(actor: Actor, given: Mapping[str, Any], *, image: bool) -> Task:
    """The request's; without a ``force_task_id`` one is made up, under which it can be asked for again."""
    assert actor.api_key is not None
    name = given.get("force_task_id")
    name = name if isinstance(name, str) and name else f"task({secrets.token_urlsafe(12)})"
    rest = {key: value for key, value in given.items() if key != "force_task_id"}
    said = jobs.hash_of(MARK, image, hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest())
    return Task(prefix_of(actor, name), said, name)


def prefix_of(actor: Actor, name: str | None = None) -> str:
    """How the idempotency keys of a key's shoots begin; with a name those of one request of it."""
    assert actor.api_key is not None
    mine = f"{MARK}:{actor.api_key.pk.hex}:"
    return mine if name is None else f"{mine}{hashlib.sha256(name.encode()).hexdigest()[:32]}:"


def known(task: Task, *, check: bool = True) -> list[Shoot]:
    """The shoots that were ordered under this name before, in their order; ``check``: by this very request.

    Raises:
        Refused: ``idempotency_key_reused`` (422): another request came under it.
    """
    # Named one by one, for an index serves that under row-level security, and a prefix it does not.
    found = list(Shoot.objects.filter(idempotency_key__in=[task.key(number) for number in range(MOST_CELLS)]))
    if check and any(shoot.request_hash != task.said for shoot in found):
        words = "This force_task_id was used for another request. Send a new one with a new request."
        raise Refused("idempotency_key_reused", words, field="force_task_id", status=422)
    return sorted(found, key=lambda shoot: int(str(shoot.idempotency_key).rsplit(":", 1)[1]))


def refuse(actor: Actor, cells: Sequence[Ready]) -> None:
    """Raise what ordering these would, before one of their pictures is kept."""
    services.refuse_experts(actor=actor, choices=[cell.choices for cell in cells])


def order(
    actor: Actor, task: Task, cells: Sequence[Ready], inputs: Inputs, told: Sequence[dict[str, Any]]
) -> list[Shoot]:
    """A shoot for each cell: all of them, or none. Files first, rows second, and no file without its row.

    Args:
        told: what is written down with each.
    """
    try:
        for key, image in inputs.pixels.items():
            store_image(actor=actor, image=image, key=key)
        shoots = _accepted(actor, task, cells, told)
    except DatabaseError:  # perhaps it was committed all the same: what nobody has is collected a day later
        raise
    except Exception:
        storage.delete(*inputs.pixels)
        raise
    used = {key for shoot in shoots for key in shoot.order["files"].values()}
    storage.delete(*(key for key in inputs.pixels if key not in used))  # a twin was there first, with its own
    return shoots


def _accepted(actor: Actor, task: Task, cells: Sequence[Ready], told: Sequence[dict[str, Any]]) -> list[Shoot]:
    with transaction.atomic():
        return [
            services.order_expert(actor=actor, choices=cell.choices, key=task.key(number), said=task.said, told=words)
            for number, (cell, words) in enumerate(zip(cells, told, strict=True))
        ]


# --- pictures --------------------------------------------------------------------------------------------------------
def open_inputs(actor: Actor, asked: Asked) -> tuple[Inputs, list[str]]:
    """Check a request's pictures, without keeping them; what is to be said about its controls.

    Raises:
        NotHere: ``Init image not found``.
        Refused: ``image_not_base64``, ``photo_...``, ``mask_...``, ``control_...``, ``url_...``.
    """
    allow_write(actor)
    size = (int(asked["width"]), int(asked["height"]))
    _check_size(size)
    units, warnings = control.units_of(asked["alwayson_scripts"], size=size)
    inputs = _image_and_mask(actor, asked) if asked.image else Inputs()
    controls = tuple((new_key(actor), unit) for unit in units)
    pixels = {**inputs.pixels, **{key: unit.picture for key, unit in controls}}
    return replace(inputs, controls=controls, pixels=pixels), warnings


def _check_size(size: tuple[int, int]) -> None:
    """The controls are brought to it before the engine's own checks are asked."""
    if not all(64 <= side <= 2048 and side % 8 == 0 for side in size):
        words = f"width and height must be multiples of 8 from 64 to 2048 px, not {size[0]}x{size[1]}."
        raise Refused("size_invalid", words, field="width", status=422)


def _image_and_mask(actor: Actor, asked: Asked) -> Inputs:
    given = asked["init_images"] or []
    if not given:
        raise NotHere("Init image not found")
    if len(given) > 1:
        raise unsupported("init_images", "one picture in a request")
    data = pictures.fetched_or_decoded(given[0], field="init_images.0")
    picture = pictures.opened(data, field="init_images.0")
    image = new_key(actor)
    if not asked["mask"]:
        return Inputs(image=image, pixels={image: picture})
    mask = new_key(actor)
    return Inputs(image=image, mask=mask, pixels={image: picture, mask: _mask(asked, picture.size)})


def _mask(asked: Asked, size: tuple[int, int]) -> Image.Image:
    mask = pictures.mask_of(pictures.fetched_or_decoded(asked["mask"], field="mask"))
    mask = mask if mask.size == size else mask.resize(size)
    return mask.point([255 * (value >= 128) for value in range(256)])


# --- the engine's own words -------------------------------------------------------------------------------------------
def ready(actor: Actor, asked: Asked, inputs: Inputs, warnings: Sequence[str] = ()) -> Ready:
    """What the engine is asked for; ``warnings`` about its pictures.

    Raises:
        Refused: ``field_unsupported``, the engine's own codes; Conflict: ``photo_rejected``.
    """
    read = prompts.read(asked["prompt"], tags=not asked["disable_extra_networks"])
    negative = prompts.read(asked["negative_prompt"], tags=False, why="networks count in prompt only")
    loras, adapters, missing = prompts.resolve(actor, read.loras, family=asked.family)
    second, about = _second(asked, [unit for _key, unit in inputs.controls])
    choices = ExpertChoices(
        prompt=read.words,
        negative_prompt=negative.words,
        seed=first_seed(asked),
        batch_size=int(asked["batch_size"]),
        iterations=int(asked["n_iter"]),
        steps=int(asked["steps"]),
        guidance_scale=float(asked["cfg_scale"]),
        width=int(asked["width"]),
        height=int(asked["height"]),
        sampler=asked["sampler_name"],
        scheduler=asked["scheduler"],
        clip_skip=int(asked.options[options.CLIP_SKIP]),
        controls=_controls(inputs),
        adapters=adapters,
        second=second,
        engine=asked.family,
        **(_image_choices(asked, inputs) if asked.image else {}),
    )
    said = (*asked.warnings, *read.warnings, *negative.warnings, *missing, *warnings, *about)
    maps = tuple(unit.save_map for _key, unit in inputs.controls)
    return Ready(asked, choices, said, loras, maps)


def _controls(inputs: Inputs) -> tuple[ControlChoice, ...]:
    return tuple(
        ControlChoice(image=key, weight=unit.weight, start=unit.start, end=unit.end, detect=unit.detect)
        for key, unit in inputs.controls
    )


def _image_choices(asked: Asked, inputs: Inputs) -> dict[str, Any]:
    if asked["resize_mode"] not in RESIZE:
        raise unsupported("resize_mode", "0 to 2 are")
    masked = bool(inputs.mask)
    return {
        "image": inputs.image,
        "mask": inputs.mask,
        "denoising_strength": float(asked["denoising_strength"]),
        "resize": RESIZE[asked["resize_mode"]],
        "mask_blur": _blur(asked),
        "mask_invert": bool(asked["inpainting_mask_invert"]),
        "fill": int(asked["inpainting_fill"]),
        "only_masked": masked and bool(asked["inpaint_full_res"]),
        "only_masked_padding": int(asked["inpaint_full_res_padding"]),
    }


def _blur(asked: Asked) -> float:
    """``mask_blur`` is both; the two apart must be one number, for our blur is round."""
    if asked["mask_blur"] is not None:
        return float(asked["mask_blur"])
    if asked["mask_blur_x"] != asked["mask_blur_y"]:
        raise unsupported("mask_blur_y", "it must be mask_blur_x")
    return float(asked["mask_blur_x"])


def _second(asked: Asked, units: Sequence[Unit]) -> tuple[SecondPass | None, list[str]]:
    """A1111's hires fix, and what has to be said about it."""
    if asked.image or not asked["enable_hr"]:
        return None, []
    if asked["hr_checkpoint_name"] not in (None, "", "Use same checkpoint"):
        if options.family_of(asked["hr_checkpoint_name"]) != asked.family:
            raise unsupported("hr_checkpoint_name", "both passes have the same weights")
    upscaler = asked["hr_upscaler"] or "Latent"
    positive, negative, warnings = _second_prompts(asked)
    controls = all(unit.in_second for unit in units)
    if not controls and any(unit.in_second for unit in units):
        warnings.append("ControlNet: hr_option Low res only of one unit counted for all: the second pass has none")
    if upscaler.lower() not in ENLARGERS:
        warnings.append(f"hr_upscaler {upscaler!r} is not here: the picture was enlarged by Lanczos, in pixels")
    width, height = _second_size(asked)
    return SecondPass(
        width=width,
        height=height,
        steps=int(asked["hr_second_pass_steps"]) or None,
        strength=float(asked["denoising_strength"]),
        enlarge=ENLARGERS.get(upscaler.lower(), "lanczos"),
        prompt=positive or None,
        negative_prompt=negative or None,
        controls=controls,
        **_second_sampling(asked),
    ), warnings


def _second_prompts(asked: Asked) -> tuple[str, str, list[str]]:
    """Both of them without their tags, and what is said about that."""
    why = "the second pass has the networks of prompt"
    read = [prompts.read(asked[name], tags=False, why=why) for name in ("hr_prompt", "hr_negative_prompt")]
    warnings = [
        f"{name}: {said}"
        for name, one in zip(("hr_prompt", "hr_negative_prompt"), read, strict=True)
        for said in one.warnings
    ]
    return read[0].words, read[1].words, warnings


def _second_sampling(asked: Asked) -> dict[str, str]:
    same = (None, "", "Use same sampler", "Use same scheduler")
    name, schedule = asked["hr_sampler_name"], asked["hr_scheduler"]
    if name in same and schedule in same:
        return {}
    base = asked["sampler_name"] if name in same else name
    found = sampler_of(base, asked["scheduler"] if schedule in same else schedule)
    return {"sampler": found[0], "scheduler": found[1]}


def _second_size(asked: Asked) -> tuple[int, int]:
    """To multiples of 8, as A1111; a width alone, or a height alone, keeps the shape."""
    width, height = int(asked["width"]), int(asked["height"])
    x, y = int(asked["hr_resize_x"]), int(asked["hr_resize_y"])
    if not x and not y:
        scale = float(asked["hr_scale"])
        return round(width * scale) // 8 * 8, round(height * scale) // 8 * 8
    x, y = x or round(y * width / height), y or round(x * height / width)
    return x // 8 * 8, y // 8 * 8
