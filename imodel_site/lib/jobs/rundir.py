"""What the processes of one machine tell each other through files: signs of life, and when to stop."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings


def path(name: str) -> Path:
    """A file of RUN_DIR."""
    return Path(settings.RUN_DIR) / name


def beat(lane: str) -> None:
    """This lane works: a wake-up arrived, a job was claimed or its lease renewed. Needs no space on a full disk."""
    touch(path(f"{lane}.beat"))


def touch(file: Path) -> None:
    """Set a file's time to now, making it if need be; a disk that is full must not stop a job."""
    with suppress(OSError):
        file.touch(mode=0o600)


def note(file: Path, facts: Mapping[str, Any]) -> None:
    """Leave facts for whoever looks at this machine; whole or, on a full disk, as they were."""
    aside = file.with_name(f"{file.name}-new")
    with suppress(OSError):
        aside.write_text(json.dumps(facts))
        aside.replace(file)


def age(file: Path) -> float:
    """Seconds since a file was touched; infinite when there is none. One of the future was touched by another clock."""
    try:
        return abs(time.time() - file.stat().st_mtime)
    except OSError:
        return float("inf")


def start_draining(lane: str, grace: float) -> None:
    """Claim nothing more; jobs that still run after ``grace`` seconds are handed back."""
    file = path(f"{lane}.drain")
    aside = file.with_suffix(".drain-new")
    aside.write_text(str(time.monotonic() + grace))
    aside.replace(file)


def stop_draining(lane: str) -> None:
    """Claims are welcome again."""
    path(f"{lane}.drain").unlink(missing_ok=True)


def drain_deadline(lane: str) -> float | None:
    """When the grace period ends (``time.monotonic``, which all processes of a machine share); None: no draining."""
    try:
        return float(path(f"{lane}.drain").read_text())
    except (OSError, ValueError):
        return None


def ask_for_sign(lane: str) -> None:
    """The supervisor's probe: the lane's cluster answers it with a beat."""
    touch(path(f"{lane}.probe"))


def take_probe(lane: str) -> bool:
    """Whether a probe is there; it is gone afterwards."""
    try:
        path(f"{lane}.probe").unlink()
    except OSError:
        return False
    return True
