"""Masks in and out of PNG: white is garment, black is not.

Reading is lenient about the kind of picture (bilevel, grey, palette, colour, 16 bit, with transparency) and strict
about what it holds; writing is one 8-bit grey PNG, complete or not there at all.
"""

from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.errors import InputError, StorageError
from studio.segmentation.masks import Mask, SoftMask, check_mask, check_size

MAX_PIXELS = 40_000_000


def read_mask(path: Path, *, size: tuple[int, int] | None = None) -> Mask:
    """The mask in a picture file; see :func:`decode_mask`. ``mask_missing`` when there is no such file."""
    return decode_mask(_read(path), size=size)


def decode_mask(data: bytes, *, size: tuple[int, int] | None = None) -> Mask:
    """The mask in a picture's bytes: True where it is white rather than black; transparent counts as black.

    Args:
        data: PNG or any still picture that Pillow reads.
        size: (width, height) in pixels that the mask must have.

    Raises:
        InputError: ``mask_unreadable``, ``mask_too_large``, ``mask_wrong_size`` or ``mask_empty``.
    """
    return check_mask(decode_soft(data, size=size) >= 0.5, size=size)


def decode_soft(data: bytes, *, size: tuple[int, int] | None = None) -> SoftMask:
    """The same picture as a soft mask: (H, W) float32 in 0..1; it may be black all over."""
    picture = _open(data)
    # The header alone decides: a tiny file can claim gigabytes of pixels.
    if size is not None and picture.size != tuple(size):
        check_size(np.broadcast_to(np.False_, (picture.height, picture.width)), size)
    if picture.width * picture.height > MAX_PIXELS:
        raise InputError(
            "mask_too_large",
            f"The mask is {picture.width}x{picture.height} pixels, more than {MAX_PIXELS // 1_000_000} megapixels.",
        )
    try:
        return _grey(picture)
    except (OSError, ValueError, SyntaxError, MemoryError) as error:
        raise _unreadable(error) from error


def encode_mask(mask: Mask | SoftMask) -> bytes:
    """The mask, hard or soft, as an 8-bit grey PNG."""
    levels = np.rint(np.clip(mask.astype(np.float32), 0, 1) * 255)
    buffer = io.BytesIO()
    Image.fromarray(levels.astype(np.uint8)).save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()


def write_mask(mask: Mask | SoftMask, path: Path) -> None:
    """Write :func:`encode_mask` to ``path``, whole or not at all; ``mask_not_written`` (StorageError) when it fails."""
    data = encode_mask(mask)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise _not_written(path, error) from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise _not_written(path, error) from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise InputError("mask_missing", f"There is no mask at {path}: check the path.") from error
    except OSError as error:
        raise InputError("mask_unreadable", f"The mask {path} can not be read: {error.strerror}.") from error


def _open(data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError("mask_too_large", "The mask claims far more pixels than a photo has.") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise _unreadable(error) from error


def _grey(picture: Image.Image) -> SoftMask:
    if picture.mode.startswith("I") or picture.mode == "F":
        return _sixteen_bit(picture)
    rgba = picture.convert("RGBA")
    alpha = np.asarray(rgba.getchannel("A"), np.float32) / 255
    return np.asarray(rgba.convert("L"), np.float32) / 255 * alpha


def _sixteen_bit(picture: Image.Image) -> SoftMask:
    # Pillow would clip 16-bit levels at 255 on conversion, and turn dark grey into garment.
    levels: NDArray[np.float32] = np.asarray(picture, np.float32)
    return np.clip(levels / 65535, 0, 1).astype(np.float32)


def _unreadable(error: Exception) -> InputError:
    return InputError("mask_unreadable", f"The mask is not a complete picture ({error}): give a PNG, white on black.")


def _not_written(path: Path, error: OSError) -> StorageError:
    return StorageError("mask_not_written", f"The mask could not be written to {path}: {error.strerror}.")
