"""One child process in a process group of its own, whose output is read line by line."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

Sink = Callable[[str, str], None]
PR_SET_PDEATHSIG = 1
BURIAL = 2.0  # seconds
LAST_WORDS = 15  # lines of output that are shown when a child dies


@dataclass(frozen=True)
class Spec:
    """What to run. ``grace`` is how many seconds it may take to stop by itself."""

    name: str
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    grace: float


@dataclass
class Child:
    """A running process; a new one is made for each start."""

    spec: Spec
    process: subprocess.Popen[str]
    started: float = field(default_factory=time.monotonic)
    last_words: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_WORDS))

    @property
    def age(self) -> float:
        """Seconds since it started."""
        return time.monotonic() - self.started

    @property
    def status(self) -> int | None:
        """Exit status, negative for a signal; None while it runs."""
        return self.process.poll()

    def ask_to_stop(self) -> None:
        """SIGTERM to the process itself: it knows best in which order its own children go."""
        if self.status is None:
            self.process.terminate()

    def end(self, deadline: float) -> bool:
        """Wait until ``deadline`` (monotonic), then leave nobody of its group behind. True if it went by itself."""
        try:
            self.process.wait(max(0.0, deadline - time.monotonic()))
            went = True
        except subprocess.TimeoutExpired:
            went = False
        self._kill_group()
        self.process.wait()
        return went

    def _kill_group(self) -> None:
        """Death comes a moment after the signal: whoever is told that all has stopped must find it so."""
        until = time.monotonic() + BURIAL
        with contextlib.suppress(ProcessLookupError, PermissionError):
            while time.monotonic() < until:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.poll()
                time.sleep(0.01)


def start(spec: Spec, sink: Sink) -> Child:
    """Start it and a thread that reads what it says."""
    process = subprocess.Popen(
        list(spec.command),
        cwd=spec.folder,
        env=dict(spec.environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
        preexec_fn=_die_with_parent(),
    )
    child = Child(spec, process)
    threading.Thread(target=_pump, args=(child, sink), daemon=True, name=f"output of {spec.name}").start()
    return child


def _pump(child: Child, sink: Sink) -> None:
    assert child.process.stdout is not None
    for line in child.process.stdout:
        child.last_words.append(line.rstrip("\n"))
        sink(child.spec.name, line.rstrip("\n"))


def _die_with_parent() -> Callable[[], None] | None:
    """On Linux a child gets SIGTERM when the supervisor is killed without a chance to stop it."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)  # loaded before the fork: after it, only async-signal-safe calls are allowed
    return lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
