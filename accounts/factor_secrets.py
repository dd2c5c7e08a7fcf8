"""Secrets of second factors, sealed under SECRET_KEY by ``accounts.adapter``: brought under the newest key."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator

from accounts.adapter import PURPOSE
from imodel_site.lib.sealing import Unreadable, reseal, sealed_by_newest

# Where allauth keeps them: of authenticator apps, of recovery codes, and of recovery codes that came from elsewhere.
SEALED = ("secret", "seed")
SEALED_LIST = "migrated_codes"


def reseal_all() -> int:
    """Bring all of them under today's SECRET_KEY.

    Returns:
        How many factors were changed. One that no known SECRET_KEY opens is left as it is.
    """
    return sum(_renew(row) for row in _rows())


def left_behind() -> int:
    """How many factors still need an older SECRET_KEY, or one that is not known any more."""
    return sum(any(not sealed_by_newest(text, purpose=PURPOSE) for text in _texts(row.data)) for row in _rows())


def _rows() -> Any:
    """Passkeys hold no secret: what they store is public."""
    kinds = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)
    return Authenticator.objects.filter(type__in=kinds).iterator()


def _texts(data: dict[str, Any]) -> list[str]:
    return [data[name] for name in SEALED if name in data] + list(data.get(SEALED_LIST, ()))


def _renew(row: Any) -> bool:
    """Written only over what was read: a factor that was set up anew meanwhile wins."""
    try:
        fresh = {**row.data, **{name: _fresh(row.data[name]) for name in SEALED if name in row.data}}
        if SEALED_LIST in row.data:
            fresh[SEALED_LIST] = [_fresh(text) for text in row.data[SEALED_LIST]]
    except Unreadable:
        return False
    if fresh == row.data:
        return False
    return bool(Authenticator.objects.filter(pk=row.pk, data=row.data).update(data=fresh))


def _fresh(text: str) -> str:
    return reseal(text, purpose=PURPOSE)
