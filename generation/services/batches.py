"""Batches: many shoots ordered at once, and what is done with all of them (docs/batches.md).

Whoever locks, locks shoots first, then their batch, then the merchant's account: two that meet wait, and never for each
other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Count, F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts.access import allow_write
from accounts.actors import Actor
from accounts.models.moderation import Moderation
from accounts.services import credits, webhooks
from catalog.models import GarmentPhoto
from generation import orders, pricing
from generation.batches import Look, Matrix, Wishes, plan, refuse
from generation.models import Batch, Picture, Review, Shoot, Verdict
from imodel_site.lib.errors import Conflict, Refused
from imodel_site.lib.jobs import services as jobs
from imodel_site.lib.jobs.model import ENDED, Status

BEHIND_SINGLE_SHOOTS = -1
# What staff hold back is neither approved nor handed out.
HELD_BACK = (Moderation.FLAGGED, Moderation.REJECTED)


# --- starting ---------------------------------------------------------------------------------------------------------
def order_batch(*, actor: Actor, wishes: Wishes, skip_unusable: bool, key: str | None) -> Batch:
    """Accept a batch with all its shoots and one hold of its price; the same key and wishes give the same batch.

    Args:
        skip_unusable: start without the garments that can not be shot, instead of refusing.

    Raises:
        NotHere: one of the ids is missing or another merchant's.
        Refused: as ``plan`` and ``refuse`` say; ``credits_short``; ``idempotency_key_reused``; ``pose_not_ready``.
    """
    allow_write(actor)
    said = jobs.hash_of("batch", asdict(wishes), skip_unusable)
    try:
        with transaction.atomic():
            return _by_key(key, said) or _start(actor, wishes, skip_unusable, key, said)
    except IntegrityError:  # a twin was faster; the constraint decides, not our reading
        found = _by_key(key, said)
        if found is None:
            raise
        return found


def _by_key(key: str | None, said: str) -> Batch | None:
    found: Batch | None = Batch.objects.filter(idempotency_key=key).first() if key else None
    if found is not None and found.request_hash != said:
        words = _("This idempotency key was used for another request. Send a new key with a new request.")
        raise Refused("idempotency_key_reused", words, status=422)
    return found


def _start(actor: Actor, wishes: Wishes, skip_unusable: bool, key: str | None, said: str) -> Batch:
    matrix = plan(actor, wishes)
    refuse(matrix, skip_unusable=skip_unusable)
    batch = Batch(
        merchant=actor.merchant,
        name=wishes.name,
        choices=written(matrix),
        shoots_total=matrix.shoots,
        pictures_total=matrix.pictures,
        price=matrix.price,
        started_by=actor.user,
        idempotency_key=key or None,
        request_hash=said,
    )
    batch.save(force_insert=True)
    shoots = [_shoot(actor, batch, matrix, photo, look) for photo, look in matrix.cells()]
    jobs.enqueue_many(shoots)
    credits.hold_many(merchant_id=actor.merchant.pk, jobs=[(shoot.pk, shoot.price) for shoot in shoots])
    return batch


def written(matrix: Matrix) -> dict[str, Any]:
    """What the board is drawn from: its shoots are the cells, row by row, in the order of their ids."""
    asked = matrix.choices
    return {
        "rows": [{"garment": str(photo.garment_id), "photo": str(photo.pk)} for photo in matrix.photos],
        "looks": [_look_words(look) for look in matrix.looks],
        "left_out": [{"garment": str(one.garment.pk), "reason": one.reason} for one in matrix.left_out],
        "crop": asked.crop,
        "count": asked.count,
        "best_of": asked.best_of,
    }


def _look_words(look: Look) -> dict[str, Any]:
    """Ids for programs, and the names as they were, for the day when one of them is deleted."""
    rows = {"persona": look.persona, "scene": look.scene, "pose": look.pose}
    return {name: {"id": str(row.pk), "name": row.title} if row else None for name, row in rows.items()}


def _shoot(actor: Actor, batch: Batch, matrix: Matrix, photo: GarmentPhoto, look: Look) -> Shoot:
    frozen = orders.put_together(matrix.choices, photo=photo, persona=look.persona, scene=look.scene, pose=look.pose)
    return Shoot(
        merchant=actor.merchant,
        batch=batch,
        priority=BEHIND_SINGLE_SHOOTS,
        kind=frozen.kind,
        count=frozen.count,
        order=frozen.order,
        photo=photo,
        garment=photo.garment,
        persona=look.persona,
        scene=look.scene,
        pose=look.pose,
        started_by=actor.user,
        price=pricing.price_of_frozen(frozen),
    )


# --- while it is under way --------------------------------------------------------------------------------------------
def pause_batch(*, actor: Actor, batch: Batch) -> None:
    """Nothing of it starts any more; what runs is finished, also by another worker when its own is lost.

    Raises:
        Conflict: ``batch_ended``.
    """
    allow_write(actor)
    with transaction.atomic():
        jobs.pause_many(_shoots(batch))
        _move(batch, to=Batch.Status.PAUSED, from_=(Batch.Status.OPEN, Batch.Status.PAUSED))


def resume_batch(*, actor: Actor, batch: Batch) -> None:
    """What was paused waits again.

    Raises:
        Conflict: ``batch_ended``.
    """
    allow_write(actor)
    with transaction.atomic():
        jobs.resume_many(_shoots(batch))
        _move(batch, to=Batch.Status.OPEN, from_=(Batch.Status.OPEN, Batch.Status.PAUSED))


def cancel_batch(*, actor: Actor, batch: Batch) -> None:
    """Cancel the rest: what waits at once, what runs within a step; pictures that are there stay. Credits come back.

    Raises:
        Conflict: ``batch_ended``.
    """
    allow_write(actor)
    under_way = (Batch.Status.OPEN, Batch.Status.PAUSED, Batch.Status.CANCELLED)

    def write() -> None:
        _move(batch, to=Batch.Status.CANCELLED, from_=under_way)

    with transaction.atomic():
        jobs.cancel_many(_shoots(batch), write=write)


def retry_failed(*, actor: Actor, batch: Batch) -> int:
    """Queue the failed shoots again, and reserve their prices anew, all or none; how many.

    Raises:
        Conflict: ``nothing_failed``.
        Refused: ``credits_short``: they can not be paid for together, and stay as they were.
    """
    allow_write(actor)
    with transaction.atomic():
        failed = jobs.retry_many(_shoots(batch))
        if not failed:
            raise Conflict("nothing_failed", _("Nothing of this batch has failed, so there is nothing to try again."))
        paused = goes_on(batch.pk) == Batch.Status.PAUSED
        if paused:
            jobs.pause_many(_shoots(batch).filter(pk__in=[shoot.pk for shoot in failed]))
        credits.hold_many(merchant_id=batch.merchant_id, jobs=[(shoot.pk, shoot.price) for shoot in failed])
    batch.refresh_from_db()
    return len(failed)


def goes_on(batch_id: UUID) -> str:
    """A shoot of it waits again, in this very transaction; the batch's status from now on."""
    batch = Batch.objects.select_for_update().get(pk=batch_id)
    if batch.status in (Batch.Status.FINISHED, Batch.Status.CANCELLED):
        Batch.objects.filter(pk=batch_id).update(status=Batch.Status.OPEN, finished_at=None)
        return str(Batch.Status.OPEN)
    return str(batch.status)


