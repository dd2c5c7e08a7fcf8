"""The selling app."""

from __future__ import annotations

from django.apps import AppConfig

MINUTE = 60


class SellingConfig(AppConfig):
    """What stands in a merchant's shop."""

    name = "selling"

    def ready(self) -> None:
        """Say which files are ours, and what is to be done now and then."""
        from accounts.exporting import names
        from imodel_site.lib import periodic
        from selling import files

        files.register()
        names.register(files.named_files)
        periodic.register("publications whose pictures went", MINUTE, "selling.services.end_gone")
