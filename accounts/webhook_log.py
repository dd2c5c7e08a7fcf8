"""The delivery log of an endpoint, a page at a time, and what its codes mean in the merchant's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import WebhookDelivery, WebhookEndpoint
from accounts.services.webhooks.outcomes import BY_HAND, FAILING, GONE

PAGE = 30
SHOWN = ("failed", "waiting")

EVENTS: Mapping[str, Any] = {
    "shoot.succeeded": _("A shoot's pictures are ready"),
    "shoot.failed": _("A shoot failed"),
    "shoot.cancelled": _("A shoot was cancelled"),
    "batch.finished": _("A batch is finished"),
    "picture.rejected": _("A picture was taken down by moderation"),
    "publication.published": _("A picture was put into the shop"),
    "publication.withdrawn": _("A picture was taken out of the shop"),
    "export.succeeded": _("Your archive is ready"),
    "training.finished": _("A training is done"),
    "training.failed": _("A training failed"),
    "training.cancelled": _("A training was cancelled"),
    "comparison.finished": _("A grid is painted"),
    "comparison.failed": _("A grid failed"),
    "comparison.cancelled": _("A grid was cancelled"),
    "adapter.promoted": _("Another version of an adapter is in use"),
    "import.finished": _("An import is done"),
    "import.failed": _("An import failed"),
    "import.cancelled": _("An import was stopped"),
    "webhook.test": pgettext_lazy("webhook", "Test"),
}
DISABLED: Mapping[str, Any] = {
    GONE: _("It was switched off because your server answered 410 Gone, which says that it wants no more."),
    FAILING: _("It was switched off because nothing arrived for a day or more. What failed is kept for 30 days."),
    BY_HAND: _("It was switched off by hand."),
}
ERRORS: Mapping[str, Any] = {
    "url_invalid": _("We may not send to this address: it must be public and use https."),
    "url_not_public": _("The name does not exist, or leads to an address that is not public."),
    "url_certificate": _("The certificate is not valid for this name."),
    "url_unreachable": _("No connection, or it broke before there was an answer."),
    "url_too_slow": _("No answer within ten seconds."),
    "secret_unreadable": _("Its secret can not be read any more. Make a new one."),
    "internal_error": _("Something broke on our side."),
}


def page(
    endpoint: WebhookEndpoint, *, show: str = "", older_than: UUID | None = None
) -> tuple[list[WebhookDelivery], UUID | None]:
    """Newest first with events and tries, and where the next page begins (None at the end)."""
    rows = WebhookDelivery.objects.filter(endpoint=endpoint).select_related("event").prefetch_related("tries")
    if show in SHOWN:
        rows = rows.filter(status=show)
    if older_than is not None:
        rows = rows.filter(pk__lt=older_than)
    found = list(rows.order_by("-pk")[: PAGE + 1])
    return [_told(row) for row in found[:PAGE]], found[PAGE - 1].pk if len(found) > PAGE else None


def _told(row: WebhookDelivery) -> WebhookDelivery:
    """With what the page says: ``what``, and ``log``, the tries in order with their words."""
    row.what = EVENTS.get(row.event.type, row.event.type)  # type: ignore[attr-defined]  # for the template
    row.log = sorted(row.tries.all(), key=lambda attempt: attempt.number)  # type: ignore[attr-defined]
    for attempt in row.log:  # type: ignore[attr-defined]
        attempt.words = ERRORS.get(attempt.error_code, attempt.error_code)
    return row


def why_off(endpoint: WebhookEndpoint) -> Any:
    """Why it is switched off; empty while it is on."""
    return "" if endpoint.enabled else DISABLED.get(endpoint.disabled_reason, DISABLED[BY_HAND])
