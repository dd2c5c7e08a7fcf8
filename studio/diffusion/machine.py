"""The machine a job runs on: which device and number format, how many threads, and the libraries kept quiet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from studio.errors import InputError

if TYPE_CHECKING:
    import torch


def pick_device(name: str | None) -> torch.device:
    """The device asked for, or the best there is; InputError ``device_unknown``."""
    import torch

    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:  # torch asserts when it was built without CUDA
        raise InputError("device_unknown", f"There is no device {name!r} here. Use cpu, or cuda on a GPU.") from error
    return device


def pick_dtype(name: str | None, device: torch.device) -> torch.dtype:
    """The number format asked for, or the usual one of the device; InputError ``dtype_unknown``."""
    import torch

    known = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
    if name is None:
        return torch.float32 if device.type == "cpu" else torch.float16
    if name not in known:
        raise InputError("dtype_unknown", f"There is no dtype {name!r}. Choose one of: {', '.join(known)}.")
    return known[name]


@contextmanager
def settled(device: torch.device, threads: int | None) -> Iterator[None]:
    """While open, the same numbers come out each time: one count of CPU threads, cuDNN's deterministic kernels."""
    import torch

    before = torch.get_num_threads(), torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark
    if threads is not None:
        torch.set_num_threads(threads)
    if device.type == "cuda":
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = before[1], before[2]


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the libraries' advice and bars out of the terminal: we say it in our own words."""
    import logging
    import warnings

    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as bars

    diffusers_logging.get_verbosity()  # sets its logger up: done later, by the first import, it would undo our level
    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    loggers = [logging.getLogger(name) for name in ("diffusers", "transformers", "peft")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="torchsde")  # its own bounds, off by a float's last digit
            warnings.filterwarnings("ignore", module="peft")  # several adapters in one model are what we want
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        if shown:
            bars.enable_progress_bar()


def device_name(device: torch.device) -> str:
    """What to call it in a recipe."""
    import torch

    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
