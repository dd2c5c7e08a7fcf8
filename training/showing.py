"""What the pages of the room show: sets with their check, samples on a timeline, grids as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from accounts.models.moderation import Moderation
from catalog.models import Garment, GarmentPhoto
from imodel_site.lib.errors import Refused
from imodel_site.lib.jobs.model import Status
from imodel_site.lib.signing import media_url
from training import orders, pace, plans, words
from training.models import (
    OF_TRAINING,
    Adapter,
    AdapterVersion,
    Comparison,
    ComparisonCell,
    PictureKind,
    Preflight,
    Training,
    TrainingPicture,
    TrainingSample,
    TrainingSet,
    View,
)
from training.models.grids import Axis
from training.plans import Effort, Wishes
from training.pricing import price_of_training
from training.services import preflights

GARMENTS = 60
ADVISED_PICTURES = 7


@dataclass(frozen=True)
class Shown:
    """A picture of a set: its small image, the part that is cut out of it, and what the check says of it."""

    picture: TrainingPicture
    image: str
    box: str  # an SVG viewBox in the asset's pixels
    width: int
    height: int
    crops: Sequence[str]
    problems: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Offer:
    """One effort: what it would take."""

    value: str
    label: str
    steps: int
    price: int
    minutes: str
    checked: bool


def set_page(found: TrainingSet) -> dict[str, Any]:
    """Pictures, the newest check, coverage and offers."""
    pictures = orders.pictures_of(found)
    look = preflights.newest(found)
    told = look.found if look is not None and look.status == Status.SUCCEEDED else {}
    problems = [words.problem(one) for one in told.get("problems", ())]
    used = orders.used(pictures)
    return {
        "look": look,
        "looking": look is not None and look.status in (Status.QUEUED, Status.RUNNING, Status.PAUSED),
        "look_failure": _failure(look),
        "current": look is not None and look.status == Status.SUCCEEDED and look.edition == found.edition,
        "shown": _shown(pictures, told, problems),
        "problems": sorted(problems, key=lambda one: ("stop", "warn", "info").index(one["severity"])),
        "stops": any(one["severity"] == "stop" for one in problems),
        "buckets": [_bucket(one) for one in told.get("buckets") or ()],
        "coverage": _coverage(used),
        "used": len(used),
        "few": len(used) < ADVISED_PICTURES,
        "advised": ADVISED_PICTURES,
        "offers": _offers(found, used),
        "views": View.choices,
        "kinds": PictureKind.choices,
        "others": _other_photos(found, pictures),
    }


def _failure(look: Preflight | None) -> str:
    failed = look is not None and look.status == Status.FAILED
    return words.failure(look.error_code, look.error_message) if look is not None and failed else ""


def _shown(
    pictures: Sequence[TrainingPicture], told: Mapping[str, Any], problems: Sequence[Mapping[str, Any]]
) -> list[Shown]:
    crops = {one["id"]: [_box(crop["box"]) for crop in one["crops"]] for one in told.get("pictures") or ()}
    return [
        Shown(
            picture,
            media_url(picture.asset, "medium"),
            _box(picture.crop or (0, 0, picture.asset.width, picture.asset.height)),
            picture.asset.width,
            picture.asset.height,
            () if picture.left_out else crops.get(str(picture.pk), ()),
            [one for one in problems if str(picture.pk) in one["pictures"]],
        )
        for picture in pictures
    ]


def _box(corners: Sequence[int]) -> str:
    left, top, right, bottom = corners
    return f"{left} {top} {right - left} {bottom - top}"


def _bucket(one: Mapping[str, Any]) -> dict[str, Any]:
    """A bucket's size, and how many pictures it takes."""
    return {"width": one["width"], "height": one["height"], "count": len(one["pictures"])}


def _coverage(used: Sequence[TrainingPicture]) -> list[dict[str, Any]]:
    """By side, what the garment is learned from."""
    count = Counter(picture.view for picture in used if orders.learned(picture))
    return [
        {"label": label, "count": count[value], "on": bool(count[value])}
        for value, label in View.choices
        if value != View.UNSURE
    ]


def _offers(found: TrainingSet, used: Sequence[TrainingPicture]) -> list[Offer]:
    learned = sum(orders.learned(picture) for picture in used)
    return [_offer(found, effort, learned, len(used)) for effort in list(Effort.values)]


def _offer(found: TrainingSet, effort: str, learned: int, pictures: int) -> Offer:
    plan = plans.plan_of(Wishes(effort=effort), trigger=found.trigger, pictures=learned)
    predicted = pace.of_plan(plan, pictures=learned, held_out=max(1, pictures - learned)).total
    price = price_of_training(steps=plan["steps"], pictures=pictures)
    return Offer(
        effort, str(Effort(effort).label), plan["steps"], price, words.minutes(predicted), effort == Effort.USUAL
    )


def _other_photos(found: TrainingSet, pictures: Sequence[TrainingPicture]) -> list[dict[str, Any]]:
    """The garment's photos that are not in the set."""
    there = {picture.asset_id for picture in pictures}
    rows = GarmentPhoto.objects.filter(garment_id=found.garment_id).exclude(asset__moderation=Moderation.REJECTED)
    photos = rows.exclude(asset_id__in=there).select_related("asset").order_by("position", "id")
    return [{"photo": photo, "image": media_url(photo.asset, "small")} for photo in photos]


