"""The rows: PostgreSQL by pg_dump and pg_restore, SQLite by its own backup; each a view of one moment.

On PostgreSQL the role that logs in owns the tables, and row-level security is forced on it too. pg_dump is let through
the policies' own door (``app.merchant`` = ``*``) rather than past them, so no superuser is needed.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import dj_database_url
from django.conf import settings
from django.core.management.base import CommandError
from django.db import connection

POSTGRES, SQLITE = "database.dump", "database.sqlite3"


def vendor() -> str:
    """postgresql or sqlite."""
    return str(connection.vendor)


def server() -> str:
    """The database's version, as the manifest says it."""
    return ".".join(map(str, connection.get_database_version()))


# --- out ------------------------------------------------------------------------------------------------------------
def dump(place: Path) -> tuple[str, dict[str, int]]:
    """Write the rows of this moment into ``place``; the file's name, and how many rows each table has in it.

    Raises:
        CommandError: pg_dump is not there, or fails.
    """
    if vendor() == "sqlite":
        target = place / SQLITE
        _copy_sqlite(Path(settings.DATABASES["default"]["NAME"]), target)
        with closing(sqlite3.connect(target)) as copy:
            return SQLITE, _sqlite_counts(copy)
    return POSTGRES, _dump_postgres(place / POSTGRES)


def _copy_sqlite(source: Path, target: Path) -> None:
    """SQLite's online backup: writers go on, and the copy is of one moment."""
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(sqlite3.connect(source, timeout=60)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
        new.execute("PRAGMA journal_mode=DELETE")  # one file, no companions


def _sqlite_counts(copy: sqlite3.Connection) -> dict[str, int]:
    names = [row[0] for row in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    tables = [name for name in names if not name.startswith("sqlite_")]
    return {name: copy.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in tables}


def _dump_postgres(target: Path) -> dict[str, int]:
    """Rows are counted in the very snapshot that pg_dump reads."""
    import psycopg

    with psycopg.connect(**_login(), options="-c app.merchant=*") as session, session.cursor() as cursor:
        cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        (snapshot,) = cursor.fetchone() or ("",)
        words = ["pg_dump", "--format=custom", "--enable-row-security", "--no-owner", "--no-privileges"]
        _run([*words, f"--snapshot={snapshot}", f"--file={target}"])
        target.chmod(0o600)
        return _postgres_counts(cursor)


def _postgres_counts(cursor: Any) -> dict[str, int]:
    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1")
    names = [row[0] for row in cursor.fetchall()]
    return {name: _count(cursor, name) for name in names}


def _count(cursor: Any, name: str) -> int:
    cursor.execute(f'SELECT count(*) FROM "{name}"')
    return int(cursor.fetchone()[0])


def migrations() -> dict[str, str]:
    """The last migration of each app that the database has seen."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, max(name) FROM django_migrations GROUP BY app")
        return dict(cursor.fetchall())


# --- in -------------------------------------------------------------------------------------------------------------
def empty() -> bool:
    """Whether there is nothing in the database yet."""
    return not connection.introspection.table_names()


def load(source: Path) -> None:
    """Put rows and tables into the empty database.

    Raises:
        CommandError: pg_restore is not there, or fails: then nothing was written.
    """
    if vendor() == "sqlite":
        connection.close()
        target = Path(settings.DATABASES["default"]["NAME"])
        target.unlink(missing_ok=True)  # an empty file that asking for its tables has made
        _copy_sqlite(source, target)
        return
    words = ["pg_restore", "--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error"]
    _run([*words, f"--dbname={_login()['dbname']}", str(source)])
    _let_migrate_look()


def _let_migrate_look() -> None:
    """``migrate`` reads, as the application's role, what was applied, before it puts the grants in place."""
    import psycopg
    from psycopg.sql import SQL, Identifier

    with psycopg.connect(**_login()) as session, session.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [settings.DATABASE_ROLE])
        if cursor.fetchone():
            cursor.execute(SQL("GRANT SELECT ON django_migrations TO {}").format(Identifier(settings.DATABASE_ROLE)))


def counts() -> dict[str, int]:
    """How many rows each table has now."""
    if vendor() == "sqlite":
        connection.close()
        with closing(sqlite3.connect(settings.DATABASES["default"]["NAME"])) as opened:
            return _sqlite_counts(opened)
    import psycopg

    with psycopg.connect(**_login(), options="-c app.merchant=*") as session, session.cursor() as cursor:
        return _postgres_counts(cursor)


# --- PostgreSQL's programs --------------------------------------------------------------------------------------------
def _login() -> dict[str, Any]:
    """Who owns the tables: DATABASE_OWNER_URL, or whoever the application logs in as."""
    owner = os.environ.get("DATABASE_OWNER_URL", "").strip()
    found: Mapping[str, Any] = dj_database_url.parse(owner) if owner else connection.settings_dict
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
    return {ours: str(found[theirs]) for ours, theirs in names.items() if found.get(theirs)}


def _run(command: Sequence[str]) -> None:
    """The password goes by the environment: other users of the machine can read a command line."""
    login = _login()
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
    environment = {
        **os.environ,
        **{names[key]: value for key, value in login.items()},
        "PGOPTIONS": "-c app.merchant=*",
    }
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise CommandError(
            f"{command[0]} is not installed. On Debian: apt-get install postgresql-client, not older than the server."
        ) from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise CommandError(f"{command[0]} failed: {last}")
