"""Who the demo is: one person with a random password, kept where only the installation's owner can read it."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction

from accounts.actors import Actor, member
from accounts.models import Membership, Merchant, Plan, User
from accounts.scoping import merchant_scope, unscoped
from accounts.services.credits import change_plan
from accounts.services.merchants import open_merchant

EMAIL, SHOP, PERSON, PLAN = "demo@imodel.local", "Demo Atelier", "Demo", "studio"


def ensure(say: Callable[[str], None]) -> None:
    """Make whatever of the demo is missing; a second call finds everything there."""
    from imodel_site.demo import catalog

    new = not _file().exists()
    user = _person(read() if not new else _make_up(), new=new)
    actor = _actor(user)
    with merchant_scope(actor.merchant):
        catalog.ensure(actor, say)


def read() -> dict[str, str]:
    """E-mail and password as they were given out."""
    found: dict[str, str] = json.loads(_file().read_text(encoding="utf-8"))
    return found


def _file() -> Path:
    return Path(settings.RUN_DIR) / "demo.json"


def _make_up() -> dict[str, str]:
    facts = {"email": EMAIL, "password": secrets.token_urlsafe(12)}
    with os.fdopen(os.open(_file(), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(facts, file)
    return facts


@transaction.atomic
def _person(known: dict[str, str], *, new: bool) -> User:
    """The person. A file that was lost means a new password; one that was changed on the site stays."""
    user = User.objects.filter(email=known["email"]).first()
    if user is None:
        user = User.objects.create_user(known["email"], known["password"], name=PERSON)
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    elif new:
        user.set_password(known["password"])
        user.save(update_fields=["password"])
    return user


def _actor(user: User) -> Actor:
    membership = _membership(user)
    if membership is None:
        merchant = open_merchant(owner=user, name=SHOP)
        change_plan(merchant_id=merchant.pk, plan=Plan.objects.get(name=PLAN), by=None)
        membership = _membership(user)
    assert membership is not None
    return member(membership)


def _membership(user: User) -> Membership | None:
    with unscoped("the demo person's merchant"):
        rows = Membership.objects.filter(user=user, merchant__status=Merchant.Status.ACTIVE)
        found: Membership | None = rows.select_related("merchant", "user").order_by("id").first()
    return found
