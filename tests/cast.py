"""The cast of every tenancy test: alice owns Atelier, bob edits, vera looks; charlie owns another shop."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import Membership, Merchant, Role, User
from imodel_site.lib.scope import unscoped

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Cast:
    """The people, and their two merchants."""

    atelier: Merchant
    bazaar: Merchant
    alice: User
    bob: User
    vera: User
    charlie: User


def make_cast() -> Cast:
    """Create them all, e-mail addresses verified."""
    atelier, bazaar = (Merchant.objects.create(name=name) for name in ("Atelier", "Bazaar"))
    return Cast(
        atelier,
        bazaar,
        member("alice", atelier, Role.OWNER),
        member("bob", atelier, Role.EDITOR),
        member("vera", atelier, Role.VIEWER),
        member("charlie", bazaar, Role.OWNER),
    )


def member(name: str, merchant: Merchant, role: str) -> User:
    """A person with a verified address in a merchant."""
    from allauth.account.models import EmailAddress

    user = User.objects.create_user(f"{name}@example.com", PASSWORD, name=name.capitalize())
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    with unscoped("test cast"):
        Membership.objects.create(user=user, merchant=merchant, role=role)
    return user
