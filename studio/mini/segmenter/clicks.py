"""Simulated clicks: where somebody would press first, and where next, given what came out."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def middle(mask: Mask) -> tuple[int, int]:
    """(x, y) of the pixel that lies deepest inside, with the picture's edge counting as an outline."""
    padded = np.pad(mask.astype(np.uint8), 1)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(int(np.argmax(depth)), depth.shape)
    return int(x), int(y)


def anywhere(rng: np.random.Generator, mask: Mask) -> tuple[int, int]:
    """(x, y) of a random pixel inside; of the eroded mask where there is one, for nobody aims at an outline."""
    inner = cv2.erode(mask.astype(np.uint8), np.ones((5, 5), np.uint8), borderValue=0)
    ys, xs = np.nonzero(inner if inner.any() else mask)
    pick = int(rng.integers(len(xs)))
    return int(xs[pick]), int(ys[pick])


def correction(found: Mask, wanted: Mask, rng: np.random.Generator | None = None) -> tuple[int, int, int] | None:
    """(x, y, label) in the largest connected region of error: 1 where something is missing, 0 where too much.

    The region's middle, or with ``rng`` half of the time a random place of it. None when nothing is wrong.
    """
    best: tuple[int, Mask, int] | None = None
    for label, wrong in ((1, wanted & ~found), (0, found & ~wanted)):
        count, regions, stats, _ = cv2.connectedComponentsWithStats(wrong.astype(np.uint8), connectivity=4)
        if count < 2:
            continue
        largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
        size = int(stats[largest, cv2.CC_STAT_AREA])
        if best is None or size > best[0]:
            best = (size, np.asarray(regions == largest), label)
    if best is None:
        return None
    place = anywhere(rng, best[1]) if rng is not None and rng.random() < 0.5 else middle(best[1])
    return (*place, best[2])


def box(rng: np.random.Generator, mask: Mask) -> tuple[float, float, float, float]:
    """x0, y0, x1, y1 around the mask, each side off by up to a tenth, as a hand draws it."""
    ys, xs = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    x0, y0, x1, y1 = float(xs[0]), float(ys[0]), float(xs[-1] + 1), float(ys[-1] + 1)
    off = rng.normal(0, 0.05, 4).clip(-0.1, 0.1) * (x1 - x0, y1 - y0, x1 - x0, y1 - y0)
    low, high = 0.0, float(max(mask.shape))
    return tuple(float(np.clip(v + d, low, high)) for v, d in zip((x0, y0, x1, y1), off, strict=True))  # type: ignore[return-value]
