"""What owners are told of their webhooks by e-mail."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.core.cache import cache

from accounts import mail
from accounts.models import Membership, Merchant, Role, User, WebhookEndpoint
from accounts.scoping import merchant_scope

DISABLED, LOST = "webhook_disabled", "webhook_lost"
A_DAY = 24 * 3600


@dataclass(frozen=True)
class Notice:
    """``kind`` names the mail: an endpoint was switched off, or an event could not be delivered within a day."""

    kind: str
    merchant_id: UUID
    endpoint_id: UUID


def tell(notice: Notice) -> bool:
    """Mail the owners; of lost events once a day for each endpoint. May take as long as the mail server does.

    Returns:
        False when nobody is told: said already today, or the endpoint is gone or was named by
            single calls only.
    """
    with merchant_scope(notice.merchant_id):
        endpoint = WebhookEndpoint.objects.filter(pk=notice.endpoint_id).first()
        if endpoint is None or endpoint.of_calls or _said_already(notice):
            return False
        merchant = Merchant.objects.get(pk=notice.merchant_id)
        mail.send_all(notice.kind, people=_owners(), merchant=merchant, endpoint=endpoint, site=settings.SITE_URL)
        return True


def _said_already(notice: Notice) -> bool:
    key = f"webhook-told:{notice.merchant_id}:{notice.endpoint_id}"
    return notice.kind == LOST and not cache.add(key, True, timeout=A_DAY)


def _owners() -> list[User]:
    rows = Membership.objects.filter(role=Role.OWNER, user__is_active=True).select_related("user")
    return [row.user for row in rows]
