"""When the last backup was whole: noted in the storage, so that every machine can tell."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from imodel_site.lib import storage

KEY = "ops/last-backup.json"


@dataclass(frozen=True)
class Last:
    """What is known of it."""

    at: datetime
    files: int
    bytes: int


def leave(*, files: int, bytes: int) -> None:
    """A backup is whole."""
    facts = {"at": datetime.now(UTC).isoformat(), "files": files, "bytes": bytes}
    storage.delete(KEY)  # S3 and disk replace, and a storage that would rather choose another name must not
    storage.put(KEY, json.dumps(facts).encode())


def last() -> Last | None:
    """None when there never was one.

    Raises:
        StorageError: the storage does not answer.
    """
    try:
        facts = json.loads(storage.read(KEY))
    except FileNotFoundError:
        return None
    return Last(datetime.fromisoformat(facts["at"]), facts["files"], facts["bytes"])
