"""The generation app."""

from __future__ import annotations

from django.apps import AppConfig

DAY = 24 * 3600


class GenerationConfig(AppConfig):
    """Shoots and pictures."""

    name = "generation"

    def ready(self) -> None:
        """Say which files are ours, and what is to be done now and then."""
        from generation import media
        from imodel_site.lib import periodic

        media.register()
        periodic.register("pictures-bin", DAY / 24, "generation.services.purge_deleted")
