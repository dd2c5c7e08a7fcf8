"""Carrying a mask found on a small copy over to the photo's own pixels, edges along the photo's edges.

Source: He, Sun, Tang 2013, "Guided Image Filtering", equations 14-16 (colour guide), and He, Sun 2015, "Fast Guided
Filter", https://arxiv.org/abs/1505.00996: the linear coefficients are found on the small copy and applied to the large.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from studio.segmentation.masks import SoftMask

Floats = NDArray[np.float32]


def guided(guide: NDArray[np.uint8], soft: SoftMask, *, radius: int, eps: float = 1e-3) -> SoftMask:
    """``soft`` smoothed within areas of one colour and kept sharp between them.

    Args:
        guide: (H, W, 3) uint8 picture.
        soft: (H, W) float32, any range.
        radius: half the window in pixels.
        eps: variance (colours in 0..1, squared) below which the guide counts as flat.
    """
    scaled = guide.astype(np.float32) / 255
    slope, offset = _coefficients(scaled, soft, radius, eps)
    return _apply(scaled, slope, offset)


def enlarge(guide: NDArray[np.uint8], small_guide: NDArray[np.uint8], soft: SoftMask, *, radius: int) -> SoftMask:
    """The soft mask of a small copy at the size of ``guide`` (H, W, 3), 0..1, snapped to the guide's edges.

    Args:
        guide: (H, W, 3) uint8 picture at its own size.
        small_guide: (h, w, 3) uint8, the same picture small.
        soft: (h, w) float32 in 0..1.
        radius: half the window in pixels of the small copy.
    """
    slope, offset = _coefficients(small_guide.astype(np.float32) / 255, soft, radius, 1e-4)
    height, width = guide.shape[:2]
    result = np.empty((height, width), np.float32)
    # In bands: twelve megapixels of float coefficients at once would be 200 MB.
    for top in range(0, height, 512):
        bottom = min(height, top + 512)
        result[top:bottom] = _apply(
            guide[top:bottom].astype(np.float32) / 255,
            _rows(slope, top, bottom, (width, height)),
            _rows(offset, top, bottom, (width, height)),
        )
    return np.clip(result, 0, 1)


def _coefficients(guide: Floats, soft: SoftMask, radius: int, eps: float) -> tuple[Floats, Floats]:
    mean, mean_soft = _box(guide, radius), _box(soft, radius)
    covariance = [_box(guide[..., i] * soft, radius) - mean[..., i] * mean_soft for i in range(3)]
    variance = {
        (i, j): _box(guide[..., i] * guide[..., j], radius) - mean[..., i] * mean[..., j] + (eps if i == j else 0)
        for i in range(3)
        for j in range(i, 3)
    }
    slope = _solve(variance, covariance)
    offset = mean_soft - (slope * mean).sum(axis=2)
    return _box(slope, radius), _box(offset, radius)


def _solve(variance: dict[tuple[int, int], Floats], right: list[Floats]) -> Floats:
    """x of A x = right at each pixel, A symmetric 3x3, by cofactors: numpy's batched solve is ten times slower."""
    a, b, c = variance[0, 0], variance[0, 1], variance[0, 2]
    d, e, f = variance[1, 1], variance[1, 2], variance[2, 2]
    c00, c01, c02 = d * f - e * e, c * e - b * f, b * e - c * d
    c11, c12, c22 = a * f - c * c, b * c - a * e, a * d - b * b
    determinant = a * c00 + b * c01 + c * c02
    x, y, z = right
    rows = (c00 * x + c01 * y + c02 * z, c01 * x + c11 * y + c12 * z, c02 * x + c12 * y + c22 * z)
    return np.asarray(np.stack(rows, axis=2) / determinant[..., None], np.float32)


def _rows(small: Floats, top: int, bottom: int, size: tuple[int, int]) -> Floats:
    """Rows top..bottom of ``small`` enlarged bilinearly to (width, height)."""
    width, height = size
    ys = (np.arange(top, bottom, dtype=np.float32) + 0.5) * (small.shape[0] / height) - 0.5
    xs = (np.arange(width, dtype=np.float32) + 0.5) * (small.shape[1] / width) - 0.5
    map_x, map_y = np.meshgrid(xs, ys)
    return np.asarray(cv2.remap(small, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _apply(guide: Floats, slope: Floats, offset: Floats) -> SoftMask:
    return np.asarray((guide * slope).sum(axis=2) + offset, np.float32)


def _box(values: Floats, radius: int) -> Floats:
    side = 2 * radius + 1
    return np.asarray(cv2.blur(values, (side, side), borderType=cv2.BORDER_REFLECT), np.float32)
