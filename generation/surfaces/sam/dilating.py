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
    radius, (height, width) = diameter / 2, mask.shape
    around = int(radius)
    sums = np.zeros((height, width + 2 * around + 1), np.int32)
    np.cumsum(np.pad(mask, ((0, 0), (around, around))), axis=1, out=sums[:, 1:])
    grown = mask.copy()
    for down in range(around + 1):
        run = int(math.sqrt(radius * radius - down * down))
        near = sums[:, around + run + 1 :][:, :width] > sums[:, around - run :][:, :width]
        grown[down:] |= near[: max(0, height - down)]
        grown[: max(0, height - down)] |= near[down:]
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
