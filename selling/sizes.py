"""The public files of a picture: three sizes in two formats, each labelled as the picture is."""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image

from generation.models import Picture
from imodel_site.lib import storage
from studio.errors import StorageError
from studio.provenance import Format, SourceType, read_labels
from studio.shoot.finish import labelled

KIND = "published"
# Widths in pixels; a picture that is narrower stays as it is.
SIZES: Mapping[str, int] = {"list": 400, "card": 800, "detail": 1600}
FORMATS: Mapping[str, tuple[Format, str, int]] = {
    "webp": ("webp", "image/webp", 85),
    "jpg": ("jpeg", "image/jpeg", 88),
}


@dataclass(frozen=True)
class Made:
    """A file that is not stored yet."""

    name: str
    data: bytes
    width: int
    height: int


def make(picture: Picture) -> Iterator[Made]:
    """Every size and format of a picture, from its full file.

    Raises:
        FileNotFoundError, StorageError: that file can't be read.
    """
    full = storage.read(picture.files["full"]["key"])
    kept = read_labels(full).source_type is SourceType.COMPOSITE
    with Image.open(io.BytesIO(full)) as opened:
        image = opened.convert("RGB")
    for size, width in SIZES.items():
        smaller = _narrowed(image, width)
        for suffix, (format_, _type, quality) in FORMATS.items():
            data = labelled(smaller, picture.recipe, format_, kept=kept, quality=quality)
            yield Made(f"{size}.{suffix}", data, *smaller.size)


def _narrowed(image: Image.Image, width: int) -> Image.Image:
    if image.width <= width:
        return image
    return image.resize((width, max(1, round(image.height * width / image.width))), Image.Resampling.LANCZOS)


def store(picture: Picture) -> dict[str, dict[str, Any]]:
    """Make and store them; as ``Publication.files``. What was stored before an error is taken back.

    Raises:
        FileNotFoundError, StorageError: the picture can't be read, or there is no room.
    """
    files: dict[str, dict[str, Any]] = {}
    try:
        for made in make(picture):
            key = storage.new_key(picture.merchant_id, KIND, made.name.rsplit(".", 1)[1])
            files[made.name] = {
                "key": key, "width": made.width, "height": made.height, "bytes": len(made.data),
                "sha256": hashlib.sha256(made.data).hexdigest(),
            }  # fmt: skip
            storage.put(key, made.data)
    except BaseException:
        drop(files)
        raise
    return files


def keys(files: Mapping[str, Any]) -> list[str]:
    """Their storage keys."""
    return [file["key"] for file in files.values()]


def drop(files: Mapping[str, Any]) -> None:
    """Delete them; what can't be deleted now is collected later, for no row refers to it."""
    with contextlib.suppress(StorageError):
        storage.delete(*keys(files))
