"""One at a time, over all processes and machines that share the database."""

from __future__ import annotations

import zlib

from django.db import connection

_SPACE = 0x694D  # ours among the advisory locks of the database


def take_turn(name: str) -> None:
    """Wait until nobody else is in it; held until the running transaction ends.

    SQLite needs nothing: ``transaction_mode`` IMMEDIATE lets one transaction in at a time.
    """
    if connection.vendor == "postgresql":
        _execute("SELECT pg_advisory_xact_lock(%s, %s)", name)


def try_turn(name: str) -> bool:
    """Like :func:`take_turn`, but False at once when somebody is in it."""
    if connection.vendor != "postgresql":
        return True
    return bool(_execute("SELECT pg_try_advisory_xact_lock(%s, %s)", name))


def _execute(sql: str, name: str) -> object:
    # crc32 is unsigned, PostgreSQL's integer is not.
    key = zlib.crc32(name.encode()) - 2**31
    with connection.cursor() as cursor:
        cursor.execute(sql, (_SPACE, key))
        return cursor.fetchone()[0]
