"""Array arithmetic inside a web process: on a thread whose stack it fits on.

Granian's threads have Rust's 2 MiB. A matrix kernel of OpenBLAS takes more than half a MiB of that in one frame, and so
does the next: on top of a page's own frames it ran past the end and took the web process with it (seen on
``studio.pose.solve``, a segmentation fault in libopenblas).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")
STACK = 32 * 2**20  # bytes, of which only what is used is ever backed by memory
_starting = threading.Lock()


def on_wide_stack(work: Callable[[], Result]) -> Result:
    """What ``work()`` gives, or raises. It must not touch the database: connections belong to threads."""
    given: list[Result] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            given.append(work())
        except BaseException as error:  # noqa: BLE001  # raised again by whoever waits
            raised.append(error)

    _start(run).join()
    if raised:
        raise raised[0]
    return given[0]


def _start(run: Callable[[], None]) -> threading.Thread:
    """The size is the process's: it holds for whatever thread starts meanwhile, which does no harm."""
    with _starting:
        before = threading.stack_size(STACK)
        try:
            thread = threading.Thread(target=run, name="wide-stack", daemon=True)
            thread.start()
        finally:
            threading.stack_size(before)
    return thread
