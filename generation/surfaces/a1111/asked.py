"""A txt2img or img2img request, read: what the engine is to do, what to say about the rest, and how to answer.

What our engine can do takes effect; what would make another picture and can not be done is refused; what only polishes
is said in a warning. docs/surfaces.md has the table of every field.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from generation.surfaces.a1111 import fields, options
from imodel_site.lib.errors import Refused
from studio.diffusion.samplers import SCHEDULES, resolve
from studio.errors import InputError

MOST_SEED = 4294967294
PLOT = "x/y/z plot"
CONTROLNET = "controlnet"
# What an A1111 without a value for it does: these ask for nothing.
PLAIN: Mapping[str, tuple[Any, ...]] = {
    "restore_faces": (None, False),
    "tiling": (None, False),
    "eta": (None, 0, 1),
    "s_min_uncond": (None, 0),
    "s_churn": (None, 0),
    "s_tmax": (None, 0),
    "s_tmin": (None, 0),
    "s_noise": (None, 1),
    "infotext": (None, ""),
    "image_cfg_scale": (None, 1.5),
    "initial_noise_multiplier": (None, 1),
    "comments": (None,),
}
WHY: Mapping[str, str] = {
    "restore_faces": "no face restoration weights are installed, faces are as the model made them",
    "tiling": "the picture does not tile",
    "infotext": "send its values as fields",
    "image_cfg_scale": "it is for instruct-pix2pix models only",
    "comments": "they are not written into the picture",
}
# Asking for these would make another picture than the one that is made.
REFUSED: Mapping[str, tuple[Any, ...]] = {
    "subseed_strength": (0,),
    "seed_resize_from_h": (-1, 0),
    "seed_resize_from_w": (-1, 0),
    "refiner_checkpoint": (None, "", "None"),
    "latent_mask": (None, ""),
}


@dataclass(frozen=True)
class Asked:
    """``values`` by A1111's names; ``options`` with ``override_settings`` in them."""

    image: bool
    values: Mapping[str, Any]
    options: Mapping[str, Any]
    warnings: tuple[str, ...] = field(default=())

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    @property
    def family(self) -> str:
        """Which weights."""
        return str(self.options[options.CHECKPOINT])

    @property
    def pictures(self) -> int:
        """How many it makes."""
        return int(self["batch_size"]) * int(self["n_iter"])

    @property
    def plot(self) -> bool:
        """Whether the script is the X/Y/Z plot."""
        return bool(self["script_name"]) and self["script_name"].strip().lower() == PLOT


def read(given: Any, *, image: bool, set_options: Mapping[str, Any]) -> Asked:
    """Check a request's fields.

    Args:
        given: the body.
        image: whether it is img2img.
        set_options: those of the caller's key.

    Raises:
        Refused: ``field_invalid``, ``field_unsupported``, ``script_unknown``, ``sampler_unknown``, ``option_...``.
    """
    table = fields.IMAGE if image else fields.TEXT
    values = fields.read(given, table)
    warnings = [f"{name} is no field of this call and was not read" for name in fields.unknown(given, table)]
    for name, plain in REFUSED.items():
        if name in values and values[name] not in plain:
            raise unsupported(name)
    _check_scripts(values, warnings)
    values |= _sampling(values)
    warnings += _polish(values)
    overrides = options.checked(values["override_settings"] or {})
    return Asked(image, values, {**set_options, **overrides}, tuple(warnings))


def unsupported(name: str, why: str = "") -> Refused:
    """A field whose wish can not be carried out."""
    words = f"{name} is not supported here{': ' + why if why else ''}. Leave it out."
    return Refused("field_unsupported", words, field=name, status=422)


def first_seed(asked: Asked) -> int:
    """The first picture's seed, drawn as A1111 draws it."""
    seed = int(asked["seed"])
    return secrets.randbelow(MOST_SEED) if seed == -1 else seed


def _polish(values: Mapping[str, Any]) -> list[str]:
    """What polishes only, and was asked for in vain."""
    found = []
    for name, plain in PLAIN.items():
        if name in values and values[name] not in plain and values[name] != {}:
            found.append(f"{name} was not applied: {WHY.get(name, 'the sampler has its own')}")
    if values["styles"]:
        found += [f"style not found: {str(name)[:60]}" for name in values["styles"]]
    if values["refiner_switch_at"] not in (None, 0, 1):
        found.append("refiner_switch_at was not applied: there is no refiner")
    if values["save_images"]:
        found.append("save_images: pictures are always kept in your shop, see /api/v1/pictures")
    if values["subseed"] not in (-1, 0):
        found.append("subseed was not applied: subseed_strength is 0")
    return found


def _check_scripts(values: Mapping[str, Any], warnings: list[str]) -> None:
    name = (values["script_name"] or "").strip()
    if name and name.lower() != PLOT:
        if name.lower() == CONTROLNET:
            words = "Cannot have an always on script in the selectable scripts params"
            raise Refused("script_unknown", words, field="script_name", status=422)
        raise Refused("script_unknown", f"Script '{name[:60]}' not found", field="script_name", status=422)
    if values["script_args"] and not name:
        warnings.append("script_args were not read: there is no script_name")
    for always, args in values["alwayson_scripts"].items():
        _check_always(str(always), args, warnings)


def _check_always(name: str, args: Any, warnings: list[str]) -> None:
    """A client's own slip leaves the entries of earlier calls in each later one: what asks for nothing is let pass."""
    if name.lower() == CONTROLNET:
        return
    if name.lower() == PLOT:
        words = "Cannot have a selectable script in the always on scripts params"
        raise Refused("script_unknown", words, field="alwayson_scripts", status=422)
    given = args.get("args") if isinstance(args, dict) else args
    if name.lower() == "adetailer" or not given or given == [False]:
        warnings.append(f"{name[:60]} is not installed here and was left out")
        return
    raise Refused("script_unknown", f"always on script {name[:60]} not found", field="alwayson_scripts", status=422)


def _sampling(values: Mapping[str, Any]) -> dict[str, str]:
    """Sampler and schedule by our names."""
    sampler, schedule = sampler_of(values["sampler_name"] or values["sampler_index"], values["scheduler"])
    return {"sampler_name": sampler, "scheduler": schedule}


def sampler_of(name: str, scheduler: str | None) -> tuple[str, str]:
    """(sampler, schedule) that our engine knows.

    Raises:
        Refused: ``sampler_unknown``, ``scheduler_unknown``, ``sampler_schedule_mismatch`` (400).
    """
    schedule = schedule_of(scheduler)
    try:
        return resolve(name, schedule)
    except InputError as error:
        words = "Sampler not found" if error.code == "unknown_sampler" else error.message
        code = {"unknown_sampler": "sampler_unknown"}.get(error.code, error.code)
        raise Refused(code, words, field="sampler_name", status=400) from error


def schedule_of(name: str | None) -> str:
    """A schedule by its label or its name (``sgm_uniform``)."""
    wanted = (name or "automatic").strip().replace("_", " ").lower()
    for known in SCHEDULES:
        if known.lower() == wanted:
            return known
    raise Refused("scheduler_unknown", "Scheduler not found", field="scheduler", status=400)
