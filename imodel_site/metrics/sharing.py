"""Several processes count into files of one folder, which whoever is scraped adds up.

Each service of a machine (web, worker) has a folder of its own in ``RUN_DIR/metrics``, and in it each process a file
for counters and one for histograms: prometheus_client's multi-process mode. The first process of a service clears what
an earlier run left; what a process that has died had counted is folded into one file, so that sums never go back.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings
from prometheus_client import multiprocess, values
from prometheus_client.mmap_dict import MmapedDict

log = logging.getLogger("imodel.metrics")
KINDS = ("counter", "histogram")
# More than all series of a process come to: routes x methods x buckets, some 150 bytes each.
ROOM = 1 << 20
FOLD_FROM = 16  # files of dead processes
_held: list[int] = []  # the lock says that this process, or a child it forked, still lives


def folder(service: str) -> Path:
    """Where a service counts."""
    return Path(settings.RUN_DIR) / "metrics" / service


def share(service: str) -> None:
    """Count into the service's files from now on; call it before the first metric is touched.

    A folder that can not be written leaves this process counting for itself: numbers are no reason not to start.
    """
    try:
        place = folder(service)
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        _take_part(place)
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(place)
        values.ValueClass = values.MultiProcessValue(_Identity(place))
    except OSError as error:
        log.warning("metrics of this process are not shared: %s", error)


def shared() -> bool:
    """Whether this process counts into files."""
    return bool(_held)


def _take_part(place: Path) -> None:
    """Alone here: clear. Then hold the lock together with the others, until the kernel takes it from the dead."""
    handle = os.open(place / "alive", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with suppress(BlockingIOError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for file in place.glob("*.db"):
            file.unlink(missing_ok=True)
    fcntl.flock(handle, fcntl.LOCK_SH)
    _held.append(handle)


class _Identity:
    """The name of this process's files, which are given their room when it is first asked for.

    They are mapped into memory, and a page that the full disk has no block for would kill the process (SIGBUS): without
    room a forked child goes on in its parent's files, where some of what both count at once is lost.
    """

    def __init__(self, place: Path) -> None:
        self._place, self._pid = place, 0
        self._name = self._make()

    def __call__(self) -> str:
        if os.getpid() != self._pid:
            try:
                self._name = self._make()
            except OSError as error:
                self._pid = os.getpid()
                log.warning("this process counts in its parent's files: %s", error)
        return self._name

    def _make(self) -> str:
        self._pid = os.getpid()
        for kind in KINDS:
            reserve(self._place / f"{kind}_{self._pid}.db")
        return str(self._pid)


def reserve(file: Path) -> None:
    """Make the file, every block of it.

    Raises:
        OSError: there is no room; then there is no file either.
    """
    handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(handle, 0, ROOM)
    except OSError:
        file.unlink(missing_ok=True)
        raise
    finally:
        os.close(handle)


# --- reading --------------------------------------------------------------------------------------------------------
def collect() -> list[object]:
    """The sums over all services of this machine, as prometheus_client's metrics."""
    found: list[Path] = []
    for place in sorted((Path(settings.RUN_DIR) / "metrics").glob("*/")):
        with _alone(place):
            fold(place)
            found += place.glob("*.db")
    return list(multiprocess.MultiProcessCollector.merge([str(file) for file in found], accumulate=True))


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Two scrapes at once must not fold the same file twice."""
    with open(place / "folding", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def fold(place: Path) -> int:
    """Add the files of dead processes up into one for each kind; how many went. Workers are replaced all day long."""
    dead = [file for file in place.glob("*_*.db") if _dead(file)]
    if len(dead) < FOLD_FROM:
        return 0
    with suppress(OSError):
        for kind in KINDS:
            _fold([file for file in dead if file.name.startswith(f"{kind}_")], place / f"{kind}_dead.db")
        return len(dead)
    return 0


def _dead(file: Path) -> bool:
    pid = file.stem.rpartition("_")[2]
    return pid.isdecimal() and not Path("/proc", pid).exists()


def _fold(files: list[Path], target: Path) -> None:
    if files and not target.exists():
        reserve(target)
    for file in files:
        total = MmapedDict(str(target))
        for key, value, _at, _position in MmapedDict.read_all_values_from_file(str(file)):
            total.write_value(key, total.read_value(key)[0] + value, 0.0)
        total.close()
        file.unlink()
