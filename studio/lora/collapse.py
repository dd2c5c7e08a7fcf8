"""Whether samples have become the training pictures over again, which is over-training at its end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.lora.similarity import Mask

GRID = (24, 24)
Garment = tuple[Image.Image, Mask]
"""An RGB picture and the bool (H, W) mask of its garment."""


def copied(samples: Sequence[Garment], training: Sequence[Garment], held_out: Sequence[Garment]) -> float:
    """How much the samples copy training pictures: 0 as little as the held-out photos do, 1 pixel for pixel.

    The garments' boxes are compared, small and each channel about its mean (normalised cross-correlation, Lewis 1995).
    Photos of one garment resemble one another already; so what counts is how far a sample's likeness to its nearest
    training picture goes beyond that of the held-out photos, (c - c₀) / (1 - c₀).

    Returns:
        0..1, the mean over the samples; 0 when any of the three is empty.
    """
    if not (samples and training and held_out):
        return 0.0
    known = np.stack([_signature(*garment) for garment in training])
    natural = _nearest(held_out, known).mean()
    excess = (_nearest(samples, known) - natural) / max(1 - natural, 1e-3)
    return float(np.clip(excess, 0, 1).mean())


def _nearest(garments: Sequence[Garment], known: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n,) the highest correlation with any of the known."""
    return np.asarray((np.stack([_signature(*garment) for garment in garments]) @ known.T).max(axis=1))


def _signature(picture: Image.Image, mask: Mask) -> NDArray[np.float32]:
    """Unit vector of the garment's box, small, its mean colour taken out."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    pixels = np.asarray(picture.convert("RGB").crop(box).resize(GRID, Image.Resampling.BOX), np.float32)
    flat = (pixels - pixels.mean(axis=(0, 1))).ravel()
    return np.asarray(flat / max(float(np.linalg.norm(flat)), 1e-6), np.float32)
