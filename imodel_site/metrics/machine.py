"""What this machine knows without the database: signs of life of its workers, executors, disks."""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import django
from django.conf import settings

from imodel_site.lib.jobs import rundir
from imodel_site.lib.jobs.pace import pace
from imodel_site.metrics import catalogue
from imodel_site.metrics.catalogue import Family

Sample = tuple[Family, Sequence[str], float]


def samples() -> Iterator[Sample]:
    """All of it; some tenths of a millisecond."""
    yield catalogue.BUILD, (release(), django.get_version(), platform.python_version()), 1.0
    yield from _beats()
    yield from _executors()
    yield from _disks()


@lru_cache(maxsize=1)
def release() -> str:
    """Of the installed package."""
    try:
        return version("imodel")
    except PackageNotFoundError:
        return "unknown"


def _beats() -> Iterator[Sample]:
    """A lane that should work here and never did has no age; the alert asks for its absence as well."""
    for lane in settings.LANES:
        file = rundir.path(f"{lane}.beat")
        if settings.WORKERS[lane] and file.exists():
            yield catalogue.BEAT_AGE, (lane,), rundir.age(file)


def _executors() -> Iterator[Sample]:
    for file in sorted(Path(settings.RUN_DIR).glob("*-*.pong")):
        lane, _dash, number = file.stem.rpartition("-")
        try:
            pong = json.loads(file.read_text())
        except (OSError, ValueError):
            continue
        up = rundir.age(file) < 4 * pace().ping
        yield catalogue.EXECUTOR_UP, (lane, number), float(up)
        if up:
            yield catalogue.EXECUTOR_MEMORY, (lane, number), float(pong.get("rss", 0))
            yield from _gpus(lane, number, pong.get("gpus") or [])


def _gpus(lane: str, number: str, gpus: list[dict[str, Any]]) -> Iterator[Sample]:
    for gpu in gpus:
        for kind in ("allocated", "reserved", "total"):
            yield catalogue.GPU_MEMORY, (lane, number, str(gpu["device"]), kind), float(gpu[kind])


def _disks() -> Iterator[Sample]:
    places = {"data": Path(settings.DATA_DIR), "temporary": Path(os.environ.get("TMPDIR", "/tmp"))}
    for place, folder in places.items():
        if folder.exists():
            yield catalogue.DISK_FREE, (place,), float(shutil.disk_usage(folder).free)
