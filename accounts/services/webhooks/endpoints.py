"""A merchant's endpoints: added, changed, given another secret, switched off and on, removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import webhook_secrets
from accounts.models import Merchant, User, WebhookEndpoint
from accounts.services.webhooks import outcomes, sending
from accounts.services.webhooks.events import CALL, TYPES
from imodel_site.lib.errors import Conflict, Refused

MOST = 10
LONGEST_DESCRIPTION = 120


@dataclass(frozen=True)
class NewSecret:
    """The row, and the secret that is shown once."""

    row: WebhookEndpoint
    text: str = field(repr=False)


def add_endpoint(
    *, merchant: Merchant, by: User | None, url: str, events: Sequence[str] = (), description: str = ""
) -> NewSecret:
    """A new endpoint and its secret; ``events`` empty wants all.

    Raises:
        Refused: ``url_invalid``, ``url_not_public``, ``bad_events``, ``bad_description``.
        Conflict: ``webhook_exists``: two would be told everything twice.
        Conflict: ``too_many_webhooks``.
    """
    fields = {"url": checked_url(url), "events": _known(events), "description": _short(description)}
    text = webhook_secrets.mint()
    with transaction.atomic():
        Merchant.objects.select_for_update(no_key=True).get(pk=merchant.pk)  # two at once would both see room
        if WebhookEndpoint.objects.filter(of_calls=False).count() >= MOST:
            raise Conflict("too_many_webhooks", _("There are 10 webhooks already. Remove one first."))
        if WebhookEndpoint.objects.filter(url=fields["url"], of_calls=False).exists():
            raise Conflict(
                "webhook_exists",
                _("There is a webhook with this address already. Change that one instead."),
                field="url",
            )
        row = WebhookEndpoint(**fields, merchant=merchant, created_by=by, secrets=webhook_secrets.first(text))
        row.save()
    return NewSecret(row, text)


def endpoint_of_calls(*, merchant: Merchant, url: str) -> WebhookEndpoint:
    """Where single calls that name this address are told; the same row for each of them, without a secret.

    Raises:
        Refused: ``url_invalid``, ``url_not_public``.
    """
    wanted = checked_url(url)
    with transaction.atomic():
        Merchant.objects.select_for_update(no_key=True).get(pk=merchant.pk)  # two at once would make two rows
        row: WebhookEndpoint | None = WebhookEndpoint.objects.filter(url=wanted, of_calls=True).first()
        if row is None:
            row = WebhookEndpoint(merchant=merchant, url=wanted, events=[CALL], of_calls=True)
            row.save()
        elif not row.enabled:
            _start_afresh(row)
    return row


def keep_endpoint(endpoint: WebhookEndpoint) -> None:
    """For whoever is about to refer to an address of single calls, under the merchant's lock: it may have been
    forgotten a moment ago.
    """
    if not WebhookEndpoint.objects.filter(pk=endpoint.pk).exists():
        endpoint.save(force_insert=True)


def change_endpoint(
    *, endpoint: WebhookEndpoint, url: str, events: Sequence[str], description: str, enabled: bool
) -> WebhookEndpoint:
    """Another address, other events; switched off, what waits ends as failed; switched on, it starts afresh.

    Raises:
        Refused: ``url_invalid``, ``url_not_public``, ``bad_events``, ``bad_description``.
    """
    stays = url.strip() == endpoint.url and (endpoint.enabled or not enabled)
    wanted = endpoint.url if stays else checked_url(url)
    fields = {"url": wanted, "events": _known(events), "description": _short(description)}
    with transaction.atomic():
        row = WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
        WebhookEndpoint.objects.filter(pk=row.pk).update(**fields)
        if row.enabled and not enabled:
            outcomes.switch_off(endpoint=row, reason=outcomes.BY_HAND)
        elif enabled and (not row.enabled or row.url != wanted):
            _start_afresh(row)
    endpoint.refresh_from_db()
    return endpoint


def switch(*, endpoint: WebhookEndpoint, on: bool) -> WebhookEndpoint:
    """Off, or on again: then its address is checked as a new one's.

    Raises:
        Refused: ``url_invalid``, ``url_not_public``.
    """
    return change_endpoint(
        endpoint=endpoint,
        url=endpoint.url,
        events=endpoint.events,
        description=endpoint.description,
        enabled=on,
    )


@transaction.atomic
def rotate_secret(*, endpoint: WebhookEndpoint) -> NewSecret:
    """A new secret; the one before it signs along for 24 hours, so that the shop can change over in peace."""
    row = WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
    text = webhook_secrets.mint()
    row.secrets = webhook_secrets.with_newest(row.secrets, text)
    row.save(update_fields=["secrets"])
    return NewSecret(row, text)


@transaction.atomic
def remove_endpoint(*, endpoint: WebhookEndpoint) -> None:
    """With its log. The lock waits for jobs that are writing deliveries for it just now."""
    row = WebhookEndpoint.objects.select_for_update().filter(pk=endpoint.pk).first()
    if row is not None:
        row.delete()


def checked_url(url: str) -> str:
    """An address that may be posted to, as things stand now; the courier asks again at every try.

    Raises:
        Refused: ``url_invalid``, ``url_not_public``.
    """
    clean = url.strip()
    try:
        sending.line().check(clean)
    except Refused as refused:
        if refused.code == "url_invalid":
            words = _("Write the whole address, starting with https://. The port can be 443 or 8443.")
            raise Refused("url_invalid", words, field="url") from None
        raise Refused(refused.code, refused.message, field="url") from None
    return clean


def _start_afresh(row: WebhookEndpoint) -> None:
    """What was known of how it answers is known no more."""
    WebhookEndpoint.objects.filter(pk=row.pk).update(
        enabled=True, disabled_reason="", failing_since=None, rest_until=None, last_milliseconds=None
    )


def _known(events: Sequence[str]) -> list[str]:
    """In the order of ``TYPES``; all of them are stored as none, so that later types come as well."""
    unknown = [name for name in events if name not in TYPES]
    if unknown:
        raise Refused("bad_events", _("Choose among: %(types)s.") % {"types": ", ".join(TYPES)}, field="events")
    return [name for name in TYPES if name in events]


def _short(description: str) -> str:
    clean = " ".join(description.split())
    if len(clean) > LONGEST_DESCRIPTION:
        raise Refused("bad_description", _("Use at most 120 characters."), field="description")
    return clean
