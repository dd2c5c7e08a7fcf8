"""What processes count as it happens. Touched first by the first event, after ``sharing.share`` (or without it)."""

from __future__ import annotations

from functools import cache
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

from imodel_site.metrics import catalogue
from imodel_site.metrics.catalogue import Family

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@cache
def registry() -> CollectorRegistry:
    """Where this process's own metrics stand."""
    disable_created_metrics()  # files have none, and a series more for each is no use to anybody
    return CollectorRegistry()


@cache
def _metric(family: Family) -> Any:
    if family.kind == "counter":
        return Counter(family.name, family.says, family.labels, registry=registry())
    return Histogram(family.name, family.says, family.labels, registry=registry(), buckets=family.buckets)


def request(*, route: str, method: str, status: int, seconds: float) -> None:
    """A request was answered. Methods that nobody knows are one: strangers choose them."""
    known = method if method in METHODS else "other"
    _metric(catalogue.REQUESTS).labels(route, known, str(status)).inc()
    _metric(catalogue.REQUEST_SECONDS).labels(route, known).observe(seconds)


def webhook(status: int | None) -> None:
    """A delivery was tried: ``delivered``, ``refused`` (an answer that is no success), ``failed`` (no answer)."""
    outcome = "failed" if status is None else "delivered" if 200 <= status < 300 else "refused"
    _metric(catalogue.WEBHOOK_ATTEMPTS).labels(outcome).inc()


# --- receivers of imodel_site.lib.jobs.signals ----------------------------------------------------------------------
def job_claimed(sender: Any, seconds: float, **rest: Any) -> None:
    """It starts."""
    _metric(catalogue.JOB_WAIT).labels(*_kind(sender)).observe(seconds)


def job_staged(sender: Any, stage: str, seconds: float, **rest: Any) -> None:
    """It has passed through a stage."""
    _metric(catalogue.JOB_STAGE).labels(*_kind(sender), stage).observe(seconds)


def job_ran(sender: Any, seconds: float, **rest: Any) -> None:
    """A worker is done with it."""
    _metric(catalogue.JOB_RUN).labels(*_kind(sender)).observe(seconds)


def job_lost(sender: Any, **rest: Any) -> None:
    """It has lost its worker."""
    _metric(catalogue.JOB_LOSSES).labels(*_kind(sender)).inc()


def job_ended(sender: Any, status: str, code: str, **rest: Any) -> None:
    """It has ended."""
    _metric(catalogue.JOBS_ENDED).labels(*_kind(sender), status, code).inc()


def _kind(model: Any) -> tuple[str, str]:
    return model.lane, model._meta.model_name


def listen() -> None:
    """Connect the receivers; once, from ``AppConfig.ready``."""
    from imodel_site.lib.jobs import signals

    pairs = {
        signals.claimed: job_claimed,
        signals.staged: job_staged,
        signals.ran: job_ran,
        signals.lost: job_lost,
        signals.ended: job_ended,
    }
    for signal, receiver in pairs.items():
        signal.connect(receiver, dispatch_uid=f"imodel.metrics.{receiver.__name__}")
