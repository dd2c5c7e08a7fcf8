"""``manage.py delete_due_merchants``: what the sweep does once an hour, by hand."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from accounts.services import closing


class Command(BaseCommand):
    """Delete every merchant whose grace period is over."""

    help = "Delete the rows and files of every merchant whose grace period is over, and say what went."

    def handle(self, *args: Any, **options: Any) -> None:
        """One line for all."""
        self.stdout.write(f"{closing.delete_due()} merchants deleted")
