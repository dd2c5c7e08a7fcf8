"""A set as the executor is asked about it, and its answer as the pages show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training import datasets, orders, pace, plans
from training.models import PictureKind, Preflight, TrainingPicture
from training.plans import Wishes


@dataclass(frozen=True)
class Question:
    """What is asked, and about which pictures, in their order."""

    message: Mapping[str, Any]
    pictures: Sequence[TrainingPicture]


def question(row: Preflight, folder: Path) -> Question:
    """The op's fields; the pictures, cropped, as files in ``folder``."""
    pictures = orders.used(orders.pictures_of(row.set))
    raw = folder / "pictures"
    raw.mkdir()
    photos = [_photo(number, picture, raw) for number, picture in enumerate(pictures)]
    learned = sum(picture.kind == PictureKind.GARMENT for picture in pictures)
    garment = row.set.garment
    plan = plans.plan_of(Wishes(), trigger=row.set.trigger, pictures=learned)
    cost = pace.of_plan(plan, pictures=learned, held_out=1)
    message = {
        "photos": photos,
        "garment": {
            "category": garment.category,
            "colour": garment.colour,
            "name": garment.name,
            "flip": row.set.mirrored,
        },
        "trigger": row.set.trigger,
        "family": plan["family"],
        "plan": plan,
        "seconds_per_step": cost.step,
        "setup_seconds": cost.total - cost.step * plan["steps"],
    }
    return Question(message, pictures)


def _photo(number: int, picture: TrainingPicture, raw: Path) -> dict[str, Any]:
    path = datasets.cut(picture.asset.key, picture.crop, raw / f"{number:03d}.png")
    mask, place = orders.mask_of(picture), None
    if mask:
        whole = picture.crop if mask["whole"] else None
        place = str(datasets.cut(mask["key"], whole, raw / f"{number:03d}.mask.png"))
    return {
        "path": str(path),
        "mask": place,
        "view": picture.view if picture.view_by_hand else None,
        "caption": picture.caption if picture.caption_by_hand else None,
        "kind": picture.kind,
    }


def told(asked: Question, done: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is said of each picture, whole: boxes in the asset's pixels, and whether it is to be held out."""
    held = set(done["preflight"].get("held_out") or ())
    return [
        {**one, "held_out": number in held, "crops": [_crop(picture, crop) for crop in one.get("crops") or ()]}
        for number, (picture, one) in enumerate(zip(asked.pictures, done["pictures"], strict=True))
    ]


def _crop(picture: TrainingPicture, crop: Mapping[str, Any]) -> dict[str, Any]:
    """A box within a part is one of the whole, moved."""
    left, top = (picture.crop or (0, 0))[:2]
    box = [round(value) for value in crop["box"]]
    return {"box": [box[0] + left, box[1] + top, box[2] + left, box[3] + top], "mask": crop.get("mask")}


def found(asked: Question, done: Mapping[str, Any], kept: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the row keeps: pictures by their ids, files by their storage keys."""
    flight = done["preflight"]
    ids = [str(picture.pk) for picture in asked.pictures]
    often = {int(entry["index"]): int(entry["repeats"]) for entry in flight.get("entries") or ()}
    problems = [
        {**problem, "pictures": [ids[number] for number in problem.get("pictures") or () if number < len(ids)]}
        for problem in flight.get("problems") or ()
    ]
    return {
        "problems": problems,
        "buckets": flight.get("buckets") or [],
        "steps": flight.get("steps"),
        "seconds": flight.get("seconds"),
        "held_out": [ids[number] for number in flight.get("held_out") or () if number < len(ids)],
        "pictures": [
            {
                "id": identity,
                "view": one.get("view"),
                "mask": one.get("mask") or "",
                "crops": one["crops"],
                "repeats": often.get(number, 1),
            }
            for number, (identity, one) in enumerate(zip(ids, kept, strict=True))
        ],
    }


def repeats_of(kept: Mapping[str, Any]) -> dict[str, int]:
    """By a picture's id how often it is to be seen in one pass over the set; looks from before could not say."""
    return {one["id"]: one.get("repeats", 1) for one in kept.get("pictures") or ()}


def keys_of(kept: Mapping[str, Any]) -> Sequence[str]:
    """Every file that a look's answer refers to."""
    found: list[str] = []
    for one in kept.get("pictures") or ():
        found += [one.get("mask") or "", *(crop.get("mask") or "" for crop in one.get("crops") or ())]
    return [key for key in found if key]
