"""The text of an API key, ``imk_live_<id><secret><checksum>``, and what is kept of it.

Kept are the id and an HMAC-SHA256 of id and secret (RFC 2104) under a key derived from ``SECRET_KEY``; the text itself
is shown once. The checksum (CRC-32) tells a typing mistake or a made-up key before the database is asked.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
import zlib
from dataclasses import dataclass, field

from django.conf import settings

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
ID_LENGTH, SECRET_LENGTH, CHECKSUM_LENGTH = 12, 32, 6
_SHAPE = re.compile(rf"imk_(live|test)_([0-9A-Za-z]{{{ID_LENGTH}}})([0-9A-Za-z]{{{SECRET_LENGTH}}})([0-9A-Za-z]{{6}})")


@dataclass(frozen=True)
class KeyText:
    """A key taken apart; its secret stays out of reprs, and so out of logs and tracebacks."""

    live: bool
    id: str
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        """What the program sends."""
        body = f"imk_{'live' if self.live else 'test'}_{self.id}{self.secret}"
        return body + _checksum(body)


def mint(*, live: bool) -> KeyText:
    """A new key: 71 bits of id, 190 of secret."""
    return KeyText(live, _random(ID_LENGTH), _random(SECRET_LENGTH))


def parse(text: str) -> KeyText | None:
    """The key of this text; None when it is none or its checksum is wrong."""
    found = _SHAPE.fullmatch(text)
    if found is None or _checksum(text[:-CHECKSUM_LENGTH]) != found.group(4):
        return None
    return KeyText(found.group(1) == "live", found.group(2), found.group(3))


def joined(name: str, password: str) -> KeyText | None:
    """The key of a name and a password.

    Args:
        name: the key's first part (``imk_live_`` and its id, or the id alone), or anything beside a whole key.
        password: what follows it, or the whole key.
    """
    for text in (password, name + password, f"imk_live_{name}{password}", f"imk_test_{name}{password}"):
        if (found := parse(text)) is not None:
            return found
    return None


def digest(key: KeyText) -> str:
    """What is stored of it (hex)."""
    return _digest(key, settings.SECRET_KEY)


def matches(key: KeyText, stored: str) -> bool:
    """Whether ``stored`` is of this key, under today's SECRET_KEY or one of its fallbacks; in constant time."""
    found = False
    for secret_key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        # No early end: the time says nothing of which one fits.
        found |= hmac.compare_digest(_digest(key, secret_key), stored)
    return found


def _digest(key: KeyText, secret_key: str) -> str:
    derived = hmac.digest(secret_key.encode(), b"imodel.accounts.api-key", hashlib.sha256)
    return hmac.new(derived, f"{key.id}.{key.secret}".encode(), hashlib.sha256).hexdigest()


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def _checksum(body: str) -> str:
    value, digits = zlib.crc32(body.encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        value, digit = divmod(value, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits
