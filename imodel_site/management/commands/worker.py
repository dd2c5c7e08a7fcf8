"""`manage.py worker`: everything of this machine that carries out jobs, under one supervisor (docs/jobs.md)."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from imodel_site import env


class Command(BaseCommand):
    """Stays in the foreground until SIGTERM or Ctrl-C."""

    help = "Carry out jobs: one django-q2 cluster and the executors of each lane, and the sweep."

    def add_arguments(self, parser: CommandParser) -> None:
        """Django's hook."""
        parser.add_argument("--lanes", help="such as light,generate; default: those with workers (IMODEL_*_WORKERS)")
        parser.add_argument("--no-executors", action="store_true", help="for lanes whose jobs need none")

    def handle(self, *args: Any, **options: Any) -> None:
        """Django's entry."""
        from imodel_site.metrics import exporter, sharing
        from imodel_site.worker.supervisor import Supervisor

        os.umask(0o077)
        lanes = _lanes(options["lanes"])
        sharing.share("worker")
        exporter.listen(settings.METRICS_PORT)
        grace = env.number("IMODEL_GRACE", 20, least=0, most=3600)
        Supervisor(lanes, grace=grace, executors=not options["no_executors"]).run()


def _lanes(asked: str | None) -> list[str]:
    if asked is None:
        lanes = [lane for lane in settings.LANES if settings.WORKERS[lane]]
        if not lanes:
            raise CommandError("No lane has workers on this machine: set IMODEL_LIGHT_WORKERS or its siblings.")
        return lanes
    lanes = list(dict.fromkeys(lane.strip() for lane in asked.split(",") if lane.strip()))
    unknown = [lane for lane in lanes if lane not in settings.LANES]
    if unknown or not lanes:
        raise CommandError(f"--lanes={asked!r}: choose from {', '.join(settings.LANES)}, separated by commas.")
    return lanes
