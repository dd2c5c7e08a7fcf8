"""Pictures as text: base64 in, raw or as a ``data:`` URI, under the rules for all pictures that come in; and out again.

A text is never a path: the programs whose formats these are open whatever file of the server a string names.
"""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
from collections.abc import Iterator
from itertools import islice
from typing import Any

from PIL import Image, ImageChops

from imodel_site.lib import images
from imodel_site.lib.errors import Refused
from imodel_site.lib.fetch import PUBLIC, Fetcher
from imodel_site.lib.images import png
from studio.images import BLACK, MAX_FILE_BYTES, WHITE

__all__ = [
    "decoded", "fetched_or_decoded", "mask_of", "opened", "parameters_in", "png", "refuse_above", "text_of",
    "with_parameters",
]  # fmt: skip

LONGEST = MAX_FILE_BYTES * 4 // 3 + 200  # characters of a picture as large as one may be
HEAD = b"\x89PNG\r\n\x1a\n"
MOST_WORKED_ON = 12_000_000  # pixels of a picture that the web process itself works on
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


def opened(data: bytes, *, field: str, background: tuple[int, int, int] = WHITE, most: int = 0) -> Image.Image:
    """A picture from outside as upright RGB pixels, decoded in a limited child.

    Args:
        most: pixels, where what is done with it costs more than decoding it; 0 for as many as any picture may have.

    Raises:
        Refused: a ``photo_...`` code of ``studio.images``; ``picture_too_large`` (422).
    """
    picture = images.opened(data, field=field, background=background)
    if most:
        refuse_above(most, picture.size, field=field)
    return picture


def refuse_above(most: int, size: tuple[int, int], *, field: str) -> None:
    """Raise Refused ``picture_too_large`` for more pixels than are worked on while a client waits."""
    if size[0] * size[1] > most:
        words = f"The picture has {size[0]}x{size[1]} px; at most {most // 1_000_000} megapixels are taken here."
        raise Refused("picture_too_large", words, field=field, status=422)


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

    A file of many small compressed texts inflates to a thousand times its size: so each text, their number and all of
    them together are bounded, and what lies beyond is not looked at.
    """
    found: dict[str, str] = {}
    left = MOST_IN_ALL
    for kind, body in islice(_texts(data), MOST_TEXTS):
        keyword, text = _text(kind, body, min(left, MOST_TEXT))
        left -= len(text)
        if keyword:
            found.setdefault(keyword, text)
        if left <= 0:
            break
    return found


TEXTS = (b"tEXt", b"zTXt", b"iTXt")
MOST_CHUNKS, MOST_TEXTS = 20_000, 64
MOST_TEXT, MOST_IN_ALL = 100_000, 1_000_000  # characters


def _texts(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks that hold texts: kind and body."""
    at = 8
    for _chunk in range(MOST_CHUNKS if data[:8] == HEAD else 0):
        if at + 12 > len(data):
            return
        length, kind = struct.unpack(">I", data[at : at + 4])[0], data[at + 4 : at + 8]
        if kind in TEXTS:
            yield kind, data[at + 8 : at + 8 + length]
        at += 12 + length


def _text(kind: bytes, body: bytes, most: int) -> tuple[str, str]:
    """Keyword and at most so many bytes of text; PNG has keywords of up to 79 bytes."""
    keyword, _nul, rest = body.partition(b"\0")
    name = keyword[:79].decode("latin-1")
    if kind == b"tEXt":
        return name, rest[:most].decode("latin-1")
    if kind == b"zTXt":
        return name, _inflated(rest[1:], most).decode("latin-1")
    parts = rest[2:].split(b"\0", 2)
    text = parts[2] if len(parts) == 3 else b""
    plain = _inflated(text, most) if rest[:1] == b"\1" else text[:most]
    return name, plain.decode(errors="replace")


def _inflated(data: bytes, most: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, most)
    except zlib.error:
        return b""
