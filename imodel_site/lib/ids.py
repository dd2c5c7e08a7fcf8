"""Row ids that sort by time (UUID version 7, RFC 9562 section 5.7): the newest rows are one index range."""

from __future__ import annotations

import secrets
import time
from datetime import datetime
from uuid import UUID

MILLISECOND = 1_000_000


def earliest(moment: datetime) -> UUID:
    """The least id that a row of this moment can have: a time as the bound of an index range."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def uuid7() -> UUID:
    """48 bits of Unix milliseconds, 12 of their fraction (section 6.2, method 3), version, variant, 62 random bits."""
    milliseconds, nanoseconds = divmod(time.time_ns(), MILLISECOND)
    fraction = nanoseconds * 4096 // MILLISECOND
    return UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | secrets.randbits(62))
