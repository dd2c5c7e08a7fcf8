"""Folders of this machine that jobs work in, below the merchant's id, so that none of them outlives the merchant.

WORK_DIR/<merchant>/now-<random>/     a job's while it works; gone with its process, however that ended
WORK_DIR/<merchant>/kept-<name>/      what a next worker goes on with; whoever made it says when it may go
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import UUID

from django.conf import settings

NOW, KEPT = "now-", "kept-"
ALIVE = ".alive"  # locked by the process that works in the folder
YOUNG = 3600.0  # seconds
_wanted: dict[str, Callable[[str], bool]] = {}


def _home(merchant_id: UUID) -> Path:
    return Path(settings.WORK_DIR) / str(merchant_id)


@contextmanager
def folder(merchant_id: UUID) -> Iterator[Path]:
    """An empty folder for as long as the block runs. A killed process leaves it behind; :func:`tidy` finds it."""
    place = _new(_home(merchant_id))
    try:
        with _held(place):
            inside = place / "work"
            inside.mkdir(mode=0o700)
            yield inside
    finally:
        _remove(place)


def _new(home: Path) -> Path:
    while True:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # whoever left last took the home away between the two lines
            return Path(tempfile.mkdtemp(prefix=NOW, dir=home))


def kept(merchant_id: UUID, name: str) -> Path:
    """A folder that stays until it is dropped, or until whoever registered its kind (``name`` up to the first ``-``)
    does not want it any more."""
    place = _home(merchant_id) / f"{KEPT}{name}"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def drop(merchant_id: UUID, name: str) -> None:
    """A kept folder is not needed any more."""
    _remove(_home(merchant_id) / f"{KEPT}{name}")


def register_kept(kind: str, wanted: Callable[[str], bool]) -> None:
    """Say whether a kept folder is still needed: ``wanted(rest of its name)``; folders of other kinds are removed."""
    _wanted[kind] = wanted


@contextmanager
def _held(place: Path) -> Iterator[None]:
    with (place / ALIVE).open("w") as mark:
        fcntl.flock(mark, fcntl.LOCK_EX)
        yield


def forget(merchant_id: UUID) -> int:
    """Remove every folder of a merchant on this machine; how many there were."""
    home = _home(merchant_id)
    found = len(list(home.iterdir())) if home.is_dir() else 0
    shutil.rmtree(home, ignore_errors=True)
    return found


def tidy() -> int:
    """Remove what killed processes left, and what nobody wants to go on with; how many. Hourly, on each machine."""
    top = Path(settings.WORK_DIR)
    homes = list(top.iterdir()) if top.is_dir() else []
    lost = [place for home in homes for place in home.iterdir() if not _needed(place)]
    for place in lost:
        _remove(place)
    for home in homes:
        with suppress(OSError):  # somebody works there
            home.rmdir()
    return len(lost)


def _needed(place: Path) -> bool:
    if place.name.startswith(KEPT):
        kind, _, rest = place.name.removeprefix(KEPT).partition("-")
        return kind in _wanted and _wanted[kind](rest)
    return _alive(place)


def _alive(place: Path) -> bool:
    """Whether its process lives: the kernel takes the lock from the dead. One without a mark is just being made."""
    try:
        mark = os.open(place / ALIVE, os.O_RDWR)
    except FileNotFoundError:
        return place.exists() and place.stat().st_mtime > time.time() - YOUNG
    try:
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(mark)
    return False


def _remove(place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
    with suppress(OSError):  # another job of the merchant's works beside it
        place.parent.rmdir()