def _shoots(batch: Batch) -> Any:
    return Shoot.objects.filter(batch=batch).defer("order", "timings", "table")


def _move(batch: Batch, *, to: str, from_: Collection[str]) -> None:
    if not Batch.objects.filter(pk=batch.pk, status__in=from_).update(status=to):
        raise Conflict("batch_ended", _("This batch has ended. Start a new one, or try the failed ones again."))
    batch.refresh_from_db()


# --- its end ----------------------------------------------------------------------------------------------------------
def shoots_ended(batch_ids: Collection[UUID | None]) -> None:
    """Shoots of these batches have ended, in this very transaction; a batch whose last they were is finished.

    The batch's row is locked before its shoots are looked at: of two last ones that end at once, the second waits here
    and then sees the first.
    """
    for batch in Batch.objects.select_for_update().filter(pk__in=batch_ids).order_by("pk"):
        if not Shoot.objects.filter(batch=batch, status__in=set(Status) - set(ENDED)).exists():
            _finish(batch)


def _finish(batch: Batch) -> None:
    """Told once for each time that it ends: again after failed ones were tried again."""
    if batch.status != Batch.Status.CANCELLED:
        batch.status = Batch.Status.FINISHED
    batch.finishes += 1
    Batch.objects.filter(pk=batch.pk).update(status=batch.status, finishes=batch.finishes, finished_at=Now())
    webhooks.emit(
        merchant_id=batch.merchant_id,
        type="batch.finished",
        subject_id=batch.pk,
        round=batch.finishes,
        data={
            "id": str(batch.pk),
            "name": batch.name,
            "status": batch.status,
            "shoots": shoot_counts([batch])[batch.pk],
            "pictures": picture_counts(batch),
        },
    )


# --- how far it is ----------------------------------------------------------------------------------------------------
def shoot_counts(found: Collection[Batch]) -> Mapping[UUID, dict[str, int]]:
    """By batch: how many of its shoots are in each status, in one question for all."""
    rows = Shoot.objects.filter(batch__in=[batch.pk for batch in found]).order_by()
    counts = {batch.pk: dict.fromkeys(Status.values, 0) for batch in found}
    for batch_id, status, count in rows.values_list("batch_id", "status").annotate(Count("pk")):
        counts[batch_id][status] = count
    return counts


def picture_counts(batch: Batch) -> dict[str, int]:
    """How many pictures it has by verdict (``good``, ``check``, ``reject``, ``none``) and by review, bin left out."""
    rows = _pictures(batch).order_by().values_list("verdict", "review").annotate(n=Count("pk"))
    counts: Counter[str] = Counter(dict.fromkeys([*Verdict.values, "approved", "rejected", "to_review", "all"], 0))
    for verdict, review, count in rows:
        for name in (verdict, review or "to_review", "all"):
            counts[name] += count
    return dict(counts)


def _pictures(batch: Batch) -> Any:
    return Picture.objects.filter(shoot__batch=batch, deleted_at=None)


# --- what comes of it -------------------------------------------------------------------------------------------------
def good_unseen(batch: Batch) -> Any:
    """Its good pictures that nobody has looked at."""
    return _pictures(batch).filter(verdict=Verdict.GOOD, review=Review.NONE).exclude(moderation__in=HELD_BACK)


def approve_good(*, actor: Actor, batch: Batch) -> int:
    """Approve every good picture that nobody has looked at; how many."""
    allow_write(actor)
    return int(good_unseen(batch).update(review=Review.APPROVED))


def to_download(batch: Batch, *, approved_only: bool) -> list[Picture]:
    """Its pictures with what a zip needs, row by row; what staff hold back or have rejected is left out."""
    rows = _pictures(batch).exclude(moderation__in=HELD_BACK).exclude(files={})
    rows = rows.filter(review=Review.APPROVED) if approved_only else rows.exclude(review=Review.REJECTED)
    return list(rows.select_related("garment").defer("report", "recipe").order_by("shoot_id", F("index")))
