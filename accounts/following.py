"""Whoever follows something for minutes is asked for anew at each look, as a request of its own would be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.http import HttpResponseBase
from django.utils import translation

from accounts.actors import Actor, member
from accounts.models import Membership, Merchant
from accounts.scoping import merchant_scope
from imodel_site.lib import streams
from imodel_site.lib.errors import NotHere
from imodel_site.lib.streams import Told
from imodel_site.lib.watching import Subject, Watcher

Look = Callable[[Actor], Told]


def stream(request: Any, *, watcher: Watcher, kind: str, pk: UUID, look: Look) -> HttpResponseBase:
    """Server-sent events of what ``look`` finds, each time that the watcher says something has moved."""
    subject = Subject(kind, request.merchant.pk, pk)
    return streams.answer(
        person=request.user.pk,
        look=_again(request, look),
        bell=lambda: watcher.listen(subject),
        known=request.headers.get("Last-Event-ID", ""),
    )


def _again(request: Any, look: Look) -> Callable[[], Told]:
    """A look as a request of its own would have it: session and membership asked anew, one short transaction, and the
    connection given back, for the next look may be seconds away.
    """
    language, merchant, session = translation.get_language(), request.merchant.pk, request.session

    def looked() -> Told:
        try:
            with translation.override(language), merchant_scope(merchant), transaction.atomic():
                return look(_actor(request.user.pk, session))
        finally:
            if not connection.in_atomic_block:  # a test's own transaction
                connection.close()

    return looked


def _actor(person: int, session: Any) -> Actor:
    """Who was removed, or has signed out, a second ago is out.

    Raises:
        NotHere: not a member any more, the account is closed, the session is over, or the merchant is suspended.
    """
    rows = Membership.objects.select_related("merchant", "user").filter(user_id=person, user__is_active=True)
    found = rows.exclude(merchant__status=Merchant.Status.SUSPENDED).first()
    if found is None or not session.exists(session.session_key):
        raise NotHere
    return member(found)
