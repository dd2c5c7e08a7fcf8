"""``python -m tests.jobs.drive``: the web side of a house under test; a JSON line in, a JSON line out."""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import Any

import django


def main() -> None:
    """Serve until stdin ends."""
    django.setup()
    from django.db import connection

    from imodel_site.lib.scope import unscoped

    for line in sys.stdin:
        order = json.loads(line)
        try:
            with unscoped("test drive"):
                answer = {"answer": _OPS[order.pop("op")](**order)}
        except Exception as error:  # noqa: BLE001  the test decides what it means
            answer = {"error": f"{type(error).__name__}: {error}"}
        connection.close()
        print(json.dumps(answer), flush=True)


def merchants(count: int) -> list[str]:
    """So many new merchants."""
    from accounts.models import Merchant

    return [str(Merchant.objects.create(name=f"Shop {n}").pk) for n in range(count)]


def enqueue(jobs: list[dict[str, Any]], model: str = "Errand") -> list[str]:
    """Jobs, each in a transaction of its own as requests would."""
    from uuid import UUID

    from imodel_site.lib.jobs.services import enqueue as accept
    from imodel_site.lib.scope import merchant_scope
    from tests.jobs.app import models

    made = []
    for fields in jobs:
        job = getattr(models, model)(**{**fields, "merchant_id": UUID(fields["merchant_id"])})
        with merchant_scope(job.merchant_id):
            accept(job)
        made.append(str(job.pk))
    return made


def state(model: str = "Errand") -> dict[str, dict[str, Any]]:
    """Every job, with its ledger."""
    from tests.jobs.app import models

    columns = ("status", "token", "losses", "worker", "error_code", "error_message", "stage")
    # Rows before lines: what a row says has ended has all its lines then.
    jobs = list(getattr(models, model).objects.values("pk", *columns))
    ledger: dict[str, Counter[str]] = {}
    for job, kind in models.Line.objects.values_list("job", "kind"):
        ledger.setdefault(str(job), Counter())[kind] += 1
    return {
        str(job["pk"]): {**{name: job[name] for name in columns}, "lines": ledger.get(str(job["pk"]), {})}
        for job in jobs
    }


def cancel(job: str) -> None:
    """As the merchant's click."""
    from imodel_site.lib.jobs.services import cancel as stop
    from tests.jobs.app.models import Errand

    stop(Errand.objects.get(pk=job))


def wake(lane: str, times: int = 1) -> None:
    """Wake-ups nobody asked for."""
    from imodel_site.lib.jobs.waking import wake as write

    write(lane, times)


def lose_wake_ups() -> int:
    """All of them."""
    from django_q.models import OrmQ

    return int(OrmQ.objects.all().delete()[0])


def order_training() -> str:
    """A training of seven photos, checked and waiting."""
    from tests.training.driving import order

    return order()


def training_state(training: str) -> dict[str, Any]:
    """How it is, and everything that its end brings, counted."""
    from tests.training.driving import state

    return state(training)


def order_import(rows: int) -> str:
    """A table of so many garments without photos, taken in for a new merchant."""
    from tests.catalog.importing import order

    return order(rows)


def import_state(run: str) -> dict[str, Any]:
    """How it is, and what came in, counted."""
    from tests.catalog.importing import state

    return state(run)


def bench_jobs(jobs: int) -> dict[str, Any]:
    """For bench/jobs.py: so many jobs that do nothing, of twenty merchants; how long it took."""
    from accounts.models import Merchant
    from tests.jobs.app.models import Errand, Line

    shops = [Merchant.objects.create(name="Bench", concurrency=9).pk for _ in range(min(20, jobs))]
    return _bench(
        lambda n: enqueue([{"merchant_id": str(shops[n % len(shops)]), "plan": [["note", 0]]}]), jobs, Line, Errand
    )


def bench_plain(jobs: int) -> dict[str, Any]:
    """The same as django-q2 tasks, nothing else."""
    from django_q.models import OrmQ
    from django_q.tasks import async_task

    from tests.jobs.app.models import Line

    return _bench(lambda n: async_task("tests.jobs.app.plain.task", n, cluster="light"), jobs, Line, OrmQ)


def _bench(make: Any, jobs: int, line: Any, rest: Any) -> dict[str, Any]:
    """Times are the clock's of the one machine that everything runs on: lines carry when their runner began."""
    import time

    line.objects.all().delete()
    began = time.time()
    sent = []
    for number in range(jobs):
        make(number)
        sent.append(time.time())
    while line.objects.filter(kind__startswith="at ").count() < jobs or not _idle(rest):
        time.sleep(0.005 if jobs == 1 else 0.05)
    ended = time.time()
    starts = sorted(
        float(kind[3:]) for kind in line.objects.filter(kind__startswith="at ").values_list("kind", flat=True)
    )
    worked = max(ended if jobs == 1 else starts[-1], starts[0] + 1e-6) - starts[0]
    return {"enqueued": sent[-1] - began, "worked": worked, "waits": [starts[0] - sent[0]] if jobs == 1 else []}


def _idle(model: Any) -> bool:
    if hasattr(model, "status"):
        return not model.objects.filter(status__in=["queued", "running"]).exists()
    return not model.objects.exists()


_OPS: dict[str, Any] = {
    f.__name__: f
    for f in (
        merchants,
        enqueue,
        state,
        cancel,
        wake,
        lose_wake_ups,
        order_training,
        training_state,
        order_import,
        import_state,
        bench_jobs,
        bench_plain,
    )  # fmt: skip
}

if __name__ == "__main__":
    main()