# --- garments --------------------------------------------------------------------------------------------------------
def garments(wanted: Any, *, bare: bool = False) -> list[dict[str, Any]]:
    """Garments to train, those with enough photos first; the one asked for is checked.

    Args:
        bare: those without a photo too.
    """
    rows = Garment.objects.exclude(status=Garment.Status.ARCHIVED).order_by("-id")[:500]
    photos = GarmentPhoto.objects.filter(garment__in=[row.pk for row in rows])
    shown = photos.exclude(asset__moderation=Moderation.REJECTED).select_related("asset").order_by("position", "id")
    by_garment: dict[Any, list[GarmentPhoto]] = {}
    for photo in shown:
        by_garment.setdefault(photo.garment_id, []).append(photo)
    found = [
        {
            "garment": row,
            "count": len(by_garment.get(row.pk, ())),
            "image": media_url(by_garment[row.pk][0].asset, "small") if row.pk in by_garment else "",
            "enough": len(by_garment.get(row.pk, ())) >= orders.LEAST_PICTURES,
            "checked": str(row.pk) == str(wanted or ""),
        }
        for row in rows
        if bare or row.pk in by_garment
    ]
    return sorted(found, key=lambda one: (not one["checked"], -min(one["count"], ADVISED_PICTURES)))[:GARMENTS]


# --- trainings -------------------------------------------------------------------------------------------------------
def timeline(training: Training) -> list[dict[str, Any]]:
    """Samples by step, each with its image."""
    rows = TrainingSample.objects.filter(training=training).prefetch_related(OF_TRAINING).order_by("step", "number")
    steps: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        steps.setdefault(row.step, []).append({"sample": row, "image": media_url(row, "picture")})
    return [{"step": step, "samples": found, "best": step == training.chosen_step} for step, found in steps.items()]


def listed(rows: Sequence[Training]) -> list[dict[str, Any]]:
    """Trainings for a table, each with its last sample."""
    from training import progress
    from training.spending import title_of

    newest: dict[Any, TrainingSample] = {}
    samples = TrainingSample.objects.filter(training__in=rows, number=0).prefetch_related(OF_TRAINING).order_by("step")
    for sample in samples:
        newest[sample.training_id] = sample
    return [
        {
            "training": row,
            "title": title_of(row),
            "cover": media_url(newest[row.pk], "picture") if row.pk in newest else "",
            "stage": progress.stage_of(row) if not row.ended else "",
            "failure": words.failure(row.error_code, row.error_message) if row.status == Status.FAILED else "",
        }
        for row in rows
    ]


def name_of(adapter: Adapter) -> str:
    """An adapter as people call it."""
    return str(adapter.garment.name if adapter.garment else adapter.name)


def adapters() -> list[dict[str, Any]]:
    """Every adapter with the version in use and how many there are."""
    rows = list(Adapter.objects.select_related("garment").order_by("-id")[:200])
    versions = AdapterVersion.objects.filter(adapter__in=rows)
    found: dict[Any, list[AdapterVersion]] = {}
    for version in versions.order_by("number"):
        found.setdefault(version.adapter_id, []).append(version)
    return [
        {
            "adapter": row,
            "title": name_of(row),
            "count": len(found.get(row.pk, ())),
            "in_use": next((one for one in found.get(row.pk, ()) if one.promoted), None),
        }
        for row in rows
    ]


# --- grids -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Sheet:
    """One z of a grid: a row for each y, a cell for each x."""

    title: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Mapping[str, Any] | None]]]


def sheets(comparison: Comparison) -> list[Sheet]:
    """The cells as tables, with scores, the winner marked."""
    axes = [*comparison.order.get("axes", ()), *[{"name": "", "values": [""]}] * 3][:3]
    names = [[axis_value(axis, value) for value in axis["values"]] for axis in axes]
    cells = {
        (cell.x, cell.y, cell.z): {
            "cell": cell,
            "image": media_url(cell, "picture"),
            "best": cell.number == comparison.best,
            "winner": cell.number == comparison.winner,
        }
        for cell in ComparisonCell.objects.filter(comparison=comparison).prefetch_related(f"comparison__{OF_TRAINING}")
    }
    return [
        Sheet(
            title,
            names[0],
            [(label, [cells.get((x, y, z)) for x in range(len(names[0]))]) for y, label in enumerate(names[1])],
        )
        for z, title in enumerate(names[2])
    ]


def axis_value(axis: Mapping[str, Any], value: Any) -> str:
    """How a column or row is headed."""
    if not axis["name"]:
        return ""
    label = Axis(axis["name"]).label
    shown = _("without training") if axis["name"] == Axis.CHECKPOINT and value is None else value
    return f"{label} {shown}"


def parse_axis(name: str, text: str) -> dict[str, Any] | None:
    """An axis as it was typed: values between commas (prompts between semicolons); None for none.

    Raises:
        Refused: ``axis_invalid``: something is no number.
    """
    if not name or not text.strip():
        return None
    separator = ";" if name == Axis.PROMPT else ","
    parts = [part.strip() for part in text.replace("，", ",").replace("；", ";").split(separator) if part.strip()]
    if name in (Axis.PROMPT, Axis.SAMPLER):
        return {"name": name, "values": list(dict.fromkeys(parts))}
    kind = float if name in (Axis.WEIGHT, Axis.GUIDANCE) else int
    try:
        return {"name": name, "values": list(dict.fromkeys(kind(part) for part in parts))}
    except ValueError:
        said = _("Write numbers with commas between them, such as 0.6, 0.8, 1.")
        raise Refused("axis_invalid", said, field="axes") from None
