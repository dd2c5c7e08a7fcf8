"""A merchant is opened and renamed."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Membership, Merchant, Role, User
from accounts.scoping import merchant_scope
from imodel_site.lib.errors import Refused

NAME_LENGTH = 120


@transaction.atomic
def open_merchant(*, owner: User, name: str) -> Merchant:
    """A new merchant with its first owner."""
    merchant = Merchant.objects.create(name=_clean(name))
    with merchant_scope(merchant):
        Membership.objects.create(user=owner, role=Role.OWNER)
    return merchant


def rename_merchant(*, merchant: Merchant, name: str) -> None:
    """Give it another name."""
    merchant.name = _clean(name)
    merchant.save(update_fields=["name"])


def _clean(name: str) -> str:
    clean = " ".join(name.split())
    if not 1 <= len(clean) <= NAME_LENGTH:
        raise Refused("bad_name", _("Give the shop a name of 1 to 120 characters."), field="name")
    return clean
