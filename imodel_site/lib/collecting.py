"""Files that no row refers to: a crash between a file and its row leaves them, and once a day they go."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from imodel_site.lib import storage
from imodel_site.lib.scope import merchant_scope
from imodel_site.lib.storage import Stored

OLD_ENOUGH = timedelta(days=1)  # longer than any job that has written its files and not yet its rows


@dataclass(frozen=True)
class Collected:
    """What a collection found; ``by_kind`` says how many files of each kind went."""

    files: int
    bytes: int
    by_kind: dict[str, int]


def collect(*, now: datetime, delete_them: bool) -> Collected:
    """Delete files older than a day that no row refers to (a crash between file and row leaves them).

    Files are listed first and rows read afterwards: a row that appears in between is seen, and a file that appears in
    between is too young.
    """
    found, by_kind, total = storage.private(), dict.fromkeys(storage.kinds(), 0), 0
    for name in found.folders("m/"):
        with contextlib.suppress(ValueError):
            for kind, lost in _unreferenced(UUID(name), now - OLD_ENOUGH):
                by_kind[kind] += len(lost)
                total += sum(file.bytes for file in lost)
                if delete_them:
                    found.drop([file.key for file in lost])
    return Collected(sum(by_kind.values()), total, by_kind)


def tidy() -> int:
    """Delete the files that nobody refers to; how many there were. Called once a day."""
    return collect(now=datetime.now(UTC), delete_them=True).files


def _unreferenced(merchant_id: UUID, before: datetime) -> Iterator[tuple[str, list[Stored]]]:
    for kind, refers in storage.referrers().items():
        old = [file for file in storage.private().listed(f"m/{merchant_id}/{kind}/") if file.modified < before]
        if old:
            with merchant_scope(merchant_id):
                wanted = set(refers(merchant_id))
            yield kind, [file for file in old if file.key not in wanted]
