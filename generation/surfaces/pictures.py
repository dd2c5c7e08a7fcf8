"""Pictures as text: base64 in, raw or as a ``data:`` URI, under the rules for all pictures that come in; and out again.

A text is never a path: the programs whose formats these are open whatever file of the server a string names.
"""

from __future__ import annotations

import base64
import binascii
import io
import struct
import zlib
from typing import Any

from PIL import Image, ImageChops

from imodel_site.lib.errors import Refused, from_studio
from imodel_site.lib.fetch import PUBLIC, Fetcher
from imodel_site.lib.images import ROOM
from studio.errors import InputError
from studio.images import BLACK, MAX_FILE_BYTES, WHITE, open_photo

LONGEST = MAX_FILE_BYTES * 4 // 3 + 200  # characters of a picture as large as one may be
HEAD = b"\x89PNG\r\n\x1a\n"
RGBA = 6  # a PNG's colour type
KEYWORD = "parameters"


def decoded(text: Any, *, field: str) -> bytes:
    """The bytes of a base64 text, or of a ``data:`` URI.

    Raises:
        Refused: ``image_not_base64``, ``photo_file_too_large``.
    """
    if not isinstance(text, str):
        raise _not_base64(field)
    if len(text) > LONGEST:
        words = f"The picture is larger than {MAX_FILE_BYTES // 2**20} MB."
        raise Refused("photo_file_too_large", words, field=field, status=413)
    head, comma, body = text.partition(",")
    plain = body if comma and head.startswith("data:") and head.endswith(";base64") else text
    try:
        found = base64.b64decode("".join(plain.split()), validate=True)
    except (binascii.Error, ValueError):
        raise _not_base64(field) from None
    if not found:
        raise _not_base64(field)
    return found


def fetched_or_decoded(text: Any, *, field: str, fetcher: Fetcher = PUBLIC) -> bytes:
    """As :func:`decoded`; an address is fetched under the rules for addresses (docs/files.md).

    Raises:
        Refused: also the ``url_...`` codes.
    """
    if isinstance(text, str) and text.lstrip().lower().startswith(("http://", "https://")):
        return fetcher.fetch(text.strip())
    return decoded(text, field=field)


def _not_base64(field: str) -> Refused:
    return Refused("image_not_base64", "Invalid encoded image", field=field, status=422)


def opened(data: bytes, *, field: str, background: tuple[int, int, int] = WHITE) -> Image.Image:
    """A picture from outside as upright RGB pixels, decoded in a limited child.

    Raises:
        Refused: a ``photo_...`` code of ``studio.images``.
    """
    with ROOM:
        try:
            return open_photo(data, background=background)
        except InputError as error:
            raise from_studio(error, field=field) from error


def mask_of(data: bytes, *, field: str = "mask") -> Image.Image:
    """A mask as L, white where it counts: by its opacity where some of it is transparent, else by its brightness."""
    dark = opened(data, field=field, background=BLACK)
    if not _has_alpha(data):
        return dark.convert("L")
    # The decoder gives no opacity, but what it makes of two backgrounds differs by just that.
    light = opened(data, field=field, background=WHITE)
    seen_through = ImageChops.difference(light, dark).convert("L")
    if seen_through.getextrema() == (0, 0):
        return dark.convert("L")
    return seen_through.point([255 if 255 - value > 128 else 0 for value in range(256)])


def _has_alpha(data: bytes) -> bool:
    return data[:8] == HEAD and len(data) > 25 and data[25] == RGBA


def png(image: Image.Image) -> bytes:
    """A picture as PNG."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()


def text_of(data: bytes) -> str:
    """Bytes as these clients want them: base64 without a prefix."""
    return base64.b64encode(data).decode()


def with_parameters(data: bytes, said: str) -> bytes:
    """A PNG with a ``parameters`` text after its header; every other chunk, our labels included, stays as it is.

    Source: PNG (third edition), 11.3.3: tEXt holds Latin-1, iTXt UTF-8.
    """
    try:
        kind, body = b"tEXt", KEYWORD.encode() + b"\0" + said.encode("latin-1")
    except UnicodeEncodeError:
        kind, body = b"iTXt", KEYWORD.encode() + b"\0\0\0\0\0" + said.encode()
    chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    end = 8 + 12 + struct.unpack(">I", data[8:12])[0]  # of the header's chunk, which must be the first
    return data[:end] + chunk + data[end:]


def parameters_in(data: bytes) -> dict[str, str]:
    """The texts of a PNG, by keyword, without decoding a pixel; damage ends the search.

    Compressed texts are inflated to 100 kB at most.
    """
    found: dict[str, str] = {}
    at = 8
    while data[:8] == HEAD and at + 12 <= len(data):
        length, kind = struct.unpack(">I", data[at : at + 4])[0], data[at + 4 : at + 8]
        keyword, text = _text(kind, data[at + 8 : at + 8 + length])
        if keyword:
            found.setdefault(keyword, text)
        at += 12 + length
    return found


MOST_TEXT = 100_000


def _text(kind: bytes, body: bytes) -> tuple[str, str]:
    if kind == b"tEXt":
        keyword, _nul, text = body.partition(b"\0")
        return keyword.decode("latin-1"), text[:MOST_TEXT].decode("latin-1")
    if kind == b"zTXt":
        keyword, _nul, text = body.partition(b"\0")
        return keyword.decode("latin-1"), _inflated(text[1:]).decode("latin-1")
    if kind == b"iTXt":
        keyword, _nul, rest = body.partition(b"\0")
        parts = rest[2:].split(b"\0", 2)
        text = parts[2] if len(parts) == 3 else b""
        plain = _inflated(text) if rest[:1] == b"\1" else text[:MOST_TEXT]
        return keyword.decode("latin-1"), plain.decode(errors="replace")
    return "", ""


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, MOST_TEXT)
    except zlib.error:
        return b""
