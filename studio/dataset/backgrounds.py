"""What is behind the wearer: how plain it is, and which of the drawn world's scenes it resembles."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from studio.segmentation import colours

SIDE = 128


def plainness(pixels: NDArray[np.uint8]) -> float:
    """How far, in CIELAB units, a picture's rim strays from slow gradients: under 2 in a studio, over 6 outdoors.

    The rim is the upper three quarters of a strip along top and sides; a wearer may stand in a third of it.

    Args:
        pixels: (H, W, 3) uint8 sRGB.
    """
    factor = SIDE / max(pixels.shape[:2])
    size = (max(8, round(pixels.shape[1] * factor)), max(8, round(pixels.shape[0] * factor)))
    lab = colours.to_lab(np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)))
    height, width = lab.shape[:2]
    strip = max(2, SIDE // 20)
    rim = np.zeros((height, width), np.bool_)
    rim[:strip] = rim[: height * 3 // 4, :strip] = rim[: height * 3 // 4, -strip:] = True
    return _residual(lab, rim)


def _residual(lab: colours.Floats, rim: NDArray[np.bool_]) -> float:
    """The 60th percentile of what a quadratic surface, fitted to the better two thirds, leaves over."""
    ys, xs = np.mgrid[-1 : 1 : lab.shape[0] * 1j, -1 : 1 : lab.shape[1] * 1j]
    terms = np.stack([np.ones_like(xs), xs, ys, xs * xs, xs * ys, ys * ys], axis=-1)[rim]
    samples = lab[rim].astype(np.float64)
    trusted = np.ones(len(samples), np.bool_)
    error = np.zeros(len(samples))
    for _ in range(4):
        coefficients, *_ = np.linalg.lstsq(terms[trusted], samples[trusted], rcond=None)
        error = np.linalg.norm(samples - terms @ coefficients, axis=1)
        trusted = error <= np.percentile(error, 66)
    return float(np.percentile(error, 60))
