"""What a batch comes to before it starts: garments x looks, what is left out, the price (docs/batches.md)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import ceil
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from accounts.actors import Actor
from accounts.models import Merchant
from accounts.services import plans
from catalog.models import Garment, GarmentPhoto, Persona, Pose, Scene, View
from generation import orders, pricing
from generation.access import photos_with_all
from generation.models import Shoot
from generation.orders import Choices
from imodel_site.lib.errors import NotHere, Refused, named
from imodel_site.lib.jobs import queue

# No plan goes that far; it bounds what one call may make the database look up.
MOST_IDS = 10_000
NAMED = 5  # of the garments that are left out, in a refusal

NO_FRONT_PHOTO, PHOTO_REJECTED = "no_front_photo", "photo_rejected"
REASONS = {
    NO_FRONT_PHOTO: lazy("no photo of the front"),
    PHOTO_REJECTED: lazy("our staff rejected its photo"),
}


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """A batch as a merchant picks it; ids of the catalog's rows.

    Attributes:
        garments: each is shot from its first photo of the front, unless one of ``photos`` is its.
        photos: photos to shoot from, whichever side they show.
        personas, scenes: the library's first where nothing is chosen.
        poses: None is the pose photographed; nothing chosen is that one.
        crop, count, best_of: of every cell, as for a shoot.
    """

    name: str = ""
    garments: tuple[UUID, ...] = ()
    photos: tuple[UUID, ...] = ()
    personas: tuple[UUID, ...] = ()
    scenes: tuple[UUID, ...] = ()
    poses: tuple[UUID | None, ...] = (None,)
    crop: str = Choices.crop
    count: int = 1
    best_of: int = 1


@dataclass(frozen=True)
class Look:
    """One column: who, where, how. A pose of None is the one photographed."""

    persona: Persona
    scene: Scene
    pose: Pose | None


@dataclass(frozen=True)
class LeftOut:
    """A garment that can not be shot, and why (a key of ``REASONS``)."""

    garment: Garment
    reason: str

    @property
    def words(self) -> str:
        """Why, for people."""
        return str(REASONS[self.reason])


@dataclass(frozen=True)
class Matrix:
    """Every photo in every look."""

    choices: Choices
    photos: Sequence[GarmentPhoto]
    looks: Sequence[Look]
    left_out: Sequence[LeftOut]
    limit: int

    @property
    def shoots(self) -> int:
        """Cells."""
        return len(self.photos) * len(self.looks)

    @property
    def pictures(self) -> int:
        """Pictures that come out when nothing fails."""
        return self.shoots * self.choices.count

    @property
    def price(self) -> int:
        """Credits that are reserved at its start."""
        return self.shoots * pricing.price_of(self.choices)

    def cells(self) -> Iterator[tuple[GarmentPhoto, Look]]:
        """Row by row, so that the first garments are done first."""
        return product(self.photos, self.looks)


def plan(actor: Actor, wishes: Wishes) -> Matrix:
    """Look everything up, each id once, in the caller's scope; whether it may start, :func:`refuse` says.

    Raises:
        NotHere: one of the ids is missing or another merchant's.
        Refused: ``crop_unknown``, ``count_out_of_range``, ``best_of_out_of_range``; ``batch_too_large`` before the
            garments were looked up, where so many could not be right; ``pose_not_ready``.
    """
    choices = Choices(crop=wishes.crop, count=wishes.count, best_of=wishes.best_of)
    orders.check(choices)
    limit = plans.plan_of(actor.merchant).batch_shoots
    if len(wishes.garments) + len(wishes.photos) > MOST_IDS:
        raise too_large(len(wishes.garments) + len(wishes.photos), limit)
    photos, left_out = _rows(wishes)
    return Matrix(choices, photos, _looks(wishes), left_out, limit)


def refuse(matrix: Matrix, *, skip_unusable: bool) -> None:
    """Say why it can not start; nothing where it can.

    Raises:
        Refused: ``nothing_chosen``, ``garments_unusable``, ``batch_too_large``.
    """
    if not matrix.photos and not matrix.left_out:
        raise Refused("nothing_chosen", _("Choose at least one garment."), field="garments")
    if matrix.left_out and not (skip_unusable and matrix.photos):
        raise _unusable(matrix.left_out)
    if matrix.shoots > matrix.limit:
        raise too_large(matrix.shoots, matrix.limit)


def too_large(shoots: int, limit: int) -> Refused:
    """The plan's limit, in words."""
    words = _(
        "This makes %(shoots)d shoots, and your plan allows %(limit)d in one batch. Choose fewer garments or looks."
    )
    return Refused("batch_too_large", words % {"shoots": shoots, "limit": limit}, field="garments")


