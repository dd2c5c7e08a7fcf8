"""Masks grown by a disc, and what a mask looks like over its photo."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MOST = 100  # pixels of the disc's diameter
COLOUR, SHARE = (30, 144, 255), 0.6  # of a mask over its photo
Mask = NDArray[np.bool_]


def dilated(mask: Mask, diameter: int) -> Mask:
    """The mask grown by a disc: row by row of the disc, each a run of pixels, found by sums of what lies before."""
    radius = diameter / 2
    height, width = mask.shape
    sums = np.zeros((height, width + 1), np.int32)
    np.cumsum(mask, axis=1, out=sums[:, 1:])
    grown = mask.copy()
    for down in range(-int(radius), int(radius) + 1):
        run = int(math.sqrt(max(0.0, radius * radius - down * down)))
        left = np.clip(np.arange(width) - run, 0, width)
        right = np.clip(np.arange(width) + run + 1, 0, width)
        near = sums[:, right] > sums[:, left]
        to = slice(max(0, down), height + min(0, down))
        grown[to] |= near[max(0, -down) : height - max(0, down)]
    return grown


def blended(photo: Image.Image, mask: Mask) -> Image.Image:
    """The photo with the mask's pixels in one colour, RGBA."""
    over = Image.new("RGB", photo.size, COLOUR)
    mixed = Image.blend(photo.convert("RGB"), over, SHARE)
    return Image.composite(mixed, photo.convert("RGB"), bilevel(mask)).convert("RGBA")


def masked(photo: Image.Image, mask: Mask) -> Image.Image:
    """The photo where the mask is, nothing elsewhere, RGBA."""
    return Image.composite(photo.convert("RGBA"), Image.new("RGBA", photo.size), bilevel(mask).convert("L"))


def bilevel(mask: Any) -> Image.Image:
    """A mask as a picture of one bit, white where it is."""
    return Image.fromarray(np.asarray(mask, np.uint8) * 255).convert("1", dither=Image.Dither.NONE)
