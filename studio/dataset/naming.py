"""Words for what a garment's pixels look like: colour and pattern.

Colours are the names of the drawn world (:data:`studio.mini.world.spec.COLOURS`), which both caption languages share.
Thresholds were set on drawn garments and are measured on others, and on photos, in docs/dataset.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.lora.similarity import blurred
from studio.mini.world.spec import COLOURS
from studio.segmentation import colours
from studio.segmentation.masks import Mask

SIDE = 64.0  # square root of the mask's area, in pixels, at which a pattern is measured
LIGHTNESS = 0.5  # light and folds change it most
LEAST_PIXELS = 64
# Slope in weighted CIELAB a pixel, of the middle tile: folds stay below, patterns above, buttons are in few tiles.
PLAIN_BELOW, TILE = 2.3, 16
ALONG = 0.5  # share of the slope's energy along one axis
RAGGED = 20.0  # slopes in few places: blooms; everywhere: checks
PARTED = 4.4  # distance of two colours over their own spread: dots; below: checks, which mix
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Cloth:
    """A garment's pixels in words.

    Attributes:
        colour: what most of it is.
        second: the other colour of a pattern; empty for a plain one.
        pattern: plain, striped, pinstriped, checked, dotted or floral.
    """

    colour: str
    second: str
    pattern: str


def cloth_of(image: Image.Image, mask: Mask) -> Cloth | None:
    """Colour and pattern of the masked garment of an RGB picture; None under 64 pixels of it."""
    if np.count_nonzero(mask) < LEAST_PIXELS:
        return None
    lab, inside = _at_scale(image, mask)
    measured = _measured(lab, inside)
    pattern = _pattern(measured)
    first, second = _two_colours(lab[inside])
    if pattern == "plain":
        return Cloth(colour_name(lab[inside]), "", pattern)
    return Cloth(first, "" if second == first else second, pattern)


def colour_name(lab: Floats) -> str:
    """The name nearest to the better lit half of (n, 3) CIELAB pixels: shade makes navy of blue."""
    bright = lab[lab[:, 0] >= np.median(lab[:, 0])]
    typical = np.median(bright, axis=0)
    names = list(COLOURS)
    table = colours.to_lab(np.asarray([[COLOURS[name] for name in names]], np.uint8))[0]
    weights = np.asarray((LIGHTNESS, 1, 1), np.float32)
    return names[int(np.argmin(np.linalg.norm((table - typical) * weights, axis=1)))]


def _two_colours(pixels: Floats) -> tuple[str, str]:
    labels = _halves(pixels)
    groups = sorted((pixels[labels == i] for i in (0, 1)), key=len, reverse=True)
    return colour_name(groups[0]), colour_name(groups[1]) if len(groups[1]) else ""


def _halves(pixels: Floats) -> NDArray[np.int32]:
    """(n,) 0 or 1: two clusters of (n, 3) CIELAB pixels."""
    cv2.setRNGSeed(7)  # its starts would otherwise depend on earlier calls
    weighted = np.ascontiguousarray(pixels * np.asarray((LIGHTNESS, 1, 1), np.float32))
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.1)
    return np.asarray(cv2.kmeans(weighted, 2, None, stop, 2, cv2.KMEANS_PP_CENTERS)[1][:, 0], np.int32)


@dataclass(frozen=True)
class _Measured:
    """What tells patterns apart: slope of the middle tile, its energy's cosines at two and four turns, how few places
    hold it (90th percentile over median), and how far two colours lie apart over their own spread."""

    slope: float
    across: float
    raggedness: float
    squareness: float
    parted: float


def _measured(lab: Floats, inside: Mask) -> _Measured:
    weighted = lab * np.asarray((LIGHTNESS, 1, 1), np.float32)
    smooth = blurred(weighted, inside.astype(np.float32), 0.7)
    dx, dy = (cv2.Sobel(smooth, cv2.CV_32F, *order, ksize=3) / 8 for order in ((1, 0), (0, 1)))
    inner = cv2.erode(inside.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    inner = inner if np.count_nonzero(inner) >= LEAST_PIXELS else inside
    xx, yy, xy = ((a * b)[inner].sum(axis=1) for a, b in ((dx, dx), (dy, dy), (dx, dy)))
    energy = xx + yy + 1e-9
    angle = 0.5 * np.arctan2(2 * xy, xx - yy)
    return _Measured(
        slope=_middle_slope(dx, dy, inner),
        across=float((energy * np.cos(2 * angle)).sum() / energy.sum()),
        squareness=float((energy * np.cos(4 * angle)).sum() / energy.sum()),
        raggedness=float(np.percentile(energy, 90) / max(float(np.median(energy)), 1e-3)),
        parted=_parted(weighted[inside], _halves(lab[inside])),
    )


def _middle_slope(dx: Floats, dy: Floats, inner: Mask) -> float:
    """The median over tiles that are mostly cloth; over all of it where there is none."""
    energy = np.where(inner, (dx**2 + dy**2).sum(axis=2), 0)
    rows, columns = (-(-side // TILE) for side in inner.shape)
    found = []
    for row, column in np.ndindex(rows, columns):
        cut = np.s_[row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE]
        count = int(np.count_nonzero(inner[cut]))
        if count > 0.4 * TILE * TILE:
            found.append(float(energy[cut].sum()) / count)
    return float(np.sqrt(np.median(found) if found else energy[inner].mean()))


def _parted(pixels: Floats, labels: NDArray[np.int32]) -> float:
    groups = [pixels[labels == i] for i in (0, 1)]
    if min(len(group) for group in groups) < 2:
        return 0.0
    centres = [group.mean(axis=0) for group in groups]
    spread = np.sqrt(np.concatenate([((g - c) ** 2).sum(axis=1) for g, c in zip(groups, centres, strict=True)]).mean())
    return float(np.linalg.norm(centres[0] - centres[1]) / max(float(spread), 1e-3))


def _pattern(m: _Measured) -> str:
    if m.slope < PLAIN_BELOW:
        return "plain"
    if m.across < -ALONG:
        return "striped"
    if m.across > ALONG:
        return "pinstriped"
    if m.raggedness > RAGGED:
        return "floral"
    return "checked" if m.parted < PARTED and (m.squareness > 0.05 or m.raggedness < 5) else "dotted"


def _at_scale(image: Image.Image, mask: Mask) -> tuple[Floats, Mask]:
    """CIELAB and mask, cut to the mask's box, at the one scale; the rim, which mixes with what is beside, left out."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    scale = SIDE / float(np.sqrt(np.count_nonzero(mask)))
    size = (max(8, round((box[2] - box[0]) * scale)), max(8, round((box[3] - box[1]) * scale)))
    way = Image.Resampling.BICUBIC if scale > 1 else Image.Resampling.BOX
    pixels = np.asarray(image.convert("RGB").crop(box).resize(size, way))
    cut = Image.fromarray(mask[box[1] : box[3], box[0] : box[2]]).convert("L").resize(size, Image.Resampling.BILINEAR)
    inside = np.asarray(cut) >= 128
    inner = cv2.erode(inside.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=2, borderValue=0) > 0
    return colours.to_lab(pixels), inner if np.count_nonzero(inner) >= LEAST_PIXELS else inside
