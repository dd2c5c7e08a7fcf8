"""`manage.py demo`: make the demo merchant, or whatever is missing of it, and say how to log in."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from imodel_site.demo import account


class Command(BaseCommand):
    """`up` does it by itself where IMODEL_DEMO is on."""

    help = "Make a demo merchant with a catalog and a first shoot, once."

    def handle(self, *args: Any, **options: Any) -> None:
        """Django's entry."""
        account.ensure(self.stdout.write)
        known = account.read()
        self.stdout.write(f"e-mail: {known['email']}\npassword: {known['password']}")
