"""Settings of django-q2 under which jobs would be lost, doubled or slow are refused (facts in docs/jobs.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.core import checks

# Name, the only value, and what another one does.
_FIXED: tuple[tuple[str, Any, str], ...] = (
    ("orm", "default", "wake-ups must be rows of the same database, written in the job's own transaction"),
    ("queue_limit", 1, "a wake-up that waits in the cluster longer than retry is delivered twice"),
    ("bulk", 1, "a wake-up that waits in the cluster longer than retry is delivered twice"),
    ("save_limit", -1, "each wake-up would write a result that nobody reads, ten times slower"),
    ("ack_failures", True, "a wake-up that failed would come back for ever"),
    ("guard_cycle", 0.5, "shorter ones never killed a worker that was busy in C code, longer ones are slower to see"),
    ("catch_up", False, "missed schedules would all run at once"),
)


@checks.register("jobs")
def check_queue(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """jobs.E001 to E003, for every lane's cluster."""
    return [fault for lane, conf in _clusters() for fault in _faults(lane, conf)] + list(_lanes())


def _clusters() -> Iterator[tuple[str, Mapping[str, Any]]]:
    base = settings.Q_CLUSTER
    yield base.get("name", "?"), base
    for lane, conf in base.get("ALT_CLUSTERS", {}).items():
        yield lane, {**base, **conf}


def _faults(lane: str, conf: Mapping[str, Any]) -> Iterator[checks.CheckMessage]:
    for name, wanted, why in _FIXED:
        # Not == alone: True == 1, and a default that is not written down may change with django-q2.
        if name not in conf or type(conf[name]) is not type(wanted) or conf[name] != wanted:
            found = repr(conf[name]) if name in conf else "not set"
            yield checks.Error(
                f"Q_CLUSTER of lane {lane}: {name} is {found}, and must be {wanted!r}: {why}.", id="jobs.E001"
            )
    timeout, retry = conf.get("timeout") or 0, conf.get("retry") or 0
    if timeout <= 0 or retry < 2 * timeout + 30:
        yield checks.Error(
            f"Q_CLUSTER of lane {lane}: retry is {retry} s and timeout {timeout} s; retry must be at least twice the "
            "timeout and 30 s: its clock starts when a wake-up is pulled, not when it starts.",
            id="jobs.E002",
        )


def _lanes() -> Iterator[checks.CheckMessage]:
    from imodel_site.lib.jobs.model import Job

    known = {lane for lane, _conf in _clusters()}
    for lane in settings.LANES:
        if lane not in known:
            yield checks.Error(f"Q_CLUSTER has no cluster for the lane {lane}.", id="jobs.E003")
    for model in _job_models(Job):
        if model.lane not in settings.LANES:
            yield checks.Error(f"{model.__name__}.lane {model.lane!r} is none of settings.LANES.", id="jobs.E003")


def _job_models(job: Any) -> list[Any]:
    from django.apps import apps

    return [model for model in apps.get_models() if issubclass(model, job)]
