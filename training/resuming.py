"""How a training goes on after its worker was lost: a folder of this machine, and the last checkpoint in storage.

WORK_DIR/<merchant>/kept-training-<id>/<token>/   what a claim's executor writes; a later claim begins with a copy of it

Each claim has a folder of its own, so that an executor whose worker was lost, and which does not know it yet, writes
into nobody's way. Where storage knows of a later step than this machine, or no folder is left, all checkpoints come
back from storage: the newest to go on from, the others to choose among at the end. A folder gets its name once it is
whole.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

from imodel_site.lib import storage, workplace
from imodel_site.lib.scope import unscoped
from training.models import Checkpoint, Training

KEPT = "training"
STEP = re.compile(r"step-(\d{6,})")
# As the trainer names the files of a checkpoint (studio.lora.checkpoints), which web processes may not import.
ADAPTER, TENSORS = "adapter.safetensors", "state.safetensors"


def wanted(rest: str) -> bool:
    """Whether a kept folder may still be gone on with: its training has not ended."""
    with suppress(ValueError), unscoped("which trainings' folders are still needed"):
        return bool(Training.objects.filter(pk=UUID(rest), finished_at=None).exists())
    return False


def place(training: Training, token: int) -> Path:
    """The claim's own folder, with what earlier ones left in it."""
    home = workplace.kept(training.merchant_id, f"{KEPT}-{training.pk}")
    own, aside = home / str(token), home / f".{token}.part"
    earlier = _latest(home, before=token)
    for place in (own, aside):
        shutil.rmtree(place, ignore_errors=True)
    if earlier is not None and max(steps_in(earlier)) >= newest_step(training):
        shutil.copytree(earlier, aside, ignore=shutil.ignore_patterns(".*"), copy_function=_cheaply)
    else:
        aside.mkdir(mode=0o700)
        _restore(training, aside)
    os.rename(aside, own)
    return own


def newest_step(training: Training) -> int:
    """Of the newest checkpoint that storage can go on from; 0 when there is none."""
    found = Checkpoint.objects.filter(training=training, state__has_key=TENSORS).order_by("-step").first()
    return 0 if found is None else int(found.step)


def _latest(home: Path, *, before: int) -> Path | None:
    """The newest folder of an earlier claim that holds a checkpoint."""
    tokens = sorted((int(found.name) for found in home.iterdir() if found.name.isdecimal()), reverse=True)
    for token in tokens:
        if token < before and next(steps_in(home / str(token)), None) is not None:
            return home / str(token)
    return None


def steps_in(folder: Path) -> Iterator[int]:
    """The steps of the checkpoints that lie in a folder."""
    for found in folder.iterdir():
        if (match := STEP.fullmatch(found.name)) and (found / ADAPTER).is_file():
            yield int(match[1])


def _cheaply(source: str, target: str) -> None:
    """Weights are renamed into place whole and never written again: another name for them is as good as a copy.

    A stale executor may still thin out what it made; what is gone by now was not needed.
    """
    with suppress(FileNotFoundError):
        if source.endswith(".safetensors"):
            os.link(source, target)
        else:
            shutil.copy2(source, target)


def _restore(training: Training, folder: Path) -> None:
    """Every stored checkpoint as the trainer wrote it; only the newest still has what it is gone on from."""
    for found in Checkpoint.objects.filter(training=training).exclude(state={}).order_by("step"):
        step = folder / f"step-{found.step:06d}"
        step.mkdir(mode=0o700)
        for name, key in {**found.state, ADAPTER: found.key}.items():
            (step / name).write_bytes(storage.read(key))


def forget(training: Training) -> None:
    """It has ended: nobody goes on with it."""
    workplace.drop(training.merchant_id, f"{KEPT}-{training.pk}")


def files_of(folder: Path) -> dict[str, Path]:
    """What a checkpoint's folder holds, by name."""
    return {found.name: found for found in sorted(folder.iterdir()) if found.is_file()}


def keys_of(checkpoint: Any) -> Iterator[str]:
    """Every file that a checkpoint refers to."""
    yield checkpoint.key
    yield from checkpoint.state.values()
