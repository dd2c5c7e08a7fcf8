"""Grids: ordered, and the winner that the merchant names instead of the scores'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.access import allow_write
from accounts.actors import Actor
from accounts.services import credits
from imodel_site.lib.errors import Conflict, Refused
from imodel_site.lib.jobs import services as jobs
from imodel_site.lib.jobs.model import Status
from training import grids, pricing
from training.models import Checkpoint, Comparison, ComparisonCell, Training
from training.services import adapters, trainings


def order_comparison(
    *,
    actor: Actor,
    training: Training,
    axes: Sequence[Mapping[str, Any]],
    base: Mapping[str, Any],
    key: str | None,
) -> Comparison:
    """Accept a grid; the same key with the same axes gives the same grid.

    Args:
        axes: one to three of ``{"name", "values"}``.
        base: what the axes do not say: prompt, weight, seed, steps, guidance, sampler, checkpoint.

    Raises:
        Conflict: ``no_checkpoints``: the training has none yet, or was given up. ``photo_rejected``.
        Refused: ``credits_short``, ``idempotency_key_reused``; ``references_missing``: no picture says where the
            garment is; and as :func:`grids.order_of`.
    """
    allow_write(actor)
    trainings.refuse_rejected(training)
    if not grids.references_of(training):
        words = _("No picture of this training has a mask, so nothing can be compared. Mark the garment, then train.")
        raise Refused("references_missing", words)
    given_up = training.ended and training.status != Status.SUCCEEDED
    if given_up or not Checkpoint.objects.filter(training=training).exists():
        raise Conflict("no_checkpoints", _("There is nothing to compare yet. Wait for the first checkpoint."))
    order = grids.order_of(training, axes=axes, base=base)
    said = jobs.hash_of("comparison", str(training.pk), order)
    with transaction.atomic():
        trainings.lock(training)
        made, new = jobs.accept(
            Comparison,
            merchant=actor.merchant,
            key=key,
            request_hash=said,
            make=lambda: _made(training, order, started_by=actor.user),
        )
        if new:
            credits.hold(merchant_id=made.merchant_id, job_id=made.pk, amount=made.price)
    return made


def _made(training: Training, order: dict[str, Any], *, started_by: Any, automatic: bool = False) -> Comparison:
    count = len(grids.cells(order))
    return Comparison(
        merchant_id=training.merchant_id,
        training=training,
        order=order,
        price=0 if automatic else pricing.price_of_grid(count),
        cells_total=count,
        automatic=automatic,
        started_by=started_by,
    )


def first_grid(training: Training, *, best: int) -> Comparison | None:
    """The grid that comes with a training, in the transaction that ends it; none where nothing could be compared."""
    if not grids.references_of(training):
        return None
    training.chosen_step = best
    order = grids.order_of(training, axes=grids.first_axes(training, best=best), base={})
    made = _made(training, order, started_by=None, automatic=True)
    jobs.enqueue(made)
    return made


def cancel_comparison(*, actor: Actor, comparison: Comparison) -> None:
    """Stop it; what it reserved is given back."""
    allow_write(actor)
    jobs.cancel(comparison)


def retry_comparison(*, actor: Actor, comparison: Comparison) -> None:
    """Queue a failed or cancelled one again.

    Raises:
        Conflict: ``not_retryable``.
        Refused: ``credits_short``.
    """
    allow_write(actor)
    with transaction.atomic():
        trainings.lock(comparison.training)
        if not jobs.retry(comparison):
            raise Conflict("not_retryable", _("This grid has not failed. Start a new one instead."))
        credits.hold(merchant_id=comparison.merchant_id, job_id=comparison.pk, amount=comparison.price)


@transaction.atomic
def pick_cell(*, actor: Actor, comparison: Comparison, number: int) -> ComparisonCell:
    """The merchant's winner: its checkpoint becomes a version, with the weight of the cell.

    Raises:
        Conflict: ``not_finished``, ``photo_rejected``.
        Refused: ``cell_unknown``; ``base_can_not_win`` for a cell without an adapter.
    """
    allow_write(actor)
    if comparison.status != Status.SUCCEEDED:
        raise Conflict("not_finished", _("Wait until the grid is painted, then choose."))
    cell = ComparisonCell.objects.filter(comparison=comparison, number=number).first()
    if cell is None:
        raise Refused("cell_unknown", _("This grid has no such cell."), field="cell")
    if cell.step is None:
        raise Refused("base_can_not_win", _("This cell was painted without the training. Choose another one."))
    trainings.lock(comparison.training)
    checkpoint = Checkpoint.objects.select_related("training__garment").get(
        training_id=comparison.training_id, step=cell.step
    )
    version = trainings.choose_checkpoint(actor=actor, checkpoint=checkpoint)
    adapters.change_version(actor=actor, version=version, weight=cell.weight)
    Comparison.objects.filter(pk=comparison.pk).update(picked=number, picked_by=actor.user)
    comparison.refresh_from_db()
    return cell
