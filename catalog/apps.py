"""The catalog app."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate

HOUR = 3600


class CatalogConfig(AppConfig):
    """Registers which files are the catalog's, and keeps the shared library in the database."""

    name = "catalog"

    def ready(self) -> None:
        """Connect what listens."""
        from accounts.exporting import names
        from catalog import exporting, files
        from imodel_site.lib import periodic

        files.register()
        names.register(exporting.named_files)
        periodic.register("borrowed-photos", HOUR, "catalog.services.borrowing.let_go_unused")
        post_migrate.connect(_seed, sender=self, dispatch_uid="catalog.library")


def _seed(using: str, **kwargs: Any) -> None:
    """Not when the tables are gone again: ``migrate catalog zero`` sends the signal too."""
    from django.db import connections

    from catalog.models import Pose
    from catalog.services.shared_library import seed_library

    if using == "default" and Pose._meta.db_table in connections[using].introspection.table_names():
        seed_library()
