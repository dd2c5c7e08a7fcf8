"""Who may do what: one function per kind of object, and the questions that every view asks of its actor."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.actors import Actor
from accounts.models import ApiKey, Export, Invitation, Membership, Merchant, WebhookDelivery, WebhookEndpoint
from imodel_site.lib.errors import NotAllowed, NotHere


def acting(request: Any) -> Actor:
    """Who acts in this request.

    Raises:
        NotAllowed: nobody does, because the merchant is suspended or the person belongs to none.
    """
    actor: Actor | None = request.actor
    if actor is not None:
        return actor
    if request.merchant is not None:
        raise NotAllowed(
            "merchant_suspended", _("This shop is suspended. Nothing was deleted; write to us to have it opened again.")
        )
    raise NotAllowed("no_merchant", _("You do not belong to a shop yet. Create one, or ask to be invited."))


def allow_write(actor: Actor) -> None:
    """Refuse whoever may only look.

    Raises:
        NotAllowed: a viewer, a read key, or a merchant that is being deleted.
    """
    if not actor.may_write:
        if actor.api_key is not None:
            raise NotAllowed("read_only_key", _("This API key may only read. Make one that may write."))
        raise NotAllowed("read_only", _("You may look but not change anything. Ask an owner to make you an editor."))
    if actor.merchant.status == Merchant.Status.CLOSING:
        raise NotAllowed(
            "merchant_closing", _("This shop is being deleted, so nothing can be changed. An owner can still keep it.")
        )
    if not actor.can_write:
        raise NotAllowed("merchant_suspended", _("This shop is suspended. Nothing was deleted; write to us."))


def allow_owner(actor: Actor) -> None:
    """Refuse whoever is not an owner.

    Raises:
        NotAllowed: an editor, a viewer or a key.
    """
    if not actor.is_owner:
        raise NotAllowed("owners_only", _("Only an owner of this shop may do this. Ask one of them."))


def access_row(rows: Any, identity: Any) -> Any:
    """The row with this id among ``rows`` (a scoped queryset).

    Raises:
        NotHere: missing, another merchant's, or no id at all; the three answer alike.
    """
    try:
        wanted = identity if isinstance(identity, UUID) else UUID(str(identity))
    except ValueError:
        raise NotHere from None
    found = rows.filter(pk=wanted).first()
    if found is None:
        raise NotHere
    return found


def ids_of(identities: Iterable[Any]) -> set[UUID]:
    """Several ids as they came in; one that is none answers as one that is missing."""
    try:
        return {value if isinstance(value, UUID) else UUID(str(value)) for value in identities}
    except ValueError:
        raise NotHere from None


def access_member(actor: Actor, identity: Any, *, write: bool) -> Membership:
    """A membership of the actor's merchant, its user loaded; every member may see who is there."""
    if write:
        allow_owner(actor)
    found: Membership = access_row(Membership.objects.select_related("user", "merchant"), identity)
    return found


def access_invitation(actor: Actor, identity: Any, *, write: bool) -> Invitation:
    """An invitation of the actor's merchant; owners only."""
    allow_owner(actor)
    if write:
        allow_write(actor)
    found: Invitation = access_row(Invitation.objects.all(), identity)
    return found


def access_key(actor: Actor, identity: Any, *, write: bool) -> ApiKey:
    """An API key of the actor's merchant; owners only, also while the merchant is being deleted (to revoke it)."""
    allow_owner(actor)
    found: ApiKey = access_row(ApiKey.objects.select_related("merchant"), identity)
    return found


def access_export(actor: Actor, identity: Any) -> Export:
    """An archive of the actor's merchant; owners only, also while the merchant is being deleted."""
    allow_owner(actor)
    found: Export = access_row(Export.objects.all(), identity)
    return found


def allow_webhooks(actor: Actor, *, write: bool) -> None:
    """Refuse who may not deal with webhooks: people need to be owners, and programs to have a key that may write.

    Raises:
        NotAllowed: an editor, a viewer or a read key; for ``write`` whoever may change nothing now.
    """
    if actor.api_key is None:
        allow_owner(actor)
    if write or not actor.may_write:
        allow_write(actor)


def access_webhook(actor: Actor, identity: Any, *, write: bool) -> WebhookEndpoint:
    """A webhook endpoint of the actor's merchant."""
    allow_webhooks(actor, write=write)
    found: WebhookEndpoint = access_row(
        WebhookEndpoint.objects.filter(of_calls=False).select_related("merchant"), identity
    )
    return found


def access_delivery(webhook: WebhookEndpoint, identity: Any) -> WebhookDelivery:
    """A delivery to an endpoint that the caller was given."""
    rows = WebhookDelivery.objects.filter(endpoint=webhook).select_related("event", "endpoint")
    found: WebhookDelivery = access_row(rows, identity)
    return found
