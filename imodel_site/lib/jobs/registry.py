"""Which models are jobs, in which lane, and who runs them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from django.apps import apps
from django.conf import settings

from imodel_site.lib.jobs.model import Job

if TYPE_CHECKING:
    from imodel_site.lib.jobs.work import Work

log = logging.getLogger("imodel.jobs")
Runner = Callable[["Work"], None]
_runners: dict[type[Job], Runner] = {}


def runner(model: type[Job]) -> Callable[[Runner], Runner]:
    """Register what carries out the jobs of ``model``: ``run(work) -> None``, in the app's ``tasks.py``."""

    def register(run: Runner) -> Runner:
        if _runners.setdefault(model, run) is not run:
            raise ValueError(f"{model.__name__} has a runner already")
        return run

    return register


@cache
def discover() -> None:
    """Import every app's ``tasks``; for the worker side only, because they may import what is heavy.

    One that can not be imported leaves its own jobs waiting, and nobody else's.
    """
    for config in apps.get_app_configs():
        if find_spec(f"{config.name}.tasks"):
            try:
                import_module(f"{config.name}.tasks")
            except Exception:
                log.exception("the jobs of %s have to wait: its tasks can not be imported", config.name)


def runner_of(model: type[Job]) -> Runner | None:
    """Who carries out a model's jobs; None when nobody does."""
    return _runners.get(model)


@cache
def lane_models(lane: str) -> tuple[type[Job], ...]:
    """The job models of a lane, in a stable order."""
    found = [model for model in apps.get_models() if issubclass(model, Job) and model.lane == lane]
    return tuple(sorted(found, key=lambda model: model._meta.label))


def lane_index(lane: str) -> int:
    """A lane's number, as wake-ups carry it.

    Raises:
        ValueError: settings.LANES has no such lane.
    """
    return int(settings.LANES.index(lane))
