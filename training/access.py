"""Who may see and change data sets, trainings, adapters and grids: each id is looked up in the caller's scope."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from accounts.access import access_row, allow_write, ids_of
from accounts.actors import Actor
from imodel_site.lib.errors import NotHere
from training.models import (
    Adapter,
    AdapterUpload,
    AdapterVersion,
    Checkpoint,
    Comparison,
    Preflight,
    SetArchive,
    Training,
    TrainingPicture,
    TrainingSet,
)


def access_set(actor: Actor, identity: Any, *, write: bool) -> TrainingSet:
    """A data set of the actor's merchant, its garment loaded."""
    return _one(actor, TrainingSet.objects.select_related("garment"), identity, write)


def access_set_picture(actor: Actor, found: TrainingSet, identity: Any, *, write: bool) -> TrainingPicture:
    """A picture of a set that the caller was given."""
    rows = TrainingPicture.objects.filter(set=found).select_related("asset", "photo")
    return _one(actor, rows, identity, write)


def access_set_pictures(
    actor: Actor, found: TrainingSet, identities: Iterable[Any], *, write: bool
) -> list[TrainingPicture]:
    """Several pictures of a set; one that is not there refuses the whole call."""
    if write:
        allow_write(actor)
    wanted = ids_of(identities)
    rows = list(TrainingPicture.objects.filter(set=found, pk__in=wanted).select_related("asset"))
    if len(rows) != len(wanted):
        raise NotHere
    return rows


def access_preflight(actor: Actor, identity: Any, *, write: bool) -> Preflight:
    """A look at a set."""
    return _one(actor, Preflight.objects.select_related("set__garment"), identity, write)


def access_training(actor: Actor, identity: Any, *, write: bool) -> Training:
    """A training."""
    return _one(actor, Training.objects.select_related("garment", "chosen_by"), identity, write)


def access_checkpoint(actor: Actor, identity: Any, *, write: bool) -> Checkpoint:
    """A checkpoint, its training loaded."""
    return _one(actor, Checkpoint.objects.select_related("training__garment"), identity, write)


def access_comparison(actor: Actor, identity: Any, *, write: bool) -> Comparison:
    """A grid, its training loaded."""
    return _one(actor, Comparison.objects.select_related("training__garment", "picked_by"), identity, write)


def access_adapter(actor: Actor, identity: Any, *, write: bool) -> Adapter:
    """A garment's adapter."""
    return _one(actor, Adapter.objects.select_related("garment"), identity, write)


def access_version(actor: Actor, identity: Any, *, write: bool) -> AdapterVersion:
    """One version, its adapter loaded."""
    return _one(actor, AdapterVersion.objects.select_related("adapter__garment", "training"), identity, write)


def access_upload(actor: Actor, identity: Any, *, write: bool) -> AdapterUpload:
    """A file that was brought along."""
    return _one(actor, AdapterUpload.objects.select_related("garment", "version"), identity, write)


def access_archive(actor: Actor, identity: Any, *, write: bool) -> SetArchive:
    """A set's zip, on its way out or in."""
    return _one(actor, SetArchive.objects.select_related("garment", "set"), identity, write)


def _one(actor: Actor, rows: Any, identity: Any, write: bool) -> Any:
    if write:
        allow_write(actor)
    return access_row(rows, identity)
