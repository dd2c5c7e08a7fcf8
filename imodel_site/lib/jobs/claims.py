"""Which job is next: merchants take turns, then priority, then who came first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now

from imodel_site.lib.jobs.locks import take_turn
from imodel_site.lib.jobs.losses import lose_expired
from imodel_site.lib.jobs.model import Job, Status
from imodel_site.lib.jobs.registry import lane_models
from imodel_site.lib.jobs.signals import claimed, tell_after_commit
from imodel_site.lib.jobs.transitions import advance, lease_over, rows
from imodel_site.lib.jobs.work import Work
from imodel_site.lib.scope import unscoped

__all__ = ["claim_next"]


@dataclass(frozen=True)
class Turn:
    """A merchant with waiting jobs: how many may run at once, how many do, when each model's last began, which wait."""

    merchant: Any
    limit: int
    running: int
    starts: tuple[Any, ...]
    waits: tuple[bool, ...]

    @property
    def order(self) -> tuple[Any, ...]:
        """Fewest running first, then the one whose latest start is longest ago, never being longest."""
        latest = max((start for start in self.starts if start is not None), default=None)
        return (self.running, latest is not None, latest or 0)


def claim_next(
    lane: str, worker: str, *, models: Sequence[type[Job]] | None = None, look_first: bool = True
) -> Work | None:
    """Claim the next job of a lane: it runs under a new token, and its lease begins.

    Args:
        lane: one of settings.LANES.
        worker: who claims, for the operator and for whoever buries it.
        models: only these of the lane's models.
        look_first: see without a lock whether there is anything; not worth it right after a claim that found something.

    Returns:
        The work, or None when nothing may start now.
    """
    found = lane_models(lane) if models is None else tuple(models)
    if not found:
        return None
    with unscoped("claim"):
        waiting, expired = _anything(found) if look_first else (True, False)
        if not waiting and not expired:
            return None
        with transaction.atomic():
            # One claim of a lane at a time: two would both see room under a merchant's limit, and both take it.
            take_turn(f"claim {lane}")
            if expired:
                lose_expired(found)
            return _claim(found, worker)


def _anything(found: Sequence[type[Job]]) -> tuple[bool, bool]:
    """Whether jobs wait, and whether leases are over; without a lock, in one statement."""
    parts = []
    for wanted in (Q(status=Status.QUEUED, queued_at__lte=Now()), lease_over()):
        queries = [rows(model).filter(wanted).order_by().values("status")[:1].query for model in found]
        parts.append([query.sql_with_params() for query in queries])
    exists = [" OR ".join(f"EXISTS ({sql})" for sql, _params in part) for part in parts]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {exists[0]}, {exists[1]}", [p for part in parts for _sql, ps in part for p in ps])
        waiting, expired = cursor.fetchone()
    return bool(waiting), bool(expired)


def _claim(found: Sequence[type[Job]], worker: str) -> Work | None:
    for turn in sorted(_turns(found), key=lambda turn: turn.order):
        if turn.running >= turn.limit:
            continue
        for job in _waiting([model for model, any_ in zip(found, turn.waits, strict=True) if any_], turn.merchant):
            if advance(job, to=Status.RUNNING, from_=Status.QUEUED, token=job.token, worker=worker[:80]):
                return _claimed(rows(type(job)).get(pk=job.pk))
    return None


def _claimed(job: Any) -> Work:
    tell_after_commit(claimed, type(job), seconds=max(0.0, (job.started_at - job.queued_at).total_seconds()))
    return Work(job)


def _waiting(found: Sequence[type[Job]], merchant: Any) -> Iterator[Job]:
    """The first of each model, best first; a cancel may take one away before we have it."""
    firsts = []
    for model in found:
        due = rows(model).filter(merchant_id=merchant, status=Status.QUEUED, queued_at__lte=Now())
        firsts += list(due.order_by("-priority", "queued_at", "pk")[:1])
    yield from sorted(firsts, key=lambda job: (-job.priority, job.queued_at, str(job.pk)))


def _turns(found: Sequence[type[Job]]) -> list[Turn]:
    """Every merchant with waiting jobs, in one statement.

    ``SELECT DISTINCT`` would read each waiting row; here each merchant costs a few probes of the partial index, however
    many jobs wait.
    """
    with connection.cursor() as cursor:
        cursor.execute(_sql(found))
        return [_turn(row, len(found)) for row in cursor.fetchall()]


def _turn(row: Sequence[Any], models: int) -> Turn:
    merchant, limit, *counts = row
    running, starts, waits = counts[:models], counts[models : 2 * models], counts[2 * models :]
    return Turn(merchant, limit, sum(running), tuple(starts), tuple(map(bool, waits)))


def _sql(found: Sequence[type[Job]]) -> str:
    quote = connection.ops.quote_name
    tables = [quote(model._meta.db_table) for model in found]
    merchants = quote(found[0]._meta.get_field("merchant").related_model._meta.db_table)
    walks = ", ".join(_walk(f"walk{place}", table) for place, table in enumerate(tables))
    union = " UNION ".join(f"SELECT merchant FROM walk{p} WHERE merchant IS NOT NULL" for p in range(len(tables)))
    own = "merchant_id = waiting.merchant"
    counts = [f"(SELECT count(*) FROM {table} WHERE {own} AND status = 'running')" for table in tables]
    starts = [f"(SELECT max(started_at) FROM {table} WHERE {own})" for table in tables]
    waits = [
        f"({_open(model)} AND EXISTS (SELECT 1 FROM {table} WHERE {own} AND status = 'queued'))"
        for model, table in zip(found, tables, strict=True)
    ]
    return (
        f"WITH RECURSIVE {walks}, waiting(merchant) AS ({union}) "
        f"SELECT waiting.merchant, owner.concurrency, {', '.join(counts + starts + waits)} "
        # Nothing starts for a merchant that is suspended; what waits goes on waiting.
        f"FROM waiting JOIN {merchants} owner ON owner.id = waiting.merchant AND owner.status <> 'suspended'"
    )


def _open(model: type[Job]) -> str:
    """While a merchant waits to be deleted only what it takes along is started, and nothing once its time has come."""
    if not model.while_closing:
        return "owner.status = 'active'"
    return "(owner.status = 'active' OR owner.status = 'closing' AND owner.delete_after > CURRENT_TIMESTAMP)"


def _walk(name: str, table: str) -> str:
    first = f"SELECT merchant_id FROM {table} WHERE status = 'queued'"
    order = "ORDER BY merchant_id LIMIT 1"
    return (
        f"{name}(merchant) AS (SELECT * FROM ({first} {order}) AS first UNION ALL "
        f"SELECT ({first} AND merchant_id > {name}.merchant {order}) FROM {name} WHERE {name}.merchant IS NOT NULL)"
    )
