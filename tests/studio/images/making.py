"""Files for the tests, made on the spot: nothing binary is kept in the repository."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 120, 80
CORNERS = {
    "top left": (220, 30, 30),
    "top right": (30, 200, 30),
    "bottom left": (30, 30, 220),
    "bottom right": (220, 210, 30),
}


def four_corners() -> Image.Image:
    """Red, green / blue, yellow quarters, wider than high: no orientation looks like another."""
    image = Image.new("RGB", (WIDTH, HEIGHT))
    for name, colour in CORNERS.items():
        left, top = ("right" in name) * WIDTH // 2, ("bottom" in name) * HEIGHT // 2
        image.paste(colour, (left, top, left + WIDTH // 2, top + HEIGHT // 2))
    return image


def encoded(image: Image.Image, format: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def corner(image: Image.Image, name: str) -> tuple[int, ...]:
    """The colour in the middle of one quarter."""
    x = image.width * (3 if "right" in name else 1) // 4
    y = image.height * (3 if "bottom" in name else 1) // 4
    pixel = image.getpixel((x, y))
    assert isinstance(pixel, tuple)
    return pixel


def near(a: tuple[int, ...], b: tuple[int, ...], tolerance: int = 12) -> bool:
    return len(a) == len(b) and bool(np.all(np.abs(np.subtract(a, b)) <= tolerance))


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_stating(width: int, height: int, *, pixels: bytes = b"") -> bytes:
    """A PNG whose header states a size; its pixels are grey, 8 bits, and may be missing altogether."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", zlib.compress(pixels)) + png_chunk(b"IEND", b"")


def webp_stating(width: int, height: int, *, flags: int = 0) -> bytes:
    body = bytes([flags, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    chunks = b"WEBP" + b"VP8X" + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks
