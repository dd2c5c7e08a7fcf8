"""The database: reachable, recent enough, migrated, on time, and with a role that row-level security binds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from imodel_site.doctor.findings import Finding, bad, ok, warn

OLDEST_POSTGRESQL, OLDEST_SQLITE = (14, 0), (3, 31)
SKEW_WARN, SKEW_BAD = 2.0, 20.0  # seconds; leases last 30


def reachable() -> Iterator[Finding]:
    """One statement."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    yield ok("database", f"{connection.display_name} answers")


@lru_cache(maxsize=1)
def _expected() -> frozenset[tuple[str, str]]:
    """Every migration in the code; read from disk once, because it costs 100 ms."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    replaced = {name for migration in loader.graph.nodes.values() for name in migration.replaces}
    return frozenset(set(loader.graph.nodes) - replaced)


def missing_migrations() -> list[str]:
    """Names of those that the database has not seen."""
    applied = set(MigrationRecorder(connection).applied_migrations())
    return sorted(f"{app}.{name}" for app, name in _expected() - applied)


def migrated() -> Iterator[Finding]:
    """The code's migrations are all applied."""
    missing = missing_migrations()
    if missing:
        yield bad("migrations", f"{len(missing)} not applied, first {missing[0]}", "Run: manage.py prepare")
    else:
        yield ok("migrations", "all applied")


def version() -> Iterator[Finding]:
    """Not older than what was tried."""
    found: tuple[int, ...] = tuple(connection.get_database_version())
    oldest = OLDEST_POSTGRESQL if connection.vendor == "postgresql" else OLDEST_SQLITE
    says = f"{connection.display_name} {'.'.join(map(str, found))}"
    if found < oldest:
        yield bad("database version", says, f"Update it to {'.'.join(map(str, oldest))} or newer.")
    else:
        yield ok("database version", says)


def clock() -> Iterator[Finding]:
    """Leases go by the database's clock, signed addresses by the host's: far apart, addresses die early."""
    before = datetime.now(UTC)
    now = _database_time()
    after = datetime.now(UTC)
    skew = (now - before).total_seconds() if now < before else max(0.0, (now - after).total_seconds())
    says = f"{abs(skew):.1f} s between the database and this machine"
    if abs(skew) >= SKEW_BAD:
        yield bad("clock", says, "Set both clocks by NTP: leases and signed addresses depend on them.")
    elif abs(skew) >= SKEW_WARN:
        yield warn("clock", says, "Set both clocks by NTP.")
    else:
        yield ok("clock", says)


def _database_time() -> datetime:
    postgres = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()" if postgres else "SELECT strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')")
        (found,) = cursor.fetchone()
    return found if isinstance(found, datetime) else datetime.fromisoformat(str(found))


ROLE = """
SELECT r.rolname, r.rolsuper OR r.rolbypassrls,
       EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = current_schema() AND c.relkind = 'r' AND c.relowner = r.oid
                 AND c.relrowsecurity AND NOT c.relforcerowsecurity)
FROM pg_roles r WHERE r.rolname = current_user
"""
UNPROTECTED = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND c.relkind = 'r' AND c.relname = ANY(%s)
  AND NOT (c.relrowsecurity AND c.relforcerowsecurity) ORDER BY 1
"""


def role() -> Iterator[Finding]:
    """On PostgreSQL: a role that can not pass by row-level security, and no merchant-owned table without it."""
    if connection.vendor != "postgresql":
        yield ok("row security", "SQLite has none: the application's own four rings hold")
        return
    with connection.cursor() as cursor:
        cursor.execute(ROLE)
        name, bypasses, owns_unforced = cursor.fetchone()
        cursor.execute(UNPROTECTED, [_owned_tables()])
        naked = [row[0] for row in cursor.fetchall()]
    todo = f"Connect as a role without SUPERUSER and BYPASSRLS, or let the session become {settings.DATABASE_ROLE}."
    if bypasses or owns_unforced:
        yield bad("row security", f"the role {name} passes by the policies", todo)
    elif naked:
        yield bad("row security", f"no policy is forced on {', '.join(naked)}", "Run: manage.py prepare")
    else:
        yield ok("row security", f"binds the role {name}")


def _owned_tables() -> list[str]:
    from django.apps import apps

    return [model._meta.db_table for model in apps.get_models() if _owned(model)]


def _owned(model: Any) -> bool:
    from accounts.scoping import LibraryItem, MerchantOwned

    return issubclass(model, (MerchantOwned, LibraryItem))
