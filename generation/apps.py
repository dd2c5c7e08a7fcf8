"""The generation app."""

from __future__ import annotations

from django.apps import AppConfig

DAY = 24 * 3600


class GenerationConfig(AppConfig):
    """Shoots and pictures."""

    name = "generation"

    def ready(self) -> None:
        """Say which files are ours, and what is to be done now and then."""
        from accounts import doors, statement
        from accounts.exporting import names
        from accounts.services.webhooks import events
        from catalog.services import assets, looks
        from generation import exporting, media, spending, trained
        from generation.moderation import looking
        from generation.surfaces import door
        from generation.surfaces.fashn import answers, services
        from generation.surfaces.fashn import door as fashn
        from imodel_site.lib import periodic
        from training.services import holding

        media.register()
        looks.register_watcher(looking.asset_flagged)
        names.register(exporting.named_files)
        statement.register(spending.tell)
        events.register_body(events.CALL, answers.webhook_body)
        assets.register_user(services.needs)
        holding.register_user(trained.needs)
        for prefix in doors.SURFACES:
            doors.register_shape(prefix, door.refusal)
        doors.register_shape(doors.FASHN, fashn.refusal)
        periodic.register("fashn-runs", DAY / 24, "generation.surfaces.fashn.services.purge")
        periodic.register("pictures-bin", DAY / 24, "generation.services.purge_deleted")
