"""Pictures that belong to one order: a mask of one's own, an expert's picture to start from."""

from __future__ import annotations

import numpy as np
from django.utils.translation import gettext as _
from PIL import Image

from accounts.access import allow_write
from accounts.actors import Actor
from imodel_site.lib import images, storage
from imodel_site.lib.errors import Refused
from studio.images import BLACK, WHITE

KIND = "orders"


def store_mask(*, actor: Actor, data: bytes, size: tuple[int, int], field: str = "mask") -> str:
    """Check a mask as every picture that comes in, and keep it as black and white; the storage key.

    Args:
        size: (width, height) in pixels of the photo it belongs to.

    Raises:
        Refused: it is no picture, of another size, or has nothing white.
    """
    allow_write(actor)
    white = images.opened_mask(data, size=size, field=field)
    if not white.any():
        raise Refused("mask_empty", _("Nothing in the mask is white. White marks the garment."), field=field)
    return _keep(actor, Image.fromarray(white.astype(np.uint8) * 255))


def store_picture(*, actor: Actor, data: bytes, field: str) -> tuple[str, tuple[int, int]]:
    """Check a picture, strip it of everything but its pixels, and keep it; the storage key and its size."""
    allow_write(actor)
    picture = images.opened(data, field=field, background=BLACK if field.startswith("control") else WHITE)
    return _keep(actor, picture), picture.size


def new_key(actor: Actor) -> str:
    """Where a picture of an order will be kept."""
    return storage.new_key(actor.merchant.pk, KIND, "png")


def store_image(*, actor: Actor, image: Image.Image, key: str) -> None:
    """Keep pixels that were checked before, under a key of :func:`new_key`."""
    allow_write(actor)
    with images.ROOM:
        data = images.png(image)
    storage.put(key, data)


def _keep(actor: Actor, picture: Image.Image) -> str:
    key = new_key(actor)
    store_image(actor=actor, image=picture, key=key)
    return key
