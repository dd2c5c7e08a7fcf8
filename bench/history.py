"""The history of pictures at a million rows on PostgreSQL, under row-level security, beside OFFSET pages.

    python -m bench.history [--rows N] [--url postgres://root@127.0.0.1:5432/imodel_bench_history] [--runs N] [--fresh]

Makes a database of its own (``--fresh`` drops it first), fills it with ``generate_series`` (a tenth of the rows is
another merchant's), and asks for pages as the Pictures page does: as the application's role, in the merchant's scope,
in one transaction. ``index`` is what EXPLAIN names; ``OFFSET`` is the same query and filter with the rows before the
page skipped instead of a cursor. The first pages are equal work for both.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any
from uuid import UUID

URL = "postgres://root@127.0.0.1:5432/imodel_bench_history"
OURS, THEIRS = UUID(int=1), UUID(int=2)
PERSONA, GARMENTS = UUID(int=100), 2_000
FIRST_DAY = "2024-01-01"


def main() -> int:
    """Fill if need be, measure, print."""
    args = _arguments()
    _set_up(args)
    from imodel_site.lib.scope import merchant_scope

    _fill(args.rows)
    print(_conditions(args))
    print(f"{'':34}{'cursor':>16}{'OFFSET':>16}   index")
    print(f"{'page of 60':34}{'p50 ms':>8}{'p99 ms':>8}{'p50 ms':>8}{'p99 ms':>8}")
    with merchant_scope(OURS):
        for name, filters in _cases().items():
            _measure(name, filters, args)
        _measure_rest(args)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--url", default=URL)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument(
        "--offset-runs", type=int, default=2, help="of pages more than 10,000 rows deep; 0 leaves them out"
    )
    parser.add_argument("--fresh", action="store_true")
    return parser.parse_args()


# --- the database --------------------------------------------------------------------------------------------------
def _set_up(args: argparse.Namespace) -> None:
    import psycopg

    base, name = args.url.rsplit("/", 1)
    with psycopg.connect(f"{base}/postgres", autocommit=True) as admin:
        if args.fresh:
            admin.execute(f'DROP DATABASE IF EXISTS "{name}"')
        if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            admin.execute(f'CREATE DATABASE "{name}"')
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "imodel_site.settings",
        "DATABASE_URL": args.url,
        "IMODEL_SECRET_KEY": "for-the-bench-only-" + "x" * 40,
        "IMODEL_HOSTS": "localhost",
        "IMODEL_HTTPS": "0",
        "IMODEL_LOG_LEVEL": "ERROR",
    }
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def _fill(rows: int) -> None:
    from django.db import connection

    from accounts.row_security import as_owner

    with as_owner(connection), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM generation_picture")
        if cursor.fetchone()[0] >= rows:
            return
        print(f"filling {rows:,} rows ...", file=sys.stderr)
        cursor.execute("SET session_replication_role = replica; SET synchronous_commit = off")
        for statement in _statements(rows):
            cursor.execute(statement)
        cursor.execute("SET session_replication_role = origin")
        for table in ("picture", "picturetag", "shoot"):
            cursor.execute(f"VACUUM ANALYZE generation_{table}")


# UUIDv7 (RFC 9562 section 5.7) of a time, with the row's number where the random bits would be.
_MILLISECONDS = "lpad(to_hex((extract(epoch FROM {at}) * 1000)::bigint), 12, '0')"
_STAMPED = f"({_MILLISECONDS} || '70008' || lpad(to_hex(n), 15, '0'))::uuid"
_AT = f"(timestamptz '{FIRST_DAY}' + n * interval '2 minutes')"


def _statements(rows: int) -> Iterator[str]:
    yield f"""INSERT INTO accounts_merchant (id, name, status, concurrency, used_bytes, created_at)
        SELECT id::uuid, 'M', 'active', 2, 0, now() FROM (VALUES ('{OURS}'), ('{THEIRS}')) v(id)
        ON CONFLICT DO NOTHING"""
    yield f"""INSERT INTO catalog_garment (id, merchant_id, name, sku, category, colour, status, search, created_at,
            updated_at)
        SELECT lpad(to_hex(1000 + n), 32, '0')::uuid, '{OURS}', 'Garment ' || n, 'S' || n, 'top', '', 'active', '',
            now(), now()
        FROM generate_series(1, {GARMENTS}) n ON CONFLICT DO NOTHING"""
    # Persona 100 to 123; one in 24 pictures. The rarest kind is one in 1,000, a verdict of reject one in 50.
    yield f"""INSERT INTO generation_picture (id, merchant_id, shoot_id, index, token, kind, garment_id, persona_id,
            files, width, height, seed, verdict, report, recipe, favourite, deleted_at, created_at)
        SELECT {_STAMPED.format(at=_AT)}, CASE WHEN n % 10 = 0 THEN '{THEIRS}' ELSE '{OURS}' END::uuid,
            lpad(to_hex(n), 32, '0')::uuid, 0, 1,
            CASE WHEN n % 1000 = 1 THEN 'expert' WHEN n % 4 = 1 THEN 'scene' ELSE 'model' END,
            lpad(to_hex(1000 + (n * 7919 % {GARMENTS}) + 1), 32, '0')::uuid,
            lpad(to_hex(100 + (n * 31 % 24)), 32, '0')::uuid,
            jsonb_build_object('full', repeat('k', 200), 'display', repeat('k', 200), 'medium', repeat('k', 200)),
            512, 768, n, CASE WHEN n % 50 = 1 THEN 'reject' WHEN n % 5 = 1 THEN 'check' ELSE 'good' END,
            jsonb_build_object('verdict', 'good', 'pad', repeat('r', 300)), jsonb_build_object('pad', repeat('p', 300)),
            n % 50 = 3, CASE WHEN n % 100 = 7 THEN now() - n * interval '1 second' END, {_AT}
        FROM generate_series(1::bigint, {rows}) n"""
    yield """INSERT INTO generation_picturetag (merchant_id, picture_id, name)
        SELECT merchant_id, id, CASE WHEN seed % 10000 = 9 THEN 'rare' ELSE 'spring' END
        FROM generation_picture WHERE seed % 20 = 9"""


# --- the questions -------------------------------------------------------------------------------------------------
def _cases() -> dict[str, Any]:
    from generation.history import Filters

    garment = UUID(int=1001)
    return {
        "all": Filters(),
        "garment (1 in 2,000)": Filters(garment=garment),
        "persona (1 in 24)": Filters(persona=PERSONA),
        "kind model (3 in 4)": Filters(kind="model"),
        "kind expert (1 in 1,000)": Filters(kind="expert"),
        "verdict reject (1 in 50)": Filters(verdict="reject"),
        "favourite (1 in 50)": Filters(favourite=True),
        "tag spring (1 in 20)": Filters(tag="spring"),
        "tag rare (1 in 10,000)": Filters(tag="rare"),
        "one month": Filters(since=date(2025, 6, 1), until=date(2025, 6, 30)),
        "bin (1 in 100)": Filters(deleted=True),
        "persona + verdict reject": Filters(persona=PERSONA, verdict="reject"),
        "garment + favourite": Filters(garment=garment, favourite=True),
        "tag spring + kind expert": Filters(tag="spring", kind="expert"),
    }


def _measure(name: str, filters: Any, args: argparse.Namespace) -> None:
    from generation import history

    total = _count(filters)
    for depth, offset in (("first", 0), ("middle", total // 2), ("last", max(0, total - history.PAGE))):
        cursor = _cursor(filters, offset)
        ours = _timed(lambda cursor=cursor: history.page(filters, older_than=cursor), args.runs)
        runs = args.runs if offset < 10_000 else args.offset_runs
        peer = _timed(lambda offset=offset: _by_offset(filters, offset), runs) if runs else []
        print(_line(f"{name}, {depth}", ours, peer, _index(filters, cursor)), flush=True)


def _measure_rest(args: argparse.Namespace) -> None:
    """What else a page asks: the neighbours of a picture in the middle, and the list of tags."""
    from generation import history
    from generation.history import Filters

    middle = _cursor(Filters(), _count(Filters()) // 2)
    assert middle is not None
    for name, ask in (
        ("neighbours of one", lambda: history.neighbours(Filters(), middle)),
        ("neighbours by tag", lambda: history.neighbours(Filters(tag="spring"), middle)),
        ("names of all tags", lambda: history.tag_names()),
    ):
        ours = _timed(ask, args.runs)
        print(f"{name:34}{statistics.median(ours):8.1f}{_p99(ours):8.1f}")


def _by_offset(filters: Any, offset: int) -> Any:
    from generation import history

    rows = filters.rows().order_by("-pk").select_related("garment").defer("report", "recipe")
    return list(rows[offset : offset + history.PAGE + 1])


def _count(filters: Any) -> int:
    with _transaction():
        return int(filters.rows().count())


def _cursor(filters: Any, offset: int) -> UUID | None:
    if not offset:
        return None
    with _transaction():
        found: UUID = filters.rows().order_by("-pk").values_list("pk", flat=True)[offset - 1]
        return found


def _index(filters: Any, cursor: UUID | None) -> str:
    """The indexes of generation's tables in the plan, or that it scans a whole table."""
    import re

    with _transaction():
        plan = _newest(filters, cursor).explain()
    if "Seq Scan on generation_picture" in plan:
        return "SEQ SCAN"
    names = re.findall(r"using (\w+) on generation|Index Scan on (\w+)", plan)
    return ", ".join(dict.fromkeys(first or second for first, second in names)) + (", sort" if "Sort" in plan else "")


