"""Signing secrets of webhook endpoints (``whsec_...``): shown once, stored sealed, two alive while one is replaced."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import WebhookEndpoint
from imodel_site.lib.scope import unscoped
from imodel_site.lib.sealing import Unreadable, reseal, seal, sealed_by_newest, unseal

PURPOSE = "imodel.accounts.webhook-secret"
PREFIX = "whsec_"
BYTES = 32  # Standard Webhooks: 24 to 64
OVERLAP = timedelta(hours=24)

Stored = list[dict[str, Any]]


def mint() -> str:
    """A new secret, as the receiver's library takes it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(BYTES)).decode()


def first(text: str) -> Stored:
    """What a new endpoint stores."""
    return [_entry(text)]


def with_newest(stored: Stored, text: str) -> Stored:
    """``text`` in front; the one that was newest signs along for ``OVERLAP``, and any older one no more."""
    until = (timezone.now() + OVERLAP).isoformat()
    return [_entry(text), *({**entry, "until": until} for entry in stored[:1])]


def live(stored: Stored) -> list[str]:
    """The texts that sign now, newest first; one that was replaced and can not be read any more is left out.

    Raises:
        Unreadable: the newest was sealed under a SECRET_KEY that is not known any more, or there is none.
    """
    entries = [entry for entry in stored if _lives(entry)]
    if not entries:
        raise Unreadable(PURPOSE)
    newest = unseal(entries[0]["secret"], purpose=PURPOSE)
    return [newest, *(text for entry in entries[1:] if (text := _read(entry)))]


def old_one_ends(stored: Stored) -> datetime | None:
    """When the secret that was replaced stops signing; None when only one signs."""
    ends = [datetime.fromisoformat(entry["until"]) for entry in stored if entry["until"] and _lives(entry)]
    return max(ends, default=None)


def reseal_all() -> int:
    """Bring every secret under today's SECRET_KEY and forget those that ended; a periodic, and for operators.

    Returns:
        How many endpoints were changed. One whose secret no known SECRET_KEY opens is left as it is.
    """
    with unscoped("webhook secrets under the newest SECRET_KEY"):
        return sum(_renew(row) for row in WebhookEndpoint.objects.only("id", "merchant_id", "secrets").iterator())


def left_behind() -> int:
    """How many endpoints hold a secret that still needs an older SECRET_KEY, or one that is not known any more."""
    with unscoped("webhook secrets under older SECRET_KEYs"):
        return sum(
            not all(map(_newest, row.secrets)) for row in WebhookEndpoint.objects.only("id", "secrets").iterator()
        )


def _newest(entry: dict[str, Any]) -> bool:
    return not _lives(entry) or sealed_by_newest(entry["secret"], purpose=PURPOSE)


def _renew(row: WebhookEndpoint) -> bool:
    """Written only over what was read: a rotation that came between wins."""
    try:
        fresh = [
            {**entry, "secret": reseal(entry["secret"], purpose=PURPOSE)} for entry in row.secrets if _lives(entry)
        ]
    except Unreadable:
        return False
    if fresh == row.secrets:
        return False
    return bool(WebhookEndpoint.objects.filter(pk=row.pk, secrets=row.secrets).update(secrets=fresh))


def _read(entry: dict[str, Any]) -> str:
    try:
        return unseal(entry["secret"], purpose=PURPOSE)
    except Unreadable:
        return ""


def _entry(text: str) -> dict[str, Any]:
    return {"secret": seal(text, purpose=PURPOSE), "made": timezone.now().isoformat(), "until": None}


def _lives(entry: dict[str, Any]) -> bool:
    return entry["until"] is None or datetime.fromisoformat(entry["until"]) > timezone.now()
