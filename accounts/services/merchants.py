"""A merchant is opened and renamed."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Membership, Merchant, Role, User
from accounts.scoping import merchant_scope
from accounts.services import credits
from accounts.services.plans import default_plan, limits
from imodel_site.lib.errors import Refused

NAME_LENGTH = 120


@transaction.atomic
def open_merchant(*, owner: User, name: str) -> Merchant:
    """A new merchant with its first owner, on the default plan with its first month's credits."""
    merchant = Merchant.objects.create(name=_clean(name), **limits(default_plan()))
    with merchant_scope(merchant):
        Membership.objects.create(user=owner, role=Role.OWNER)
    credits.account(merchant.pk)
    return merchant


def choose_threshold(*, merchant: Merchant, pays_from: str) -> None:
    """From which verdict on pictures are paid for; it counts for every shoot that ends from now on.

    Raises:
        Refused: ``threshold_unknown``.
    """
    if pays_from not in Merchant.Threshold.values:
        raise Refused("threshold_unknown", _("Choose one of those that are offered."), field="pays_from")
    merchant.pays_from = pays_from
    merchant.save(update_fields=["pays_from"])


def rename_merchant(*, merchant: Merchant, name: str) -> None:
    """Give it another name."""
    merchant.name = _clean(name)
    merchant.save(update_fields=["name"])


def _clean(name: str) -> str:
    clean = " ".join(name.split())
    if not 1 <= len(clean) <= NAME_LENGTH:
        raise Refused("bad_name", _("Give the shop a name of 1 to 120 characters."), field="name")
    return clean
