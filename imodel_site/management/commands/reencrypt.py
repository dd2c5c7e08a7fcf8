"""`manage.py reencrypt`: everything encrypted under the newest secret key, so that the old one can be taken out."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from accounts import factor_secrets, webhook_secrets


class Command(BaseCommand):
    """Exit status 1 while something needs a key that is not there."""

    help = "Bring second factors and webhook secrets under IMODEL_SECRET_KEY. Afterwards the old keys can go."

    def handle(self, *args: Any, **options: Any) -> None:
        """Django's entry."""
        factors, webhooks = factor_secrets.reseal_all(), webhook_secrets.reseal_all()
        self.stdout.write(
            f"{factors} second factors and {webhooks} webhook addresses were brought under the newest key."
        )
        left = {"second factors": factor_secrets.left_behind(), "webhook addresses": webhook_secrets.left_behind()}
        for what, count in left.items():
            if count:
                self.stdout.write(self.style.ERROR(f"{count} {what} need a key that is not in IMODEL_OLD_SECRET_KEYS."))
        if any(left.values()):
            sys.exit(1)
        self.stdout.write("Nothing needs the old keys any more: take them out of IMODEL_OLD_SECRET_KEYS.")
