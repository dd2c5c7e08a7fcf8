"""Ordering shoots, and what can be done with one. A key makes a double click one shoot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.access import allow_write
from accounts.actors import Actor
from accounts.services import credits
from catalog.access import access_persona
from generation import orders, pricing, trained
from generation.expert import ExpertChoices, freeze_expert
from generation.models import MadeAs, Picture, Shoot
from generation.moderation.states import refuse_rejected_picture, refuse_rejected_source
from generation.orders import Choices, Frozen
from generation.services import batches
from imodel_site.lib.errors import Conflict, Refused
from imodel_site.lib.jobs import services as jobs

VARIATIONS = 4


def order_shoot(*, actor: Actor, choices: Choices, key: str | None) -> Shoot:
    """Accept a shoot; the same key with the same choices gives the same shoot.

    Raises:
        NotHere: the photo, persona, scene or pose is missing or another merchant's.
        Refused: a choice can not be carried out; ``field`` says which. ``idempotency_key_reused``. ``credits_short``.
    """
    allow_write(actor)
    return _accept(actor, orders.freeze(actor, choices), key, jobs.hash_of("shoot", asdict(choices)))


def order_expert(
    *, actor: Actor, choices: ExpertChoices, key: str | None, said: str = "", told: dict[str, Any] | None = None
) -> Shoot:
    """Accept an expert's request; as :func:`order_shoot`.

    Args:
        said: the hash of what was asked for, where that came with its pictures: their storage keys are new each time.
        told: what whoever ordered wants to find beside the order later.
    """
    allow_write(actor)
    said = said or jobs.hash_of("expert", asdict(choices))
    frozen = freeze_expert(choices)
    if told is not None:
        frozen = replace(frozen, order={**frozen.order, "told": told})
    return _accept(actor, frozen, key, said)


def refuse_experts(*, actor: Actor, choices: Sequence[ExpertChoices]) -> None:
    """Raise as ordering all of them would, before anything is kept for them; the credits may still go meanwhile."""
    allow_write(actor)
    price = sum(pricing.price_of_frozen(freeze_expert(one)) for one in choices)
    if price > (balance := credits.balance(actor.merchant)):
        raise credits.short(price, balance)


def order_frozen(*, actor: Actor, frozen: Frozen) -> Shoot:
    """Accept an order that was put together elsewhere, in this merchant's scope; raises as :func:`order_shoot`."""
    allow_write(actor)
    return _accept(actor, frozen, None, "")


def do_again(*, actor: Actor, shoot: Shoot, key: str | None) -> Shoot:
    """The same order with new seeds."""
    allow_write(actor)
    return _accept(actor, orders.again(shoot), key, jobs.hash_of("again", str(shoot.pk)), made_as=MadeAs.AGAIN)


def vary(*, actor: Actor, picture: Picture, persona: Any, key: str | None) -> Shoot:
    """Pictures near one: the seeds after its own; or its own seed on another persona.

    Args:
        persona: an id, or empty for the one it has.
    """
    allow_write(actor)
    refuse_rejected_picture(picture)
    other = access_persona(actor, persona, write=False) if persona else None
    frozen = orders.varied(picture.shoot, seed=picture.seed, count=1 if other else VARIATIONS, persona=other)
    said = jobs.hash_of("vary", str(picture.pk), str(persona or ""))
    return _accept(actor, frozen, key, said, made_as=MadeAs.VARY, of=picture)


def replay(*, actor: Actor, picture: Picture, key: str | None) -> Shoot:
    """Make a picture again from its recipe; the new one says whether its bytes are the same."""
    allow_write(actor)
    if not picture.files:
        raise Refused("picture_removed", _("This picture's files were removed, so there is nothing to compare with."))
    said = jobs.hash_of("replay", str(picture.pk))
    return _accept(actor, orders.replayed(picture), key, said, made_as=MadeAs.REPLAY, of=picture)


def _accept(
    actor: Actor,
    frozen: Frozen,
    key: str | None,
    request_hash: str,
    *,
    made_as: str = MadeAs.NEW,
    of: Picture | None = None,
) -> Shoot:
    """The job and the hold of its price in one transaction: what can't be paid for leaves nothing behind."""
    price = pricing.price_of_frozen(frozen)

    def make() -> Shoot:
        return Shoot(
            kind=frozen.kind,
            count=frozen.count,
            order=frozen.order,
            photo=frozen.photo,
            garment=frozen.photo.garment if frozen.photo else None,
            persona=frozen.persona,
            scene=frozen.scene,
            pose=frozen.pose,
            started_by=actor.user,
            made_as=made_as,
            of_picture_id=of.pk if of else None,
            adapter_version=frozen.adapter.pk if frozen.adapter else None,
            price=price,
        )

    with transaction.atomic():
        shoot, new = jobs.accept(Shoot, merchant=actor.merchant, key=key, request_hash=request_hash, make=make)
        if new:
            trained.hold(shoot.order)
            credits.hold(merchant_id=actor.merchant.pk, job_id=shoot.pk, amount=price)
    return shoot


def cancel_shoot(*, actor: Actor, shoot: Shoot) -> None:
    """Stop it: at once while it waits, within a step while it runs; a finished one stays as it is."""
    allow_write(actor)
    jobs.cancel(shoot)


def retry_shoot(*, actor: Actor, shoot: Shoot) -> None:
    """Queue a failed or cancelled shoot again, with the order it had, and reserve its price anew.

    Raises:
        Conflict: ``not_retryable``: it waits, runs or has succeeded. ``photo_rejected``, ``adapter_gone``.
        Refused: ``credits_short``: it can not be paid for and stays as it was.
    """
    allow_write(actor)
    refuse_rejected_source(shoot)
    with transaction.atomic():
        _queue_again(shoot)
        trained.hold(shoot.order)
        if shoot.batch_id is not None:
            batches.goes_on(shoot.batch_id)
        credits.hold(merchant_id=shoot.merchant_id, job_id=shoot.pk, amount=shoot.price)


def _queue_again(shoot: Shoot) -> None:
    if not jobs.retry(shoot):
        raise Conflict("not_retryable", _("This shoot has not failed. Use “Again” to make more pictures."))
