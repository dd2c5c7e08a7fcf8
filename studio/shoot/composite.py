"""The garment's own pixels back over the repaint: colour matched at the seam, feathered outside the lock, exact inside
it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Mask = NDArray[np.bool_]

# Pixels at 768 px of height; both grow with the picture.
LOCK_MARGIN = 2.0
MATCH_REACH = 10.0
MATCH_SMOOTH = 6.0


def lock(kept: Mask) -> Mask:
    """The part of ``kept`` that comes back untouched: eroded by a margin in which the seam is softened."""
    margin = max(1.0, LOCK_MARGIN * kept.shape[0] / 768)
    inside = cv2.distanceTransform(np.pad(kept, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    return np.asarray(inside > margin)


def composite(
    repaint: Image.Image, source: Image.Image, kept: Mask, locked: Mask, *, photographed: Mask
) -> Image.Image:
    """Put ``source`` back where ``kept``.

    Args:
        repaint, source: RGB of the same size.
        kept: bool (H, W), what the source keeps; ``locked`` its eroded part, which comes back bit for bit.
        photographed: bool (H, W); elsewhere ``source`` is blank, and not a trace of it may come through the soft edge.
    """
    if not kept.any():
        return repaint
    painted, photo = (np.asarray(i, np.float32) for i in (repaint, source))
    matched = match_seam(painted, photo, kept)
    alpha = (seam_ramp(kept, locked) * photographed)[..., None]
    mixed = np.clip(np.round(matched * (1 - alpha) + photo * alpha), 0, 255).astype(np.uint8)
    mixed[locked] = np.asarray(source)[locked]
    return Image.fromarray(mixed)


def seam_ramp(kept: Mask, locked: Mask) -> NDArray[np.float32]:
    """(H, W) 0..1: 1 inside the lock, falling to 0 one margin outside of ``kept``."""
    margin = max(1.0, LOCK_MARGIN * kept.shape[0] / 768)
    inside = cv2.distanceTransform(np.pad(kept, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    outside = cv2.distanceTransform((~kept).astype(np.uint8), cv2.DIST_L2, 5)
    ramp = np.clip((inside - outside + margin * 0.5) / (margin * 1.5), 0, 1)
    return np.where(locked, 1, ramp).astype(np.float32)


def match_seam(painted: NDArray[np.float32], photo: NDArray[np.float32], kept: Mask) -> NDArray[np.float32]:
    """Shift the repaint's colours near the seam to the photo's.

    Where the engine painted the garment's rim, its colours drift. The drift is measured inside ``kept`` (photo minus
    repaint), spread outwards smoothly (normalised convolution, Knutsson & Westin 1993) and faded out within a few
    pixels.
    Only pixels the repaint itself gave the garment's colour are shifted; skin and scene keep theirs.
    """
    scale = kept.shape[0] / 768
    weight = kept.astype(np.float32)
    spread = cv2.GaussianBlur(weight, (0, 0), MATCH_SMOOTH * scale)
    drift = (
        cv2.GaussianBlur((photo - painted) * weight[..., None], (0, 0), MATCH_SMOOTH * scale)
        / np.maximum(spread, 1e-3)[..., None]
    )
    near = (
        cv2.GaussianBlur(painted * weight[..., None], (0, 0), MATCH_SMOOTH * scale)
        / np.maximum(spread, 1e-3)[..., None]
    )
    outside = cv2.distanceTransform((~kept).astype(np.uint8), cv2.DIST_L2, 5)
    fade = np.clip(1 - outside / (MATCH_REACH * scale), 0, 1)
    alike = np.exp(-np.square(np.linalg.norm(painted - near, axis=2) / 40.0))
    return np.asarray(painted + drift * (fade * alike)[..., None], np.float32)
