"""Progress by server-sent events: from a row's change to the browser, and the cost of 1, 6 and 12 open streams.

    .venv/bin/python -m bench.streams [--changes 20] [--database postgres://...]

The product in a folder of its own, one granian process with four threads for pages and twelve for streams, as
`manage.py up` runs it. All streams follow one shoot, whose row is changed once a second; "late" is the time from the
change's commit to the event. CPU is the web process's own, while rows change and while nothing does. Beside it the time
of a page of the catalog, asked meanwhile by one client.
"""

from __future__ import annotations

import argparse
import http.client
import os
import statistics
import tempfile
import threading
import time
from argparse import Namespace
from pathlib import Path
from typing import Any

from bench.web import PORT, _database, _environment, _prepare, _served, _where

STREAMS, QUIET = 12, 10.0
EACH = 3  # of one person


def main() -> None:
    """Run and print the table."""
    args = _arguments()
    served = Namespace(processes=1, threads=4 + STREAMS, database=args.database)
    with tempfile.TemporaryDirectory() as folder, _database(args.database) as url:
        environment = _environment(Path(folder), url) | {"IMODEL_STREAMS": str(STREAMS)}
        _prepare(environment, 100)
        sessions, shoot = _people(), _shoot()
        print(f"{_where(served)}, load {os.getloadavg()[0]:.1f}\n")
        print(
            "| streams | late ms, p50 | p95 | not within 1 s | CPU while moving | CPU while waiting | a page ms, p50 |"
        )
        print("|---|---|---|---|---|---|---|")
        with _served("imodel_site.wsgi:application", environment, served):
            for count in (1, 6, STREAMS):
                _measure(count, sessions, shoot, args.changes)


def _arguments() -> Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--changes", type=int, default=20)
    parser.add_argument("--database", default="", help="a postgres:// address whose role may create databases")
    return parser.parse_args()


def _people() -> list[str]:
    """Sessions of as many members as the streams need."""
    from accounts.models import Membership, Merchant, Role, User
    from accounts.scoping import merchant_scope, unscoped
    from bench.web_rows import _session

    with unscoped("the bench's own shop"):
        merchant = Merchant.objects.get()
    people = [User.objects.create_user(f"p{n}@example.com", None, name="P") for n in range(-(-STREAMS // EACH))]
    with merchant_scope(merchant):
        for person in people:
            Membership.objects.create(user=person, role=Role.EDITOR)
    return [_session(person) for person in people]


def _shoot() -> Any:
    from accounts.scoping import unscoped
    from generation.models import Shoot

    with unscoped("the bench's own shoot"):
        found = Shoot.objects.filter(status="queued").get()
        Shoot.objects.filter(pk=found.pk).update(status="running", stage="painting")
    return found.pk


def _measure(count: int, sessions: list[str], shoot: Any, changes: int) -> None:
    from accounts.scoping import unscoped
    from generation.models import Shoot

    heard: list[float] = []
    stop = threading.Event()
    listeners = [threading.Thread(target=_listen, args=(sessions[n // EACH], shoot, heard, stop)) for n in range(count)]
    for listener in listeners:
        listener.start()
    time.sleep(3)
    busy, spans, late, missed = _cpu(), [], [], 0
    for step in range(changes):
        heard.clear()
        with unscoped("the bench's own shoot"):
            Shoot.objects.filter(pk=shoot).update(fraction=(time.time() % 1000) / 1000)
        changed = time.perf_counter()
        spans.append(_page(sessions[step % len(sessions)]))
        time.sleep(max(0.0, changed + 1.0 - time.perf_counter()))
        late += [1000 * (moment - changed) for moment in heard[:count]]
        missed += max(0, count - len(heard))
    moving = (_cpu() - busy) / changes
    busy = _cpu()
    time.sleep(QUIET)
    waiting = (_cpu() - busy) / QUIET
    stop.set()
    for listener in listeners:
        listener.join(10)
    cuts = statistics.quantiles(late, n=20)
    row = (f"{count}", f"{cuts[9]:.0f}", f"{cuts[18]:.0f}", f"{missed}", f"{moving:.1%}", f"{waiting:.1%}")
    print("| " + " | ".join(row) + f" | {statistics.median(spans):.0f} |", flush=True)


def _listen(session: str, shoot: Any, heard: list[float], stop: threading.Event) -> None:
    connection = http.client.HTTPConnection("localhost", PORT, timeout=20)
    connection.request("GET", f"/shoots/{shoot}/stream", headers={"Cookie": f"session={session}"})
    answer = connection.getresponse()
    if answer.status != 200:
        raise SystemExit(f"a stream was refused: {answer.status}")
    while not stop.is_set() and (line := answer.readline()):
        if line.startswith(b"data:"):
            heard.append(time.perf_counter())
    connection.close()


def _page(session: str) -> float:
    began = time.perf_counter()
    connection = http.client.HTTPConnection("localhost", PORT, timeout=60)
    connection.request("GET", "/catalog/", headers={"Cookie": f"session={session}", "Accept": "text/html"})
    connection.getresponse().read()
    connection.close()
    return 1000 * (time.perf_counter() - began)


def _cpu() -> float:
    """Seconds of processor time of all our children that serve on the bench's port."""
    total = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if f"--port\0{PORT}".encode() in (entry / "cmdline").read_bytes() or _child_of(entry):
                    total += sum(int(word) for word in (entry / "stat").read_text().rsplit(")", 1)[1].split()[11:13])
            except OSError:
                continue
    return total / os.sysconf("SC_CLK_TCK")


def _child_of(entry: Path) -> bool:
    """Whether its parent is the bench's granian: the worker's command line does not name the port."""
    parent = (entry / "stat").read_text().rsplit(")", 1)[1].split()[1]
    return f"--port\0{PORT}".encode() in Path(f"/proc/{parent}/cmdline").read_bytes()


if __name__ == "__main__":
    main()
