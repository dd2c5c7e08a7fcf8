"""Adapters that were read lately, kept in RAM: a swap then costs a copy and not a check of every name and value.

What is kept is known by its content, the SHA-256 of the file's bytes, and a job gets it only by naming a file that
holds those very bytes: a file that was read from that path and is still the same one (size, time and inode tell), or
else one that is hashed anew. Nobody's word is taken for a hash. So what a merchant's job may not open, it can not get
from here either, and two copies of one file, as an object store hands them out for each job, are one.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studio.diffusion.adapter_files import AdapterWeights

DEFAULT_BYTES = 512 * 2**20


@dataclass(frozen=True)
class Stamp:
    """Tells whether a file is the one that was read, without reading it again."""

    path: Path
    size: int
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> Stamp | None:
        """Of the file at ``path`` as it is now; None when there is none."""
        if not path.is_file():
            return None
        status = path.stat()
        return cls(path.resolve(), status.st_size, status.st_mtime_ns, status.st_ino)


@dataclass(frozen=True)
class _Kept:
    """An adapter, and the file in which it was seen last."""

    weights: AdapterWeights
    stamp: Stamp


class AdapterCache:
    """The least recently used goes first once ``limit`` bytes are passed; an adapter larger than that is not kept."""

    def __init__(self, limit: int = DEFAULT_BYTES) -> None:
        """``limit``: bytes of tensors to keep at most; 0 keeps nothing."""
        self.limit = limit
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def get(self, path: Path, stamp: Stamp | None, read: Callable[[Path], AdapterWeights]) -> AdapterWeights:
        """The adapter at ``path``, read only when neither its ``stamp`` nor its bytes are those of one that is kept.

        Raises:
            Whatever ``read`` does; nothing is kept then, and what was of that path is gone.
        """
        found = self._known(stamp) or self._equal(stamp)
        if found is not None:
            return found
        self._forget(path)
        weights = read(path)
        if stamp is not None and stamp == Stamp.of(path):  # else it was replaced meanwhile: nobody knows what was read
            self._keep(stamp, weights)
        return weights

    def clear(self) -> None:
        """Let go of all."""
        self._kept.clear()

    @property
    def bytes(self) -> int:
        """Of the tensors that are kept."""
        return sum(kept.weights.bytes for kept in self._kept.values())

    def _known(self, stamp: Stamp | None) -> AdapterWeights | None:
        """What was read from this very file."""
        digest = next((digest for digest, kept in self._kept.items() if kept.stamp == stamp), None)
        if stamp is None or digest is None:
            return None
        self._kept.move_to_end(digest)
        return self._kept[digest].weights

    def _equal(self, stamp: Stamp | None) -> AdapterWeights | None:
        """What was read from another file of the same bytes; only where one of that size was."""
        if stamp is None or all(kept.stamp.size != stamp.size for kept in self._kept.values()):
            return None
        with stamp.path.open("rb") as file:  # studio.weights.disk.file_hash remembers by path, and paths come again
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest not in self._kept or stamp != Stamp.of(stamp.path):
            return None
        weights = self._kept.pop(digest).weights
        self._kept[digest] = _Kept(weights, stamp)
        return weights

    def _keep(self, stamp: Stamp, weights: AdapterWeights) -> None:
        if weights.bytes > self.limit:
            return
        self._kept.pop(weights.sha256, None)
        self._kept[weights.sha256] = _Kept(weights, stamp)
        while self.bytes > self.limit:
            self._kept.popitem(last=False)

    def _forget(self, path: Path) -> None:
        real = path.resolve()
        for digest in [digest for digest, kept in self._kept.items() if kept.stamp.path == real]:
            del self._kept[digest]
