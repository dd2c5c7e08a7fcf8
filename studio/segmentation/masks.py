"""Masks and their arithmetic, on plain numpy arrays.

A mask is a bool array of shape (H, W), True where the garment is. A soft mask is float32 of the same shape in 0..1.
Radii are pixels and every neighbourhood is a Euclidean disc. What lies outside the picture is unknown, so a garment
that the frame cuts off is neither shrunk nor feathered along that frame edge.
"""

from __future__ import annotations

import math
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from studio.errors import InputError

Mask = NDArray[np.bool_]
SoftMask = NDArray[np.float32]
Side = Literal["both", "inside", "outside"]


def check_mask(mask: NDArray[np.generic], *, size: tuple[int, int] | None = None, allow_empty: bool = False) -> Mask:
    """The mask itself, once it is known to be usable.

    Args:
        mask: (H, W) bool.
        size: (width, height) in pixels that the mask must have.
        allow_empty: accept a mask without a single True pixel.

    Raises:
        InputError: ``mask_not_2d``, ``mask_not_bool``, ``mask_wrong_size`` or ``mask_empty``.
    """
    _check_plane(mask)
    if mask.dtype != np.bool_:
        raise InputError("mask_not_bool", f"The mask holds {mask.dtype}, not bool: threshold it first (mask >= 0.5).")
    if size is not None:
        check_size(mask, size)
    if not allow_empty and not mask.any():
        raise InputError("mask_empty", "The mask marks no pixel as garment: paint the garment white and try again.")
    return mask.astype(np.bool_, copy=False)


def check_size(mask: NDArray[np.generic], size: tuple[int, int]) -> None:
    """Raise ``mask_wrong_size`` (InputError) unless the (H, W) array covers a picture of (width, height)."""
    height, width = mask.shape[:2]
    if (width, height) != tuple(size):
        raise InputError(
            "mask_wrong_size",
            f"The mask is {width}x{height} pixels, the picture {size[0]}x{size[1]}: give a mask of the picture's size.",
        )


def expand(mask: Mask, radius: float) -> Mask:
    """Every pixel at most ``radius`` pixels from the mask; an empty mask stays empty."""
    _check_radius(radius)
    check_mask(mask, allow_empty=True)
    if radius == 0 or not mask.any():
        return mask.copy()
    return np.asarray(_distance_to(mask) <= radius)


def shrink(mask: Mask, radius: float) -> Mask:
    """The pixels of the mask more than ``radius`` pixels from whatever is not mask (frame edges do not count)."""
    _check_radius(radius)
    check_mask(mask, allow_empty=True)
    if radius == 0 or mask.all():
        return mask.copy()
    return np.asarray(_distance_to(~mask) > radius)


def feather(mask: Mask, radius: float, *, side: Side = "both") -> SoftMask:
    """A soft mask that climbs linearly from 0 to 1 across the mask's edge.

    Args:
        mask: (H, W) bool.
        radius: half the ramp's width in pixels for ``both`` (0.5 falls on the edge itself), all of it otherwise.
        side: ``inside`` leaves everything outside of the mask at 0, ``outside`` leaves the mask itself at 1.
    """
    _check_radius(radius)
    check_mask(mask, allow_empty=True)
    if radius == 0 or not mask.any() or mask.all():
        return mask.astype(np.float32)
    signed = np.where(mask, _distance_to(~mask) - 0.5, 0.5 - _distance_to(mask)).astype(np.float32)
    if side == "both":
        ramp = 0.5 + signed / (2 * radius)
    else:
        ramp = signed / radius + (0 if side == "inside" else 1)
    return np.clip(ramp, 0, 1).astype(np.float32)


def merge(first: Mask, *others: Mask) -> Mask:
    """Garment where any of the masks says so."""
    result = check_mask(first, allow_empty=True).copy()
    for other in others:
        result |= _same_size(first, other)
    return result


def subtract(mask: Mask, *others: Mask) -> Mask:
    """Garment where ``mask`` says so and none of the others does."""
    result = check_mask(mask, allow_empty=True).copy()
    for other in others:
        result &= ~_same_size(mask, other)
    return result


def intersect(first: Mask, *others: Mask) -> Mask:
    """Garment where all of the masks say so."""
    result = check_mask(first, allow_empty=True).copy()
    for other in others:
        result &= _same_size(first, other)
    return result


def overlap(a: Mask, b: Mask) -> float:
    """Intersection over union, 0..1; two empty masks agree (1.0)."""
    _same_size(check_mask(a, allow_empty=True), b)
    union = int(np.count_nonzero(a | b))
    return 1.0 if union == 0 else int(np.count_nonzero(a & b)) / union


def largest_parts(mask: Mask, count: int = 1, *, at_least: float = 0.0) -> Mask:
    """The ``count`` largest 8-connected parts, of those that hold ``at_least`` (0..1) of the largest one's pixels."""
    check_mask(mask, allow_empty=True)
    total, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if total <= 2:
        return mask.copy()
    areas = stats[1:, cv2.CC_STAT_AREA]
    order = np.argsort(-areas, kind="stable")[:count]
    kept = [int(i) + 1 for i in order if areas[i] >= at_least * areas[order[0]]]
    return _choose(labels, total, kept)


def fill_holes(mask: Mask, *, at_most: int | None = None) -> Mask:
    """Fill what the mask encloses (4-connected, not touching the frame), up to ``at_most`` pixels a hole when given."""
    check_mask(mask, allow_empty=True)
    total, labels, stats, _ = cv2.connectedComponentsWithStats((~mask).astype(np.uint8), connectivity=4)
    open_to_frame = set(np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])).tolist())
    limit = mask.size if at_most is None else at_most
    holes = [i for i in range(1, total) if i not in open_to_frame and stats[i, cv2.CC_STAT_AREA] <= limit]
    return mask | _choose(labels, total, holes)


def clean(mask: Mask, *, radius: float, part: float = 0.05, hole: float = 0.01) -> Mask:
    """A mask as a person would draw it: no hairs, no crumbs, no pinholes.

    Args:
        mask: (H, W) bool.
        radius: threads, notches and spikes thinner than twice this many pixels go.
        part: parts smaller than this share of the largest part go.
        hole: enclosed holes smaller than this share of the mask are filled.
    """
    check_mask(mask, allow_empty=True)
    opened = expand(shrink(mask, radius), radius) & mask
    closed = shrink(expand(opened, radius), radius) | opened
    parts = largest_parts(closed, closed.size, at_least=part)
    return fill_holes(parts, at_most=int(hole * np.count_nonzero(parts)))


def resize_mask(mask: Mask, size: tuple[int, int]) -> Mask:
    """The mask at another (width, height) in pixels: area-averaged down, bilinear up, True from a half on."""
    check_mask(mask, allow_empty=True)
    return np.asarray(resize_soft(mask.astype(np.float32), size) >= 0.5)


def resize_soft(soft: SoftMask, size: tuple[int, int]) -> SoftMask:
    """The soft mask at another (width, height) in pixels."""
    _check_plane(soft)
    smaller = size[0] * size[1] < soft.size
    resized = cv2.resize(soft, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
    return np.asarray(resized, np.float32)


def _distance_to(target: Mask) -> NDArray[np.float32]:
    return np.asarray(cv2.distanceTransform((~target).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)


def _choose(labels: NDArray[np.int32], total: int, kept: list[int]) -> Mask:
    chosen = np.zeros(total, np.bool_)
    chosen[kept] = True
    return np.asarray(chosen[labels])


def _same_size(first: Mask, other: Mask) -> Mask:
    return check_mask(other, size=(first.shape[1], first.shape[0]), allow_empty=True)


def _check_plane(mask: NDArray[np.generic]) -> None:
    if mask.ndim != 2 or mask.size == 0:
        raise InputError("mask_not_2d", f"A mask is one plane of (height, width); this one has shape {mask.shape}.")


def _check_radius(radius: float) -> None:
    if not math.isfinite(radius) or radius < 0:
        raise InputError("radius_invalid", f"A radius is zero or more pixels; this one is {radius}.")
