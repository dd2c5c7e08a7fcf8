"""Ring 5, the other half: the policies, and the role that they bind. Put in place after each ``migrate``."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, transaction
from django.db.models.signals import post_migrate, pre_migrate
from django.db.utils import ProgrammingError

from accounts import row_security, tables

# A subquery, so that the setting is looked up once per statement and not once per row.
_SETTING = "(SELECT current_setting('app.merchant', true))"
OWN = f"{_SETTING} IN (merchant_id::text, '*')"
SHARED = f"merchant_id IS NULL AND {_SETTING} <> ''"
ROWS = "SELECT, INSERT, UPDATE, DELETE"


@dataclass(frozen=True)
class Policy:
    """One policy of one table."""

    table: str
    name: str
    body: str

    @property
    def mark(self) -> str:
        """Stands in its comment: a table whose policies carry the right marks is left alone (no lock)."""
        return hashlib.sha256(self.body.encode()).hexdigest()[:16]


def connect(config: AppConfig) -> None:
    """Watch over ``migrate``."""
    pre_migrate.connect(_before, sender=config, dispatch_uid="accounts.policies")
    post_migrate.connect(_after, sender=config, dispatch_uid="accounts.policies")


def _before(using: str, **kwargs: Any) -> None:
    if connections[using].vendor == "postgresql":
        row_security.become_owner(connections[using])


def _after(using: str, **kwargs: Any) -> None:
    if connections[using].vendor == "postgresql":
        secure(connections[using])


def policies() -> list[Policy]:
    """What the database must say, derived from the models."""
    found: list[Policy] = []
    for model in tables.owned():
        table = model._meta.db_table
        found.append(Policy(table, "own_rows", f"FOR ALL USING ({OWN}) WITH CHECK ({OWN})"))
        if tables.shared(model):
            # For reading only: PostgreSQL lets a row through when any of its policies does.
            found.append(Policy(table, "shared_rows", f"FOR SELECT USING ({SHARED})"))
    return found


def secure(connection: Any) -> list[str]:
    """Put role, grants and policies in place; returns the tables that were changed. Safe to repeat."""
    with row_security.as_owner(connection), connection.cursor() as cursor:
        _ensure_role(cursor)
        return _ensure_policies(connection, cursor)


def _ensure_policies(connection: Any, cursor: Any) -> list[str]:
    there, changed = set(connection.introspection.table_names(cursor)), []
    wanted: dict[str, list[Policy]] = {}
    for policy in policies():
        if policy.table in there:
            wanted.setdefault(policy.table, []).append(policy)
    present = _present(cursor)
    for table, found in wanted.items():
        if present.get(table) != {policy.name: policy.mark for policy in found}:
            _write(connection, cursor, table, found, drop=list(present.get(table, {})))
            changed.append(table)
    return changed


def _present(cursor: Any) -> dict[str, dict[str, str]]:
    """By table: the mark of each policy. Tables whose row-level security is off or not forced are left out."""
    cursor.execute(
        "SELECT c.relname, p.polname, coalesce(obj_description(p.oid, 'pg_policy'), '') FROM pg_policy p "
        "JOIN pg_class c ON c.oid = p.polrelid "
        "WHERE c.relnamespace = current_schema()::regnamespace AND c.relrowsecurity AND c.relforcerowsecurity"
    )
    found: dict[str, dict[str, str]] = {}
    for table, name, mark in cursor.fetchall():
        found.setdefault(table, {})[name] = mark
    return found


def _write(connection: Any, cursor: Any, table: str, found: list[Policy], *, drop: list[str]) -> None:
    quote = connection.ops.quote_name
    with transaction.atomic(using=connection.alias):  # never a moment without policies
        for name in {*drop, *(policy.name for policy in found)}:
            cursor.execute(f"DROP POLICY IF EXISTS {quote(name)} ON {quote(table)}")
        for policy in found:
            cursor.execute(f"CREATE POLICY {quote(policy.name)} ON {quote(table)} {policy.body}")
            cursor.execute(f"COMMENT ON POLICY {quote(policy.name)} ON {quote(table)} IS '{policy.mark}'")
        cursor.execute(f"ALTER TABLE {quote(table)} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")


def _ensure_role(cursor: Any) -> None:
    role = _quoted(cursor)
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [settings.DATABASE_ROLE])
    if cursor.fetchone() is None:
        _create_role(cursor, role)
    # Becoming it needs membership (a superuser needs none, and should not be the one who logs in).
    cursor.execute("SELECT pg_has_role(session_user, %s, 'MEMBER')", [settings.DATABASE_ROLE])
    if not cursor.fetchone()[0]:
        cursor.execute(f"GRANT {role} TO CURRENT_USER")
    cursor.execute("SELECT current_schema()")
    schema = cursor.db.ops.quote_name(cursor.fetchone()[0])
    for statement in (
        f"GRANT USAGE ON SCHEMA {schema} TO {role}",
        f"GRANT {ROWS} ON ALL TABLES IN SCHEMA {schema} TO {role}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT {ROWS} ON TABLES TO {role}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT USAGE, SELECT ON SEQUENCES TO {role}",
    ):
        cursor.execute(statement)


def _create_role(cursor: Any, role: str) -> None:
    try:
        with transaction.atomic(using=cursor.db.alias):
            cursor.execute(f"CREATE ROLE {role} NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE")
    except ProgrammingError as error:
        if getattr(error.__cause__, "sqlstate", "") == "42710":  # another migrate was quicker
            return
        raise ImproperlyConfigured(
            f"The role that migrates may not create roles. Let an administrator run: CREATE ROLE {role} NOLOGIN; "
            f"GRANT {role} TO <the role in DATABASE_URL>; and then migrate again."
        ) from error


def _quoted(cursor: Any) -> str:
    return str(cursor.db.ops.quote_name(settings.DATABASE_ROLE))


def weaknesses(connection: Any) -> list[str]:
    """Why the database would not hold merchants apart; empty when it would (or on SQLite). The doctor asks this."""
    return [*role_weaknesses(connection), *table_weaknesses(connection)]


def role_weaknesses(connection: Any) -> list[str]:
    """What is wrong with the role that the application's connections have."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        wanted = _there(connection, cursor)
        return _of_role(cursor, wanted) if wanted else []


def table_weaknesses(connection: Any) -> list[str]:
    """The tables without their policies."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        return _of_tables(cursor, _there(connection, cursor))


def _there(connection: Any, cursor: Any) -> set[str]:
    names = connection.introspection.table_names(cursor)
    return {policy.table for policy in policies()} & set(names)


def _of_role(cursor: Any, wanted: set[str]) -> list[str]:
    cursor.execute("SELECT current_user, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
    name, is_super, bypasses = cursor.fetchone()
    found = []
    if is_super or bypasses:
        found.append(f"The role {name} can bypass row-level security: it is a superuser or has BYPASSRLS.")
    cursor.execute(
        "SELECT count(*) FROM pg_class WHERE relname = ANY(%s) AND relnamespace = current_schema()::regnamespace "
        "AND pg_has_role(current_user, relowner, 'MEMBER')",
        [sorted(wanted)],
    )
    if cursor.fetchone()[0] and not is_super:
        found.append(f"The role {name} owns tables, and could switch row-level security off.")
    return found


def _of_tables(cursor: Any, wanted: set[str]) -> list[str]:
    present = _present(cursor)
    marks: dict[str, dict[str, str]] = {}
    for policy in policies():
        marks.setdefault(policy.table, {})[policy.name] = policy.mark
    return [
        f"The table {table} lacks its row-level security policies."
        for table in sorted(wanted)
        if present.get(table) != marks[table]
    ]
