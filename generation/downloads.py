"""Pictures on their way out: one in another format, or many as a zip that is written while it is sent."""

from __future__ import annotations

import io
import logging
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.utils.text import slugify
from PIL import Image

from generation.models import Picture
from generation.moderation.states import refuse_rejected_picture
from imodel_site.lib import storage
from imodel_site.lib.errors import Refused
from studio.errors import StorageError
from studio.provenance import SourceType, read_labels
from studio.shoot.finish import labelled

log = logging.getLogger("imodel.pictures")

FORMATS = {"png": "image/png", "webp": "image/webp", "jpg": "image/jpeg"}
STORED = {"png": "full", "webp": "display"}
JPEG_QUALITY = 95


def picture_bytes(picture: Picture, suffix: str) -> bytes:
    """The labelled file: as it is stored, or, for a JPEG, made of it and labelled alike.

    Raises:
        FileNotFoundError, StorageError: the file can't be read.
        Conflict: ``picture_rejected``.
    """
    refuse_rejected_picture(picture)
    if suffix in STORED:
        return storage.read(picture.files[STORED[suffix]]["key"])
    full = storage.read(picture.files["full"]["key"])
    kept = read_labels(full).source_type is SourceType.COMPOSITE
    with Image.open(io.BytesIO(full)) as image:
        return labelled(image.convert("RGB"), picture.recipe, "jpeg", kept=kept, quality=JPEG_QUALITY)


def file_name(picture: Picture, suffix: str) -> str:
    """After the garment's SKU or name, the shoot and the place in it: 'AT-104-3f9c21-1.png'."""
    garment = picture.garment
    stem = slugify(garment.sku or garment.name, allow_unicode=True)[:60] if garment else ""
    return f"{stem or picture.kind}-{picture.shoot_id.hex[-6:]}-{picture.index + 1}.{suffix}"


def zip_stream(pictures: Sequence[Picture], suffix: str = "png") -> Iterator[bytes]:
    """A zip of the labelled files, piece by piece; what could not be read is listed in ``missing.txt``.

    Stored, not deflated: the pictures are compressed already.
    """
    sink = _Sink()
    missing: list[str] = []
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for name, picture in _named(pictures, suffix):
            try:
                archive.writestr(name, picture_bytes(picture, suffix))
            except Refused:  # by moderation
                missing.append(name)
            except (FileNotFoundError, KeyError, StorageError):
                log.exception("picture %s is missing in a zip", picture.pk)
                missing.append(name)
            yield sink.take()
        if missing:
            archive.writestr("missing.txt", "\n".join(missing) + "\n")
    yield sink.take()


def _named(pictures: Iterable[Picture], suffix: str) -> Iterator[tuple[str, Picture]]:
    """No two of one name: the shoot's few letters could meet in a large choice."""
    taken: set[str] = set()
    for picture in pictures:
        name = file_name(picture, suffix)
        if name in taken:
            name = f"{name.rsplit('.', 1)[0]}-{picture.pk.hex[-8:]}.{suffix}"
        taken.add(name)
        yield name, picture


class _Sink(io.RawIOBase):
    """Takes what the archive writes and gives it away; it can not seek, so sizes follow the data."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        return len(self._pieces[-1])

    def take(self) -> bytes:
        """What was written since the last time."""
        found, self._pieces = b"".join(self._pieces), []
        return found
