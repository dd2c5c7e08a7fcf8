"""Out of memory, on either kind of device: recognised, freed, said clearly."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TypeVar

from studio.errors import OutOfMemory

Result = TypeVar("Result")
# What torch's allocators say in a plain RuntimeError.
CPU_SIGNS = ("can't allocate memory", "not enough memory", "defaultcpuallocator", "out of memory", "alloc_cpu")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether this is the machine's memory running out, and not a bug."""
    import torch

    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in CPU_SIGNS)


def free() -> None:
    """Give back what nobody holds any more."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def guarded(work: Callable[[], Result], *, advice: str) -> Result:
    """Run ``work``; when the memory runs out, free what it took and say so.

    The error is raised after the ``except`` block: inside of it, or from a context manager, the allocator's error would
    be its context, whose traceback keeps every tensor of every frame alive.

    Raises:
        OutOfMemory: with ``advice`` for the caller; the next job may run.
    """
    try:
        return work()
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        _drop_frames(error)
    free()
    raise OutOfMemory(f"The device ran out of memory. {advice}")


def _drop_frames(error: BaseException) -> None:
    """Let go of the tracebacks that hold the job's tensors, the chained ones too."""
    link: BaseException | None = error
    while link is not None:
        link.__traceback__ = None
        link = link.__cause__ or link.__context__
