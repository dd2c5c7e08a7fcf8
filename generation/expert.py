"""The expert's request: every field of ``studio.diffusion.types.Generate``, checked as the engine checks it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from PIL import Image

from generation.models import Kind
from generation.orders import Frozen, draw_seed
from imodel_site.lib.errors import Refused, from_studio
from studio.diffusion import checks
from studio.diffusion.samplers import SCHEDULES, sampler_names
from studio.diffusion.types import AdapterUse, Capabilities, Control, Defaults, Fill, Generate, Resize
from studio.errors import InputError
from studio.weights.registry import FAMILIES
from studio.weights.store import is_here
from training.models import AdapterVersion

MOST_PICTURES = 16
CONTROLS = 2
PLAIN = (
    "prompt", "negative_prompt", "batch_size", "iterations", "scheduler", "clip_skip", "denoising_strength",
    "mask_blur", "mask_invert", "fill", "only_masked", "only_masked_padding", "resize", "paste_back",
)  # fmt: skip
# Which field of the form an engine's refusal belongs to.
FIELDS = {
    "prompt_invalid": "prompt", "seed_out_of_range": "seed", "batch_out_of_range": "batch_size",
    "steps_out_of_range": "steps", "steps_too_few": "steps", "guidance_out_of_range": "guidance_scale",
    "size_invalid": "width", "strength_out_of_range": "denoising_strength", "clip_skip_out_of_range": "clip_skip",
    "image_invalid": "image", "image_missing": "image", "mask_wrong_size": "mask",
    "mask_option_out_of_range": "mask_blur",
    "control_unknown": "control_kind", "control_out_of_range": "control_weight",
    "unknown_sampler": "sampler", "unknown_scheduler": "scheduler", "sampler_schedule_mismatch": "scheduler",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ControlChoice:
    """One ControlNet unit; ``image`` is a storage key, of a photo to read the skeleton off where ``detect``."""

    image: str
    kind: str = "openpose"
    weight: float = 1.0
    start: float = 0.0
    end: float = 1.0
    detect: bool = False


@dataclass(frozen=True, kw_only=True)
class AdapterChoice:
    """One trained garment's file; ``version`` names whose it is, for moderation and for making the order again."""

    version: AdapterVersion
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True)
class SecondPass:
    """As ``studio.serve.passes.Second``: each picture enlarged and repainted from there; costs as much again."""

    width: int
    height: int
    steps: int | None = None
    strength: float = 0.7
    enlarge: str = "lanczos"
    prompt: str | None = None
    negative_prompt: str | None = None
    sampler: str | None = None
    scheduler: str | None = None
    controls: bool = True


@dataclass(frozen=True, kw_only=True)
class ExpertChoices:
    """As :class:`studio.diffusion.types.Generate`; pictures are storage keys, None is the family's default.

    ``image_size`` is that of ``image``: the mask was checked against it when it was stored.
    """

    prompt: str
    negative_prompt: str = ""
    seed: int = -1
    batch_size: int = 1
    iterations: int = 1
    steps: int | None = None
    guidance_scale: float | None = None
    width: int | None = None
    height: int | None = None
    sampler: str = ""
    scheduler: str = "Automatic"
    clip_skip: int = 1
    denoising_strength: float = 1.0
    image: str = ""
    mask: str = ""
    mask_blur: float = 4.0
    mask_invert: bool = False
    fill: int = 1
    only_masked: bool = False
    only_masked_padding: int = 32
    resize: str = Resize.STRETCH.value
    paste_back: bool = True
    controls: tuple[ControlChoice, ...] = field(default=())
    adapters: tuple[AdapterChoice, ...] = field(default=())
    second: SecondPass | None = None
    engine: str = ""

    @property
    def pictures(self) -> int:
        """How many it makes."""
        return self.batch_size * self.iterations


def freeze_expert(choices: ExpertChoices) -> Frozen:
    """Check an expert's choices and write them down.

    Raises:
        Refused: with the engine's own code, and the form's field it is about.
    """
    engine = choices.engine or settings.ENGINE
    if engine not in generating_families():
        raise Refused("engine_unknown", _("Choose one of those that are offered."), field="engine")
    _check(choices, engine)
    if choices.pictures > MOST_PICTURES:
        words = _("At most %(most)d pictures at once: lower the batch or the iterations.") % {"most": MOST_PICTURES}
        raise Refused("batch_out_of_range", words, field="iterations")
    body = {"request": _request(choices), "engine": engine, **_around(choices)}
    order = {"op": "generate", "body": body, "files": _files(choices)}
    adapter = choices.adapters[0].version if choices.adapters else None
    return Frozen(Kind.EXPERT, choices.pictures, order, adapter=adapter)


