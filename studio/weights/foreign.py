"""The formats beside safetensors: SAM's ``.pth``, ``.npy`` and ONNX, each through one narrow door."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from studio.errors import WeightsError

if TYPE_CHECKING:
    import torch


def load_torch_checkpoint(path: Path) -> Mapping[str, torch.Tensor]:
    """Read SAM's ``.pth`` with ``torch.load(weights_only=True)``: tensors by name on the CPU, and nothing else.

    Args:
        path: a checkpoint of one flat state dict.

    Returns:
        Tensor name to tensor; large files are mapped, not copied, so the file must stay while they are used.

    Raises:
        WeightsError: ``pickle_refused`` when it holds anything but tensors, ``checkpoint_invalid`` when it is damaged.
    """
    import torch

    try:
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=_starts_as_zip(path))
    except pickle.UnpicklingError as error:
        raise _refused(path) from error
    # torch raises RuntimeError for a damaged archive, the others for a file that is none.
    except (RuntimeError, EOFError, ValueError, OSError, KeyError, AttributeError, TypeError) as error:
        raise _damaged(path) from error
    _require_tensors(state, path)
    return dict(state)


def _starts_as_zip(path: Path) -> bool:
    """Whether torch itself will read it as a zip archive: by its first bytes, not by an archive hung on its end."""
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def _require_tensors(state: Any, path: Path) -> None:
    import torch

    if not isinstance(state, Mapping) or not state:
        raise _refused(path)
    if not all(isinstance(key, str) and isinstance(value, torch.Tensor) for key, value in state.items()):
        raise _refused(path)


def _refused(path: Path) -> WeightsError:
    return WeightsError(
        "pickle_refused",
        f"{path.name} holds more than tensors, so opening it could run code. Only a plain state dict is taken.",
    )


def _damaged(path: Path) -> WeightsError:
    return WeightsError(
        "checkpoint_invalid", f"{path.name} is damaged or no PyTorch checkpoint: get it again from where it came from."
    )


def load_npy(path: Path, *, most_bytes: int = 512 << 20) -> NDArray[Any]:
    """The array in a ``.npy`` of plain numbers, mapped read-only; shape x item size must be the bytes that are there.

    Raises:
        WeightsError: ``npy_invalid``; nothing is ever unpickled.
    """
    size = path.stat().st_size
    if size > most_bytes:
        raise _bad_array(path, f"it has {size} bytes, {most_bytes} are allowed")
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError, SyntaxError, TypeError) as error:
        raise _bad_array(path, str(error).splitlines()[0]) from error
    if not isinstance(array, np.memmap) or array.dtype.kind not in "biufc":
        raise _bad_array(path, "it is an archive or holds other things than numbers")
    if array.offset + array.nbytes != size:
        raise _bad_array(path, f"its header states shape {array.shape}, the file has another size")
    return array


def _bad_array(path: Path, why: str) -> WeightsError:
    return WeightsError("npy_invalid", f"{path.name} is not an array of plain numbers ({why}). It is not taken.")


def check_onnx(path: Path, *, sha256: str | None) -> None:
    """Let an ONNX graph pass only when it is one of ours, by hash; ``sha256`` None is a user's file.

    Raises:
        WeightsError: ``onnx_refused``.
    """
    if sha256 is not None:
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() == sha256:
                return
    raise WeightsError(
        "onnx_refused", f"{path.name} is an ONNX graph that we did not make. Only our own are run: import safetensors."
    )
