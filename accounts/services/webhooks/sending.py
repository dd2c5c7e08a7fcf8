"""One try: signed by Standard Webhooks, posted by the rules of ``lib.fetch``. Touches no row."""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from uuid import UUID

from django.conf import settings
from standardwebhooks import Webhook

from accounts import webhook_secrets
from imodel_site.lib.errors import Refused
from imodel_site.lib.fetch import Fetcher, is_public
from imodel_site.lib.sealing import Unreadable

SECONDS = 10.0  # for one try, from the name's look-up to the answer's end
MOST = 64 * 1024  # bytes of an answer that are read and thrown away
PORTS = (443, 8443)


@dataclass(frozen=True)
class Parcel:
    """What the courier carries to an endpoint; ``token`` is its right to say how it went."""

    delivery_id: UUID
    token: int
    merchant_id: UUID
    endpoint_id: UUID
    event_id: UUID
    url: str = field(repr=False)  # it may hold a secret of the shop's
    body: str = field(repr=False)
    secrets: webhook_secrets.Stored = field(repr=False)
    kind: str = ""  # of its endpoint, when it was claimed (turns.KINDS)


@dataclass(frozen=True)
class Outcome:
    """How a try went. ``status`` is None without an answer, and then ``error_code`` says why."""

    status: int | None
    error_code: str = ""
    milliseconds: int = 0
    retry_after: float | None = None

    @property
    def delivered(self) -> bool:
        """2xx; a redirect is a failure, and is not followed."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """410: it wants no more."""
        return self.status == 410


def line() -> Fetcher:
    """How the courier posts: https to public addresses; where webhooks are being tried out, also to this machine."""
    trust = ssl.create_default_context()
    if settings.WEBHOOK_HTTP:
        return Fetcher(
            range(1, 65536), allowed=_public_or_here, trust=trust, seconds=SECONDS, schemes=("https", "http")
        )
    return Fetcher(PORTS, trust=trust, seconds=SECONDS)


def _public_or_here(address: str) -> bool:
    return is_public(address) or ip_address(address).is_loopback


def send(parcel: Parcel, by: Fetcher) -> Outcome:
    """Try once; whatever goes wrong is an outcome."""
    began = time.monotonic()
    try:
        headers = signed(parcel, datetime.now(UTC))
        answer = by.post(parcel.url, parcel.body.encode(), headers, most=MOST)
    except Refused as refused:
        return Outcome(None, refused.code, _milliseconds(began))
    except Unreadable:
        return Outcome(None, "secret_unreadable", _milliseconds(began))
    return Outcome(answer.status, "", _milliseconds(began), seconds_to_wait(answer.retry_after))


def signed(parcel: Parcel, now: datetime) -> dict[str, str]:
    """The headers of Standard Webhooks 1.0: one signature for each secret that lives, the newest first.

    Raises:
        Unreadable: a secret was sealed under a SECRET_KEY that is not known any more.
    """
    identity = str(parcel.event_id)
    secrets = webhook_secrets.live(parcel.secrets) if parcel.secrets else []  # those of single calls have none
    signatures = [Webhook(text).sign(identity, now, parcel.body) for text in secrets]
    signed_by = {"webhook-signature": " ".join(signatures)} if signatures else {}
    return {
        "Content-Type": "application/json",
        "User-Agent": "iModel-Webhooks",
        "webhook-id": identity,
        "webhook-timestamp": str(int(now.timestamp())),
        **signed_by,
    }


def seconds_to_wait(text: str) -> float | None:
    """Retry-After (RFC 9110 section 10.2.3): seconds, or a date; None for anything else."""
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (date - datetime.now(date.tzinfo or UTC)).total_seconds()) if date.tzinfo else None


def _milliseconds(began: float) -> int:
    return int(1000 * (time.monotonic() - began))
