"""``manage.py seed_library``: the shared personas, scenes and poses; migrate does it by itself."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from catalog.services.shared_library import seed_library


class Command(BaseCommand):
    """Writes what is missing or has changed."""

    help = "Write the shared personas, scenes and poses; running it twice changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        """Say how many rows."""
        self.stdout.write(f"{seed_library()} rows of the shared library written.")
