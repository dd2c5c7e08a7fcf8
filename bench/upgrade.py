"""Old code under load while the new code's migrations run: what a merchant notices of an upgrade.

    git worktree add --detach /tmp/old <release before>
    python -m bench.upgrade --old /tmp/old --database postgres://root@127.0.0.1:5432/upgrade

The database must be empty. The old code's web server answers pages and takes shoots the whole time; nobody restarts it.
Prints what was asked before, during and after the migration: how many answers, how many errors, and the longest.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
MAKE_KEY = """
from datetime import timedelta
from accounts.models import Membership
from accounts.scoping import merchant_scope, unscoped
from accounts.services.api_keys import make_key
with unscoped("bench"):
    row = Membership.objects.select_related("merchant", "user").first()
with merchant_scope(row.merchant):
    key = make_key(merchant=row.merchant, by=row.user, name="b", scope="write", store="", live=True, lifetime=None)
print("KEY", key.text)
"""


@dataclass
class Asked:
    """One kind of call, by phase: seconds of each answer, and what went wrong."""

    name: str
    method: str
    path: str
    seconds: dict[str, list[float]] = field(default_factory=dict)
    errors: dict[str, list[str]] = field(default_factory=dict)


def main() -> None:
    """Run it and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--old", type=Path, required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--port", type=int, default=8106)
    parser.add_argument("--seconds", type=float, default=8.0, help="before and after")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="upg-") as folder:
        _run(options, _environment(Path(folder), options.database))


def _environment(data: Path, database: str) -> dict[str, str]:
    return {
        **os.environ,
        "IMODEL_DATA": str(data),
        "DATABASE_URL": database,
        "IMODEL_SECRET_KEY": secrets.token_urlsafe(48),
        "IMODEL_HOSTS": "localhost,127.0.0.1",
        "IMODEL_HTTPS": "0",
        "IMODEL_LOG_LEVEL": "WARNING",
        "IMODEL_API_CALLS_PER_MINUTE": "100000",
    }


def _manage(tree: Path, environment: Mapping[str, str], *words: str) -> str:
    command = [sys.executable, str(tree / "manage.py"), *words]
    done = subprocess.run(
        command, cwd=tree, env={**environment, "PYTHONPATH": str(tree)}, check=True, capture_output=True, text=True
    )
    return done.stdout


def _run(options: argparse.Namespace, environment: dict[str, str]) -> None:
    _manage(options.old, environment, "prepare")
    _manage(options.old, environment, "demo")
    key = _manage(options.old, environment, "shell", "-c", MAKE_KEY).split("KEY ")[1].strip()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(options.port)]
    command += ["--blocking-threads", "4", "--no-ws", "--log-level", "warning", "imodel_site.wsgi:application"]
    web = subprocess.Popen(command, cwd=options.old, env={**environment, "PYTHONPATH": str(options.old)})
    try:
        _measure(options, environment, key)
    finally:
        web.terminate()
        web.wait(20)


def _measure(options: argparse.Namespace, environment: Mapping[str, str], key: str) -> None:
    base = f"http://127.0.0.1:{options.port}"
    _until_up(base)
    calls = [Asked("pages", "GET", "/"), Asked("garments", "GET", "/api/v1/garments")]
    calls += [Asked("progress", "GET", "/api/v1/shoots"), Asked("shoots", "POST", "/api/v1/shoots")]
    phase, stop = ["before"], threading.Event()
    threads = [threading.Thread(target=_ask, args=(base, call, key, phase, stop)) for call in calls]
    for thread in threads:
        thread.start()
    time.sleep(options.seconds)
    phase[0], began = "during", time.monotonic()
    _manage(HERE, environment, "prepare")
    spent = time.monotonic() - began
    phase[0] = "after"
    time.sleep(options.seconds)
    stop.set()
    for thread in threads:
        thread.join()
    _print(calls, spent)


def _until_up(base: str) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(f"{base}/healthz", timeout=2).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise SystemExit("the old web server did not come up")


def _ask(base: str, call: Asked, key: str, phase: list[str], stop: threading.Event) -> None:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"} if "/api/" in call.path else {}
    photo = _a_photo(base, headers) if call.method == "POST" else ""
    body = json.dumps({"photo": photo}).encode() if photo else None
    while not stop.is_set():
        now, began = phase[0], time.monotonic()
        request = urllib.request.Request(base + call.path, body, headers, method=call.method)
        try:
            urllib.request.urlopen(request, timeout=30).read()
        except urllib.error.HTTPError as error:
            call.errors.setdefault(now, []).append(f"{error.code} {error.read()[:80]!r}")
        except (urllib.error.URLError, OSError) as error:
            call.errors.setdefault(now, []).append(repr(error))
        call.seconds.setdefault(now, []).append(time.monotonic() - began)
        time.sleep(0.05)


def _a_photo(base: str, headers: dict[str, str]) -> str:
    request = urllib.request.Request(f"{base}/api/v1/photos", None, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(json.load(answer)["items"][0]["id"])


def _print(calls: list[Asked], spent: float) -> None:
    print(f"prepare (migrations, words, static files) took {spent:.1f} s\n")
    print("| call | phase | answers | errors | longest ms |\n|---|---|---|---|---|")
    for call in calls:
        for phase in ("before", "during", "after"):
            seconds, errors = call.seconds.get(phase, []), call.errors.get(phase, [])
            longest = 1000 * max(seconds, default=0.0)
            print(f"| {call.name} | {phase} | {len(seconds)} | {len(errors)} | {longest:.0f} |")
            for error in sorted(set(errors))[:3]:
                print(f"    {error}")


if __name__ == "__main__":
    main()
