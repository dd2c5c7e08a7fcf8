"""`manage.py prepare`: folders, migrations, translations, static files. Safe to run again; `up` runs it by itself."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from imodel_site.up.prepare import prepare


class Command(BaseCommand):
    """For deployments, before web and workers start."""

    help = "Make folders, migrate, compile translations, collect static files: each only when needed."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Django's entry."""
        prepare(self.stdout.write)
