"""`manage.py restore FOLDER`: a backup into an empty database and an empty storage (docs/backup.md)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from imodel_site.backup import restoring


class Command(BaseCommand):
    """Refuses a place that is not empty."""

    help = "Restore the newest backup of a folder (or the snapshot named) into an empty database and storage."
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        """Django's hook."""
        parser.add_argument("source", type=Path, help="the folder of all backups, or FOLDER/snapshots/<time>")
        parser.add_argument("--check", action="store_true", help="only read the backup and say whether it is whole")
        parser.add_argument("--json", action="store_true", help="what came of it as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Django's entry."""
        os.umask(0o077)
        say = self.stderr.write if options["json"] else self.stdout.write
        place = restoring.find(options["source"])
        if options["check"]:
            restoring.check(place, say=say)
            return
        done = restoring.restore(place, say=say)
        if options["json"]:
            self.stdout.write(json.dumps(restoring.told(done)))
        else:
            self._tell(done)

    def _tell(self, done: restoring.Restored) -> None:
        self.stdout.write(f"{done.rows:,} rows and {done.files:,} files are back; {done.jobs} jobs begin again.")
        for key in done.missing:
            self.stdout.write(self.style.WARNING(f"A row names {key}, which was deleted while the backup was made."))
        self.stdout.write("Start the workers, then: manage.py doctor")
