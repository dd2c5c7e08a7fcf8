"""Which of the watched shoots and batches have moved: one question for all shoots, and one for all batches."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from uuid import UUID

from django.core.cache import cache
from django.db import transaction
from django.db.models import Count, Max, Q

from generation import previews
from generation.models import Shoot
from imodel_site.lib.jobs.model import Status
from imodel_site.lib.scope import unscoped
from imodel_site.lib.watching import Subject, Watcher

__all__ = ["Subject", "Watcher", "states", "watcher"]


def states(subjects: Iterable[Subject]) -> dict[Subject, Hashable]:
    """What a change of which must be told; equal as long as nothing moved."""
    wanted = list(subjects)
    with unscoped("which of the watched shoots and batches moved"), transaction.atomic():
        shoots = _shoots({subject.pk for subject in wanted if subject.kind == "shoot"})
        batches = _batches({subject.pk for subject in wanted if subject.kind == "batch"})
    numbers = _previews(subject for subject in wanted if subject.kind == "shoot")
    return {
        subject: (shoots.get(subject.pk), numbers.get(subject))
        if subject.kind == "shoot"
        else (batches.get(subject.pk, ()),)
        for subject in wanted
    }


def _shoots(ids: set[UUID]) -> dict[UUID, Hashable]:
    if not ids:
        return {}
    names = ("pk", "status", "stage", "fraction", "cancel_requested_at")
    return {row[0]: row[1:] for row in Shoot.objects.filter(pk__in=ids).values_list(*names)}


def _batches(ids: set[UUID]) -> dict[UUID, Hashable]:
    if not ids:
        return {}
    rows = (
        Shoot.objects.filter(batch_id__in=ids)
        .order_by()
        .values("batch_id")
        .annotate(
            moved=Max("progressed_at"),
            ended=Max("finished_at"),
            waiting=Count("pk", filter=Q(status=Status.QUEUED)),
            paused=Count("pk", filter=Q(status=Status.PAUSED)),
            running=Count("pk", filter=Q(status=Status.RUNNING)),
            stopping=Count("cancel_requested_at"),
        )
    )
    return {row.pop("batch_id"): tuple(row.values()) for row in rows}


def _previews(subjects: Iterable[Subject]) -> dict[Subject, int]:
    keys = {previews.key(subject.merchant_id, subject.pk): subject for subject in subjects}
    return {keys[key]: number for key, (number, _data) in cache.get_many(keys).items()}


watcher = Watcher(states)
