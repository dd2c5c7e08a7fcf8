"""The training app."""

from __future__ import annotations

from django.apps import AppConfig


class TrainingConfig(AppConfig):
    """Data sets, trainings, adapters."""

    name = "training"

    def ready(self) -> None:
        """Say which files are ours, and what is kept for whom."""
        from accounts import statement
        from accounts.exporting import names
        from catalog.services import assets
        from imodel_site.lib import uploads, workplace
        from training import exporting, media, resuming, spending
        from training.services import archives, sets
        from training.services.uploads import MOST_BYTES

        media.register()
        names.register(exporting.named_files)
        statement.register(spending.tell)
        assets.register_user(sets.needs_asset)
        for address in ("/training/adapters/upload", "/api/v1/adapters/upload"):
            uploads.allow_larger(address, MOST_BYTES)
        for address in ("/training/sets/import", "/api/v1/training-sets/import"):
            uploads.allow_larger(address, archives.MOST_BYTES)
        workplace.register_kept(resuming.KEPT, resuming.wanted)
