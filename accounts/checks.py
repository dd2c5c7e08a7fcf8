"""System checks of the room."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core import checks
from django.db import connections

from accounts import policies

HINT = "Run migrate with a role that owns the tables and may create IMODEL_DATABASE_ROLE (docs/tenancy.md)."


@checks.register(checks.Tags.database)
def database_holds_merchants_apart(
    app_configs: Any = None, databases: Iterable[str] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """Ring 5 is really there. What ``migrate`` puts right is a warning, or this check would stop it from doing so."""
    found: list[checks.CheckMessage] = []
    for alias in databases or ():
        connection = connections[alias]
        kind = checks.Error if _role_exists(connection) else checks.Warning
        found += [kind(text, hint=HINT, id="accounts.E001") for text in policies.role_weaknesses(connection)]
        found += [checks.Warning(text, hint=HINT, id="accounts.W001") for text in policies.table_weaknesses(connection)]
    return found


def _role_exists(connection: Any) -> bool:
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [settings.DATABASE_ROLE])
        return cursor.fetchone() is not None


@checks.register(checks.Tags.security, deploy=True)
def webhooks_stay_outside(app_configs: Any = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """Whoever owns a shop could otherwise reach what listens on the server."""
    if not settings.WEBHOOK_HTTP:
        return []
    hint = "Unset IMODEL_WEBHOOK_HTTP: it is for trying receivers out on a developer's machine (docs/webhooks.md)."
    return [checks.Warning("Webhooks may be sent to this machine and without TLS.", hint=hint, id="accounts.W002")]
