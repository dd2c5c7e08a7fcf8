"""Run beside a house, on its data: makes a member of staff who has given the second factor, and cases to decide on.

Prints ``{"session": cookie, "cases": [ids, oldest first]}``.
"""

from __future__ import annotations

import json
import os

from imodel_site import embedded

CASES = 4


def main() -> None:
    """Everything through the services that staff use."""
    embedded.apply(os.environ, create=False)
    import django

    django.setup()
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    from accounts.models import User
    from accounts.scoping import unscoped
    from catalog.models import Asset
    from generation.moderation import decisions
    from tests.permissions.world import _session

    stella = User.objects.create_superuser("stella@example.com", "correct horse battery", name="Stella")
    TOTP.activate(stella, generate_totp_secret())
    with unscoped("a browser test"):
        assets = list(Asset.objects.order_by("id")[:CASES])
    cases = [decisions.open_case(subject="asset", row=asset, by=stella) for asset in assets]
    print(json.dumps({"session": _session(stella, True), "cases": [str(case.pk) for case in cases]}))


if __name__ == "__main__":
    main()
