"""Adapters, their versions, trainings and uploads deleted for good: rows under their locks, files once that is certain.

Locked in this order: training or adapter, versions, uploads of the merchant's (assets), the merchant's own row.
A file goes when no row names it any more: a version and a checkpoint may share one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils.translation import gettext as _

from accounts.access import allow_write
from accounts.actors import Actor
from accounts.scoping import merchant_scope
from catalog.models import Asset
from catalog.services.assets import drop_files, give_room_back, release_asset
from imodel_site.lib.errors import Conflict, NotHere
from imodel_site.lib.jobs.model import ENDED
from training import resuming
from training.models import (
    Adapter,
    AdapterUpload,
    AdapterVersion,
    Checkpoint,
    Comparison,
    ComparisonCell,
    Training,
    TrainingSample,
    TrainingSource,
)
from training.services import adapters, holding, trainings


# --- versions and adapters --------------------------------------------------------------------------------------------
@transaction.atomic
def delete_version(*, actor: Actor, version: AdapterVersion) -> None:
    """One version that is not in use; what was made with it stays.

    Raises:
        NotHere: it is gone already.
        Conflict: ``version_in_use``; ``adapter_busy``, retryable.
    """
    allow_write(actor)
    adapter = adapters.lock(version.adapter_id)
    found = _locked(AdapterVersion.objects.filter(pk=version.pk))
    if not found:
        raise NotHere
    if found[0].promoted:
        words = _("This version is in use. Promote another one first, or delete the whole adapter.")
        raise Conflict("version_in_use", words)
    Adapter.objects.filter(pk=adapter.pk).update(numbered=Greatest(F("numbered"), found[0].number))
    _drop_versions(adapter.merchant_id, found)


@transaction.atomic
def delete_adapter(*, actor: Actor, adapter: Adapter) -> None:
    """An adapter with all its versions; what was made with them stays.

    Raises:
        NotHere: it is gone already.
        Conflict: ``adapter_busy``, retryable.
    """
    allow_write(actor)
    found = adapters.lock(adapter.pk)
    _drop_versions(found.merchant_id, _locked(AdapterVersion.objects.filter(adapter=found)))
    found.delete()


def _locked(rows: Any) -> list[Any]:
    return list(rows.select_for_update(of=("self",)).order_by("pk"))


def _drop_versions(merchant_id: UUID, versions: Sequence[AdapterVersion]) -> None:
    holding.refuse_needed(versions)
    sources = _assets_of(TrainingSource.objects.filter(version__in=versions))
    AdapterUpload.objects.filter(version__in=versions).update(key="")
    AdapterVersion.objects.filter(pk__in=[one.pk for one in versions]).delete()
    _release(sources)
    give_room_back(merchant_id, sum(one.bytes for one in versions if one.source == AdapterVersion.Source.UPLOADED))
    _drop_when_unnamed(merchant_id, [one.key for one in versions])


# --- trainings --------------------------------------------------------------------------------------------------------
@transaction.atomic
def delete_training(*, actor: Actor, training: Training) -> None:
    """A training that has ended, with its checkpoints, samples, curves, log and grids; its versions stay.

    Raises:
        NotHere: it is gone already.
        Conflict: ``not_finished``, ``training_busy``: a grid of it is still to be painted; both retryable.
    """
    allow_write(actor)
    found = trainings.lock(training)
    _refuse_under_way(found)
    keys = list(_keys_of(found))
    sources = _assets_of(found.sources)
    _hand_on(sources, to=_locked(AdapterVersion.objects.filter(training=found)))
    found.delete()
    _release(sources)
    _drop_when_unnamed(found.merchant_id, keys)


def _refuse_under_way(training: Training) -> None:
    if not training.ended:
        words = _("This training has not ended. Wait for it, or cancel it, then delete.")
        raise Conflict("not_finished", words, retryable=True)
    if Comparison.objects.filter(training=training).exclude(status__in=ENDED).exists():
        words = _("A grid of this training is not painted yet. Wait for it, or cancel it, then delete.")
        raise Conflict("training_busy", words, retryable=True)


def _keys_of(training: Training) -> Iterator[str]:
    yield from TrainingSample.objects.filter(training=training).values_list("key", flat=True)
    for checkpoint in Checkpoint.objects.filter(training=training):
        yield from resuming.keys_of(checkpoint)
    yield from ComparisonCell.objects.filter(comparison__training=training).values_list("key", flat=True)
    for papers in Comparison.objects.filter(training=training).values_list("papers", flat=True):
        yield from (key for key in papers.values() if key)


def _hand_on(assets: Sequence[UUID], *, to: Sequence[AdapterVersion]) -> None:
    """Its versions learned from them: so moderation goes on reaching these."""
    TrainingSource.objects.bulk_create(
        TrainingSource(merchant_id=version.merchant_id, version=version, asset_id=asset)
        for version in to
        for asset in assets
    )


# --- uploads ----------------------------------------------------------------------------------------------------------
@transaction.atomic
def delete_upload(*, actor: Actor, upload: AdapterUpload) -> None:
    """The record of a file that was brought along; the version that became of it stays.

    Raises:
        NotHere: it is gone already.
        Conflict: ``not_finished``, retryable.
    """
    allow_write(actor)
    found = _locked(AdapterUpload.objects.filter(pk=upload.pk))
    if not found:
        raise NotHere
    if not found[0].ended:
        words = _("This file is still being checked. Wait for that, then delete.")
        raise Conflict("not_finished", words, retryable=True)
    found[0].delete()


# --- what they leave behind -------------------------------------------------------------------------------------------
def _assets_of(sources: Any) -> list[UUID]:
    return sorted(set(sources.values_list("asset_id", flat=True)))


def _release(assets: Sequence[UUID]) -> None:
    """All are locked first: each of them that goes locks the merchant's row besides."""
    list(Asset.objects.select_for_update().filter(pk__in=assets).order_by("pk").values_list("pk"))
    for asset in assets:
        release_asset(asset)


def _drop_when_unnamed(merchant_id: UUID, keys: Collection[str]) -> None:
    """After the commit, when nobody can come to name them any more: who does so holds a row that names them already."""

    def drop() -> None:
        with merchant_scope(merchant_id):
            rows = [model.objects.filter(key__in=keys) for model in (AdapterVersion, Checkpoint, AdapterUpload)]
            named = {key for found in rows for key in found.values_list("key", flat=True)}
        drop_files([key for key in keys if key not in named])

    transaction.on_commit(drop)
