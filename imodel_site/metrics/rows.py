"""What the rows say: few statements, each over an index or a small table, none that names a merchant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.apps import apps
from django.core.cache import cache
from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Count, Min, Q, Sum
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import CreditAccount, Merchant, WebhookDelivery, WebhookEndpoint
from generation.models import ModerationCase
from imodel_site.backup import stamp
from imodel_site.lib.jobs.model import Job
from imodel_site.lib.jobs.transitions import lease_over, rows
from imodel_site.lib.scope import unscoped
from imodel_site.metrics import catalogue
from imodel_site.metrics.catalogue import Family

Sample = tuple[Family, Sequence[str], float]
OPEN = ("queued", "paused", "running")
REMEMBER = 300  # seconds that the last backup's time is good for: it lies in the storage


def samples() -> Iterator[Sample]:
    """All of it; ``imodel_database_up`` alone when the database does not answer."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        yield catalogue.DATABASE_UP, (), 0.0
        return
    yield catalogue.DATABASE_UP, (), 1.0
    with unscoped("metrics: sums over all merchants"):
        yield from _jobs()
        yield from _webhooks()
        yield from _merchants()
    yield from _backup()


def _jobs() -> Iterator[Sample]:
    for model in apps.get_models():
        if issubclass(model, Job):
            kind = (model.lane, str(model._meta.model_name))
            yield from _of_kind(model, kind)
            yield catalogue.LEASES_OVER, kind, float(rows(model).filter(lease_over()).count())


def _of_kind(model: type[Job], kind: tuple[str, str]) -> Iterator[Sample]:
    due = Min("queued_at", filter=Q(status="queued", queued_at__lte=Now()))
    counted = rows(model).filter(status__in=OPEN).order_by().values("status").annotate(n=Count("pk"), oldest=due)
    found = {row["status"]: row for row in counted}
    for status in OPEN:
        yield catalogue.JOBS, (*kind, status), float(found.get(status, {}).get("n", 0))
    yield catalogue.JOBS_OLDEST, kind, _age(found.get("queued", {}).get("oldest"))


def _webhooks() -> Iterator[Sample]:
    waiting = rows_of(WebhookDelivery).filter(status="waiting")
    due = Min("due_at", filter=Q(due_at__lte=Now()))
    found = waiting.aggregate(count=Count("pk"), oldest=due)
    yield catalogue.WEBHOOKS_WAITING, (), float(found["count"])
    yield catalogue.WEBHOOKS_OLDEST, (), _age(found["oldest"])
    found = rows_of(WebhookEndpoint).aggregate(
        count_enabled=Count("pk", filter=Q(enabled=True, failing_since=None)),
        count_failing=Count("pk", filter=Q(enabled=True, failing_since__isnull=False)),
        count_disabled=Count("pk", filter=Q(enabled=False)),
    )
    for state in ("enabled", "failing", "disabled"):
        yield catalogue.ENDPOINTS, (state,), float(found[f"count_{state}"])


def _merchants() -> Iterator[Sample]:
    stored = 0
    for status, count, used in (
        Merchant.objects.order_by().values_list("status").annotate(Count("pk"), Sum("used_bytes"))
    ):
        yield catalogue.MERCHANTS, (status,), float(count)
        stored += used or 0
    yield catalogue.STORAGE, (), float(stored)
    sums = rows_of(CreditAccount).aggregate(available=Sum("available"), held=Sum("held"))
    for state, amount in sums.items():
        yield catalogue.CREDITS, (state,), float(amount or 0)
    yield catalogue.CASES, (), float(rows_of(ModerationCase).filter(status="open").count())


def _backup() -> Iterator[Sample]:
    found = cache.get("metrics:backup")
    if found is None:
        last = stamp.last()
        found = last.at.timestamp() if last else 0.0
        cache.set("metrics:backup", found, REMEMBER)
    yield catalogue.BACKUP, (), found


def rows_of(model: type[Any]) -> Any:
    """Past the manager; what may be seen is up to the open scope."""
    return model._base_manager.all()


def _age(since: datetime | None) -> float:
    return max(0.0, (timezone.now() - since).total_seconds()) if since else 0.0
