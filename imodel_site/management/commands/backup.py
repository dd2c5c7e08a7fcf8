"""`manage.py backup FOLDER`: rows and files, while everything runs (docs/backup.md)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from imodel_site.backup import making


class Command(BaseCommand):
    """A snapshot in a folder that may hold earlier ones: only what is new is copied."""

    help = "Back up rows and files into a folder. Run it again for the next one: what is there already is not copied."

    def add_arguments(self, parser: CommandParser) -> None:
        """Django's hook."""
        parser.add_argument("folder", type=Path, help="of all backups; on another disk, better on another machine")
        parser.add_argument("--keep", type=_at_least_one, help="remove all but so many of the newest afterwards")

    def handle(self, *args: Any, **options: Any) -> None:
        """Django's entry."""
        os.umask(0o077)
        making.back_up(options["folder"], say=self.stdout.write)
        if options["keep"]:
            making.prune(options["folder"], keep=options["keep"], say=self.stdout.write)


def _at_least_one(value: str) -> int:
    if not value.isdecimal() or int(value) < 1:
        raise ValueError
    return int(value)
