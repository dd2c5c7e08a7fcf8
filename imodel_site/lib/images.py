"""A picture from outside, made ours: decoded once in a limited child, cleaned, and thumbnailed (docs/files.md)."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imodel_site.lib.errors import from_studio
from imodel_site.lib.uploads import check_arrived
from studio.errors import InputError
from studio.images import MAX_FILE_BYTES, WHITE, open_mask, open_photo

SIZES: Mapping[str, int] = {"small": 320, "medium": 640, "large": 1280}  # longest side of each thumbnail
PNG_PIXELS = 4_000_000  # a PNG up to this size stays lossless; above it, it would be slow to write and huge
# 40 megapixels take about 250 MB while they are worked on: never more than two at once in one process, masks included.
ROOM = threading.BoundedSemaphore(2)

CONTENT_TYPES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}


@dataclass(frozen=True)
class Taken:
    """What is kept of a picture: its pixels, upright and in sRGB, and nothing else of the file.

    Attributes:
        sha256: of the bytes as they came in.
        data, suffix: the cleaned original, ``jpg`` or ``png``.
        thumbs: WebP bytes by the names of :data:`SIZES`.
    """

    sha256: str
    data: bytes
    suffix: str
    width: int
    height: int
    thumbs: Mapping[str, bytes]

    @property
    def content_type(self) -> str:
        """Of ``data``."""
        return CONTENT_TYPES[self.suffix]

    @property
    def bytes(self) -> int:
        """Of the original and its thumbnails."""
        return len(self.data) + sum(len(thumb) for thumb in self.thumbs.values())


def read_upload(source: Any) -> bytes:
    """The bytes of an uploaded file, or bytes as they are.

    Raises:
        Refused: ``photo_file_too_large``, ``disk_full``.
    """
    if isinstance(source, bytes):
        return source
    check_arrived(source)
    source.seek(0)
    return bytes(source.read(MAX_FILE_BYTES + 1))


def opened(data: bytes, *, field: str, background: tuple[int, int, int] = WHITE) -> Image.Image:
    """A picture from outside as upright RGB pixels, decoded in a limited child.

    Raises:
        Refused: a ``photo_...`` code of ``studio.images``.
        EngineError: ``decoder_failed``, retryable: ours.
    """
    with ROOM:
        return _opened(data, field, background)


def _opened(data: bytes, field: str, background: tuple[int, int, int] = WHITE) -> Image.Image:
    try:
        return open_photo(data, background=background)
    except InputError as error:
        raise from_studio(error, field=field) from error


def opened_mask(data: bytes, *, size: tuple[int, int], field: str) -> NDArray[np.bool_]:
    """A mask from outside as ``studio.images.open_mask`` reads it; (height, width) bool, True where it is white.

    Raises:
        Refused: a ``mask_...`` code.
    """
    with ROOM:
        try:
            return open_mask(data, size=size)
        except InputError as error:
            raise from_studio(error, field=field) from error


def png(image: Image.Image, *, level: int = 4) -> bytes:
    """Lossless; ``level`` of zlib: 4 is half as slow as 6, and hardly larger."""
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=level)
    return out.getvalue()


def take_picture(source: Any) -> Taken:
    """Check and clean a picture.

    Args:
        source: bytes, or an uploaded file.

    Raises:
        Refused: a ``photo_...`` code of ``studio.images``; nothing of the bytes was kept.
        EngineError: ``decoder_failed``, retryable: ours.
    """
    data = read_upload(source)
    with ROOM:
        return _cleaned(_opened(data, "photos"), data)


def _cleaned(image: Image.Image, came: bytes) -> Taken:
    lossless = came[:4] == b"\x89PNG" and image.width * image.height <= PNG_PIXELS
    return Taken(
        sha256=hashlib.sha256(came).hexdigest(),
        data=png(image, level=6) if lossless else _jpeg(image),
        suffix="png" if lossless else "jpg",
        width=image.width,
        height=image.height,
        thumbs=thumbnails(image),
    )


def _jpeg(image: Image.Image) -> bytes:
    """Near-lossless: the garment's own pixels come from this file."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=95, subsampling=0, progressive=True)
    return out.getvalue()


def thumbnails(image: Image.Image) -> dict[str, bytes]:
    """WebP bytes by size; a picture that is smaller than a size keeps its own."""
    found: dict[str, bytes] = {}
    full = image.size
    for name, side in sorted(SIZES.items(), key=lambda item: -item[1]):
        # Each from the one before it: a third of the time, and no difference to be seen.
        image = image.resize(_within(full, side), Image.Resampling.LANCZOS, reducing_gap=3.0)
        out = io.BytesIO()
        image.save(out, "WEBP", quality=82, method=4)
        found[name] = out.getvalue()
    return found


def _within(size: tuple[int, int], side: int) -> tuple[int, int]:
    longest = max(*size, side)
    width, height = (max(1, round(length * side / longest)) for length in size)
    return width, height
