"""Whoever embeds photos, by family: the bundled one through onnxruntime, SAM's three sizes through torch.

An embedder of a SAM family also brings the decoder that goes with it: exported to ONNX once, beside the weights.
"""

from __future__ import annotations

import atexit
import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.errors import InputError, StorageError
from studio.files import write_all
from studio.segmentation.bundled import ENCODER, FAMILY, bundled, encoder_name
from studio.weights.registry import FAMILIES
from studio.weights.store import family_hashes, locate, weights_root
from studio.weights.types import LocatedWeights, Task

if TYPE_CHECKING:
    from studio.segmentation.sam import Sam

DECODERS = ".decoders"
THREADS = 2


@dataclass(frozen=True)
class DecoderFile:
    """An exported decoder."""

    path: Path
    sha256: str


class Embedder(Protocol):
    """Embeds photos."""

    encoder: str
    """Embeddings and decoders of the same name belong together: ``<family>:<12 digits of the weights' hash>``."""

    def embed(self, image: Image.Image) -> NDArray[np.float32]:
        """(1, 256, 64, 64) float32."""

    def decoder(self) -> DecoderFile | None:
        """The decoder that goes with it; None for the bundled one, which everybody has."""


def bring_up(family: str, *, device: str | None) -> Embedder:
    """The embedder of a family.

    Args:
        family: ``sam_mini``, ``sam_vit_b``, ``sam_vit_l`` or ``sam_vit_h``.
        device: of the torch ones; None for the best there is.

    Raises:
        InputError: ``segmentation_unknown``.
        WeightsError: ``weights_missing``, ``weights_damaged``, and those of ``sam_weights.load``.
    """
    if family == FAMILY:
        return _Mini()
    if family not in families():
        raise InputError("segmentation_unknown", f"Photos can be embedded by {', '.join(families())}; not {family!r}.")
    return _Sam(locate(family), device)


def families() -> tuple[str, ...]:
    """Every family that embeds photos."""
    sams = (name for name, one in FAMILIES.items() if Task.SEGMENT in one.tasks and one.architecture == "sam")
    return (FAMILY, *(name for name in sams if name != FAMILY))


class _Mini:
    def __init__(self) -> None:
        from studio.segmentation.onnx_encode import OnnxEncoder

        self.encoder = bundled().encoder
        self._encoder = OnnxEncoder(bundled().read(ENCODER), threads=THREADS)

    def embed(self, image: Image.Image) -> NDArray[np.float32]:
        return self._encoder.embed(image)

    def decoder(self) -> DecoderFile | None:
        return None


class _Sam:
    def __init__(self, located: LocatedWeights, device: str | None) -> None:
        from studio.segmentation.sam import Sam

        file = located.components["checkpoint"]
        sha256 = family_hashes(located)[file.relative_to(located.root).as_posix()]
        self.encoder = encoder_name(located.family.name, sha256)
        variant: Any = located.family.variant
        self._sam = Sam.load(file, architecture=variant, device=device or _best_device())
        self._decoder: DecoderFile | None = None

    def embed(self, image: Image.Image) -> NDArray[np.float32]:
        return self._sam.embed(image)

    def decoder(self) -> DecoderFile | None:
        if self._decoder is None:
            self._decoder = self._exported(self.encoder.replace(":", "-"))
        return self._decoder

    def _exported(self, name: str) -> DecoderFile:
        """The decoder beside the weights, exported when it is not there yet or not what was recorded with it.

        A folder that can not be written to is no reason to fail: then it lies in a temporary one, for this process.
        """
        home = weights_root() / DECODERS
        found = _recorded(home, name)
        if found is not None:
            return found
        data = _export(self._sam)
        try:
            home.mkdir(parents=True, exist_ok=True)
            return _record(home, name, data)
        except (OSError, StorageError):
            folder = tempfile.mkdtemp(prefix="imodel-decoder-")
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            return _record(Path(folder), name, data)


def _best_device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _recorded(home: Path, name: str) -> DecoderFile | None:
    path = home / f"{name}.onnx"
    try:
        said = path.with_suffix(".sha256").read_text(encoding="ascii").strip()
        whole = hashlib.sha256(path.read_bytes()).hexdigest() == said
    except (OSError, ValueError):
        return None
    return DecoderFile(path, said) if whole else None


def _record(home: Path, name: str, data: bytes) -> DecoderFile:
    path, sha256 = home / f"{name}.onnx", hashlib.sha256(data).hexdigest()
    write_all({path: data, path.with_suffix(".sha256"): f"{sha256}\n".encode()})
    return DecoderFile(path, sha256)


def _export(sam: Sam) -> bytes:
    with tempfile.TemporaryDirectory(prefix="imodel-decoder-") as folder:
        path = Path(folder, "decoder.onnx")
        sam.export_decoder(path)
        return path.read_bytes()
