"""Where a waiting job stands and when it will be done, cheap enough to ask every second."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Q
from django.db.models.functions import Now

from imodel_site.lib.jobs.model import Job, Status
from imodel_site.lib.jobs.registry import lane_models
from imodel_site.lib.jobs.transitions import rows
from imodel_site.lib.scope import unscoped

# So many of the latest runs are learned from.
LEARNED = 20


def position(job: Job) -> int:
    """1 for the next to start; 0 when it does not wait."""
    return sum(_ahead(job).values()) + 1 if job.status == Status.QUEUED else 0


def eta_seconds(job: Job) -> int | None:
    """Seconds until it is done, learned from past runs of its kind; None while nothing was learned, or it has ended."""
    if job.status == Status.RUNNING:
        return _rest(job)
    own = usual_seconds(type(job))
    if job.status != Status.QUEUED or own is None:
        return None
    return _wait(job, own)


def _wait(job: Job, own: float) -> int:
    before = sum(count * (usual_seconds(model) or own) for model, count in _ahead(job).items())
    return max(1, round((before + _under_way(job, own)) / _workers(job.lane) + own))


def expected_seconds(model: type[Job], *, merchant_id: UUID) -> int | None:
    """Seconds until a job would be done that this merchant ordered now; None while nothing was learned."""
    newcomer = model(merchant_id=merchant_id)  # a job and merchant-owned
    own = usual_seconds(model)
    return None if own is None else _wait(newcomer, own)


def usual_seconds(model: type[Job]) -> float | None:
    """The median of the latest runs that succeeded."""
    with unscoped("learn how long jobs take"):
        latest = rows(model).filter(status=Status.SUCCEEDED).order_by("-queued_at")[:LEARNED]
        spans = [(end - start).total_seconds() for start, end in latest.values_list("started_at", "finished_at")]
    return median(spans) if spans else None


def _rest(job: Job) -> int | None:
    usual = usual_seconds(type(job))
    if usual is None or job.started_at is None:
        return None
    with unscoped("the database's clock"):
        now = rows(type(job)).filter(pk=job.pk).values_list(Now(), flat=True).first()
    gone = (now - job.started_at).total_seconds() if now else 0.0
    # What it says of itself counts for more the further it is.
    said = gone / job.fraction if job.fraction > 0.05 else usual
    total = said * job.fraction + usual * (1 - job.fraction)
    return max(1, round(total - gone))


def _ahead(job: Job) -> dict[type[Job], int]:
    """How many of each model start before it: of another merchant, turns being taken, one more than of its own."""
    models = lane_models(job.lane)
    with unscoped("queue position"):
        own = {model: _own_ahead(job, model) for model in models}
        turns = sum(own.values())
        others = {model: _others_ahead(job, model, turns) for model in models}
    return {model: own[model] + others[model] for model in models}


def _own_ahead(job: Job, model: type[Job]) -> int:
    waiting = rows(model).filter(merchant_id=job.merchant_id, status=Status.QUEUED)  # type: ignore[attr-defined]
    # Compared inside the database: SQLite keeps times as text, with fewer digits than a parameter would have.
    since = rows(type(job)).filter(pk=job.pk).values("queued_at")[:1]
    level = Q(priority=job.priority)
    if job._state.adding:  # it would come after all of its priority
        return int(waiting.filter(Q(priority__gt=job.priority) | level).count())
    sooner = Q(priority__gt=job.priority) | level & (Q(queued_at__lt=since) | Q(queued_at=since, pk__lt=job.pk))
    return int(waiting.filter(sooner).exclude(pk=job.pk).count())


def _others_ahead(job: Job, model: type[Job], turns: int) -> int:
    waiting = rows(model).filter(status=Status.QUEUED).exclude(merchant_id=job.merchant_id)  # type: ignore[attr-defined]
    counts: Sequence[int] = waiting.order_by().values("merchant_id").annotate(n=Count("pk")).values_list("n", flat=True)
    return sum(min(count, turns + 1) for count in counts)


def _under_way(job: Job, usual: float) -> float:
    """Half of what the running ones usually take is still to come."""
    with unscoped("queue position"):
        return sum(rows(m).filter(status=Status.RUNNING).count() for m in lane_models(job.lane)) * usual / 2


def _workers(lane: str) -> int:
    return max(1, settings.WORKERS[lane])
