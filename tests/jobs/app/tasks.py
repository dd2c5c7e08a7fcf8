"""The runners of the test app."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

from imodel_site.lib.errors import Refused
from imodel_site.lib.jobs.executors import borrow
from imodel_site.lib.jobs.registry import runner
from imodel_site.lib.jobs.work import Retry, Work
from studio.errors import InputError
from tests.jobs.app.models import Errand, Line, Painting

RAISES: dict[str, Exception] = {
    "refused": Refused("too_odd", "That is too odd. Take another."),
    "studio": InputError("photo_too_large", "The photo is too large. Take a smaller one."),
    "retry": Retry("the weather"),
    "bug": KeyError("secret-detail"),
}


@runner(Errand)
def run(work: Work) -> None:
    """Carry out the plan, then finish with one line in the ledger."""
    Line.objects.create(job=work.job.pk, kind="started", token=work.token)
    for step, value in work.job.plan:
        _STEPS[step](work, value)
    work.finish(lambda: _line(work, "result"))


def _line(work: Work, kind: str) -> None:
    Line.objects.create(job=work.job.pk, kind=kind, token=work.token)


def _sleep(work: Work, seconds: float) -> None:
    for part in range(int(seconds / 0.05)):
        work.progress("sleep", part * 0.05 / seconds)
        work.stop_if_asked()
        threading.Event().wait(0.05)


def _stubborn(work: Work, seconds: float) -> None:
    threading.Event().wait(seconds)


def _raise(work: Work, name: str) -> None:
    raise RAISES[name]


def _die(work: Work, times: int) -> None:
    if work.token <= times:
        os.kill(os.getpid(), signal.SIGKILL)


def _write(work: Work, folder: str) -> None:
    """A file of 200 kB, flushed, as a picture would be; the folder's disk may be full."""
    with Path(folder, f"{work.job.pk}-{work.token}").open("wb") as file:
        file.write(b"x" * 200_000)
        file.flush()
        os.fsync(file.fileno())


def _note(work: Work, value: int) -> None:
    """When the runner began, for bench/jobs.py."""
    Line.objects.create(job=work.job.pk, kind=f"at {time.time():.6f}", token=work.token)


_STEPS: dict[str, Any] = {
    "sleep": _sleep,
    "stubborn": _stubborn,
    "raise": _raise,
    "die": _die,
    "write": _write,
    "note": _note,
}


@runner(Painting)
def paint(work: Work) -> None:
    """One request to the executor."""
    with borrow(work.lane) as executor:
        executor.run(
            {**work.job.order, "id": f"{work.job.pk}/{work.token}"},
            on_event=lambda event: work.progress(event.get("stage", "start"), event.get("fraction", 0.0)),
            should_cancel=work.should_stop,
        )
    work.finish(lambda: _line(work, "result"))
