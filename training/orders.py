"""From a set and its wishes to an order that is frozen: what the worker carries out, whatever is edited later.

op       "train"
plan     of studio.lora.types, as JSON
trigger  the garment's word
noun     what kind of garment a prompt calls it
start    {"version", "number", "key", "sha256"} of the version that it begins with; not there: begun anew
entries  [{"asset", "key", "crop", "mask", "caption", "view", "kind", "held_out", "flip", "repeats"}], in order
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from catalog.models import Asset, Look
from imodel_site.lib.errors import Conflict, Refused
from imodel_site.lib.jobs.model import Status
from studio.dataset.captions import CATEGORIES
from studio.dataset.problems import FEWEST
from training import beginnings, plans
from training.models import AdapterVersion, PictureKind, TrainingPicture, TrainingSet
from training.plans import Wishes
from training.pricing import price_of_training

LEAST_PICTURES = FEWEST  # below this nothing is learned that a garment could be known by; seven are advised


@dataclass(frozen=True)
class Frozen:
    """What an accepted training's row holds."""

    order: dict[str, Any]
    family: str
    steps: int
    price: int
    assets: tuple[Asset, ...]


def pictures_of(found: TrainingSet) -> list[TrainingPicture]:
    """A set's pictures in order, with what an order reads of them."""
    rows = TrainingPicture.objects.filter(set=found).select_related("asset__look", "asset__garment_mask", "photo")
    return list(rows.order_by("position", "id"))


def used(pictures: Sequence[TrainingPicture]) -> list[TrainingPicture]:
    """Those that take part."""
    return [picture for picture in pictures if not picture.left_out]


def held_out(picture: TrainingPicture) -> bool:
    """Whether it is compared with; what shows others than the garment is never."""
    return bool(picture.held_out) and picture.kind == PictureKind.GARMENT


def learned(picture: TrainingPicture) -> bool:
    """Whether the garment is learned from it."""
    return picture.kind == PictureKind.GARMENT and not picture.held_out


def freeze(
    found: TrainingSet,
    wishes: Wishes,
    *,
    repeats: Mapping[str, int] | None = None,
    begin: AdapterVersion | None = None,
) -> Frozen:
    """Write down everything that the worker needs.

    Args:
        repeats: by a picture's id how often one pass over the set shows it, as the check worked it out; None: once.
        begin: the version whose weights it begins with; its pictures are sources of this training too.

    Raises:
        Refused: ``too_few_pictures``, ``captions_missing``, ``nothing_learned``, ``begin_differs``; and as
            :func:`plans.plan_of`.
        Conflict: ``photo_rejected``: moderation took one of the photos down.
    """
    pictures = used(pictures_of(found))
    _check(pictures)
    often = repeats or {}
    entries = [_entry(picture, flip=found.mirrored, repeats=often.get(str(picture.pk), 1)) for picture in pictures]
    plan = _plan(found, wishes, begin, pictures=sum(learned(picture) for picture in pictures))
    order: dict[str, Any] = {
        "op": "train",
        "plan": plan,
        "trigger": found.trigger,
        "noun": noun_of(found.garment, family=plan["family"]),
        "entries": entries,
    }
    if begin is not None:
        order["start"] = beginnings.as_order(begin)
    price = price_of_training(steps=plan["steps"], pictures=len(entries))
    assets = {picture.asset_id: picture.asset for picture in pictures}
    return Frozen(order, plan["family"], plan["steps"], price, tuple((assets | _learned_before(begin)).values()))


def _plan(found: TrainingSet, wishes: Wishes, begin: AdapterVersion | None, *, pictures: int) -> dict[str, Any]:
    if begin is not None:
        beginnings.check(begin, found, family=wishes.family or settings.ENGINE)
        wishes = beginnings.wide_enough(wishes, begin)
    return plans.plan_of(wishes, trigger=found.trigger, pictures=pictures)


def _learned_before(begin: AdapterVersion | None) -> dict[Any, Asset]:
    """What comes of a training shows what the version before it learned from: moderation must reach it the same."""
    if begin is None:
        return {}
    return {row.asset_id: row.asset for row in begin.learned_from().select_related("asset")}


def as_files(found: TrainingSet, pictures: Sequence[TrainingPicture]) -> dict[str, Any]:
    """What :func:`training.datasets.write` reads of an order, of a set that nobody trains."""
    noun = noun_of(found.garment, family=settings.ENGINE)
    return {
        "trigger": found.trigger,
        "noun": noun,
        "entries": [_entry(picture, flip=found.mirrored) for picture in pictures],
    }


def _check(pictures: Sequence[TrainingPicture]) -> None:
    garment = [picture for picture in pictures if picture.kind == PictureKind.GARMENT]
    if len(garment) < LEAST_PICTURES:
        words = _("A training needs at least %(least)d pictures of the garment; seven or more are better. Add some.")
        raise Refused("too_few_pictures", words % {"least": LEAST_PICTURES}, field="pictures")
    if all(picture.held_out for picture in garment):
        words = _("Every picture is held back for comparing. Let at least some of them be learned from.")
        raise Refused("nothing_learned", words, field="pictures")
    if any(picture.asset.rejected for picture in pictures):
        words = _("A photo of this set was removed by moderation. Leave it out, then start again.")
        raise Conflict("photo_rejected", words, field="pictures")
    if not all(picture.caption.strip() for picture in pictures):
        words = _("Some pictures have no caption yet. Let the check write them, or write them yourself.")
        raise Refused("captions_missing", words, field="pictures")


def _entry(picture: TrainingPicture, *, flip: bool, repeats: int = 1) -> dict[str, Any]:
    held = held_out(picture)
    return {
        "asset": str(picture.asset_id),
        "key": picture.asset.key,
        "crop": picture.crop,
        "mask": mask_of(picture),
        "caption": " ".join(picture.caption.split()),
        "view": picture.view,
        "kind": picture.kind,
        "held_out": held,
        "flip": flip,
        "repeats": 1 if held else repeats,
    }


def mask_of(picture: TrainingPicture) -> dict[str, Any] | None:
    """Where its garment is: ``{"key", "whole"}``, ``whole`` when the file has the asset's size rather than the crop's.

    What the merchant marked by hand comes first, then what the preflight proposed for this very crop, then what the
    first look saw.
    """
    own = getattr(picture.asset, "garment_mask", None)
    if own is not None:
        return {"key": own.key, "whole": True}
    if picture.mask_key:
        return {"key": picture.mask_key, "whole": False}
    if picture.crop:  # what was seen on the whole picture may be somebody else's
        return None
    key = _seen(getattr(picture.asset, "look", None))
    return {"key": key, "whole": True} if key else None


def _seen(look: Look | None) -> str:
    if look is None or look.status != Status.SUCCEEDED:
        return ""
    parts = {part["part"]: part["key"] for part in look.found.get("parts") or []}
    return str(parts.get(look.found.get("best"), ""))


def noun_of(garment: Any, *, family: str) -> str:
    """What kind of garment captions and prompts call it, in English: the word that this family was taught."""
    category = garment.category if garment is not None else "other"
    mini, english, _part = CATEGORIES.get(category, CATEGORIES["other"])
    return mini if family == "mini" else english


def keys_of(order: dict[str, Any]) -> Iterator[str]:
    """Every file that an order refers to."""
    if order.get("start"):
        yield order["start"]["key"]
    for entry in order.get("entries", ()):
        yield entry["key"]
        if entry.get("mask"):
            yield entry["mask"]["key"]
