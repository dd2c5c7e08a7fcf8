"""The bundled segmenter's files: which they are, and that they are what was trained. Standard library only.

``sam_mini`` is a light encoder with SAM's own mask decoder, both as ONNX; ``card.json`` beside them holds their hashes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from studio.errors import WeightsError

FAMILY = "sam_mini"
FOLDER = Path(__file__).resolve().parent / "weights" / "sam_mini"
ENCODER, DECODER = "encoder.onnx", "decoder.onnx"
TORCH = ("encoder.safetensors", "decoder.safetensors")
FILES = (ENCODER, DECODER, *TORCH)
SIDE = 512  # pixels of the encoder's input
DIGITS = 12


@dataclass(frozen=True)
class Bundled:
    """The bundled model.

    Attributes:
        folder: where its files are.
        sha256: by file name, as the card says.
    """

    folder: Path
    sha256: Mapping[str, str]

    @property
    def encoder(self) -> str:
        """What its embeddings are called by: the family and the first digits of the encoder's hash."""
        return encoder_name(FAMILY, self.sha256[ENCODER])

    def read(self, name: str) -> bytes:
        """A file's bytes, once they are known to be those of the card.

        Raises:
            WeightsError: ``weights_missing``, ``weights_damaged``.
        """
        return read_checked(self.folder / name, self.sha256[name])


def encoder_name(family: str, sha256: str) -> str:
    """Embeddings and decoders that bear the same name belong together."""
    return f"{family}:{sha256[:DIGITS]}"


@cache
def bundled(folder: Path = FOLDER) -> Bundled:
    """The model that came along; its card is read once.

    Raises:
        WeightsError: ``weights_missing``: the files are not there, or their card is not.
    """
    try:
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        return Bundled(folder, {name: str(card["sha256"][name]) for name in FILES})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError("weights_missing", f"The bundled segmenter is not in {folder}. {_CURE}") from error


def read_checked(path: Path, sha256: str) -> bytes:
    """A file's bytes.

    Raises:
        WeightsError: ``weights_missing``, ``weights_damaged``: they are not the ones with this hash.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsError("weights_missing", f"There are no weights at {path}. {_CURE}") from error
    check_bytes(data, sha256, origin=str(path))
    return data


def check_bytes(data: bytes, sha256: str, *, origin: str) -> None:
    """Raise ``weights_damaged`` (WeightsError) unless the bytes have this hash: no other ONNX is ever opened."""
    if hashlib.sha256(data).hexdigest() != sha256:
        raise WeightsError("weights_damaged", f"The bytes of {origin} are not those that were recorded. {_CURE}")


_CURE = "Restore studio/segmentation/weights from the repository."
