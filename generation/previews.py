"""What is being painted right now: tiny pictures in the cache, under keys that hold the merchant and the job."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.core.cache import cache
from PIL import Image

SECONDS = 600
LONGEST_SIDE = 512
LARGEST = 2**18


@dataclass(frozen=True)
class Preview:
    """The newest one: ``number`` grows with each."""

    number: int
    data: bytes


def key(merchant_id: UUID, job_id: UUID) -> str:
    """Where the cache keeps the newest one, as (number, bytes)."""
    return f"preview:{merchant_id}:{job_id}"


def keep(merchant_id: UUID, job_id: UUID, number: int, file: Path) -> None:
    """Take a preview that the executor wrote into the cache; one that can't be read is no loss."""
    try:
        data = file.read_bytes()
        if len(data) > LARGEST:
            data = _smaller(data)
    except (OSError, ValueError):
        return
    cache.set(key(merchant_id, job_id), (number, data), SECONDS)


def newest(merchant_id: UUID, job_id: UUID) -> Preview | None:
    """The newest preview of a job, None when there is none (any more)."""
    found = cache.get(key(merchant_id, job_id))
    return None if found is None else Preview(*found)


def forget(merchant_id: UUID, job_id: UUID) -> None:
    """The job has ended: its pictures say more."""
    cache.delete(key(merchant_id, job_id))


def _smaller(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as picture:
        picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        buffer = io.BytesIO()
        picture.save(buffer, "WEBP", quality=60)
    return buffer.getvalue()
