"""Addresses of private files: short-lived, signed, and made for one kind of reader (docs/files.md).

A *session* address is worth nothing by itself: whoever opens it must also be logged in for that merchant. A *bearer*
address, which API answers carry, opens for anybody until it ends. Both end within five minutes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core import signing
from django.urls import reverse

STEP = 150  # seconds; addresses made within one step are equal, so that a browser finds them in its cache
LIFE = 2 * STEP  # the longest; the shortest is STEP
SALTS = {"s": "imodel.media.session", "b": "imodel.media.bearer"}


@dataclass(frozen=True)
class File:
    """One file to hand out.

    Attributes:
        key: of the storage.
        content_type: as the answer says.
        name: what it is called when saved.
        head, start: ``head`` takes the place of the stored file's first ``start`` bytes; none: as it is stored.
    """

    key: str
    content_type: str
    name: str
    head: bytes = b""
    start: int = 0


@dataclass(frozen=True)
class Kind:
    """A table whose rows have files.

    Args:
        name: short, part of every token; never changes.
        model: the table.
        find: the file of a row's variant, or None when it has no such variant.
        may_serve: asked with the row, the variant and whether the address opens without a sign-in; False stops the file
            of a row that exists (moderation): it answers as if it were missing, and no address is made for it.
        owners_only: the reader must be signed in as an owner, and work for that merchant.
    """

    name: str
    model: type[Any]
    find: Callable[[Any, str], File | None]
    may_serve: Callable[[Any, str, bool], bool] = lambda row, variant, bearer: True
    owners_only: bool = False


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Make a table's files reachable through ``/media/``; called by an app's ``ready()``."""
    _kinds[kind.name] = kind


def kind_named(name: str) -> Kind | None:
    """The registered kind."""
    return _kinds.get(name)


def _kind_of(row: Any) -> Kind:
    for kind in _kinds.values():
        if isinstance(row, kind.model):
            return kind
    raise LookupError(f"no media kind is registered for {type(row).__name__}")


@dataclass(frozen=True)
class Ticket:
    """What a token says. ``bearer``: it opens without a login."""

    merchant_id: UUID
    kind: str
    row_id: UUID
    variant: str
    expires: int
    bearer: bool

    @property
    def ended(self) -> bool:
        """Whether its time is over."""
        return time.time() >= self.expires


def next_end(now: float) -> int:
    """When an address made now ends: on the grid of steps, from STEP to LIFE seconds ahead."""
    return (int(now) // STEP + 2) * STEP


def media_url(row: Any, variant: str, *, bearer: bool = False, now: float | None = None) -> str:
    """The address of a row's file; empty for a file that is not handed out (moderation).

    Args:
        row: of a registered model, merchant-owned.
        variant: such as ``"original"`` or ``"small"``.
        bearer: True only in an answer to an API client that has been checked.
        now: seconds since 1970; the clock's when None.
    """
    kind = _kind_of(row)
    if not kind.may_serve(row, variant, bearer):
        return ""
    expires = next_end(time.time() if now is None else now)
    ticket = Ticket(row.merchant_id, kind.name, row.pk, variant, expires, bearer)
    return address_of(ticket)


def address_of(ticket: Ticket) -> str:
    """The address that carries a ticket."""
    return reverse("media", args=[seal(ticket)])


def seal(ticket: Ticket, signer: signing.Signer | None = None) -> str:
    """The ticket as a signed token, safe in a URL; a list of many brings the signer of its kind along."""
    kind = "b" if ticket.bearer else "s"
    text = ",".join((ticket.merchant_id.hex, ticket.kind, ticket.row_id.hex, ticket.variant, str(ticket.expires)))
    return f"{kind}.{signing.b64_encode(text.encode()).decode()}.{(signer or _signer(kind)).signature(text)}"


class Bearers:
    """Absolute bearer addresses for one answer of the API: what is the same in all of them is worked out once."""

    def __init__(self, request: Any) -> None:
        self._before = request.build_absolute_uri(reverse("media", args=["-"])).removesuffix("-")
        self._expires = next_end(time.time())
        self._signer = _signer("b")

    def of(self, row: Any, variants: Iterable[str]) -> dict[str, str]:
        """By variant; nothing for a row whose files are held back from programs (moderation).

        Args:
            row: of a registered model, merchant-owned; one that is moderated is asked whether it is open.
        """
        if not getattr(row, "open_to", _open)(bearer=True):
            return {}
        return {variant: self._address(row, _kind_of(row).name, variant) for variant in variants}

    def _address(self, row: Any, kind: str, variant: str) -> str:
        ticket = Ticket(row.merchant_id, kind, row.pk, variant, self._expires, bearer=True)
        return self._before + seal(ticket, self._signer)


def _open(*, bearer: bool) -> bool:
    """Of rows that nobody moderates."""
    return True


def unseal(token: str) -> Ticket | None:
    """What a token says, ended or not; None when it is not one of ours."""
    kind, _, rest = token.partition(".")
    body, _, signature = rest.partition(".")
    if kind not in SALTS:
        return None
    try:
        text = signing.b64_decode(body.encode()).decode()
        _signer(kind).unsign(f"{text}:{signature}")
    except (signing.BadSignature, ValueError):
        return None
    merchant, name, row, variant, expires = text.split(",")
    return Ticket(UUID(merchant), name, UUID(row), variant, int(expires), kind == "b")


def _signer(kind: str) -> signing.Signer:
    return signing.Signer(salt=SALTS[kind])
