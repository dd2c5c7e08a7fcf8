"""The site's own commands, checks and templatetags as one app."""

from __future__ import annotations

from django.apps import AppConfig


class SiteConfig(AppConfig):
    """Registers the checks and the daily tidying of the files."""

    name = "imodel_site"
    label = "site_frame"
    verbose_name = "iModel"

    def ready(self) -> None:
        """Importing registers them."""
        from imodel_site import checks  # noqa: F401
        from imodel_site.lib import periodic
        from imodel_site.metrics import counting

        counting.listen()

        periodic.register("files nobody refers to", 24 * 3600, "imodel_site.lib.collecting.tidy")
        periodic.register("folders of jobs", 3600, "imodel_site.lib.workplace.tidy", everywhere=True)