def _around(choices: ExpertChoices) -> dict[str, Any]:
    """What is done around the engine's own request (``studio.serve.passes``)."""
    around: dict[str, Any] = {}
    if photos := [k for k, control in enumerate(choices.controls) if control.detect]:
        around["detect"] = photos
    if choices.second is not None:
        around["second"] = {name: value for name, value in vars(choices.second).items() if value is not None}
    return around


def generating_families() -> dict[str, Any]:
    """The families that make pictures here: the site's, those it names, and what lies on this machine."""
    offered = {settings.ENGINE, *settings.ENGINES}
    able = {name: family for name, family in FAMILIES.items() if family.defaults is not None}
    return {name: family for name, family in able.items() if name in offered or is_here(name)}


def defaults_of(engine: str) -> Defaults:
    """What a family does with what is left open."""
    family = FAMILIES[engine]
    found, (width, height) = family.defaults, family.native_sizes[0]
    assert found is not None  # generating_families()
    return Defaults(found.steps, found.guidance, found.sampler, width, height)


def _check(choices: ExpertChoices, engine: str) -> None:
    """The engine's own checks, over stand-ins of its pictures: what passes here is not refused after a wait."""
    able, defaults = Capabilities(frozenset({"openpose"})), defaults_of(engine)
    try:
        request = _as_request(choices)
        checks.complete(request, defaults, able)
        if choices.second is not None:
            checks.complete(_second(request, choices.second), defaults, able)
    except InputError as error:
        raise from_studio(error, field=_field_of(error, choices)) from error


def _second(request: Generate, second: SecondPass) -> Generate:
    """The second pass, as far as the checks look at it."""
    return replace(
        request,
        image=Image.new("RGB", (8, 8)),
        width=second.width,
        height=second.height,
        steps=second.steps or request.steps,
        denoising_strength=second.strength,
        sampler=second.sampler or request.sampler,
        scheduler=second.scheduler or request.scheduler,
    )


def _field_of(error: InputError, choices: ExpertChoices) -> str:
    if error.code == "size_invalid" and error.message.startswith("height"):
        return "height"
    return FIELDS.get(error.code, "")


def _as_request(choices: ExpertChoices) -> Generate:
    small = Image.new("RGB", (8, 8))
    if choices.fill not in set(Fill):
        raise InputError("mask_option_out_of_range", "fill must be 0 to 3.")
    return Generate(
        choices.prompt,
        choices.negative_prompt,
        choices.seed,
        choices.batch_size,
        choices.iterations,
        choices.steps,
        choices.guidance_scale,
        choices.width,
        choices.height,
        choices.sampler or None,
        choices.scheduler,
        choices.clip_skip,
        choices.denoising_strength,
        image=small if choices.image else None,
        mask=small.convert("L") if choices.mask else None,
        mask_blur=choices.mask_blur,
        mask_invert=choices.mask_invert,
        fill=Fill(choices.fill),
        only_masked=choices.only_masked,
        only_masked_padding=choices.only_masked_padding,
        resize=Resize(choices.resize) if choices.resize in set(Resize) else choices.resize,  # type: ignore[arg-type]
        controls=tuple(Control(small, c.kind, c.weight, c.start, c.end) for c in choices.controls),
        adapters=tuple(AdapterUse(Path("/"), one.weight) for one in choices.adapters),
    )


def _request(choices: ExpertChoices) -> dict[str, Any]:
    request: dict[str, Any] = {name: getattr(choices, name) for name in PLAIN}
    request["seed"] = draw_seed() if choices.seed == -1 else choices.seed
    for name in ("steps", "guidance_scale", "width", "height", "sampler"):
        if (value := getattr(choices, name)) not in (None, ""):
            request[name] = value
    request["controls"] = [
        {"kind": c.kind, "weight": c.weight, "start": c.start, "end": c.end} for c in choices.controls
    ]
    if choices.adapters:
        request["adapters"] = [["", one.weight] for one in choices.adapters]
    return request


def _files(choices: ExpertChoices) -> dict[str, str]:
    files = {"request.image": choices.image, "request.mask": choices.mask}
    files |= {f"request.controls.{k}.image": control.image for k, control in enumerate(choices.controls)}
    files |= {f"request.adapters.{k}.0": one.version.key for k, one in enumerate(choices.adapters)}
    return {place: key for place, key in files.items() if key}


__all__ = [
    "CONTROLS",
    "SCHEDULES",
    "AdapterChoice",
    "ControlChoice",
    "ExpertChoices",
    "SecondPass",
    "defaults_of",
    "freeze_expert",
    "generating_families",
    "sampler_names",
]
