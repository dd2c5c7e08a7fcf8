"""What the product adds to a bare studio call: order to first step, last step to a picture that can be seen.

    .venv/bin/python -m bench.overhead [--runs 5]

Runs `manage.py up` in a folder of its own, waits for the demo's first shoot (which also warms the engine), then orders
shoots one at a time through the service that the pages call and watches the row. The peer is the same order carried out
in this process by ``studio`` alone on a warm crew, after the product has been stopped.
"""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
POLL = 0.01  # seconds; how finely the row is watched
PATIENCE = 900.0


def main() -> None:
    """Run and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--port", type=int, default=8972)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        _configure(Path(folder))
        up = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--port", str(args.port)], cwd=ROOT, stdout=subprocess.DEVNULL
        )
        try:
            rows = _measure(args.runs)
        finally:
            up.send_signal(signal.SIGINT)
            up.wait(120)
        bare = _bare(args.runs)
    print(f"\n{os.cpu_count()} cores, {args.runs} shoots of one picture, engine mini; seconds\n")
    print("| span | median | smallest to largest |\n|---|---|---|")
    for name, values in [*rows.items(), ("the bare studio call, warm", bare)]:
        print(f"| {name} | {statistics.median(values):.2f} | {min(values):.2f} to {max(values):.2f} |")


def _configure(folder: Path) -> None:
    for name in [name for name in os.environ if name.startswith(("IMODEL_", "DATABASE_", "REDIS_", "EMAIL_"))]:
        del os.environ[name]
    os.environ |= {
        "IMODEL_DATA": str(folder / "var"),
        "IMODEL_SECRET_KEY": secrets.token_urlsafe(48),
        "IMODEL_HOSTS": "localhost",
        "IMODEL_HTTPS": "0",
        "IMODEL_DEMO": "1",
        "DJANGO_SETTINGS_MODULE": "imodel_site.settings",
    }


def _measure(runs: int) -> dict[str, list[float]]:
    import django

    django.setup()
    from accounts.scoping import unscoped
    from generation.models import Shoot

    with unscoped("bench watches the demo's shoots"):
        first = _wait(lambda: _safely(Shoot.objects.first))
        _wait(lambda: Shoot.objects.get(pk=first.pk).ended)
        found = [_one(first, Shoot, number) for number in range(runs)]
    names = ("order to claimed", "order to first step", "last step to picture in the history", "order to picture")
    return {name: [row[place] for row in found] for place, name in enumerate(names)}


def _one(first: Any, model: Any, number: int) -> tuple[float, ...]:
    from accounts.actors import member
    from accounts.models import Membership
    from accounts.scoping import merchant_scope
    from generation.orders import Choices
    from generation.services.shoots import order_shoot

    with merchant_scope(first.merchant_id):
        actor = member(Membership.objects.select_related("merchant", "user").first())
        choices = Choices(photo=first.photo_id, count=1, seed=number)
        began = time.perf_counter()
        shoot = order_shoot(actor=actor, choices=choices, key=None)
        return _watch(model, shoot.pk, began)


def _watch(model: Any, pk: Any, began: float) -> tuple[float, ...]:
    """Seconds: to the claim, to the first painting; from the last painting seen to the end; in all."""
    marks: dict[str, float] = {}
    while True:
        row = model.objects.values("status", "stage", "fraction").get(pk=pk)
        now = time.perf_counter() - began
        if row["status"] != "queued":
            marks.setdefault("claimed", now)
        if row["stage"] == "painting":
            marks.setdefault("step", now)
            marks["last"] = now
        if row["status"] in ("succeeded", "failed", "cancelled"):
            if row["status"] != "succeeded":
                raise SystemExit(f"a shoot {row['status']}")
            return marks["claimed"], marks["step"], now - marks["last"], now
        time.sleep(POLL)


def _safely(ask: Any) -> Any:
    """The tables may not be there yet."""
    from django.db import DatabaseError

    try:
        return ask()
    except DatabaseError:
        return None


def _wait(ask: Any) -> Any:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if found := ask():
            return found
        time.sleep(0.5)
    raise SystemExit("it took too long")


def _bare(runs: int) -> list[float]:
    from catalog.samples import SAMPLES
    from studio.images import open_photo
    from studio.shoot.flow import shoot
    from studio.shoot.run import bring_up
    from studio.shoot.types import Order

    spans = []
    photo = open_photo(SAMPLES[0].path)
    crew = bring_up("mini")
    for number in range(runs + 1):  # the first one warms
        order = Order(photo=photo, count=1, seed=number)
        began = time.perf_counter()
        shoot(order, engine=crew.engine, detector=crew.detector, weights=crew.weights)
        spans.append(time.perf_counter() - began)
    return spans[1:]


if __name__ == "__main__":
    main()
