"""Free retries: a picture that was paid for and rejected is made once more, with another seed, for nothing.

What keeps this from being two pictures for the price of one: the rejected one stays rejected, a retry has no retry of
its own, only what was paid for is made again, soon, and no more than a share of what a plan brings in a month.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import allow_write
from accounts.actors import Actor
from accounts.models import Merchant
from accounts.services import credits, plans
from generation import orders, trained
from generation.models import MadeAs, Picture, Review, Shoot
from generation.moderation.states import refuse_rejected_picture
from generation.services import batches
from imodel_site.lib.errors import Conflict
from imodel_site.lib.jobs import services as jobs

WITHIN = timedelta(days=14)
LEAST, SHARE = 10, 10  # a month: one for every ten credits that the plan brings, and never fewer than ten


def most_of(merchant: Merchant) -> int:
    """How many free retries a merchant has each month."""
    return max(LEAST, plans.plan_of(merchant).monthly_credits // SHARE)


def key_of(picture_id: UUID) -> str:
    """The idempotency key of a picture's retry: the database lets there be one."""
    return f"redo-{picture_id}"


def redos_of(pictures: Iterable[Picture]) -> dict[UUID, Shoot]:
    """By picture: the shoot that makes, or made, it again."""
    keys = [key_of(picture.pk) for picture in pictures if picture.review == Review.REJECTED]
    rows = Shoot.objects.filter(idempotency_key__in=keys, made_as=MadeAs.REDO) if keys else ()
    return {shoot.of_picture_id: shoot for shoot in rows}


def can_redo(picture: Picture) -> bool:
    """Whether it could be made again for nothing once it is rejected with a reason; its shoot is read."""
    paid_for = picture.cost > 0 and picture.shoot.made_as != MadeAs.REDO
    fresh = picture.created_at > timezone.now() - WITHIN
    return bool(paid_for and fresh and picture.deleted_at is None and not picture.rejected)


def redo(*, actor: Actor, picture: Picture) -> Shoot:
    """Make a rejected picture once more: its order with another seed, one picture, in its batch; asked twice, once.

    Raises:
        Conflict: ``reject_first``: it is not rejected with a reason. ``not_redoable``: it cost nothing, is itself a
            free retry, lies in the bin or is older than two weeks. ``free_used_up``, ``photo_rejected``,
            ``picture_rejected``, ``adapter_gone``.
    """
    allow_write(actor)
    with transaction.atomic():
        Picture.objects.select_for_update().get(pk=picture.pk)  # its review stays what it is until this is written
        picture.refresh_from_db(fields=["review", "review_reason", "deleted_at", "cost", "moderation"])
        _refuse(picture)
        return _accept(actor, picture)


def _refuse(picture: Picture) -> None:
    refuse_rejected_picture(picture)
    if picture.review != Review.REJECTED or not picture.review_reason:
        raise Conflict("reject_first", _("Reject this picture first, and say why."))
    if not can_redo(picture):
        words = _("Only a picture that was paid for can be made again free, once and within two weeks.")
        raise Conflict("not_redoable", words)


def _accept(actor: Actor, picture: Picture) -> Shoot:
    old = picture.shoot
    said = jobs.hash_of("redo", str(picture.pk))

    def make() -> Shoot:
        frozen = orders.redone(old)
        return Shoot(
            kind=frozen.kind, count=1, order=frozen.order, photo=frozen.photo, garment=old.garment,
            persona=frozen.persona, scene=frozen.scene, pose=frozen.pose, adapter_version=old.adapter_version,
            batch_id=old.batch_id, priority=old.priority, started_by=actor.user, price=0,
            made_as=MadeAs.REDO, of_picture_id=picture.pk,
        )  # fmt: skip

    shoot, new = jobs.accept(Shoot, merchant=actor.merchant, key=key_of(picture.pk), request_hash=said, make=make)
    if new:
        trained.hold(shoot.order)
        if shoot.batch_id is not None:
            batches.goes_on(shoot.batch_id)
        note = str(picture.get_review_reason_display())
        credits.give_free(merchant_id=actor.merchant.pk, job_id=shoot.pk, most=most_of(actor.merchant), note=note)
    return shoot
