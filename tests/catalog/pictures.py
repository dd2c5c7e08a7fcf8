"""Pictures made in the test."""

from __future__ import annotations

import io
import struct
import zlib

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

GPS = "Kunsthaus"


def photo(seed: int = 0, size: tuple[int, int] = (120, 180)) -> Image.Image:
    """A gradient that differs by seed."""
    image = Image.linear_gradient("L").resize(size)
    return Image.merge("RGB", (image, image.rotate(90), Image.new("L", size, seed * 40 % 256)))


def jpeg(seed: int = 0, size: tuple[int, int] = (120, 180), **save: object) -> bytes:
    """As a JPEG."""
    out = io.BytesIO()
    photo(seed, size).save(out, "JPEG", quality=90, **save)  # type: ignore[arg-type]
    return out.getvalue()


def png(image: Image.Image) -> bytes:
    """As a PNG."""
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def upload(data: bytes, name: str = "shirt.jpg", kind: str = "image/jpeg") -> SimpleUploadedFile:
    """As a browser sends it."""
    return SimpleUploadedFile(name, data, content_type=kind)


def png_bomb(side: int = 13_000) -> bytes:
    """A small PNG that says it is huge, and is."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = b"\0" + bytes(side * 3)
    packed = zlib.compress(row * 200, 9)  # the header alone must do: decoding would take half a gigabyte
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def turned_with_gps() -> bytes:
    """A camera's JPEG: 180 x 120 pixels lying on their side (orientation 6), with a place and a comment."""
    image = photo(3, (180, 120))
    image.paste((255, 0, 0), (0, 0, 60, 120))  # red on the left as stored: at the top once it is upright
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = GPS
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (48.0, 8.0, 14.0)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=95, exif=exif.tobytes(), comment=b"secret comment")
    return out.getvalue()
