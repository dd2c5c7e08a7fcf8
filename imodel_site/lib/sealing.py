"""Texts that lie encrypted in the database, under keys derived from SECRET_KEY: a copied database opens nothing.

Fernet (AES-128-CBC and HMAC-SHA256) with one derived key for each purpose; what was sealed under an older SECRET_KEY
opens while that key is among the fallbacks, and ``reseal`` brings it under the newest.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

__all__ = ["Unreadable", "reseal", "seal", "sealed_by_newest", "unseal"]


class Unreadable(Exception):
    """Sealed under a SECRET_KEY that is not known any more, or damaged."""


def seal(text: str, *, purpose: str) -> str:
    """For storing."""
    return _box(purpose).encrypt(text.encode()).decode()


def unseal(sealed: str, *, purpose: str) -> str:
    """What was stored.

    Raises:
        Unreadable: no known SECRET_KEY opens it.
    """
    try:
        return _box(purpose).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise Unreadable(purpose) from None


def reseal(sealed: str, *, purpose: str) -> str:
    """The same text under today's SECRET_KEY; unchanged when it is already.

    Raises:
        Unreadable: no known SECRET_KEY opens it.
    """
    if sealed_by_newest(sealed, purpose=purpose):
        return sealed
    return seal(unseal(sealed, purpose=purpose), purpose=purpose)


def sealed_by_newest(sealed: str, *, purpose: str) -> bool:
    """Whether the older SECRET_KEYs can be forgotten as far as this text goes."""
    try:
        _key(settings.SECRET_KEY, purpose).decrypt(sealed.encode())
    except InvalidToken:
        return False
    return True


def _box(purpose: str) -> MultiFernet:
    return MultiFernet([_key(secret, purpose) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(secret: str, purpose: str) -> Fernet:
    derived = hmac.digest(secret.encode(), purpose.encode(), hashlib.sha256)
    return Fernet(base64.urlsafe_b64encode(derived))
