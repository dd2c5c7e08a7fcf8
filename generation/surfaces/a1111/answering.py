"""From shoots that ended to what these clients read: pictures in base64, ``info`` as a text of JSON, infotexts."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from PIL import Image

import studio
from generation import words
from generation.models import Picture, Shoot
from generation.surfaces import pictures
from generation.surfaces.a1111 import grid, options
from generation.surfaces.a1111.ordering import Ready
from generation.surfaces.a1111.plot import Plot
from imodel_site.lib import storage
from imodel_site.lib.errors import Refused
from imodel_site.lib.images import ROOM
from imodel_site.lib.jobs.model import Status

VERSION = f"iModel {studio.__version__}"
SMALLEST_ERROR = 400


@dataclass(frozen=True)
class Made:
    """One finished picture with what is said of it."""

    data: bytes
    seed: int
    infotext: str


def response(
    given: Mapping[str, Any], cells: Sequence[Ready], shoots: Sequence[Shoot], plot: Plot | None
) -> dict[str, Any]:
    """The body of a 200.

    Raises:
        Refused: the first shoot's failure, where one failed.
    """
    warnings: list[str] = list(dict.fromkeys(warning for cell in cells for warning in cell.warnings))
    made = [_made(cell, shoot, warnings) for cell, shoot in zip(cells, shoots, strict=True)]
    flat = [one for of_cell in made for one in of_cell]
    with ROOM:
        sheets = _sheets(cells, made, plot)
    lone = flat if plot is None or plot.lone else []
    asked = cells[0].asked
    said = asked.options[options.PNGINFO]
    images = [*sheets, *(pictures.with_parameters(one.data, one.infotext) if said else one.data for one in lone)]
    images += _maps(cells[0], shoots[0])
    info = _info(cells[0], flat, warnings, first=len(sheets), texts=[one.infotext for one in lone])
    sent = [pictures.text_of(data) for data in images] if asked["send_images"] else []
    return {"images": sent, "parameters": _echo(given, asked), "info": json.dumps(info)}


def _made(cell: Ready, shoot: Shoot, warnings: list[str]) -> list[Made]:
    if shoot.status == Status.CANCELLED:
        warnings.append("interrupted: no picture was made of what was left")
        return []
    if shoot.status != Status.SUCCEEDED:
        raise failed(shoot)
    found: list[Made] = []
    for picture in Picture.objects.filter(shoot=shoot, deleted_at=None).order_by("index"):
        if not picture.open_to(bearer=True):
            warnings.append("a picture is held back until our staff have looked at it: see /api/v1/pictures")
            continue
        cut = picture.recipe.get("engine", {}).get("parameters", {}).get("prompt_cut")
        if cut and (warning := f"the prompt is too long, this was not read: {cut[:200]}") not in warnings:
            warnings.append(warning)
        text = infotext(cell, picture.seed)
        found.append(Made(storage.read(picture.files["full"]["key"]), picture.seed, text))
    return found


def failed(shoot: Shoot) -> Refused:
    """Why there is no picture: the sender's mistake is a 422, ours a 500."""
    from generation.words import FAILURES

    ours = shoot.error_code in FAILURES and shoot.error_retryable or shoot.error_code in ("internal_error", "gave_up")
    status = 500 if ours else 422
    return Refused(shoot.error_code, words.failure(shoot.error_code, shoot.error_message), status=status)


def _maps(cell: Ready, shoot: Shoot) -> list[bytes]:
    """The detected maps: what was read off a photo, and the skeletons that came as they are."""
    found = []
    for k, (control, saved) in enumerate(zip(cell.choices.controls, cell.save_maps, strict=True)):
        key = shoot.table.get("skeleton") if control.detect else shoot.order["files"].get(f"request.controls.{k}.image")
        if saved and key and shoot.status == Status.SUCCEEDED:
            found.append(storage.read(key))
    return found


def _sheets(cells: Sequence[Ready], made: Sequence[Sequence[Made]], plot: Plot | None) -> list[bytes]:
    """What stands before the pictures: the plot's grids, or the batch's where the option is on."""
    if plot is None:
        several = [one for of_cell in made for one in of_cell]
        wanted = cells[0].asked.options[options.GRID] and len(several) > 1
        return [pictures.png(grid.plain([_image(one, len(several)) for one in several]))] if wanted else []
    first = [_image(of_cell[0], len(made)) if of_cell else None for of_cell in made]
    return [pictures.png(sheet) for sheet in plotted(plot, first)]


def plotted(plot: Plot, first: Sequence[Image.Image | None]) -> list[Image.Image]:
    """The plot's whole sheet, then a sheet for each value of z where they are asked for; cells by x, y, z."""
    there = next((picture for picture in first if picture is not None), None)
    if there is None:
        return []
    blank = Image.new("RGB", there.size, grid.WHITE)
    cells = [picture or blank for picture in first]
    each = len(plot.x.values) * len(plot.y.values)
    across = plot.x.labels if plot.legend else ()
    down = plot.y.labels if plot.legend else ()
    sheets = [
        grid.labelled(cells[k : k + each], columns=len(plot.x.values), across=across, down=down, margin=plot.margin)
        for k in range(0, len(cells), each)
    ]
    if len(sheets) == 1:
        return sheets
    whole = grid.stacked(sheets, plot.z.labels if plot.legend else (), margin=plot.margin)
    return [whole, *(sheets if plot.subgrids else [])]


