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
from generation.surfaces.a1111 import fields, grid, telling
from generation.surfaces.a1111.telling import Cell, Sheets
from imodel_site.lib import storage
from imodel_site.lib.errors import Refused
from imodel_site.lib.images import ROOM
from imodel_site.lib.jobs.model import Status

VERSION = f"iModel {studio.__version__}"


@dataclass(frozen=True)
class Made:
    """One finished picture with what is said of it."""

    data: bytes
    seed: int
    infotext: str


def response(given: Mapping[str, Any], shoots: Sequence[Shoot]) -> dict[str, Any]:
    """The body of a 200; everything but the request's own words is of its orders (:mod:`telling`).

    Raises:
        Refused: the first shoot's failure, where one failed; of a plot where no cell came out.
    """
    cells, drawn = telling.read(shoots)
    warnings: list[str] = list(dict.fromkeys(warning for cell in cells for warning in cell.warnings))
    some = drawn is not None and any(shoot.status == Status.SUCCEEDED for shoot in shoots)
    made = [_made(cell, shoot, warnings, some=some) for cell, shoot in zip(cells, shoots, strict=True)]
    flat = [one for of_cell in made for one in of_cell]
    with ROOM:
        sheets = _sheets(cells[0], made, drawn)
    lone = flat if drawn is None or drawn.lone else []
    said = cells[0].parameters
    images = [*sheets, *(pictures.with_parameters(one.data, one.infotext) if said else one.data for one in lone)]
    images += _maps(cells[0], shoots)
    info = _info(given, cells[0], flat, warnings, first=len(sheets), texts=[one.infotext for one in lone])
    sent = [pictures.text_of(data) for data in images] if cells[0]["send_images"] else []
    return {"images": sent, "parameters": _echo(given, cells[0]), "info": json.dumps(info)}


def _made(cell: Cell, shoot: Shoot, warnings: list[str], *, some: bool) -> list[Made]:
    """A shoot's pictures; ``some``: others of its plot came out, so that one that failed leaves a blank."""
    if shoot.status == Status.CANCELLED:
        warnings.append("interrupted: no picture was made of what was left")
        return []
    if shoot.status != Status.SUCCEEDED:
        if not some:
            raise failed(shoot)
        warnings.append(f"a cell of the plot failed and is blank: {shoot.error_code}: {failed(shoot).message}")
        return []
    return _pictures(cell, shoot, warnings)


def _pictures(cell: Cell, shoot: Shoot, warnings: list[str]) -> list[Made]:
    found: list[Made] = []
    gone = shoot.count
    for picture in Picture.objects.filter(shoot=shoot, deleted_at=None).order_by("index"):
        if not picture.open_to(bearer=True):
            warnings.append("a picture is held back until our staff have looked at it: see /api/v1/pictures")
            gone -= 1
        elif (data := _file(picture)) is not None:
            _say_what_was_cut(picture, warnings)
            found.append(Made(data, picture.seed, infotext(cell, picture.seed)))
            gone -= 1
    if gone > 0:
        warnings.append(f"{gone} of the {shoot.count} pictures are not there any more: they were deleted")
    return found


def _file(picture: Picture) -> bytes | None:
    """None for one whose files were removed."""
    try:
        return storage.read(picture.files["full"]["key"])
    except (KeyError, FileNotFoundError):
        return None


def _say_what_was_cut(picture: Picture, warnings: list[str]) -> None:
    cut = picture.recipe.get("engine", {}).get("parameters", {}).get("prompt_cut")
    if cut and (warning := f"the prompt is too long, this was not read: {cut[:200]}") not in warnings:
        warnings.append(warning)


def failed(shoot: Shoot) -> Refused:
    """Why there is no picture: the sender's mistake is a 422, ours a 500."""
    from generation.words import FAILURES

    ours = shoot.error_code in FAILURES and shoot.error_retryable or shoot.error_code in ("internal_error", "gave_up")
    status = 500 if ours else 422
    return Refused(shoot.error_code, words.failure(shoot.error_code, shoot.error_message), status=status)


def _maps(cell: Cell, shoots: Sequence[Shoot]) -> list[bytes]:
    """The detected maps: what was read off a photo, and the skeletons that came as they are."""
    shoot = next((one for one in shoots if one.status == Status.SUCCEEDED), None)
    if shoot is None:
        return []
    files = {**shoot.order["files"], telling.SKELETON: shoot.table.get("skeleton")}
    return [storage.read(files[place]) for place in cell.maps if files.get(place)]


