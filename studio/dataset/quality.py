"""Is a picture sharp, large enough, and not the same as another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.segmentation.masks import Mask, expand, resize_mask

SHARP_SIDE = 512
LEAST_BLUR_PIXELS = 200
HASH_SIDE, HASH_KEPT = 32, 8
THUMB = 96
NEAR_BITS = 14  # recompressed, resized, turned by a degree: 10 at most
# Once one is laid upon the other: other files of one photo and neighbours of a burst stay within, other poses do not.
NEAR_DETAIL, NEAR_COLOUR = 0.89, 13.0


def sharpness(image: Image.Image, subject: Mask | None) -> float:
    """How much of the contrast is fine detail: log10 of the Laplacian's variance over that of the grey values.

    The variance of the Laplacian (Pech-Pacheco et al. 2000, ICPR) at a longest side of 512, where the subject is and
    just around it; over the grey values' variance, because a plain cloth holds little of either.

    Args:
        image: RGB.
        subject: (H, W) bool, the person or garment; None: the whole picture.
    """
    factor = min(1.0, SHARP_SIDE / max(image.size))
    size = (max(8, round(image.width * factor)), max(8, round(image.height * factor)))
    grey = cv2.cvtColor(np.asarray(image.convert("RGB")), cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    edges = cv2.Laplacian(small, cv2.CV_32F, ksize=1)
    inside = np.ones(small.shape, np.bool_)
    if subject is not None:
        around = expand(resize_mask(subject, size), 4)
        inside = around if np.count_nonzero(around) >= LEAST_BLUR_PIXELS else inside
    return float(np.log10((edges[inside].var() + 1e-6) / (small[inside].var() + 1e-3)))


@dataclass(frozen=True)
class Print:
    """What a picture is recognised by.

    Attributes:
        bits: (64,) bool perceptual hash: signs of its lowest cosine frequencies against their median.
        thumb: (h, w, 3) float32 CIELAB, longest side 96.
    """

    bits: NDArray[np.bool_]
    thumb: NDArray[np.float32]


def print_of(image: Image.Image) -> Print:
    """The print of an RGB picture. Source of the hash: Zauner 2010, "Implementation and Benchmarking of Perceptual
    Image Hash Functions", section 3.2 (DCT)."""
    pixels = np.asarray(image.convert("RGB"))
    grey = cv2.resize(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), (HASH_SIDE, HASH_SIDE), interpolation=cv2.INTER_AREA)
    low = cv2.dct(grey.astype(np.float32))[:HASH_KEPT, :HASH_KEPT].ravel()
    factor = THUMB / max(image.size)
    size = (max(16, round(image.width * factor)), max(16, round(image.height * factor)))
    small = np.asarray(image.convert("RGB").resize(size, Image.Resampling.BOX), np.float32) / 255
    return Print(np.asarray(low > np.median(low[1:])), np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), np.float32))


def alike(one: Print, other: Print) -> bool:
    """Whether two pictures are one, or one and its neighbour in a burst.

    The hash says what is worth a second look: the two are then laid upon each other by the affine map of the highest
    correlation (ECC, Evangelidis & Psarakis 2008, IEEE TPAMI 30) and compared in fine detail and in colour.
    """
    if int(np.count_nonzero(one.bits != other.bits)) > NEAR_BITS:
        return False
    moved = _laid_on(one.thumb, other.thumb)
    if moved is None:
        return False
    detail, colour = _agreement(one.thumb, moved)
    return detail >= NEAR_DETAIL and colour <= NEAR_COLOUR


def _laid_on(still: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """``other`` moved onto ``still``; None where nothing fits."""
    size = (still.shape[1], still.shape[0])
    same = cv2.resize(other, size, interpolation=cv2.INTER_AREA)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 30, 1e-4)
    try:
        _, move = cv2.findTransformECC(
            still[..., 0], same[..., 0], np.eye(2, 3, dtype=np.float32), cv2.MOTION_AFFINE, stop, None, 3
        )
    except cv2.error:  # it does not converge: they have nothing in common
        return None
    flags = cv2.INTER_LINEAR + cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(same, move, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _agreement(one: NDArray[np.float32], other: NDArray[np.float32]) -> tuple[float, float]:
    """Correlation of fine detail, -1..1, and the 97th percentile of the CIELAB distances; exposure is no difference."""
    inner = (slice(4, -4), slice(4, -4))
    a, b = ((lab - cv2.GaussianBlur(lab, (0, 0), 3))[inner] for lab in (one, other))
    detail = float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum() + 1e-9))
    offset = (one - other)[inner]
    offset[..., 0] -= offset[..., 0].mean()
    return detail, float(np.percentile(np.linalg.norm(offset, axis=2), 97))


def duplicates(prints: Sequence[Print]) -> tuple[tuple[int, ...], ...]:
    """Groups of two and more that are alike, directly or through another; indices ascending."""
    group = list(range(len(prints)))
    for i, one in enumerate(prints):
        for j in range(i):
            if group[i] != group[j] and alike(one, prints[j]):
                old, new = max(group[i], group[j]), min(group[i], group[j])
                group = [new if g == old else g for g in group]
    members = (tuple(i for i, g in enumerate(group) if g == name) for name in sorted(set(group)))
    return tuple(one for one in members if len(one) > 1)
