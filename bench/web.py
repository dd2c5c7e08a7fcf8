"""Requests a second and the slowest hundredth of the pages and API calls that matter, at 1 and at 16 clients.

    .venv/bin/python -m bench.web [--seconds 5] [--garments 1000] [--processes 1] [--threads 4] [--database postgres://...]

The product is prepared in a folder (and, with --database, in a database) of its own, filled with garments and pictures,
and served by granian as `manage.py up` does. The peer is bench/bare_site.py: Django with one JSON view, served alike.
All clients are one process with one keep-alive connection each, which takes part of a small machine's cores.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parent.parent
CLIENTS = (1, 16)
PORT = 8971
PASSWORD = "only for the bench 1"


@dataclass(frozen=True)
class Call:
    """One row of the table."""

    name: str
    path: str
    cookie: str = ""
    key: str = ""

    def request(self) -> bytes:
        """As it goes over the wire."""
        lines = [f"GET {self.path} HTTP/1.1", f"Host: localhost:{PORT}", "Accept: text/html, application/json"]
        lines += [f"Cookie: {self.cookie}"] if self.cookie else []
        lines += [f"Authorization: Bearer {self.key}"] if self.key else []
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


def main() -> None:
    """Run and print the table."""
    args = _arguments()
    print(f"{_where(args)}, {args.garments} garments, granian {args.processes} x {args.threads} threads\n")
    print("| call | " + " | ".join(f"{n} clients: req/s | p99 ms" for n in CLIENTS) + " |")
    print("|---|" + "---|---|" * len(CLIENTS))
    with _served("bench.bare_site:application", dict(os.environ), args):
        _row(Call("bare Django JSON view (peer)", "/bare"), args.seconds)
    with tempfile.TemporaryDirectory() as folder, _database(args.database) as url:
        environment = _environment(Path(folder), url)
        calls = _prepare(environment, args.garments)
        with _served("imodel_site.wsgi:application", environment, args):
            for call in calls:
                _row(call, args.seconds)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--garments", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--database", default="", help="a postgres:// address whose role may create databases")
    return parser.parse_args()


def _where(args: argparse.Namespace) -> str:
    return f"{'PostgreSQL' if args.database else 'SQLite'}, {os.cpu_count()} cores, {datetime.now(UTC):%Y-%m-%d}"


@contextmanager
def _database(address: str) -> Iterator[str]:
    """A database for this run alone, dropped afterwards; empty for SQLite."""
    if not address:
        yield ""
        return
    import psycopg

    name = f"bench_imodel_{os.getpid()}"
    admin = address.replace("postgres://", "postgresql://", 1)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield address.rsplit("/", 1)[0] + "/" + name
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _environment(folder: Path, url: str) -> dict[str, str]:
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("IMODEL_", "DATABASE_", "REDIS_"))
    }
    return clean | {
        "IMODEL_DATA": str(folder),
        "IMODEL_SECRET_KEY": secrets.token_urlsafe(48),
        "IMODEL_HOSTS": "localhost",
        "IMODEL_HTTPS": "0",
        "DJANGO_SETTINGS_MODULE": "imodel_site.settings",
        **({"DATABASE_URL": url} if url else {}),
    }


def _prepare(environment: dict[str, str], garments: int) -> list[Call]:
    """Tables, static files, rows; and the calls that are worth measuring."""
    subprocess.run(
        [sys.executable, "manage.py", "prepare"], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL
    )
    os.environ.update(environment)
    import django

    django.setup()
    from bench.web_rows import fill

    filled = fill(garments=garments, password=PASSWORD)
    cookie, key = f"session={filled.session}", filled.key
    return [
        Call("/healthz", "/healthz"),
        Call("front page, a stranger", "/"),
        Call("shoot wizard", "/shoot/", cookie),
        Call("catalog, first page", "/catalog/", cookie),
        Call("catalog, a search", "/catalog/?q=linen", cookie),
        Call("a garment", f"/catalog/garments/{filled.garment}", cookie),
        Call("pictures, first page", "/pictures/", cookie),
        Call("a picture with its report", f"/pictures/{filled.picture}/", cookie),
        Call("progress of a shoot", f"/shoots/{filled.shoot}/progress", cookie),
        Call("API: 50 garments", "/api/v1/garments", key=key),
        Call("API: one garment", f"/api/v1/garments/{filled.garment}", key=key),
    ]


@contextmanager
def _served(application: str, environment: dict[str, str], args: argparse.Namespace) -> Iterator[None]:
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(PORT)]
    command += ["--workers", str(args.processes), "--blocking-threads", str(args.threads), "--no-ws"]
    process = subprocess.Popen(
        [*command, "--log-level", "warning", application], cwd=ROOT, env=environment, stderr=subprocess.DEVNULL
    )
    try:
        _wait_until_it_answers(process)
        yield
    finally:
        process.terminate()
        process.wait(20)


def _wait_until_it_answers(process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        try:
            urlopen(f"http://localhost:{PORT}/healthz", timeout=1)
            return
        except OSError as error:
            if getattr(error, "code", 0) == 404:  # the peer has no such page
                return
            if process.poll() is not None:
                raise SystemExit("the server did not start") from error
            time.sleep(0.1)
    raise SystemExit("the server does not answer")


def _row(call: Call, seconds: float) -> None:
    cells = []
    for clients in CLIENTS:
        asyncio.run(_load(call, clients, min(1.0, seconds / 4)))  # warm: templates, connections, prepared statements
        spans, wrong, whole = asyncio.run(_load(call, clients, seconds))
        if wrong:
            cells.append(f"{wrong} | -")
            continue
        spans.sort()
        cells.append(f"{len(spans) / whole:,.0f} | {1000 * spans[int(0.99 * (len(spans) - 1))]:,.1f}")
    print(f"| {call.name} | " + " | ".join(cells) + " |", flush=True)


async def _load(call: Call, clients: int, seconds: float) -> tuple[list[float], str, float]:
    """Seconds of each answer, what was wrong with one (the last), and seconds in all."""
    spans: list[float] = []
    wrong: list[str] = []
    began = time.perf_counter()
    await asyncio.gather(*(_client(call.request(), began + seconds, spans, wrong) for _ in range(clients)))
    return spans, wrong[-1] if wrong else "", time.perf_counter() - began


async def _client(request: bytes, until: float, spans: list[float], wrong: list[str]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    while time.perf_counter() < until:
        began = time.perf_counter()
        writer.write(request)
        status = await _answer(reader)
        spans.append(time.perf_counter() - began)
        if status != 200:
            wrong.append(f"status {status}")
    writer.close()


async def _answer(reader: Any) -> int:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if b"content-length:" in head:
        await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
    else:
        while size := int((await reader.readline()).strip(), 16):
            await reader.readexactly(size + 2)
        await reader.readline()
    return int(head.split(b" ", 2)[1])


if __name__ == "__main__":
    main()
