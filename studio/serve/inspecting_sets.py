"""``inspect_set``: a garment's photos as a training set, and what a training of them would be. Without torch."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from studio.dataset.captions import CATEGORIES, Language
from studio.dataset.encoders import words_of
from studio.dataset.inspecting import Photo
from studio.dataset.inspecting import inspect_set as look_at
from studio.dataset.preflight import Preflight, Words, preflight
from studio.dataset.records import Garment, Inspection, Picture, to_json
from studio.dataset.types import KINDS, check_trigger
from studio.errors import WeightsError
from studio.files import Content, write_all
from studio.lora.types import Plan
from studio.serve.fields import Fields
from studio.serve.jobs import Job
from studio.serve.outputs import make_folder
from studio.serve.resident import Resident
from studio.weights.registry import find_family
from studio.weights.store import locate


@dataclass(frozen=True)
class Asked:
    """One photo of the message: a garment picture, or a regularisation picture, which is not looked at."""

    photo: Photo
    caption: str | None
    prior: bool
    held_out: bool


def inspect_set(job: Job, resident: Resident) -> Mapping[str, Any]:
    """Masks, views, captions and crops of every photo, and the preflight of a training on them."""
    fields = Fields("message", job.body)
    asked = [_asked(value) for value in fields.items("photos")]
    garment, trigger = _garment(fields.any("garment")), check_trigger(fields.text("trigger"))
    family, plan, out = fields.text("family", "mini"), fields.any("plan"), fields.path("out")
    pace, setup = fields.number("seconds_per_step", None), fields.number("setup_seconds", 0.0)
    fields.finish()
    if not isinstance(plan, Mapping):
        fields.refuse("plan", "must be an object")
    whole = Plan.from_json({**plan, "family": family, "trigger": trigger})
    make_folder(out)
    found = _look(job, resident, asked, garment, trigger, _language(family))
    flight = preflight(
        found,
        base=(whole.width, whole.height),
        step=whole.bucket_step,
        steps=whole.steps,
        batch=whole.batch_size * whole.accumulation,
        seconds_per_step=pace,
        setup_seconds=setup,
        captions=_own_captions(asked, found),
        held_out=_own_choice(asked, found),
        encoder=_encoder(family),
    )
    return _told(found, flight, asked, out)


def _asked(value: object) -> Asked:
    fields = Fields("photo", value)
    path, mask, view = fields.path("path"), fields.path("mask", None), fields.text("view", None)
    caption, kind = fields.text("caption", None), fields.text("kind", "garment")
    held_out = fields.flag("held_out", False)
    fields.finish()
    if kind not in KINDS:
        fields.refuse("kind", f"must be one of: {', '.join(KINDS)}")
    photo = Photo(path, mask, view)  # type: ignore[arg-type]  # Photo refuses a view
    return Asked(photo, caption, kind == "prior", held_out)


def _garment(value: object) -> Garment:
    """A category that the studio has no word for is looked at as any garment."""
    fields, base = Fields("garment", value), Garment("other")
    category = fields.text("category", base.category)
    found = Garment(
        category if category in CATEGORIES else base.category,
        colour=fields.text("colour", ""),
        pattern=fields.text("pattern", ""),
        sleeve=fields.text("sleeve", ""),
        length=fields.text("length", ""),
        wearer=fields.text("wearer", ""),
        flip=fields.flag("flip", base.flip),
    )
    fields.text("name", None)
    fields.finish()
    return found


def _language(family: str) -> Language:
    """The bundled family knows only the words of its own world."""
    return "mini" if find_family(family).bundled is not None else "english"


def _encoder(family: str) -> Words | None:
    """What the family's tokenizer makes of words; None where its files are not on this machine."""
    try:
        return words_of(locate(family).components["tokenizer"])
    except (WeightsError, KeyError):
        return None


def _look(
    job: Job, resident: Resident, asked: Sequence[Asked], garment: Garment, trigger: str, language: Language
) -> Inspection:
    """Look at the garment's photos; indices are those of the message."""
    places = [n for n, one in enumerate(asked) if not one.prior]

    def on_photo(k: int) -> None:
        job.stop_if_asked()
        job.progress("pictures", 0.95 * k / len(places))

    photos, tools = [asked[n].photo for n in places], resident.tools()
    found = look_at(photos, garment, trigger=trigger, language=language, tools=tools, on_photo=on_photo)
    return _renumbered(found, places)


def _renumbered(found: Inspection, places: Sequence[int]) -> Inspection:
    """As the message counts, regularisation pictures and all."""
    return replace(
        found,
        pictures=tuple(replace(one, index=places[one.index]) for one in found.pictures),
        refused=tuple(replace(one, index=places[one.index]) for one in found.refused),
        duplicates=tuple(tuple(places[k] for k in group) for group in found.duplicates),
    )


def _own_captions(asked: Sequence[Asked], found: Inspection) -> dict[int, str]:
    captions = {one.index: asked[one.index].caption for one in found.pictures}
    return {index: text for index, text in captions.items() if text is not None}


def _own_choice(asked: Sequence[Asked], found: Inspection) -> tuple[int, ...] | None:
    """The garment pictures that the merchant holds out; None: none, so that some are chosen here."""
    if not any(one.held_out and not one.prior for one in asked):
        return None
    return tuple(one.index for one in found.pictures if asked[one.index].held_out)


def _told(found: Inspection, flight: Preflight, asked: Sequence[Asked], out: Path) -> dict[str, Any]:
    """What ``done`` says, the masks written."""
    seen = {one.index: one for one in found.pictures}
    masks: dict[str | os.PathLike[str], Content] = {
        out / f"mask-{n:03d}.png": one.mask for n, one in seen.items() if one.mask and one.mask_by == "proposal"
    }
    write_all(masks)
    pictures = [_picture(n, one, seen.get(n), out) for n, one in enumerate(asked)]
    return {"preflight": asdict(flight), "pictures": pictures, "inspection": to_json(found)}


def _picture(n: int, asked: Asked, found: Picture | None, out: Path) -> dict[str, Any]:
    """One photo of the message; nulls where it was not looked at, or could not be read."""
    path = out / f"mask-{n:03d}.png"
    return {
        "index": n,
        "view": found.view if found else asked.photo.view,
        "caption": asked.caption if asked.caption is not None or found is None else found.caption,
        "mask": str(path) if path.is_file() else None,
        "people": found.people if found else None,
        "crops": [{"box": list(crop.box), "mask": None, **_of_crop(crop)} for crop in found.crops] if found else [],
    }


def _of_crop(crop: Any) -> dict[str, Any]:
    return {"clean": crop.clean, "wanted": crop.wanted, "likeness": crop.likeness}
