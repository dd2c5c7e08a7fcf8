"""Labels in picture files: written with Pillow, found again by walking the container, without decoding a pixel.

Sources: XMP part 3 (Storage in Files), 1.1.3 JPEG, 1.1.5 PNG; WebP container, RFC 9649, section 2.7.1.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime
from typing import Literal, get_args

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from studio.errors import InputError
from studio.provenance.labels import Aigc, Labels, SourceType, checked_text, from_xmp, to_xmp

Format = Literal["png", "jpeg", "webp"]
MEDIA_TYPES: dict[str, str] = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}

MADE_BY_AI = "1"
PNG_KEYWORD = b"XML:com.adobe.xmp\0"
JPEG_HEADER = b"http://ns.adobe.com/xap/1.0/\0"


def label(
    image: Image.Image,
    *,
    format: Format,
    composite: bool,
    producer: str,
    content_id: str,
    created: datetime | None = None,
    quality: int = 92,
) -> bytes:
    """The finished file: these pixels, these labels, and no other metadata whatever ``image.info`` holds.

    Args:
        image: a picture; taken as sRGB and written as 8-bit RGB.
        format: ``"png"`` (lossless), ``"jpeg"`` or ``"webp"``.
        composite: True where the garment's pixels are the photo's own, False where a model made every pixel.
        producer: name or code of who runs the service, 1 to 200 characters (GB 45438's ContentProducer).
        content_id: this picture's number with that producer, 1 to 200 characters (its ProduceID).
        created: goes into the file only if given; without it the same arguments give the same bytes.
        quality: 1..100, of JPEG and WebP.

    Raises:
        InputError: ``label_text_invalid``, or ``format_unknown`` for another format.
    """
    if format not in get_args(Format):
        raise InputError("format_unknown", f"Pictures are written as png, jpeg or webp, not {format}.")
    aigc = Aigc(MADE_BY_AI, checked_text("producer", producer), checked_text("content id", content_id))
    packet = to_xmp(SourceType.COMPOSITE if composite else SourceType.MADE, aigc, created=created)
    buffer = io.BytesIO()
    _bare(image).save(buffer, format.upper(), **_options(format, packet, quality))
    return buffer.getvalue()


def read_labels(data: bytes) -> Labels:
    """The labels in a PNG, JPEG or WebP file, whoever wrote them; both None when there are none.

    Nothing is decoded and damage is not an error: it answers for the part of the file that can be read.
    """
    packet = _find_xmp(data)
    return Labels(None, None) if packet is None else from_xmp(packet)


def _bare(image: Image.Image) -> Image.Image:
    """The pixels alone: saving ``image`` itself would carry over its profile, comments and EXIF."""
    fresh = Image.new("RGB", image.size)
    fresh.paste(image.convert("RGB"))
    return fresh


def _options(format: Format, packet: bytes, quality: int) -> dict[str, object]:
    if format == "png":
        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", packet.decode())
        return {"pnginfo": info}
    if format == "jpeg":
        # Halved colour resolution bleeds a garment's colour over its own edge.
        return {"xmp": packet, "quality": quality, "subsampling": 0}
    return {"xmp": packet, "quality": quality, "method": 4}


def _find_xmp(data: bytes) -> bytes | None:
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return next((_itxt(body) for kind, body in _png_chunks(data) if kind == b"iTXt" and _itxt(body)), None)
    if data[:2] == b"\xff\xd8":
        starts = (body for marker, body in _jpeg_segments(data) if marker == 0xE1)
        return next((body[len(JPEG_HEADER) :] for body in starts if body.startswith(JPEG_HEADER)), None)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return next((body for kind, body in _riff_chunks(data) if kind == b"XMP "), None)
    return None


def _itxt(body: bytes) -> bytes | None:
    """The packet of an uncompressed iTXt chunk: keyword, two flag bytes, language, translated keyword, text."""
    if not body.startswith(PNG_KEYWORD) or body[len(PNG_KEYWORD) : len(PNG_KEYWORD) + 1] != b"\0":
        return None
    parts = body[len(PNG_KEYWORD) + 2 :].split(b"\0", 2)
    return parts[2] if len(parts) == 3 else None


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += 12 + length


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker segments up to the first scan; XMP stands before it."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        yield data[at + 1], data[at + 4 : at + 2 + length]
        at += 2 + max(length, 2)


def _riff_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        yield data[at : at + 4], data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