def _unusable(left_out: Sequence[LeftOut]) -> Refused:
    names = [f"{one.garment.name} ({one.words})" for one in left_out[:NAMED]]
    if len(left_out) > NAMED:
        names.append("…")
    words = ngettext(
        "%(n)d garment can not be shot: %(names)s. Add a photo, or leave it out.",
        "%(n)d garments can not be shot: %(names)s. Add photos, or leave them out.",
        len(left_out),
    )
    return Refused("garments_unusable", words % {"n": len(left_out), "names": "; ".join(names)}, field="garments")


def seconds_of(merchant: Merchant, shoots: int) -> int | None:
    """About how long so many shoots take when nobody else waits; None while nothing was learned."""
    usual = queue.usual_seconds(Shoot)
    at_once = max(1, min(settings.WORKERS[Shoot.lane], merchant.concurrency))
    return None if usual is None else ceil(shoots * usual / at_once)


# --- rows -------------------------------------------------------------------------------------------------------------
def _rows(wishes: Wishes) -> tuple[list[GarmentPhoto], list[LeftOut]]:
    """The photo of each garment, in the order in which the merchant named them."""
    chosen = _in_order("photos", photos_with_all(), wishes.photos)
    has_one = {photo.garment_id for photo in chosen}
    garments = [row for row in _in_order("garments", Garment.objects, wishes.garments) if row.pk not in has_one]
    fronts = _fronts(garments)
    found, left_out = [], []
    for garment, offered in [
        *((photo.garment, [photo]) for photo in chosen),
        *((row, fronts.get(row.pk, [])) for row in garments),
    ]:
        usable = next((photo for photo in offered if not photo.asset.rejected), None)
        if usable is not None:
            found.append(usable)
        else:
            left_out.append(LeftOut(garment, PHOTO_REJECTED if offered else NO_FRONT_PHOTO))
    return found, left_out


def _fronts(garments: Sequence[Garment]) -> dict[UUID, list[GarmentPhoto]]:
    """Photos of the front by garment, first come first."""
    found: dict[UUID, list[GarmentPhoto]] = {}
    rows = photos_with_all().filter(garment__in=[garment.pk for garment in garments], view=View.FRONT)
    for photo in rows.order_by("position", "id"):
        found.setdefault(photo.garment_id, []).append(photo)
    return found


# --- columns ----------------------------------------------------------------------------------------------------------
def _looks(wishes: Wishes) -> list[Look]:
    personas = _in_order("personas", Persona.objects, wishes.personas) or [orders.first(Persona)]
    scenes = _in_order("scenes", Scene.objects, wishes.scenes) or [orders.first(Scene)]
    poses = {row.pk: row for row in _in_order("poses", Pose.objects, [pose for pose in wishes.poses if pose])}
    for pose in poses.values():
        orders.pose_json(pose)  # one that can not be used is refused before the count
    wanted = list(dict.fromkeys(wishes.poses)) or [None]
    return [
        Look(persona, scene, poses[pose] if pose else None)
        for persona, scene, pose in product(personas, scenes, wanted)
    ]


def _in_order(field: str, rows: Any, identities: Iterable[UUID]) -> list[Any]:
    """The rows with these ids, each once; one that is not there refuses them all."""
    wanted = list(dict.fromkeys(identities))
    found = rows.in_bulk(wanted) if wanted else {}
    if len(found) != len(wanted):
        with named(field):
            raise NotHere
    return [found[identity] for identity in wanted]
