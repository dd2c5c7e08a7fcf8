"""What metrics cost: counting one request, and one scrape over the files of several processes and the rows.

    IMODEL_DATA=/tmp/a-shop python -m bench.metrics

Reads the installation that the environment names; counts into a folder of its own.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from pathlib import Path
from statistics import median

ROUTES, PROCESSES, TIMES = 120, 6, 20_000


def main() -> None:
    """Print the table."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "imodel_site.settings")
    import django

    django.setup()
    from django.conf import settings

    with tempfile.TemporaryDirectory() as folder:
        settings.RUN_DIR = Path(folder)
        _measure()


def _measure() -> None:
    from imodel_site.metrics import machine, reading, rows, sharing

    sharing.share("web")
    alone = _count(TIMES)
    children = [
        multiprocessing.get_context("fork").Process(target=_count, args=(TIMES // 10,)) for _ in range(PROCESSES)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join()
    size = len(reading.text(rows.samples))
    print(f"{ROUTES} routes, {PROCESSES + 1} processes, {size:,} bytes of text\n\n| what | median ms |\n|---|---|")
    print(f"| count one request | {1000 * alone:.4f} |")
    print(f"| sum up the processes' files | {_time(sharing.collect):.1f} |")
    print(f"| ask the rows | {_time(lambda: list(rows.samples())):.1f} |")
    print(f"| look at the machine | {_time(lambda: list(machine.samples())):.2f} |")
    print(f"| a whole scrape | {_time(lambda: reading.text(rows.samples)):.1f} |")


def _count(times: int) -> float:
    """Seconds for one request."""
    from imodel_site.metrics import counting

    began = time.perf_counter()
    for number in range(times):
        counting.request(route=f"/route/{number % ROUTES}", method="GET", status=200, seconds=0.05)
    return (time.perf_counter() - began) / times


def _time(what: object) -> float:
    """Median milliseconds of twenty calls."""
    assert callable(what)
    spent = []
    for _ in range(20):
        began = time.perf_counter()
        what()
        spent.append(1000 * (time.perf_counter() - began))
    return median(spent)


if __name__ == "__main__":
    main()
