"""A set as the executor is asked about it, and its answer as the pages show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from studio.lora.cost import Cost
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
    garment = row.set.garment
    plan, cost = _predicted(row.set.trigger, pictures, learned=sum(orders.learned(picture) for picture in pictures))
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


def _predicted(trigger: str, pictures: Sequence[TrainingPicture], *, learned: int) -> tuple[dict[str, Any], Cost]:
    """As :func:`training.orders.freeze` will plan it, and how long that takes."""
    plan = plans.plan_of(Wishes(), trigger=trigger, pictures=learned)
    return plan, pace.of_plan(plan, pictures=learned, held_out=max(1, len(pictures) - learned))


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
        "held_out": orders.held_out(picture),
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
    """What the row keeps: pictures by their ids, files by their storage keys; steps and seconds of what is trained on.

    Whom the studio holds out, nobody knew when it was asked.
    """
    flight = done["preflight"]
    garment = [number for number, picture in enumerate(asked.pictures) if picture.kind == PictureKind.GARMENT]
    learned = len(set(garment) - set(flight.get("held_out") or ()))
    plan, cost = _predicted(asked.message["trigger"], asked.pictures, learned=learned)
    ids = [str(picture.pk) for picture in asked.pictures]
    often = {int(entry["index"]): int(entry["repeats"]) for entry in flight.get("entries") or ()}
    problems = [
        {**problem, "pictures": [ids[number] for number in problem.get("pictures") or () if number < len(ids)]}
        for problem in flight.get("problems") or ()
    ]
    return {
        "problems": problems,
        "buckets": flight.get("buckets") or [],
        "steps": plan["steps"],
        "seconds": ceil(cost.total),
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
