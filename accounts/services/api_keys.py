"""API keys are made, rotated and revoked. Their text is given back once and kept nowhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import keys
from accounts.models import ApiKey, Merchant, User
from imodel_site.lib.errors import Conflict, Refused, TooMuch

LIVE_AT_ONCE = 50
LONGEST = timedelta(days=3660)
OVERLAP = timedelta(days=7)
LONGEST_OVERLAP = timedelta(days=90)


@dataclass(frozen=True)
class NewKey:
    """The row, and the text that is shown once."""

    row: ApiKey
    text: str = field(repr=False)


@transaction.atomic
def make_key(
    *, merchant: Merchant, by: User, name: str, scope: str, store: str, live: bool, lifetime: timedelta | None
) -> NewKey:
    """A new key; ``lifetime`` None is for ever."""
    clean = " ".join(name.split())
    if not 1 <= len(clean) <= 80:
        raise Refused("bad_name", _("Give the key a name of 1 to 80 characters."), field="name")
    if scope not in ApiKey.Scope.values:
        raise Refused("bad_scope", _("Choose read, or read and write."), field="scope")
    if lifetime is not None and not timedelta(0) < lifetime <= LONGEST:
        raise Refused("bad_lifetime", _("A key can last from one day to ten years."), field="days")
    Merchant.objects.select_for_update().get(pk=merchant.pk)
    if _live().count() >= LIVE_AT_ONCE:
        raise TooMuch("too_many_keys", _("50 keys are in use. Revoke some first."))
    expires = timezone.now() + lifetime if lifetime else None
    return _store(
        ApiKey(name=clean, scope=scope, store=store.strip()[:120], live=live, created_by=by, expires_at=expires)
    )


@transaction.atomic
def rotate_key(*, key: ApiKey, by: User, overlap: timedelta = OVERLAP) -> NewKey:
    """A successor like it; the old key goes on working for ``overlap``, so that the shop can change over in peace."""
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise Refused("bad_overlap", _("The old key can go on working for up to 90 days."), field="overlap")
    old = ApiKey.objects.select_for_update().get(pk=key.pk)
    now = timezone.now()
    if not _live().filter(pk=old.pk).exists():
        raise Conflict("key_dead", _("This key does not work any more. Make a new one instead."))
    if _live().filter(Q(replaces=old) | Q(pk=old.replaces_id)).exists():
        # Two live keys are enough to change over; a third would be one that nobody remembers.
        raise Conflict("two_keys_live", _("Two keys of this line work already. Revoke one of them first."))
    lifetime = old.expires_at - old.created_at if old.expires_at else None
    new = _store(
        ApiKey(
            name=old.name,
            scope=old.scope,
            store=old.store,
            live=old.live,
            created_by=by,
            expires_at=now + lifetime if lifetime else None,
            replaces=old,
        )
    )
    ends = now + overlap
    old.expires_at = min(old.expires_at, ends) if old.expires_at else ends
    old.save(update_fields=["expires_at"])
    return new


def revoke_key(*, key: ApiKey) -> None:
    """The very next request with it fails."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now())


def _store(row: ApiKey) -> NewKey:
    minted = keys.mint(live=row.live)
    row.prefix, row.secret_hmac = minted.id, keys.digest(minted)
    row.save()
    return NewKey(row, minted.text)


def _live() -> Any:
    return ApiKey.objects.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()), revoked_at=None)
