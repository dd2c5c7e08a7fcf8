"""Ring 5: PostgreSQL is told the scope, and its policies say the same as the managers (docs/tenancy.md).

``app.merchant`` is set with ``set_config(..., true)``, for the running transaction only: a session-wide SET would leak
to the next borrower of a pooled connection. A statement outside of a transaction therefore gets one of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.signals import connection_created
from psycopg.pq import TransactionStatus

from imodel_site.lib import scope

# Statements that decide nothing about rows; setting anything before them would start a transaction too early.
_BARE = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT", "SET ", "RESET ")


def connect() -> None:
    """Tell every PostgreSQL connection that is opened from now on."""
    connection_created.connect(_listen, dispatch_uid="accounts.row_security")


def _listen(sender: Any, connection: Any, **kwargs: Any) -> None:
    if connection.vendor != "postgresql" or connection.alias == NO_DB_ALIAS:
        return
    become_application(connection)
    others = [wrapper for wrapper in connection.execute_wrappers if not isinstance(wrapper, _Teller)]
    # First, not last: whoever added a wrapper for a while takes the last one away again.
    connection.execute_wrappers[:] = [_Teller(connection), *others]


def become_application(connection: Any) -> None:
    """Take the role that owns nothing and bypasses nothing; before the first ``migrate`` there is none to take."""
    with connection.wrap_database_errors, connection.connection.cursor() as cursor:
        cursor.execute("SELECT set_config('role', rolname, false) FROM pg_roles WHERE rolname = %s", [_role()])


@contextmanager
def as_owner(connection: Any) -> Iterator[None]:
    """The role that logged in, for a while: it owns the tables and may change them."""
    become_owner(connection)
    try:
        yield
    finally:
        become_application(connection)


def become_owner(connection: Any) -> None:
    """Back to the role that logged in."""
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.cursor() as cursor:
        cursor.execute("RESET ROLE")


def _role() -> str:
    return str(settings.DATABASE_ROLE)


class _Teller:
    """Sets ``app.merchant`` before a statement when the transaction does not hold the right value yet."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.told: tuple[str, tuple[str, ...]] | None = None

    def __call__(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        found = scope.open_scope()
        value = found.setting if found else ""
        raw = self.connection.connection
        if raw is None or raw.info.transaction_status == TransactionStatus.IDLE:
            self.told = None  # whatever was told ended with its transaction
        if str(sql)[:80].lstrip().upper().startswith(_BARE):
            self.told = None  # a rollback to a savepoint takes the setting back as well
            return execute(sql, params, many, context)
        if self.connection.in_atomic_block or not self.connection.get_autocommit():
            self._tell(value)
            return execute(sql, params, many, context)
        if not value:  # outside of transactions nothing is set, which is what no scope means
            return execute(sql, params, many, context)
        with transaction.atomic(using=self.connection.alias):
            self._tell(value)
            return execute(sql, params, many, context)

    def _tell(self, value: str) -> None:
        # What was told holds for these savepoints only.
        state = (value, tuple(self.connection.savepoint_ids))
        if self.told == state:
            return
        self.connection.validate_no_broken_transaction()
        with self.connection.wrap_database_errors, self.connection.connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.merchant', %s, true)", (value,))
        self.told = state
