"""The cache's backends, with one thing more: what a merchant left in them can be found and removed.

The rule that every key of a merchant's holds its id (docs/tenancy.md) is all they rely on: no list of keys is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SCANNED = 1000  # keys that Redis looks at in one go
AT_ONCE = 500


class Files(FileBasedCache):
    """On disk. A file's name is a hash of its key, so the ids in the key are written before it."""

    def _key_to_file(self, key: str, version: int | None = None) -> str:
        file = Path(super()._key_to_file(key, version))
        ids = _ID.findall(key)
        return str(file.with_name(f"{'_'.join(ids[:2])}_{file.name}")) if ids else str(file)

    def forget(self, merchant_id: UUID) -> int:
        """Remove every entry whose key holds this id; how many there were."""
        return sum(self._delete(str(file)) for file in Path(self._dir).glob(f"*{merchant_id}*{self.cache_suffix}"))


class Redis(RedisCache):
    """On a Redis server."""

    def forget(self, merchant_id: UUID) -> int:
        """Remove every entry whose key holds this id; how many there were. It walks over all keys, without blocking."""
        client = self._cache.get_client(None, write=True)
        found = client.scan_iter(match=f"{self.key_prefix}:*{merchant_id}*", count=SCANNED)
        return sum(client.unlink(*keys) for keys in _some(found))


class Memory(LocMemCache):
    """In the process itself; tests use it."""

    def forget(self, merchant_id: UUID) -> int:
        """Remove every entry whose key holds this id; how many there were."""
        with self._lock:
            found = [key for key in self._cache if str(merchant_id) in key]
            for key in found:
                self._delete(key)
        return len(found)


def forget(merchant_id: UUID) -> int:
    """Remove what the site's cache holds of a merchant; how many entries there were."""
    backend: Any = cache
    return int(backend.forget(merchant_id))


def _some(found: Iterator[Any]) -> Iterator[list[Any]]:
    keys: list[Any] = []
    for key in found:
        keys.append(key)
        if len(keys) == AT_ONCE:
            yield keys
            keys = []
    if keys:
        yield keys
