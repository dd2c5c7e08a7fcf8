"""What an answer says of a shoot, written down with its order: who collects a task later has nothing resolved anew.

By then an address may lead nowhere, a LoRA may be gone and weights may have been taken away; what was paid for was not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from generation.models import Shoot
from generation.surfaces.a1111 import grid, options
from generation.surfaces.a1111.ordering import Ready
from generation.surfaces.a1111.plot import Plot
from imodel_site.lib.errors import Refused

# Of a request's fields; the others are in the request that collects it, which is the same one.
KEPT = (
    "prompt", "negative_prompt", "steps", "sampler_name", "scheduler", "cfg_scale", "width", "height", "batch_size",
    "denoising_strength", "send_images", "include_init_images",
)  # fmt: skip
SKELETON = "skeleton"  # of ``Shoot.table``: what was read off a photo
MOST_WARNINGS, LONGEST_WARNING = 100, 400


@dataclass(frozen=True)
class Cell:
    """One shoot of a request; of JSON's own types.

    Attributes:
        values: its fields by A1111's names, those of ``KEPT``.
        further, extras: of its infotext, and ``extra_generation_params``.
        strength: None where nothing was repainted.
        maps: where the detected maps are that are sent along: ``SKELETON``, or places of the order's files.
        grid, parameters: whether a batch's grid comes first, and whether files say how they were made.
    """

    image: bool
    values: Mapping[str, Any]
    family: str
    seed: int
    clip_skip: int
    further: Mapping[str, Any]
    extras: Mapping[str, Any]
    strength: float | None
    masked: bool
    warnings: Sequence[str]
    maps: Sequence[str]
    grid: bool
    parameters: bool

    def __getitem__(self, name: str) -> Any:
        return self.values[name]


@dataclass(frozen=True)
class Sheets:
    """A plot: what stands beside its cells in each direction, and what becomes of them."""

    x: Sequence[str]
    y: Sequence[str]
    z: Sequence[str]
    legend: bool
    lone: bool
    subgrids: bool
    margin: int


def written(ready: Ready, drawn: Plot | None) -> dict[str, Any]:
    """What goes along with the order of one cell."""
    return {"cell": asdict(_cell(ready)), "plot": None if drawn is None else asdict(_sheets(drawn))}


def read(shoots: Sequence[Shoot]) -> tuple[list[Cell], Sheets | None]:
    """What was written with these orders.

    Raises:
        Refused: ``task_not_told`` (410): they were not ordered by the surface as it is now.
    """
    told = [shoot.order.get("told") for shoot in shoots]
    if not all(told):
        words = "This task is of an earlier version. Its pictures are under GET /api/v1/pictures."
        raise Refused("task_not_told", words, status=410)
    drawn = told[0]["plot"]
    return [Cell(**one["cell"]) for one in told], None if drawn is None else Sheets(**drawn)


def _sheets(drawn: Plot) -> Sheets:
    x, y, z = ([label[: grid.MOST_LABEL] for label in axis.labels] for axis in (drawn.x, drawn.y, drawn.z))
    return Sheets(x, y, z, drawn.legend, drawn.lone, drawn.subgrids, drawn.margin)


def _cell(ready: Ready) -> Cell:
    asked, choices = ready.asked, ready.choices
    return Cell(
        image=asked.image,
        values={name: asked[name] for name in KEPT if name in asked.values},
        family=asked.family,
        seed=choices.seed,
        clip_skip=choices.clip_skip,
        further=_further(ready),
        extras=_extras(ready),
        strength=asked["denoising_strength"] if choices.image or choices.second else None,
        masked=bool(choices.mask),
        warnings=[warning[:LONGEST_WARNING] for warning in ready.warnings[:MOST_WARNINGS]],
        maps=_maps(ready),
        grid=asked.options[options.GRID],
        parameters=asked.options[options.PNGINFO],
    )


def _maps(ready: Ready) -> list[str]:
    places = [SKELETON if one.detect else f"request.controls.{k}.image" for k, one in enumerate(ready.choices.controls)]
    return [place for place, saved in zip(places, ready.save_maps, strict=True) if saved]


def _further(ready: Ready) -> dict[str, Any]:
    """What stands in an infotext only where it was used."""
    asked, choices = ready.asked, ready.choices
    found: dict[str, Any] = {}
    if choices.image or choices.second:
        found["Denoising strength"] = f"{asked['denoising_strength']:g}"
    if choices.clip_skip != 1:
        found["Clip skip"] = choices.clip_skip
    return found | _extras(ready)


def _extras(ready: Ready) -> dict[str, Any]:
    choices = ready.choices
    found: dict[str, Any] = {}
    if choices.second:
        found["Hires resize"] = f"{choices.second.width}x{choices.second.height}"
        found["Hires upscaler"] = choices.second.enlarge.capitalize()
    if choices.mask:
        found["Mask blur"] = f"{choices.mask_blur:g}"
        found["Masked content"] = ("fill", "original", "latent noise", "latent nothing")[choices.fill]
        if choices.only_masked:
            found |= {"Inpaint area": "Only masked", "Masked area padding": choices.only_masked_padding}
    return found | _networks(ready) | ({"Script": "X/Y/Z plot"} if ready.asked.plot else {})


def _networks(ready: Ready) -> dict[str, Any]:
    choices = ready.choices
    found: dict[str, Any] = {}
    if choices.adapters:
        found["Lora hashes"] = ", ".join(
            f"{lora.name}: {one.version.sha256[:12]}" for lora, one in zip(ready.loras, choices.adapters, strict=True)
        )
    for k, control in enumerate(choices.controls):
        module = "openpose" if control.detect else "none"
        found[f"ControlNet {k}"] = (
            f"Module: {module}, Model: openpose, Weight: {control.weight:g}, "
            f"Guidance Start: {control.start:g}, Guidance End: {control.end:g}"
        )
    return found
