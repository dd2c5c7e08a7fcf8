"""diffusers' own LoRA training script run as it is, and watched: the peer of bench.lora_training.

The script is read from a checkout of diffusers (``examples/text_to_image``), compiled and run; nothing of it is kept
here. Four things are put around it, none of them in its loop: the two packages it imports and we do not install
(``datasets`` for a folder of pictures, ``torchvision`` for resizing, cropping and scaling them) are stood in for where
they are missing; batches come in a given order; what it draws at random comes from a given list, so that its losses can
be held against ours; each step's loss and moment are noted when it logs them.
"""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import json
import subprocess
import sys
import time
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from PIL import Image

SCRIPTS = {
    False: "examples/text_to_image/train_text_to_image_lora.py",
    True: "examples/text_to_image/train_text_to_image_lora_sdxl.py",
}


@dataclass
class Watched:
    """What the script's steps were."""

    losses: list[float] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Given:
    """What a run of the script is given.

    Attributes:
        arguments: its command line.
        rows: (picture, caption) of every place of every batch, in order.
        draws: posterior, noise and timesteps of every batch.
        seed: set just before its LoRA is initialised.
    """

    arguments: Sequence[str]
    rows: Sequence[tuple[Path, str]]
    draws: Sequence[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]
    seed: int


def read_script(checkout: Path, *, xl: bool) -> str:
    """The script's text, from a work tree or from a git directory without one."""
    path = checkout / SCRIPTS[xl]
    if path.is_file():
        return path.read_text()
    command = ["git", "-C", str(checkout), "show", f"HEAD:{SCRIPTS[xl]}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def run_script(text: str, given: Given, *, memory: Callable[[], int]) -> Watched:
    """Run the script's ``main`` in this process."""
    import accelerate
    import diffusers
    import transformers  # noqa: F401  before the stand-ins are there: it looks for torchvision when it is imported

    watched = Watched()
    module = types.ModuleType("plain_script")
    with contextlib.ExitStack() as stack:
        for place in standing_in(given.rows):
            stack.enter_context(place)
        stack.enter_context(mock.patch.object(diffusers.utils, "check_min_version", lambda version: None))
        stack.enter_context(mock.patch.object(sys, "argv", ["script", *given.arguments]))
        stack.enter_context(
            mock.patch.object(accelerate.Accelerator, "log", logging_into(watched, memory, len(given.draws)))
        )
        stack.enter_context(mock.patch.object(accelerate.Accelerator, "init_trackers", lambda *a, **k: None))
        stack.enter_context(reseeded(given.seed))
        exec(compile(text, "plain_script.py", "exec"), module.__dict__)  # noqa: S102  the peer itself, from its checkout
        for place in drawing(given.draws):
            stack.enter_context(place)
        stack.enter_context(contextlib.suppress(Finished))
        module.main(*([module.parse_args()] if inspect.signature(module.main).parameters else []))
    return watched


class Finished(Exception):
    """The last step is done; what the script does afterwards is not looked at."""


def logging_into(watched: Watched, memory: Callable[[], int], steps: int) -> Callable[..., None]:
    """In place of ``Accelerator.log``."""

    def log(accelerator: Any, values: dict[str, float], **named: Any) -> None:
        watched.losses.append(float(values["train_loss"]))
        watched.moments.append(time.perf_counter())
        watched.busy.append(time.process_time())
        watched.memory.append(memory())
        if len(watched.losses) == steps:
            raise Finished

    return log


@contextlib.contextmanager
def reseeded(seed: int) -> Iterator[None]:
    """While open, a LoRA is initialised from ``seed``, whatever was drawn before."""
    from diffusers import UNet2DConditionModel

    original = UNet2DConditionModel.add_adapter

    def add_adapter(unet: Any, *arguments: Any, **named: Any) -> Any:
        torch.manual_seed(seed)
        return original(unet, *arguments, **named)

    with mock.patch.object(UNet2DConditionModel, "add_adapter", add_adapter):
        yield


def drawing(draws: Sequence[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]) -> Iterator[Any]:
    """torch's random functions answer from the list: the posterior's noise, the noise, the timesteps."""
    posteriors, noises, moments = (iter(column) for column in zip(*draws, strict=True))
    randn = torch.randn

    def some(*shape: Any, **named: Any) -> torch.Tensor:
        size = tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else tuple(shape)
        if size != tuple(draws[0][0].shape):
            return randn(*shape, **named)
        return next(posteriors).to(named.get("device", "cpu"), named.get("dtype"))

    yield mock.patch.object(torch, "randn", some)
    yield mock.patch.object(torch, "randn_like", lambda like, **named: next(noises).to(like))
    yield mock.patch.object(torch, "randint", lambda *a, device=None, **named: next(moments).to(device or "cpu"))


def standing_in(rows: Sequence[tuple[Path, str]]) -> Iterator[Any]:
    """Modules in the place of those that are missing, and a loader that keeps the order."""
    found = {"datasets": datasets_of(rows)}
    if importlib.util.find_spec("torchvision") is None:
        found |= vision()
    yield mock.patch.dict(sys.modules, found)
    # What the loader makes of shuffle=True.
    yield mock.patch.object(torch.utils.data.dataloader, "RandomSampler", in_order)


def in_order(rows: Any, **named: Any) -> Any:
    """A sampler that keeps the order."""
    return torch.utils.data.SequentialSampler(rows)


class Rows(torch.utils.data.Dataset):  # type: ignore[type-arg]
    """A folder of pictures as ``datasets`` hands it out: rows are read and transformed when they are asked for."""

    column_names = ("image", "text")

    def __init__(self, rows: Sequence[tuple[Path, str]], transform: Callable[..., Any] | None = None) -> None:
        self._rows, self._transform = rows, transform

    def with_transform(self, transform: Callable[..., Any], **named: Any) -> Rows:
        return Rows(self._rows, transform)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        path, text = self._rows[index]
        assert self._transform is not None
        return {
            key: values[0] for key, values in self._transform({"image": [Image.open(path)], "text": [text]}).items()
        }


def datasets_of(rows: Sequence[tuple[Path, str]]) -> types.ModuleType:
    """As much of ``datasets`` as the scripts use."""
    module = _module("datasets")
    quiet = types.SimpleNamespace(set_verbosity_warning=lambda: None, set_verbosity_error=lambda: None)
    module.utils = types.SimpleNamespace(logging=quiet)  # type: ignore[attr-defined]
    module.load_dataset = lambda *arguments, **named: {"train": Rows(rows)}  # type: ignore[attr-defined]
    return module


class InterpolationMode(Enum):
    LANCZOS = "lanczos"
    BILINEAR = "bilinear"


class Same:
    def __init__(self, *arguments: Any, **named: Any) -> None:
        pass

    def __call__(self, picture: Any) -> Any:
        return picture


class Compose:
    def __init__(self, steps: Sequence[Callable[[Any], Any]]) -> None:
        self.steps = steps

    def __call__(self, picture: Any) -> Any:
        for step in self.steps:
            picture = step(picture)
        return picture


def vision() -> dict[str, types.ModuleType]:
    """As much of ``torchvision.transforms`` as the scripts use; the pictures have their size already."""
    transforms, functional = _module("torchvision.transforms"), _module("torchvision.transforms.functional")

    def to_tensor() -> Callable[[Image.Image], torch.Tensor]:
        return lambda picture: torch.tensor(np.asarray(picture)).permute(2, 0, 1).contiguous().float().div(255)

    def normalize(mean: list[float], deviation: list[float]) -> Callable[[torch.Tensor], torch.Tensor]:
        return lambda x: (x - mean[0]) / deviation[0]

    for name in ("Resize", "CenterCrop", "RandomCrop", "RandomHorizontalFlip", "Lambda"):
        setattr(transforms, name, Same)
    transforms.InterpolationMode, transforms.Compose = InterpolationMode, Compose  # type: ignore[attr-defined]
    transforms.ToTensor, transforms.Normalize = to_tensor, normalize  # type: ignore[attr-defined]
    functional.crop = lambda picture, top, left, height, width: picture  # type: ignore[attr-defined]
    top = _module("torchvision")
    top.transforms = transforms  # type: ignore[attr-defined]
    names = ("torchvision", "torchvision.transforms", "torchvision.transforms.functional")
    return dict(zip(names, (top, transforms, functional), strict=True))


def _module(name: str) -> types.ModuleType:
    module = types.ModuleType(name)
    module.__spec__ = ModuleSpec(name, None)
    return module


def main() -> None:
    """``python -m bench.lora_plain JOB.json``: the process that bench.lora_training starts; prints one line of JSON."""
    from bench.lora_training import Job, draws_of, picks_of, process_memory, rows_of, script_arguments

    job = Job.read(Path(sys.argv[1]))
    torch.set_num_threads(job.threads)
    picks = picks_of(job)
    given = Given(script_arguments(job), rows_of(job, picks), draws_of(job), job.seed)
    started = time.perf_counter()
    with contextlib.redirect_stdout(sys.stderr):
        watched = run_script(read_script(job.checkout, xl=job.xl), given, memory=lambda: process_memory(job.device))
    print(json.dumps({**vars(watched), "started": started}))


if __name__ == "__main__":
    main()
