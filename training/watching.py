"""Which of the watched trainings, looks and grids have moved: one question for each kind."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count

from imodel_site.lib.scope import unscoped
from imodel_site.lib.watching import Subject, Watcher
from training.models import Comparison, Preflight, Training, TrainingSample

MOVES = ("pk", "status", "stage", "fraction", "cancel_requested_at")
MODELS: dict[str, Any] = {"preflight": Preflight, "comparison": Comparison}


def states(subjects: Iterable[Subject]) -> dict[Subject, Hashable]:
    """What a change of which must be told; equal as long as nothing moved."""
    wanted = list(subjects)
    with unscoped("which of the watched trainings and grids moved"), transaction.atomic():
        found: dict[tuple[str, UUID], Hashable] = {}
        for kind, model in MODELS.items():
            found |= {(kind, row[0]): row[1:] for row in _rows(model, _ids(wanted, kind), MOVES)}
        found |= _trainings(_ids(wanted, "training"))
    return {subject: found.get((subject.kind, subject.pk), ()) for subject in wanted}


def _trainings(ids: set[UUID]) -> dict[tuple[str, UUID], Hashable]:
    names = (*MOVES, "steps_done", "stop_asked_at", "save_asked", "sample_asked")
    rows = {row[0]: row[1:] for row in _rows(Training, ids, names)}
    counted = TrainingSample.objects.filter(training__in=ids).order_by().values("training").annotate(n=Count("pk"))
    samples = dict(counted.values_list("training", "n")) if ids else {}
    return {("training", pk): (*row, samples.get(pk, 0)) for pk, row in rows.items()}


def _rows(model: Any, ids: set[UUID], names: tuple[str, ...]) -> Iterable[Any]:
    return model.objects.filter(pk__in=ids).values_list(*names) if ids else ()


def _ids(subjects: Iterable[Subject], kind: str) -> set[UUID]:
    return {subject.pk for subject in subjects if subject.kind == kind}


watcher = Watcher(states)
