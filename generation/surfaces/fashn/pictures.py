"""The pictures of a call: fetched under the product's rules for addresses, and laid out for what is to be painted."""

from __future__ import annotations

import base64
import binascii
from uuid import UUID

from django.utils.translation import gettext as _
from PIL import Image

from generation.surfaces.fashn.inputs import BadInput, How
from imodel_site.lib import images, storage
from imodel_site.lib.errors import Refused
from imodel_site.lib.fetch import Fetcher
from studio.images import MAX_FILE_BYTES

KIND = "fashn"  # of storage keys
LONGEST = 2048  # longest side of a frame that is painted around a picture
LEAST = 64  # shortest side that is taken as a picture
FACE_SHARE = 0.5  # of the frame's width
WHITE, BLACK = (255, 255, 255), (0, 0, 0)


def decode(text: str, *, field: str) -> bytes:
    """The bytes of a data-URI (RFC 2397); only base64 ones are pictures.

    Raises:
        Refused: ``image_unreadable``, ``photo_file_too_large``.
    """
    head, comma, body = text.partition(",")
    if not comma or not head.endswith(";base64") or len(body) > MAX_FILE_BYTES * 4 // 3 + 8:
        raise _unreadable(field)
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise _unreadable(field) from error


def _unreadable(field: str) -> Refused:
    words = _("“%(field)s” is not a picture in base64.") % {"field": field}
    return Refused("image_unreadable", words, field=field)


def fetch(source: str | dict[str, str], fetcher: Fetcher, *, merchant_id: UUID) -> bytes:
    """The bytes of a picture that was named, or that came along and was stored.

    Args:
        merchant_id: whose run it is; no other file than one of its runs is read.

    Raises:
        Refused: ``url_...``; ``image_unreadable``: its file is gone.
    """
    if isinstance(source, str):
        return fetcher.fetch(source)
    try:
        return storage.read(_own(source["key"], merchant_id))
    except FileNotFoundError as error:
        raise Refused("image_unreadable", _("A picture of this call is gone. Send it again.")) from error


def _own(key: str, merchant_id: UUID) -> str:
    if not key.startswith(f"m/{merchant_id}/{KIND}/"):
        raise FileNotFoundError(key)
    return key


def laid_out(image: Image.Image, *, how: How, ratio: float) -> tuple[Image.Image, Image.Image]:
    """A frame of another shape with the picture in it, and the mask of what is to be painted around it, in white.

    Args:
        how: a face lies at the top in half of the frame's width; else the picture fills what it can, in the middle.
        ratio: width by height of the frame.

    Raises:
        BadInput: the picture has that shape already, so that nothing would be left to paint.
    """
    frame, box = _face_box(image, ratio) if how is How.FACE else _around(image, ratio)
    width, height = box[2] - box[0], box[3] - box[1]
    if (width, height) == frame:
        raise BadInput(_("The picture has this shape already."), field="aspect_ratio")
    canvas, mask = Image.new("RGB", frame, WHITE), Image.new("L", frame, 255)
    canvas.paste(image.resize((width, height), Image.Resampling.LANCZOS), box[:2])
    mask.paste(0, box)
    return canvas, mask


Box = tuple[int, int, int, int]


def _around(image: Image.Image, ratio: float) -> tuple[tuple[int, int], Box]:
    width, height = _fitted(image.size, LONGEST)
    frame = (max(width, round(height * ratio)), max(height, round(width / ratio)))
    scale = min(1.0, LONGEST / max(frame))
    width, height = max(LEAST, round(width * scale)), max(LEAST, round(height * scale))
    frame = (max(width, round(frame[0] * scale)), max(height, round(frame[1] * scale)))
    left, top = (frame[0] - width) // 2, (frame[1] - height) // 2
    return frame, (left, top, left + width, top + height)


def _face_box(image: Image.Image, ratio: float) -> tuple[tuple[int, int], Box]:
    """768 pixels high, so that what is painted has room for a body."""
    frame = (round(768 * ratio), 768) if ratio <= 1 else (768, round(768 / ratio))
    scale = min(FACE_SHARE * frame[0] / image.width, FACE_SHARE * frame[1] / image.height)
    width, height = max(8, round(image.width * scale)), max(8, round(image.height * scale))
    left, top = (frame[0] - width) // 2, frame[1] // 24
    return frame, (left, top, left + width, top + height)


def _fitted(size: tuple[int, int], most: int) -> tuple[int, int]:
    scale = min(1.0, most / max(size))
    return max(LEAST, round(size[0] * scale)), max(LEAST, round(size[1] * scale))


def cut_out(image: Image.Image, mask: Image.Image) -> bytes:
    """PNG: the picture where the mask is white, nothing elsewhere."""
    alpha = mask.convert("L").resize(image.size).point(lambda value: 255 if value > 127 else 0)
    nothing = Image.new("RGBA", image.size, (0, 0, 0, 0))
    return images.png(Image.composite(image.convert("RGBA"), nothing, alpha))
