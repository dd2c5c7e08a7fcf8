"""Out of memory, on either kind of device: recognised, freed, said clearly."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from studio.errors import OutOfMemory

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


@contextmanager
def out_of_memory_as_error(advice: str) -> Iterator[None]:
    """Turn an allocator's failure into ``OutOfMemory`` and free what the job took.

    The error is raised after the ``except`` block: inside of it the traceback would be its context and keep every
    tensor of every frame alive.
    """
    ran_out = False
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        ran_out = True
        _drop_frames(error)
    if ran_out:
        free()
        raise OutOfMemory(f"The device ran out of memory. {advice}")


def _drop_frames(error: BaseException) -> None:
    """Let go of the tracebacks that hold the job's tensors, the chained ones too."""
    link: BaseException | None = error
    while link is not None:
        link.__traceback__ = None
        link = link.__cause__ or link.__context__
