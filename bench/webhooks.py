"""Webhooks while half of the receivers fail and one is dead: how long the others' events take, beside all being well.

    python -m bench.webhooks [--rounds 20] [--every 3.0] [--database sqlite|postgres]

Twenty merchants with one endpoint each; every ``--every`` seconds one shoot of each of them ends. A real worker carries
the events to receivers in this process. Delay is from the commit of the event to its first try's arrival, so that
waits between tries do not count. ``failing`` answers 500 at once, ``dead`` takes the connection and never answers.
Look at the load of the machine beside the figures: it is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from tests.jobs.house import ROOT, Databases, House
from tests.webhooks.receiver import Answerer, Receiver, receiving, says

COLUMNS = "{:<9} {:<22} {:<9} {:>9} {:>9} {:>9} {:>9}"
WELL = ["well"] * 20
MIXED = ["well"] * 9 + ["failing"] * 10 + ["dead"]
PATIENCE = 180.0


def main() -> None:
    """Run, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--every", type=float, default=3.0)
    parser.add_argument("--database", choices=["sqlite", "postgres"], action="append")
    parser.add_argument("--happen", help=argparse.SUPPRESS)  # the web side, in a process of its own
    args = parser.parse_args()
    if args.happen:
        return happen(**json.loads(args.happen))
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before")
    print(COLUMNS.format("database", "receivers", "kind", "events", "p50 ms", "p99 ms", "most ms"))
    with tempfile.TemporaryDirectory(prefix="imodel-bench-") as folder:
        databases = Databases(Path(folder))
        try:
            for kind in args.database or ["sqlite", "postgres"]:
                for name, receivers in (("all well", WELL), ("half failing, one dead", MIXED)):
                    _rows(kind, name, measure(databases, kind, receivers, args))
        finally:
            databases.close()
    print(f"load {os.getloadavg()[0]:.1f} after")


def _rows(database: str, name: str, delays: dict[str, list[float]]) -> None:
    for kind, found in delays.items():
        found.sort()
        figures = [1000 * found[int(len(found) * share)] for share in (0.5, 0.99)]
        cells = [f"{figure:.0f}" for figure in (*figures, 1000 * found[-1])]
        print(COLUMNS.format(database, name, kind, len(found), *cells), flush=True)


def measure(databases: Databases, database: str, kinds: list[str], args: argparse.Namespace) -> dict[str, list[float]]:
    """Delays in seconds of each kind of receiver."""
    house = House(databases.place(), getattr(databases, database)(), IMODEL_WEBHOOK_HTTP="1", JOBS_HURRY="0")
    over = threading.Event()
    with receiving(_by_path(over)) as receiver:
        try:
            house.start()
            urls = [f"{receiver.url.split('/hooks')[0]}/{kind}/{place}" for place, kind in enumerate(kinds)]
            fields = {"urls": urls, "rounds": args.rounds, "every": args.every}
            command = [sys.executable, "-m", "bench.webhooks", "--happen", json.dumps(fields)]
            subprocess.run(command, cwd=ROOT, env=house.env, check=True)
            _until_all_came(receiver, {kind: kinds.count(kind) * args.rounds for kind in set(kinds) - {"dead"}})
            return _delays(receiver)
        finally:
            over.set()
            house.close()


def _by_path(over: threading.Event) -> Answerer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.path.startswith("/dead"):
            over.wait(PATIENCE)
        says(500 if handler.path.startswith("/failing") else 204)(handler)

    return answer


def _until_all_came(receiver: Receiver, wanted: dict[str, int]) -> None:
    end = time.monotonic() + PATIENCE
    while any(len(found) < wanted.get(kind, 0) for kind, found in _delays(receiver).items()):
        if time.monotonic() > end:
            print("not everything came in time", flush=True)
            return
        time.sleep(0.2)


def _delays(receiver: Receiver) -> dict[str, list[float]]:
    """Of first tries; the rounds before the measured ones carry no time."""
    seen, delays = set(), defaultdict(list)
    for came in list(receiver.came):
        sent = json.loads(came.body)["data"].get("sent")
        if sent is not None and came.headers["webhook-id"] not in seen:
            seen.add(came.headers["webhook-id"])
            delays[came.path.split("/")[1]].append(came.at - sent)
    return dict(sorted(delays.items(), reverse=True))


def happen(urls: list[str], rounds: int, every: float) -> None:
    """Merchants with their endpoints, one event each to get acquainted, then the measured rounds."""
    import django

    django.setup()
    shops = [_shop(url) for url in urls]
    for number in range(-1, rounds):
        began = time.monotonic()
        for shop in shops:
            _end_a_shoot(shop, measured=number >= 0)
        time.sleep(15.0 if number < 0 else max(0.0, every - (time.monotonic() - began)))


def _shop(url: str) -> Any:
    from accounts.models import Merchant
    from accounts.scoping import merchant_scope
    from accounts.services.webhooks import endpoints

    shop = Merchant.objects.create(name="Bench")
    with merchant_scope(shop):
        endpoints.add_endpoint(merchant=shop, by=None, url=url)
    return shop


def _end_a_shoot(shop: Any, *, measured: bool) -> None:
    from accounts.services.webhooks import emit
    from imodel_site.lib.ids import uuid7

    data = {"sent": time.time()} if measured else {}
    emit(merchant_id=shop.pk, type="shoot.succeeded", subject_id=uuid7(), data=data)


if __name__ == "__main__":
    main()
