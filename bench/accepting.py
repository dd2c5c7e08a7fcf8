"""Accepting shoots: how many a second one shop's 16 clients get through when its credits are just enough.

    python -m bench.accepting [--orders 1600] [--url postgres://root@127.0.0.1:5432/imodel_bench_accepting]

Each client is a process with one connection. A shop gets exactly as many credits as ``--orders`` pictures cost, and its
clients ask a tenth more than that: the rows say how many were accepted and refused (402), and the run fails when the
numbers, the shoots or the ledger are not exact. An accept is ``services.order_shoot``: choices looked up and frozen,
shoot, wake-up, hold and ledger entry in one transaction, as the application's role under row-level security. Beside it
shops that share nothing, and the bare peer: one INSERT of such a shoot's row, autocommitted, without Django.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from bench.installation import drop, new_shop, set_up

URL = "postgres://root@127.0.0.1:5432/imodel_bench_accepting"
CLIENTS = 16
HEAD = f"{'':38}{'accepted':>10}{'refused':>9}{'a second':>10}{'p50 ms':>9}{'p99 ms':>9}"
fork = multiprocessing.get_context("fork")
# What a client does once, for its place among the clients: True accepted, False refused.
Once = Callable[[], bool]


@dataclass(frozen=True)
class Outcome:
    """What all clients of a row saw together."""

    accepted: int
    refused: int
    seconds: float
    waits: list[float]

    def line(self, name: str) -> str:
        """A row of the table."""
        p50, p99 = (statistics.quantiles(self.waits, n=100)[cut] * 1000 for cut in (49, 98))
        rate = self.accepted / self.seconds
        return f"{name:38}{self.accepted:>10,}{self.refused:>9,}{rate:>10,.0f}{p50:>9.1f}{p99:>9.1f}"


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=1_600)
    parser.add_argument("--url", default=URL)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="imodel-bench-") as folder:
        set_up(args.url, folder)
        try:
            print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before\n{HEAD}")
            _shops(args.orders)
            _bare(args.orders)
            print(f"load {os.getloadavg()[0]:.1f} after")
        finally:
            drop(args.url)
    return 0


def _shops(orders: int) -> None:
    _row("one shop, 1 client", [new_shop(orders // 8)], clients=1, orders=orders // 8)
    _row(f"one shop, {CLIENTS} clients", [new_shop(orders)], clients=CLIENTS, orders=orders)
    each = orders // CLIENTS
    _row(
        f"{CLIENTS} shops, {CLIENTS} clients", [new_shop(each) for _ in range(CLIENTS)], clients=CLIENTS, orders=orders
    )


def _row(name: str, shops: list[Any], *, clients: int, orders: int) -> None:
    """A tenth more is asked for than can be paid; exactly what can be must have been accepted."""
    asks = orders // clients + max(1, orders // clients // 10)
    found = together(clients, lambda place: _order(shops[place % len(shops)]), times=asks)
    print(found.line(name), flush=True)
    _audit(shops, found, orders)


def _order(shop: Any) -> Once:
    from accounts.scoping import merchant_scope
    from generation import services
    from generation.orders import Choices
    from imodel_site.lib.errors import Refused

    def once() -> bool:
        try:
            with merchant_scope(shop.merchant):
                services.order_shoot(actor=shop, choices=Choices(kind="text", count=1), key=str(uuid4()))
        except Refused as refused:
            if refused.code != "credits_short":
                raise
            return False
        return True

    return once


def together(clients: int, prepare: Callable[[int], Once], *, times: int) -> Outcome:
    """Start them at one moment; each asks ``times`` times, one after the other."""
    ready, answers = fork.Barrier(clients + 1), fork.Queue()
    from django.db import connection

    connection.close()  # no child may share it
    children = [fork.Process(target=_client, args=(prepare, n, times, ready, answers)) for n in range(clients)]
    for child in children:
        child.start()
    ready.wait()
    began = time.perf_counter()
    found = [answers.get(timeout=600) for _child in children]
    seconds = time.perf_counter() - began
    for child in children:
        child.join()
    waits = [wait for _accepted, many in found for wait in many]
    accepted = sum(accepted for accepted, _many in found)
    return Outcome(accepted, len(waits) - accepted, seconds, waits)


def _client(prepare: Callable[[int], Once], place: int, times: int, ready: Any, answers: Any) -> None:
    once, accepted, waits = prepare(place), 0, []
    _warm()
    ready.wait()
    for _time in range(times):
        began = time.perf_counter()
        accepted += once()
        waits.append(time.perf_counter() - began)
    answers.put((accepted, waits))


def _warm() -> None:
    """The connection is open before the clock starts."""
    from django.db import connection

    connection.ensure_connection()


# --- shops -----------------------------------------------------------------------------------------------------------
def _audit(shops: list[Any], found: Outcome, orders: int) -> None:
    """Ends the run unless shoots, ledger and accounts say exactly what the clients were told."""
    from django.db.models import Sum

    from accounts.models import CreditAccount, LedgerEntry
    from accounts.scoping import unscoped
    from generation.models import Shoot

    with unscoped("bench"):
        ids = [shop.merchant.pk for shop in shops]
        shoots = Shoot.objects.filter(merchant_id__in=ids).count()
        sums = LedgerEntry.objects.filter(merchant_id__in=ids).aggregate(
            a=Sum("available_change"), h=Sum("held_change")
        )
        rows = CreditAccount.objects.filter(merchant_id__in=ids).aggregate(a=Sum("available"), h=Sum("held"))
    told = {"accepted": found.accepted, "shoots": shoots, "ledger": sums, "accounts": rows}
    if told != {
        "accepted": orders,
        "shoots": orders,
        "ledger": {"a": 0, "h": orders},
        "accounts": {"a": 0, "h": orders},
    }:
        sys.exit(f"not exact: {told}")


# --- the peer --------------------------------------------------------------------------------------------------------
def _bare(orders: int) -> None:
    statement, row = _captured()
    for clients in (1, CLIENTS):
        times = orders // (8 if clients == 1 else CLIENTS)
        found = together(clients, lambda _place: _insert(statement, row), times=times)
        print(found.line(f"bare INSERT, {clients} client{'s' * (clients > 1)}"), flush=True)


def _captured() -> tuple[str, list[Any]]:
    """A table without any constraint but its key and indexes, and a shoot's values as the database holds them."""
    from django.db import connection

    from accounts.row_security import as_owner

    with as_owner(connection), connection.cursor() as cursor:
        cursor.execute("SET row_security = off")
        cursor.execute("CREATE TABLE bare (LIKE generation_shoot INCLUDING ALL)")
        cursor.execute("SELECT row_to_json(s)::text FROM generation_shoot s LIMIT 1")
        (text,) = cursor.fetchone()
    statement = (
        "INSERT INTO bare SELECT * FROM jsonb_populate_record(NULL::bare, "
        "%s::jsonb || jsonb_build_object('id', %s::text, 'idempotency_key', %s::text))"
    )
    return statement, [text]


def _insert(statement: str, row: list[Any]) -> Once:
    import psycopg
    from django.conf import settings

    database = settings.DATABASES["default"]
    link = psycopg.connect(
        host=database["HOST"], port=database["PORT"], user=database["USER"], dbname=database["NAME"], autocommit=True
    )

    def once() -> bool:
        link.execute(statement, [*row, str(uuid4()), str(uuid4())])
        return True

    return once


if __name__ == "__main__":
    sys.exit(main())
