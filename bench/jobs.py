"""The queue: jobs a second with runners that do nothing, and how soon an idle worker starts a job.

    python -m bench.jobs [--jobs 500] [--latency 60] [--database sqlite|postgres]

Ours is beside plain django-q2 tasks of the same cluster settings, doing as much: one row written each. Each database is
made for the run and dropped. The job tests' tiny app (tests/jobs/app) is the product here; PostgreSQL is the one of the
tests (IMODEL_TEST_DATABASE_URL). Look at the load of the machine beside the figures: it is printed.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.jobs.house import Databases, House

COLUMNS = "{:<10} {:<22} {:>10} {:>10} {:>10} {:>10}"


def main() -> None:
    """Run, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--latency", type=int, default=60)
    parser.add_argument("--database", choices=["sqlite", "postgres"], action="append")
    args = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before")
    print(COLUMNS.format("database", "what", "enqueue/s", "done/s", "p50 ms", "p99 ms"))
    with tempfile.TemporaryDirectory(prefix="imodel-bench-") as folder:
        databases = Databases(Path(folder))
        try:
            for kind in args.database or ["sqlite", "postgres"]:
                _measure(kind, databases, args)
        finally:
            databases.close()
    print(f"load {os.getloadavg()[0]:.1f} after")


def _measure(kind: str, databases: Databases, args: argparse.Namespace) -> None:
    for workers in (1, 2):
        house = House(databases.place(), getattr(databases, kind)(), JOBS_HURRY="0", IMODEL_LIGHT_WORKERS=str(workers))
        try:
            house.start()
            house.until_ended(house.order())  # warm: the cluster is up, the runners are imported
            for what, op in (("jobs", "bench_jobs"), ("plain django-q2", "bench_plain")):
                waits = _latency(house, op, args.latency) if workers == 1 else {}
                _row(kind, f"{what}, {workers} worker", _throughput(house, op, args.jobs) | waits)
        finally:
            house.close()


def _row(kind: str, what: str, found: dict[str, float]) -> None:
    cells = [f"{found[name]:.0f}" if name in found else "" for name in ("enqueue", "done", "p50", "p99")]
    print(COLUMNS.format(kind, what, *cells), flush=True)


def _throughput(house: House, op: str, jobs: int) -> dict[str, float]:
    """From the first that starts to the last that ends; all are enqueued while nobody works."""
    found: dict[str, Any] = house.ask(op, jobs=jobs)
    return {"enqueue": jobs / found["enqueued"], "done": jobs / found["worked"]}


def _latency(house: House, op: str, times: int) -> dict[str, float]:
    """From the commit to the first line of the runner, one at a time on an idle worker."""
    waits: list[float] = []
    for _ in range(times):
        waits += house.ask(op, jobs=1)["waits"]
        time.sleep(0.11)  # not in step with the poll
    waits.sort()
    return {"p50": 1000 * waits[len(waits) // 2], "p99": 1000 * waits[min(len(waits) - 1, int(len(waits) * 0.99))]}


if __name__ == "__main__":
    main()
