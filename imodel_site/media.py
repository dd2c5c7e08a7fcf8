"""The one address through which private files leave: signature, time, reader, row and moderation are all checked."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterable
from itertools import chain
from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import patch_cache_control
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from accounts.authentication import find_key
from accounts.models import Membership, Merchant
from imodel_site.lib import signing, storage
from imodel_site.lib.errors import NotHere, Refused
from imodel_site.lib.scope import merchant_scope, unscoped
from imodel_site.lib.signing import File, Ticket

RANGE = re.compile(r"^bytes=(\d{0,18})-(\d{0,18})$")  # Python refuses to read numbers of thousands of digits
INLINE = ("image/jpeg", "image/png", "image/webp")


@require_safe
def media(request: HttpRequest, token: str) -> HttpResponseBase:
    """Hand out one private file.

    Raises:
        NotHere: a bad token, an ended one, another merchant's, a deleted or a blocked row, a missing file: all alike.
    """
    ticket = signing.unseal(token)
    if ticket is None or not _may_open(request, ticket):
        raise NotHere()
    if ticket.ended:
        return _renewed(ticket)
    return _answer(request, ticket, _file(ticket))


@require_safe
def lasting(request: HttpRequest, kind: str, row: UUID, variant: str) -> HttpResponse:
    """An address without an end and without a signature, for pages that a browser keeps: leads to one that has both.

    Raises:
        NotHere: whoever asks works for no merchant, or that merchant has no such file; as at :func:`media`.
    """
    actor = getattr(request, "actor", None)
    if actor is None:
        raise NotHere()
    ticket = Ticket(actor.merchant.pk, kind, row, variant, signing.next_end(_now()), bearer=False)
    if not _may_open(request, ticket):
        raise NotHere()
    _file(ticket)
    return _renewed(ticket)


def _may_open(request: HttpRequest, ticket: Ticket) -> bool:
    kind = signing.kind_named(ticket.kind)
    if kind is not None and kind.owners_only:
        return _is_owner(request, ticket.merchant_id)
    return ticket.bearer or _is_theirs(request, ticket.merchant_id)


def _is_owner(request: HttpRequest, merchant_id: UUID) -> bool:
    """Whether whoever asks works for that merchant now, as an owner."""
    actor = getattr(request, "actor", None)
    return bool(actor is not None and actor.is_owner and actor.merchant.pk == merchant_id)


def _is_theirs(request: HttpRequest, merchant_id: UUID) -> bool:
    """Whether whoever asks belongs to that merchant: by the one they work for now, another membership, or a key."""
    actor = getattr(request, "actor", None)
    if actor is not None and actor.merchant.pk == merchant_id:
        return True
    if "Authorization" in request.headers:
        return _key_opens(request.headers["Authorization"], merchant_id)
    if not request.user.is_authenticated:
        return False
    with unscoped("does this person belong to the merchant of a file"):
        mine = Membership.objects.filter(user_id=request.user.pk, merchant_id=merchant_id)
        return bool(mine.exclude(merchant__status=Merchant.Status.SUSPENDED).exists())


def _key_opens(header: str, merchant_id: UUID) -> bool:
    try:
        merchant = find_key(header).merchant
    except Refused:
        return False
    return bool(merchant.pk == merchant_id and merchant.status != Merchant.Status.SUSPENDED)


def _renewed(ticket: Ticket) -> HttpResponse:
    """A page that stayed open gets a fresh address for its picture; an API client asks the API for one."""
    if ticket.bearer:
        raise NotHere()
    fresh = signing.Ticket(
        ticket.merchant_id, ticket.kind, ticket.row_id, ticket.variant, signing.next_end(_now()), bearer=False
    )
    response = HttpResponse(status=302, headers={"Location": signing.address_of(fresh)})
    patch_cache_control(response, private=True, no_store=True)
    return response


def _now() -> float:
    return time.time()


def _file(ticket: Ticket) -> File:
    kind = signing.kind_named(ticket.kind)
    if kind is None:
        raise NotHere()
    with merchant_scope(ticket.merchant_id):
        rows = kind.model.objects.filter(pk=ticket.row_id, merchant_id=ticket.merchant_id)
        # A suspended merchant's files stop with it, also at addresses that need no sign-in.
        row = rows.exclude(merchant__status=Merchant.Status.SUSPENDED).first()
        may = row is not None and kind.may_serve(row, ticket.variant, ticket.bearer)
        found = kind.find(row, ticket.variant) if may else None
    if found is None:
        raise NotHere()
    return found


def _answer(request: HttpRequest, ticket: Ticket, file: File) -> HttpResponseBase:
    etag = f'"{hashlib.sha256(file.key.encode() + file.head).hexdigest()[:32]}"'
    return _with_headers(sent(request, file, etag), request, ticket, file, etag)


def sent(request: HttpRequest, file: File, etag: str) -> HttpResponseBase:
    """A file's bytes, or word to nginx to send them, or 304; who may have them was asked before, headers come after.

    Raises:
        NotHere: the file is missing.
    """
    if request.headers.get("If-None-Match") == etag:
        response: HttpResponseBase = HttpResponse(status=304)
    elif settings.X_ACCEL_PREFIX and not file.head and isinstance(storage.private(), storage.PrivateFiles):
        response = HttpResponse(
            headers={"X-Accel-Redirect": quote(f"{settings.X_ACCEL_PREFIX.rstrip('/')}/{file.key}")}
        )
    else:
        response = _streamed(request, file)
    return response


def _with_headers(
    response: HttpResponseBase, request: HttpRequest, ticket: Ticket, file: File, etag: str
) -> HttpResponseBase:
    saved = "download" in request.GET or file.content_type not in INLINE
    response["Content-Type"] = file.content_type
    response["Content-Disposition"] = content_disposition_header(saved, file.name) or "inline"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "cross-origin" if ticket.bearer else "same-origin"
    response["ETag"] = etag
    # Not longer than the address itself: what is deleted or blocked is gone from the cache by then.
    patch_cache_control(response, private=True, max_age=max(0, ticket.expires - int(_now())))
    return response


def _streamed(request: HttpRequest, file: File) -> HttpResponseBase:
    """The bytes themselves, or the part that a Range header asks for (RFC 9110, section 14)."""
    try:
        size = len(file.head) + storage.private().stat(file.key).bytes - file.start
        asked = _asked_range(request.headers.get("Range", ""), size)
        if asked is None:
            return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
        start, end = asked
        pieces = _pieces(file, start, end)
    except FileNotFoundError as error:
        raise NotHere() from error
    whole = (start, end) == (0, size)
    response = StreamingHttpResponse(pieces, status=200 if whole else 206)
    response["Accept-Ranges"] = "bytes"
    response["Content-Length"] = str(end - start)
    if not whole:
        response["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return response


def _pieces(file: File, start: int, end: int) -> Iterable[bytes]:
    """Bytes [start, end) of what is handed out: of its head, then of the stored file behind it.

    Raises:
        FileNotFoundError: it is not there.
    """
    head = file.head[start:end]
    behind = max(0, start - len(file.head)) + file.start
    rest = storage.private().stream(file.key, behind, end - start - len(head))
    return chain([head], rest) if head else rest


def _asked_range(header: str, size: int) -> tuple[int, int] | None:
    """[start, end) of the answer; the whole file for no range or one we do not serve; None when it can not be met."""
    found = RANGE.match(header)
    if found is None or found.groups() == ("", ""):
        return 0, size
    first, last = found.groups()
    if not first:  # the last so many bytes
        return (max(0, size - int(last)), size) if int(last) else None
    start, end = int(first), min(size, int(last) + 1) if last else size
    return (start, end) if start < end <= size else None
