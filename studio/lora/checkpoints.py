"""Checkpoints on disk: written aside and renamed into place whole, found again after a kill, thinned out.

``step-000123/adapter.safetensors`` (diffusers' layout), ``state.safetensors`` (the float32 weights and the optimiser's
tensors) and ``state.json`` (everything else, and the hashes of both). Nothing random is stored: what is drawn at a step
is a function of the plan's seed and the step (:func:`studio.lora.noise.draw`).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from studio.errors import InputError
from studio.files import write_all
from studio.lora.types import Checkpoint

ADAPTER, TENSORS, RECORD = "adapter.safetensors", "state.safetensors", "state.json"
FOLDER = re.compile(r"step-(\d{6,})")
RESUMABLE = 2  # checkpoints that keep their state: the last, and one more should that be damaged
FORMAT = 1


@dataclass(frozen=True)
class State:
    """What a training goes on from.

    Attributes:
        step: optimiser steps done.
        identity: plan and hashes, as JSON; another training's state is refused by it.
        tensors: the adapter's parameters as ``adapter.NAME``, the optimiser's as ``optimizer.INDEX.NAME``.
        groups: the optimiser's numbers, by group.
        scaler: the fp16 scaler's numbers, empty otherwise.
        averages: sums behind the smoothed loss.
        validations: (step, loss) so far.
    """

    step: int
    identity: Mapping[str, Any]
    tensors: Mapping[str, torch.Tensor]
    groups: list[dict[str, Any]]
    scaler: Mapping[str, Any]
    averages: Mapping[str, float]
    validations: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Measured:
    """How good a checkpoint is, as far as known."""

    train_loss: float
    smoothed_loss: float
    validation_loss: float | None
    similarity: float | None


def write_checkpoint(out: Path, state: State, adapter: bytes, measured: Measured) -> Checkpoint:
    """Write a checkpoint's folder; one of the same step is replaced.

    Raises:
        StorageError: ``disk_full`` and the like; the checkpoints before it stay as they are.
    """
    home = out / f"step-{state.step:06d}"
    aside = out / f".{home.name}.{secrets.token_hex(6)}.part"
    aside.mkdir(parents=True)
    try:
        tensors = bytes(save(dict(state.tensors)))
        record = _record(state, measured, {ADAPTER: _sha(adapter), TENSORS: _sha(tensors)})
        text = json.dumps(record, sort_keys=True).encode()
        write_all({aside / ADAPTER: adapter, aside / TENSORS: tensors, aside / RECORD: text})
        if home.exists():
            os.rename(home, aside.with_suffix(".old"))
        os.rename(aside, home)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        shutil.rmtree(aside.with_suffix(".old"), ignore_errors=True)
    _flush(out)
    return _checkpoint(home, record)


def read_checkpoints(out: Path) -> tuple[Checkpoint, ...]:
    """The whole checkpoints of a training, in order of their steps."""
    found = ((folder, _read_record(folder)) for folder in _folders(out))
    return tuple(_checkpoint(folder, record) for folder, record in found if record is not None)


def last_state(out: Path, *, identity: Mapping[str, Any]) -> State | None:
    """What to go on from: the last checkpoint whose files are what their hashes say; None to start anew.

    Raises:
        InputError: ``training_differs`` when the folder holds a training of another plan, base or data.
    """
    for folder in reversed(_folders(out)):
        record = _read_record(folder)
        if record is None:
            continue
        if record["identity"] != identity:
            raise InputError(
                "training_differs",
                f"{out} holds a training with another plan, base or pictures. Give it back, or choose a new folder.",
            )
        tensors = _read_tensors(folder, record)
        if tensors is not None:
            return _state(record, tensors)
    return None


def thin_out(out: Path, *, keep: int) -> None:
    """Remove what is no longer needed: states beyond the last two, adapters beyond the last ``keep`` (0: all stay)."""
    folders = _folders(out)
    for folder in folders[:-RESUMABLE]:
        (folder / TENSORS).unlink(missing_ok=True)
    for folder in folders[:-keep] if keep else []:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(out: Path) -> None:
    """Remove what a killed writer left aside."""
    for left in out.glob(".step-*.part"):
        shutil.rmtree(left, ignore_errors=True)
    for left in out.glob(".step-*.old"):
        shutil.rmtree(left, ignore_errors=True)


def pack(parameters: Mapping[str, torch.Tensor], optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """Copies on the CPU of the adapter's and the optimiser's tensors."""
    packed = {f"adapter.{name}": value.detach().cpu().contiguous() for name, value in parameters.items()}
    for index, entry in optimizer.state_dict()["state"].items():
        for name, value in entry.items():
            packed[f"optimizer.{index}.{name}"] = torch.as_tensor(value).cpu().contiguous()
    return packed


def unpack(state: State, parameters: Mapping[str, torch.Tensor], optimizer: torch.optim.Optimizer) -> None:
    """Put a state's tensors and numbers back where :func:`pack` found them."""
    with torch.no_grad():
        for name, value in parameters.items():
            value.copy_(state.tensors[f"adapter.{name}"])
    entries: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in state.tensors.items():
        if name.startswith("optimizer."):
            _, index, key = name.split(".", 2)
            entries.setdefault(int(index), {})[key] = tensor
    now = optimizer.state_dict()["param_groups"]
    groups = [{**group, **_listed(saved)} for group, saved in zip(now, state.groups, strict=True)]
    optimizer.load_state_dict({"state": entries, "param_groups": groups})


def group_numbers(optimizer: torch.optim.Optimizer) -> list[dict[str, Any]]:
    """What an optimiser keeps in its groups beside the parameters, JSON-ready."""
    return [
        {key: value for key, value in group.items() if key != "params" and isinstance(value, int | float | tuple)}
        for group in optimizer.state_dict()["param_groups"]
    ]


def _listed(group: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in group.items()}


def _record(state: State, measured: Measured, hashes: Mapping[str, str]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "step": state.step,
        "identity": dict(state.identity),
        "sha256": dict(hashes),
        "measured": vars(measured),
        "groups": state.groups,
        "scaler": dict(state.scaler),
        "averages": dict(state.averages),
        "validations": [list(pair) for pair in state.validations],
    }


def _state(record: Mapping[str, Any], tensors: Mapping[str, torch.Tensor]) -> State:
    validations = tuple((int(step), float(loss)) for step, loss in record["validations"])
    names = ("step", "identity", "groups", "scaler", "averages")
    return State(tensors=tensors, validations=validations, **{name: record[name] for name in names})


def _checkpoint(folder: Path, record: Mapping[str, Any]) -> Checkpoint:
    return Checkpoint(
        int(record["step"]), folder, folder / ADAPTER, str(record["sha256"][ADAPTER]), **record["measured"]
    )


def _folders(out: Path) -> list[Path]:
    found = [path for path in out.iterdir() if FOLDER.fullmatch(path.name)] if out.is_dir() else []
    return sorted(found, key=lambda path: int(path.name.removeprefix("step-")))


def _read_record(folder: Path) -> dict[str, Any] | None:
    """The record of a checkpoint whose adapter is there and whole."""
    try:
        record = json.loads((folder / RECORD).read_text())
        whole = record["format"] == FORMAT and _sha((folder / ADAPTER).read_bytes()) == record["sha256"][ADAPTER]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return record if whole else None


def _read_tensors(folder: Path, record: Mapping[str, Any]) -> dict[str, torch.Tensor] | None:
    try:
        content = (folder / TENSORS).read_bytes()
        return dict(load(content)) if _sha(content) == record["sha256"][TENSORS] else None
    except (OSError, SafetensorError):
        return None


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
