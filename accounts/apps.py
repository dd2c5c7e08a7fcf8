"""The accounts app."""

from __future__ import annotations

from django.apps import AppConfig

HOUR = 3600


class AccountsConfig(AppConfig):
    """Tells PostgreSQL the scope on every connection, and the sweep what to do each hour."""

    name = "accounts"

    def ready(self) -> None:
        """Connect what listens."""
        from accounts import checks, policies, row_security  # noqa: F401  # checks register themselves
        from imodel_site.lib import periodic

        row_security.connect()
        policies.connect(self)
        periodic.register("delete merchants that are due", HOUR, "accounts.services.closing.delete_due")