def _image(one: Made, count: int) -> Image.Image:
    """As one of so many in a sheet: not larger than it can stand there, for all of them are open at once."""
    return grid.within(Image.open(io.BytesIO(one.data)), grid.MOST_PIXELS // count)


def _echo(given: Mapping[str, Any], asked: Any) -> dict[str, Any]:
    """The request as it came, without its pictures unless they are asked for."""
    found = {**asked.values, **given}
    if asked.image and not asked["include_init_images"]:
        found |= {"init_images": None, "mask": None}
    return found


# --- words ------------------------------------------------------------------------------------------------------------
def infotext(cell: Ready, seed: int) -> str:
    """One picture's parameters, as A1111 writes them into files."""
    asked, negative = cell.asked, cell.asked["negative_prompt"]
    facts: dict[str, Any] = {
        "Steps": asked["steps"],
        "Sampler": asked["sampler_name"],
        "Schedule type": asked["scheduler"],
        "CFG scale": f"{asked['cfg_scale']:g}",
        "Seed": seed,
        "Size": f"{asked['width']}x{asked['height']}",
        "Model": asked.family,
        **_further(cell),
        "Version": VERSION,
    }
    said = ", ".join(f"{name}: {_quoted(value)}" for name, value in facts.items())
    lines = [asked["prompt"], f"Negative prompt: {negative}" if negative else "", said]
    return "\n".join(line for k, line in enumerate(lines) if line or k == 0)


def _further(cell: Ready) -> dict[str, Any]:
    """What stands there only where it was used."""
    asked, choices = cell.asked, cell.choices
    found: dict[str, Any] = {}
    if choices.image or choices.second:
        found["Denoising strength"] = f"{asked['denoising_strength']:g}"
    if choices.clip_skip != 1:
        found["Clip skip"] = choices.clip_skip
    return found | extras(cell)


def extras(cell: Ready) -> dict[str, Any]:
    """``extra_generation_params``."""
    asked, choices = cell.asked, cell.choices
    found: dict[str, Any] = {}
    if choices.second:
        found["Hires resize"] = f"{choices.second.width}x{choices.second.height}"
        found["Hires upscaler"] = choices.second.enlarge.capitalize()
    if choices.mask:
        found["Mask blur"] = f"{choices.mask_blur:g}"
        found["Masked content"] = ("fill", "original", "latent noise", "latent nothing")[choices.fill]
        if choices.only_masked:
            found |= {"Inpaint area": "Only masked", "Masked area padding": choices.only_masked_padding}
    if choices.adapters:
        found["Lora hashes"] = ", ".join(
            f"{lora.name}: {one.version.sha256[:12]}" for lora, one in zip(cell.loras, choices.adapters, strict=True)
        )
    for k, control in enumerate(choices.controls):
        module = "openpose" if control.detect else "none"
        found[f"ControlNet {k}"] = (
            f"Module: {module}, Model: openpose, Weight: {control.weight:g}, "
            f"Guidance Start: {control.start:g}, Guidance End: {control.end:g}"
        )
    if asked.plot:
        found["Script"] = "X/Y/Z plot"
    return found


def _quoted(value: Any) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if any(sign in text for sign in ',:\n"') else text


def _info(
    cell: Ready, made: Sequence[Made], warnings: Sequence[str], *, first: int, texts: Sequence[str]
) -> dict[str, Any]:
    asked = cell.asked
    seeds = [one.seed for one in made]
    seed = seeds[0] if seeds else int(cell.choices.seed)
    count = len(made)
    return {
        "prompt": asked["prompt"],
        "all_prompts": [asked["prompt"]] * count,
        "negative_prompt": asked["negative_prompt"],
        "all_negative_prompts": [asked["negative_prompt"]] * count,
        "seed": seed,
        "all_seeds": seeds,
        "subseed": seed,
        "all_subseeds": seeds,
        "subseed_strength": 0,
        "width": int(asked["width"]),
        "height": int(asked["height"]),
        "sampler_name": asked["sampler_name"],
        "cfg_scale": asked["cfg_scale"],
        "steps": asked["steps"],
        "batch_size": asked["batch_size"],
        "restore_faces": False,
        "face_restoration_model": None,
        "sd_model_name": asked.family,
        "sd_model_hash": None,
        "sd_vae_name": None,
        "sd_vae_hash": None,
        "seed_resize_from_w": -1,
        "seed_resize_from_h": -1,
        "denoising_strength": asked["denoising_strength"] if cell.choices.image or cell.choices.second else None,
        "extra_generation_params": {**extras(cell), **({"Warnings": "; ".join(warnings)} if warnings else {})},
        "index_of_first_image": first,
        "infotexts": [*([texts[0] if texts else infotext(cell, seed)] * first), *texts],
        "styles": asked["styles"] or [],
        "job_timestamp": timezone.now().strftime("%Y%m%d%H%M%S"),
        "clip_skip": cell.choices.clip_skip,
        "is_using_inpainting_conditioning": bool(cell.choices.mask),
        "version": VERSION,
        "warnings": list(warnings),
    }
