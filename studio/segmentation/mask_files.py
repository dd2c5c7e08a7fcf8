"""Masks in and out of files: white is garment, black is not."""

from __future__ import annotations

import io
import os

import numpy as np
from PIL import Image

from studio.files import write_atomically
from studio.images import open_mask
from studio.segmentation.masks import Mask, SoftMask, check_mask


def read_mask(source: str | os.PathLike[str] | bytes, *, size: tuple[int, int]) -> Mask:
    """The mask in a picture file, or in a file's bytes: True where it is white rather than black.

    Args:
        source: a path or the bytes of a PNG, or of any format :func:`studio.images.open_mask` takes.
        size: (width, height) in pixels of the photo the mask belongs to.

    Raises:
        InputError: ``mask_empty`` when nothing in it is white, and whatever ``open_mask`` raises: ``mask_wrong_size``,
            ``mask_not_found``, ``mask_damaged``, ...
    """
    return check_mask(open_mask(source, size=size), size=size)


def encode_mask(mask: Mask | SoftMask) -> bytes:
    """The mask, bool or soft, as the bytes of an 8-bit grey PNG."""
    levels = np.rint(np.clip(mask.astype(np.float32), 0, 1) * 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(levels).save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()


def write_mask(mask: Mask | SoftMask, path: str | os.PathLike[str]) -> None:
    """Write :func:`encode_mask` to ``path``, whole or not at all; StorageError as ``write_atomically`` says."""
    write_atomically(path, encode_mask(mask))