def _sheets(cell: Cell, made: Sequence[Sequence[Made]], drawn: Sheets | None) -> list[bytes]:
    """What stands before the pictures: the plot's grids, or the batch's where the option is on."""
    if drawn is None:
        several = [one for of_cell in made for one in of_cell]
        wanted = cell.grid and len(several) > 1
        return [pictures.png(grid.plain([_image(one, len(several)) for one in several]))] if wanted else []
    first = [_image(of_cell[0], len(made)) if of_cell else None for of_cell in made]
    return [pictures.png(sheet) for sheet in plotted(drawn, first)]


def plotted(drawn: Sheets, first: Sequence[Image.Image | None]) -> list[Image.Image]:
    """The plot's whole sheet, then a sheet for each value of z where they are asked for; cells by x, y, z."""
    there = next((picture for picture in first if picture is not None), None)
    if there is None:
        return []
    blank = Image.new("RGB", there.size, grid.WHITE)
    cells = [picture or blank for picture in first]
    across, down, deep = (labels if drawn.legend else () for labels in (drawn.x, drawn.y, drawn.z))
    columns, each = len(drawn.x), len(drawn.x) * len(drawn.y)
    sheets = [
        grid.labelled(cells[k : k + each], columns=columns, across=across, down=down, margin=drawn.margin)
        for k in range(0, len(cells), each)
    ]
    if len(sheets) == 1:
        return sheets
    whole = grid.stacked(sheets, deep, margin=drawn.margin)
    return [whole, *(sheets if drawn.subgrids else [])]


def _image(one: Made, count: int) -> Image.Image:
    """As one of so many in a sheet: not larger than it can stand there, for all of them are open at once."""
    return grid.within(Image.open(io.BytesIO(one.data)), grid.MOST_PIXELS // count)


def _echo(given: Mapping[str, Any], cell: Cell) -> dict[str, Any]:
    """The request as it came, without its pictures unless they are asked for."""
    defaults = {name: one.default for name, one in (fields.IMAGE if cell.image else fields.TEXT).items()}
    found = {**defaults, **cell.values, **given}
    if cell.image and not cell["include_init_images"]:
        found |= {"init_images": None, "mask": None}
    return found


# --- words ------------------------------------------------------------------------------------------------------------
def infotext(cell: Cell, seed: int) -> str:
    """One picture's parameters, as A1111 writes them into files."""
    negative = cell["negative_prompt"]
    facts: dict[str, Any] = {
        "Steps": cell["steps"],
        "Sampler": cell["sampler_name"],
        "Schedule type": cell["scheduler"],
        "CFG scale": f"{cell['cfg_scale']:g}",
        "Seed": seed,
        "Size": f"{cell['width']}x{cell['height']}",
        "Model": cell.family,
        **cell.further,
        "Version": VERSION,
    }
    said = ", ".join(f"{name}: {_quoted(value)}" for name, value in facts.items())
    lines = [cell["prompt"], f"Negative prompt: {negative}" if negative else "", said]
    return "\n".join(line for k, line in enumerate(lines) if line or k == 0)


def _quoted(value: Any) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if any(sign in text for sign in ',:\n"') else text


def _info(
    given: Mapping[str, Any],
    cell: Cell,
    made: Sequence[Made],
    warnings: Sequence[str],
    *,
    first: int,
    texts: Sequence[str],
) -> dict[str, Any]:
    seeds = [one.seed for one in made]
    seed = seeds[0] if seeds else cell.seed
    count = len(made)
    return {
        "prompt": cell["prompt"],
        "all_prompts": [cell["prompt"]] * count,
        "negative_prompt": cell["negative_prompt"],
        "all_negative_prompts": [cell["negative_prompt"]] * count,
        "seed": seed,
        "all_seeds": seeds,
        "subseed": seed,
        "all_subseeds": seeds,
        "subseed_strength": 0,
        "width": int(cell["width"]),
        "height": int(cell["height"]),
        "sampler_name": cell["sampler_name"],
        "cfg_scale": cell["cfg_scale"],
        "steps": cell["steps"],
        "batch_size": cell["batch_size"],
        "restore_faces": False,
        "face_restoration_model": None,
        "sd_model_name": cell.family,
        "sd_model_hash": None,
        "sd_vae_name": None,
        "sd_vae_hash": None,
        "seed_resize_from_w": -1,
        "seed_resize_from_h": -1,
        "denoising_strength": cell.strength,
        "extra_generation_params": {**cell.extras, **({"Warnings": "; ".join(warnings)} if warnings else {})},
        "index_of_first_image": first,
        "infotexts": [*([texts[0] if texts else infotext(cell, seed)] * first), *texts],
        "styles": given.get("styles") or [],
        "job_timestamp": timezone.now().strftime("%Y%m%d%H%M%S"),
        "clip_skip": cell.clip_skip,
        "is_using_inpainting_conditioning": cell.masked,
        "version": VERSION,
        "warnings": list(warnings),
    }
