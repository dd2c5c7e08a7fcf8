"""Does it show where the photo's cloth ends and the repainted cloth begins?

The ring is the cloth between the lock and the garment's edge: repainted, but the photo says how it should look. Colours
are blurred a little first, within the cloth only, because fine texture that differs is no visible seam: Zhang & Wandell
1996, "A spatial extension of CIELAB". Differences are CIEDE2000: Sharma, Wu, Dalal 2005, "The CIEDE2000
color-difference formula: implementation notes", through scikit-image.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from studio.fidelity.lock import NO_GARMENT, NO_SOURCE
from studio.fidelity.report import Gap, SeamReport
from studio.fidelity.subject import Subject
from studio.segmentation.colours import to_lab
from studio.segmentation.masks import Mask, expand, shrink

Floats = NDArray[np.float32]

# The outermost pixels of a garment are mixed with what was behind them, and that has changed: they prove nothing.
EDGE = 1.0
# How far from the lock a seam can show, and how far colours are blurred, as shares of the picture's longer side.
REACH, BLUR = 0.015, 0.0015
LEAST_RING = 30
NO_RING = Gap("no_seam_ring", "The garment was kept up to its very edge; no repainted cloth is left to compare.", True)


def measure_seam(subject: Subject) -> SeamReport:
    """CIEDE2000 over the ring of repainted cloth, and the step across the lock's edge beyond the photo's own."""
    garment, locked, source = subject.garment, subject.locked, subject.source
    if garment is None or locked is None:
        return SeamReport(gap=NO_GARMENT)
    if source is None:
        return SeamReport(gap=NO_SOURCE)
    ring = ring_of(garment, locked)
    if np.count_nonzero(ring) < LEAST_RING:
        return SeamReport(gap=NO_RING)
    window = _window(ring, margin=int(3 * REACH * max(ring.shape)) + 2)
    result, photo = to_lab(subject.result[window]), to_lab(source[window])
    apart = _apart(result, photo, cloth=garment[window], where=ring[window], sigma=_pixels(BLUR, ring, least=0.6))
    step = _step(result, photo, locked[window], ring[window], sigma=_pixels(REACH / 3, ring, least=1.0))
    return SeamReport(float(apart.mean()), float(np.percentile(apart, 95)), step, int(np.count_nonzero(ring)))


def ring_of(garment: Mask, locked: Mask) -> Mask:
    """The repainted cloth next to the lock, without the garment's outermost pixels."""
    reach = max(3.0, REACH * max(garment.shape))
    return np.asarray(shrink(garment, EDGE) & ~locked & expand(locked, reach))


def delta_e(first: Floats, second: Floats) -> NDArray[np.float64]:
    """CIEDE2000 between CIELAB colours (..., 3)."""
    from skimage.color import deltaE_ciede2000

    return np.asarray(deltaE_ciede2000(first, second), np.float64)


def _pixels(share: float, plane: Mask, *, least: float) -> float:
    return max(least, share * max(plane.shape))


def _window(mask: Mask, *, margin: int) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (
        slice(max(0, int(rows[0]) - margin), int(rows[-1]) + margin + 1),
        slice(max(0, int(columns[0]) - margin), int(columns[-1]) + margin + 1),
    )


def _apart(result: Floats, photo: Floats, *, cloth: Mask, where: Mask, sigma: float) -> NDArray[np.float64]:
    return delta_e(_within(result, cloth, sigma)[where], _within(photo, cloth, sigma)[where])


def _within(lab: Floats, mask: Mask, sigma: float) -> Floats:
    """Blurred colours, each the mean of ``mask``'s pixels around it alone."""
    weight = mask.astype(np.float32)
    total = cv2.GaussianBlur(lab * weight[..., None], (0, 0), sigma)
    return np.asarray(total / np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), 1e-4)[..., None], np.float32)


def _step(result: Floats, photo: Floats, locked: Mask, ring: Mask, *, sigma: float) -> float:
    """Mean of max(0, step in the result - step in the photo) over the ring's pixels next to the lock."""
    beside = ring & expand(locked, 1.5)
    if not beside.any():
        return 0.0
    now, before = (
        delta_e(_within(lab, locked, sigma)[beside], _within(lab, ring, sigma)[beside]) for lab in (result, photo)
    )
    return float(np.maximum(now - before, 0).mean())
