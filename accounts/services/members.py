"""Who belongs to a merchant, and as what."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Membership, Merchant, Role
from imodel_site.lib.errors import Conflict, Refused


@transaction.atomic
def change_role(*, membership: Membership, role: str) -> None:
    """Make a member an owner, an editor or a viewer."""
    if role not in Role.values:
        raise Refused("bad_role", _("Choose owner, editor or viewer."), field="role")
    if role != Role.OWNER:
        _keep_an_owner(membership)
    Membership.objects.filter(pk=membership.pk).update(role=role)


@transaction.atomic
def remove_member(*, membership: Membership) -> None:
    """End a membership, somebody else's or one's own. Keys that the person made stay: they are the shop's."""
    _keep_an_owner(membership)
    membership.delete()


def _keep_an_owner(membership: Membership) -> None:
    """Refuse to take the last owner away. The merchant's row is the lock: two owners can not demote each other."""
    Merchant.objects.select_for_update().get(pk=membership.merchant_id)
    owners = set(Membership.objects.filter(role=Role.OWNER).values_list("pk", flat=True))
    if owners == {membership.pk}:
        raise Conflict("last_owner", _("A shop needs an owner. Make somebody else an owner first, or delete the shop."))