def _newest(filters: Any, cursor: UUID | None) -> Any:
    """The page's first question: ids of pictures, or along a tag."""
    from generation.models import PictureTag

    if filters.tag:
        bound = {} if cursor is None else {"picture_id__lt": cursor}
        rows = PictureTag.objects.filter(name=filters.tag, **bound)
        return rows.order_by("-picture_id").values_list("picture_id", flat=True)[:61]
    bounds = [] if cursor is None else [filters.bound("lt", cursor)]
    return filters.rows(*bounds).order_by("-pk").values_list("pk", flat=True)[:61]


def _timed(ask: Callable[[], Any], runs: int) -> list[float]:
    """Milliseconds, each in a transaction of its own, as a request has; the first of many only warms the cache."""
    spent = []
    for _run in range(runs):
        began = time.perf_counter()
        with _transaction():
            ask()
        spent.append(1000 * (time.perf_counter() - began))
    return spent[1:] if runs > 10 else spent


@contextmanager
def _transaction() -> Iterator[None]:
    from django.db import transaction

    with transaction.atomic():
        yield


def _line(name: str, ours: list[float], peer: list[float], index: str) -> str:
    shown = [f"{statistics.median(one):8.1f}{_p99(one):8.1f}" if one else f"{'-':>8}{'-':>8}" for one in (ours, peer)]
    return f"{name:34}{''.join(shown)}   {index}"


def _p99(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(0.99 * len(values)))]


def _conditions(args: argparse.Namespace) -> str:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_setting('server_version')")
        user, version = cursor.fetchone()
    load = os.getloadavg()[0]
    machine = f"{os.cpu_count()} cores, load {load:.1f}, {date.today()}"
    return f"{args.rows:,} pictures, PostgreSQL {version} as {user}, {machine}"


if __name__ == "__main__":
    sys.exit(main())
