"""A database of one's own for a bench, and shops in it; forgotten afterwards."""

from __future__ import annotations

import os
from typing import Any
from uuid import uuid4


def set_up(url: str, folder: str) -> None:
    """Make the database anew, with every table, and set Django up on it as in production."""
    _admin(url, 'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', 'CREATE DATABASE "{name}"')
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "imodel_site.settings",
        "DATABASE_URL": url,
        "IMODEL_DATA": folder,
        "IMODEL_SECRET_KEY": "for-the-bench-only-" + "x" * 40,
        "IMODEL_HOSTS": "localhost",
        "IMODEL_HTTPS": "0",
        "IMODEL_LOG_LEVEL": "ERROR",
    }
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def drop(url: str) -> None:
    """Take the database away, whoever is still connected."""
    from django.db import connection

    connection.close()
    _admin(url, 'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _admin(url: str, *statements: str) -> None:
    import psycopg

    base, name = url.rsplit("/", 1)
    with psycopg.connect(f"{base}/postgres", autocommit=True) as admin:
        for statement in statements:
            admin.execute(statement.format(name=name))  # type: ignore[arg-type]  # our own text, a name of ours


def new_shop(credit: int) -> Any:
    """An owner of a new shop with exactly so many credits, as an actor."""
    from accounts import actors
    from accounts.models import Membership, User
    from accounts.scoping import merchant_scope
    from accounts.services import credits
    from accounts.services.merchants import open_merchant

    user = User.objects.create_user(f"{uuid4().hex}@example.com")
    merchant = open_merchant(owner=user, name="Bench")
    missing = credit - credits.account(merchant.pk).available
    if missing:
        credits.grant(merchant_id=merchant.pk, amount=missing, by=None, note="")
    with merchant_scope(merchant):
        return actors.member(Membership.objects.select_related("merchant", "user").get(user=user))
