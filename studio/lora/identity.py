"""What an adapter was made from, as hashes: equal pictures, base and plan are equal trainings."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from studio.dataset.types import DataSet
from studio.diffusion.types import FamilyFiles
from studio.errors import InputError
from studio.weights.disk import file_hash


@dataclass(frozen=True)
class Identity:
    """SHA-256 of the base's denoiser, of the data, and of the adapter that it begins with; empty: begun anew."""

    base: str
    data: str
    start: str = ""


def identity_of(files: FamilyFiles, dataset: DataSet, start: Path | None = None) -> Identity:
    """Read and hash them; InputError ``picture_missing``, ``adapter_missing``."""
    if start is not None and not start.is_file():
        raise InputError("adapter_missing", f"There is no adapter at {start}.")
    return Identity(base_hash(files), data_hash(dataset), "" if start is None else file_hash(start))


def base_hash(files: FamilyFiles) -> str:
    """Over the denoiser's weight files, in the order of their names."""
    folder = next(part.folder for part in files.parts if part.name == "unet")
    total = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        total.update(f"{path.name} {file_hash(path)}\n".encode())
    return total.hexdigest()


def data_hash(dataset: DataSet) -> str:
    """Over every entry's pixels as stored, mask, text and settings, in order; where the files lie does not matter."""
    total = hashlib.sha256(json.dumps(dataset.trigger).encode())
    for entry in dataset.entries:
        plain = {
            "image": _hash(entry.image),
            "mask": None if entry.mask is None else _hash(entry.mask),
            "settings": [entry.caption, entry.view, entry.repeats, entry.flip, entry.kind, entry.held_out],
        }
        total.update(json.dumps(plain, sort_keys=True).encode())
    return total.hexdigest()


def _hash(path: Path) -> str:
    try:
        return file_hash(path)
    except OSError as error:
        raise InputError("picture_missing", f"{path} is not there or can not be read.") from error
