"""A batch of a thousand while 19 other shops shoot singly: how long these wait, beside an idle system's.

    python -m bench.batches [--cells 1000] [--each 8] [--gap 2.5] [--engine 0] [--url postgres://...]

Two worker processes claim and finish real shoots by the real code (turns, leases, ledger, events) with an engine that
does nothing, or sleeps for ``--engine`` seconds. 19 shops order ``--each`` shoots each, one in ``--gap`` seconds on
average. A wait is the time from the answer to an order until a worker has claimed it, by the one clock of the
machine. The batch is another shop's, and larger than what can be worked off meanwhile, or the run fails. Beside it:
single shoots of the batch's own shop.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.installation import drop, new_shop, set_up

URL = "postgres://root@127.0.0.1:5432/imodel_bench_batches"
SHOPS, WORKERS, POLL = 19, 2, 0.05
HEAD = f"{'single shoots of':34}{'shoots':>8}{'p50 ms':>9}{'p99 ms':>9}{'longest':>9}{'cells meanwhile':>17}"
fork = multiprocessing.get_context("fork")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=1_000)
    parser.add_argument("--each", type=int, default=8)
    parser.add_argument("--gap", type=float, default=2.5)
    parser.add_argument("--engine", type=float, default=0.0)
    parser.add_argument("--url", default=URL)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="imodel-bench-") as folder:
        set_up(args.url, folder)
        try:
            print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before")
            _measure(args)
            print(f"load {os.getloadavg()[0]:.1f} after")
        finally:
            drop(args.url)
    return 0


def _measure(args: argparse.Namespace) -> None:
    shops = [new_shop(1_000) for _ in range(SHOPS)]
    big = _big_shop(args.cells)
    print(HEAD)
    with _workers(args.engine) as starts:
        _row("19 shops, nothing else", shops, args, starts)
    batch = _accept(big, args.cells)
    with _workers(args.engine) as starts:
        _row("19 shops, beside the batch", shops, args, starts, batch=batch)
        _row("the batch's own shop", [big], args, starts, batch=batch)


def _row(name: str, shops: list[Any], args: argparse.Namespace, starts: Any, batch: Any = None) -> None:
    """Ends the run when the batch was through before the last single shoot was ordered: it would have proved less."""
    before = _left(batch)
    alone = len(shops) == 1
    ordered = _order_singly(shops, args.each * (4 if alone else 1), args.gap / (4 if alone else 1))
    left = _left(batch)
    waits = sorted(1000 * max(0.0, at - ordered[job]) for job, at in _claimed(starts, set(ordered)).items())
    p50, p99 = (waits[min(len(waits) - 1, len(waits) * cut // 100)] for cut in (50, 99))
    print(f"{name:34}{len(waits):>8,}{p50:>9.0f}{p99:>9.0f}{waits[-1]:>9.0f}{before - left:>17,}", flush=True)
    if batch is not None and not left:
        sys.exit("the batch was through too early: more --cells, or a slower --engine")


# --- what is ordered --------------------------------------------------------------------------------------------------
def _big_shop(cells: int) -> Any:
    from accounts.models import Merchant, Plan
    from accounts.scoping import merchant_scope
    from catalog.services.sample_garments import add_sample_garments

    shop = new_shop(10 * cells)
    plan = Plan.objects.create(name="bench", title="Bench", batch_shoots=cells, concurrency=4)
    Merchant.objects.filter(pk=shop.merchant.pk).update(plan=plan, concurrency=4)
    shop.merchant.refresh_from_db()
    with merchant_scope(shop.merchant):
        add_sample_garments(merchant=shop.merchant)
    return shop


def _accept(shop: Any, cells: int) -> Any:
    """Order it, and print how long that took and in how many statements."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from accounts.scoping import merchant_scope
    from generation.services.batches import order_batch

    with merchant_scope(shop.merchant):
        wishes = _wishes(cells)
        with CaptureQueriesContext(connection) as seen:
            began = time.perf_counter()
            batch = order_batch(actor=shop, wishes=wishes, skip_unusable=False, key="bench")
            seconds = time.perf_counter() - began
    print(f"{batch.shoots_total:,} cells accepted in {seconds:.2f} s, {len(seen)} statements", flush=True)
    return batch


def _wishes(cells: int) -> Any:
    """Ten garments in a tenth as many looks as there are to be cells."""
    from catalog.models import Garment, Persona, Scene
    from generation.batches import Wishes

    personas = list(Persona.objects.order_by("position", "id").values_list("pk", flat=True)[:10])
    scenes = list(Scene.objects.order_by("position", "id").values_list("pk", flat=True)[:10])
    garments = list(Garment.objects.order_by("id").values_list("pk", flat=True)[: cells // 100])
    return Wishes(garments=tuple(garments), personas=tuple(personas), scenes=tuple(scenes))


def _order_singly(shops: list[Any], each: int, gap: float) -> dict[str, float]:
    """When the answer to each order came, by its id."""
    ordered: dict[str, float] = {}
    threads = [threading.Thread(target=_shop_orders, args=(shop, each, gap, ordered)) for shop in shops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ordered


def _shop_orders(shop: Any, each: int, gap: float, ordered: dict[str, float]) -> None:
    from django.db import connection

    from accounts.scoping import merchant_scope
    from generation import services
    from generation.orders import Choices

    for _ in range(each):
        time.sleep(random.uniform(0, 2 * gap))
        with merchant_scope(shop.merchant):
            shoot = services.order_shoot(actor=shop, choices=Choices(kind="text", count=1), key=None)
        ordered[str(shoot.pk)] = time.time()
    connection.close()


def _left(batch: Any) -> int:
    from accounts.scoping import unscoped
    from generation.models import Shoot

    if batch is None:
        return 0
    with unscoped("bench"):
        return int(Shoot.objects.filter(batch=batch, status="queued").count())


# --- who works --------------------------------------------------------------------------------------------------------
@contextmanager
def _workers(engine: float) -> Iterator[Any]:
    """Worker processes, and the queue in which they say what they claimed when."""
    from django.db import connection

    connection.close()  # no child may share it
    starts, stop = fork.Queue(), fork.Event()
    found = [fork.Process(target=_work, args=(engine, starts, stop, f"w{n}")) for n in range(WORKERS)]
    for worker in found:
        worker.start()
    try:
        yield starts
    finally:
        stop.set()
        for worker in found:
            worker.join()


def _work(engine: float, starts: Any, stop: Any, name: str) -> None:
    from accounts.scoping import merchant_scope
    from imodel_site.lib.jobs.claims import claim_next

    while not stop.is_set():
        work = claim_next("generate", name)
        if work is None:
            time.sleep(POLL)
            continue
        starts.put((str(work.job.pk), time.time()))
        time.sleep(engine)
        with merchant_scope(work.job.merchant_id):
            work.finish()


def _claimed(starts: Any, wanted: set[str]) -> dict[str, float]:
    """When each of these was claimed; waits for the last of them."""
    found: dict[str, float] = {}
    while wanted - set(found):
        job, at = starts.get(timeout=120)
        if job in wanted:
            found[job] = at
    return found


if __name__ == "__main__":
    sys.exit(main())
