"""What remembers a merchant besides its rows and files: caches, folders of this machine, people's sessions."""

from __future__ import annotations

from uuid import UUID

from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session

from accounts.middleware import SESSION_KEY
from imodel_site.lib import caches, workplace


def forget(merchant_id: UUID) -> dict[str, int]:
    """Remove all of it; how much there was, by kind. Safe to call again."""
    return {
        "cache": caches.forget(merchant_id),
        "folders": workplace.forget(merchant_id),
        "sessions": _let_go(merchant_id),
    }


def _let_go(merchant_id: UUID) -> int:
    """Sessions that work for this merchant work for none; whoever they belong to stays signed in."""
    return sum(_without(row, merchant_id) for row in Session.objects.iterator(chunk_size=500))


def _without(row: Session, merchant_id: UUID) -> bool:
    data = row.get_decoded()
    if data.get(SESSION_KEY) != str(merchant_id):
        return False
    del data[SESSION_KEY]
    # Not when the session was written meanwhile: its next request drops the merchant by itself (the middleware).
    same = Session.objects.filter(pk=row.pk, session_data=row.session_data)
    return bool(same.update(session_data=SessionStore().encode(data)))
