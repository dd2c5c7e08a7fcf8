"""Trainings: ordered, steered while they run, stopped, tried again, and the checkpoint that counts of them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext as _

from accounts.access import allow_write
from accounts.actors import Actor
from accounts.services import credits
from imodel_site.lib.errors import Conflict, NotHere
from imodel_site.lib.jobs import services as jobs
from imodel_site.lib.jobs.model import Status
from training import inspecting, orders
from training.models import (
    AdapterVersion,
    Checkpoint,
    Preflight,
    Training,
    TrainingPicture,
    TrainingSet,
    TrainingSource,
)
from training.plans import Wishes
from training.services import adapters, holding, preflights, sets


def order_training(
    *, actor: Actor, found: TrainingSet, wishes: Wishes, key: str | None, begin: AdapterVersion | None = None
) -> Training:
    """Accept a training of a set as it is now; the same key with the same wishes gives the same training.

    Args:
        begin: the version whose weights it begins with; None: from the base itself.

    Raises:
        Refused: ``credits_short``, ``idempotency_key_reused``, ``check_first``; and as :func:`orders.freeze`.
        Conflict: ``problems_left``: the preflight found something that must be put right first; ``photo_rejected``,
            ``adapter_gone``: what it was to begin with was deleted.
    """
    allow_write(actor)
    if begin is not None:
        adapters.refuse_withheld(begin)
    with transaction.atomic():
        # Locked and read again: what was looked at, what is frozen and what is paid for must be one and the same.
        found = TrainingSet.objects.select_for_update(of=("self",)).select_related("garment").get(pk=found.pk)
        begun = () if begin is None else (str(begin.pk),)
        said = jobs.hash_of("training", str(found.pk), found.edition, asdict(wishes), *begun)
        look = preflights.current(found)
        often = {} if look is None else inspecting.repeats_of(look.found)
        frozen = orders.freeze(found, wishes, repeats=often, begin=begin)
        _refuse_unchecked(look)
        made, new = jobs.accept(
            Training,
            merchant=actor.merchant,
            key=key,
            request_hash=said,
            make=lambda: _made(actor, found, frozen, begin),
        )
        if new:
            _hold_start(made)
            rows = [TrainingSource(merchant_id=made.merchant_id, training=made, asset=one) for one in frozen.assets]
            TrainingSource.objects.bulk_create(rows)
            credits.hold(merchant_id=actor.merchant.pk, job_id=made.pk, amount=made.price)
    return made


def _made(actor: Actor, found: TrainingSet, frozen: orders.Frozen, begin: AdapterVersion | None) -> Training:
    return Training(
        garment=found.garment,
        set=found,
        family=frozen.family,
        trigger=found.trigger,
        order=frozen.order,
        of_version_id=None if begin is None else begin.pk,
        price=frozen.price,
        steps_total=frozen.steps,
        started_by=actor.user,
    )


def _refuse_unchecked(look: Preflight | None) -> None:
    """Nothing is spent on a set that nobody has looked at as it is now."""
    if look is None:
        raise Conflict("check_first", _("Check the pictures first: the set was changed since, or was never looked at."))
    stops = [problem for problem in look.found.get("problems", ()) if problem["severity"] == "stop"]
    if stops:
        words = _("Something has to be put right first; the check says what. Then check again.")
        raise Conflict("problems_left", words)


def lock(training: Training) -> Training:
    """The training, kept as it is until the transaction ends.

    Raises:
        NotHere: it was deleted.
    """
    rows = Training.objects.select_for_update(of=("self",)).select_related("garment")
    found: Training | None = rows.filter(pk=training.pk).first()
    if found is None:
        raise NotHere
    return found


def _hold_start(training: Training) -> None:
    """What it begins with is there, and stays while it waits and runs."""
    start = training.order.get("start")
    holding.hold([start["key"]] if start else [])


# --- while it runs ---------------------------------------------------------------------------------------------------
def cancel_training(*, actor: Actor, training: Training) -> None:
    """Give it up: nothing is charged, and no adapter comes of it; one that has ended stays as it is."""
    allow_write(actor)
    with transaction.atomic():
        lock(training)
        jobs.cancel(training)


def stop_training(*, actor: Actor, training: Training) -> None:
    """Let it end now and keep what it has learned: a checkpoint is saved, and the steps made are paid.

    One that waits and has learned nothing yet is cancelled; one that waits for another worker ends as soon as it has
    one, with what was stored; one that has ended stays as it is.
    """
    allow_write(actor)
    with transaction.atomic():
        # Under its lock: a worker that is lost, or comes, meanwhile must not turn the one into the other.
        found = lock(training)
        if found.status == Status.RUNNING or (found.status == Status.QUEUED and found.checkpoints.exists()):
            Training.objects.filter(pk=found.pk).update(stop_asked_at=Coalesce("stop_asked_at", Now()))
        else:
            jobs.cancel(found)
    training.refresh_from_db()


def ask_for(*, actor: Actor, training: Training, save: bool = False, sample: bool = False) -> None:
    """Save a checkpoint, or paint samples, now.

    Raises:
        Conflict: ``not_running``.
    """
    allow_write(actor)
    fields = {name: True for name, asked in (("save_asked", save), ("sample_asked", sample)) if asked}
    if not Training.objects.filter(pk=training.pk, status=Status.RUNNING).update(**fields):
        raise Conflict("not_running", _("This training does not run at the moment."))


def retry_training(*, actor: Actor, training: Training) -> None:
    """Queue a failed or cancelled one again, from its last checkpoint where it has one; its price is reserved anew.

    Raises:
        Conflict: ``not_retryable``, ``photo_rejected``, ``adapter_gone``.
        Refused: ``credits_short``.
    """
    allow_write(actor)
    refuse_rejected(training)
    with transaction.atomic():
        _hold_start(lock(training))
        if not jobs.retry(training):
            raise Conflict("not_retryable", _("This training has not failed. Start a new one instead."))
        Training.objects.filter(pk=training.pk).update(
            stop_asked_at=None, save_asked=False, sample_asked=False, stopped_early=False
        )
        credits.hold(merchant_id=training.merchant_id, job_id=training.pk, amount=training.price)


def rejected_source(training: Training) -> bool:
    """Whether moderation took down a photo that it learned from."""
    return bool(training.sources.filter(asset__moderation="rejected").exists())


def refuse_rejected(training: Training | None) -> None:
    """Raise Conflict ``photo_rejected``: nothing is made from it any more."""
    if training is not None and rejected_source(training):
        words = _("A photo that this learned from was removed by moderation, so it can not be used any more.")
        raise Conflict("photo_rejected", words)


# --- afterwards ------------------------------------------------------------------------------------------------------
@transaction.atomic
def choose_checkpoint(*, actor: Actor, checkpoint: Checkpoint, note: str = "") -> AdapterVersion:
    """The merchant's word instead of the studio's: this checkpoint becomes a version of the garment's adapter.

    Raises:
        Conflict: ``not_finished``, ``photo_rejected``.
        Refused: ``note_too_long``.
    """
    allow_write(actor)
    training = lock(checkpoint.training)
    if training.status != Status.SUCCEEDED:
        raise Conflict("not_finished", _("Wait until the training has ended, then choose."))
    refuse_rejected(training)
    Training.objects.filter(pk=training.pk).update(
        chosen_step=checkpoint.step, chosen_by=actor.user, overruled=checkpoint.step != training.choice.get("best")
    )
    return adapters.version_of(checkpoint, by=actor.user, note=note)


@transaction.atomic
def retrain(*, actor: Actor, version: AdapterVersion) -> TrainingSet:
    """A new set with the pictures and captions that a version learned from, to be changed and trained again.

    Raises:
        Conflict: ``set_gone``: its training or its garment is not there any more, or it was uploaded.
    """
    allow_write(actor)
    garment = version.adapter.garment
    if version.training is None or garment is None:
        words = _("The pictures that this version learned from are not there any more. Start from the garment.")
        raise Conflict("set_gone", words)
    training = lock(version.training)
    found = sets.create_set(actor=actor, garment=garment, photos=(), trigger=training.trigger)
    assets = {str(row.asset_id): row.asset for row in training.sources.select_related("asset")}
    rows = [
        _again(found, number, entry, assets[entry["asset"]])
        for number, entry in enumerate(training.order["entries"])
        if entry["asset"] in assets
    ]
    TrainingPicture.objects.bulk_create(rows)
    mirrored = all(entry.get("flip", True) for entry in training.order["entries"])
    sets.set_mirrored(actor=actor, found=found, mirrored=mirrored)
    sets.touch(found)
    return found


def _again(found: TrainingSet, number: int, entry: dict[str, Any], asset: Any) -> TrainingPicture:
    mask = entry.get("mask") or {}
    return TrainingPicture(
        merchant_id=found.merchant_id,
        set=found,
        asset=asset,
        position=number,
        kind=entry["kind"],
        crop=entry["crop"],
        view=entry["view"],
        view_by_hand=True,
        caption=entry["caption"],
        caption_by_hand=True,
        mask_key="" if mask.get("whole", True) else mask["key"],
        held_out=entry["held_out"],
    )
