"""The accounts app."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

HOUR = 3600


class AccountsConfig(AppConfig):
    """Tells PostgreSQL the scope on every connection, and the sweep what to do each hour."""

    name = "accounts"
    verbose_name = _("Shops and people")

    def ready(self) -> None:
        """Connect what listens."""
        from accounts import checks, files, policies, row_security  # noqa: F401  # checks register themselves
        from imodel_site.lib import periodic

        row_security.connect()
        files.register()
        policies.connect(self)
        periodic.register("delete merchants that are due", HOUR, "accounts.services.closing.delete_due")
        periodic.register("what came back of deleted merchants", HOUR, "accounts.services.closing.sweep_deleted")
        periodic.register("archives whose week is over", HOUR, "accounts.services.exporting.remove_expired")
        periodic.register("answers under idempotency keys", HOUR, "accounts.services.idempotency.purge_answers")
        periodic.register("webhook events of a month ago", HOUR, "accounts.services.webhooks.replays.forget_old")
        periodic.register("webhook secrets under the newest key", 24 * HOUR, "accounts.webhook_secrets.reseal_all")
        periodic.register("the month's credits", HOUR / 6, "accounts.services.credits.top_up_due")
        post_migrate.connect(_seed, sender=self, dispatch_uid="accounts.plans")


def _seed(using: str, **kwargs: Any) -> None:
    """The first plans; not when the tables are gone again (``migrate accounts zero``), or not there yet."""
    from django.db import connections

    from accounts.models import Plan
    from accounts.services.plans import seed_plans

    if using == "default" and Plan._meta.db_table in connections[using].introspection.table_names():
        seed_plans()
