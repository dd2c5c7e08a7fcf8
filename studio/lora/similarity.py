"""How alike the garment in a picture is to a garment in photos: 0..1, from pixels inside the masks alone.

Three distances, each between distributions or profiles and never between pixels at the same place, because wearer,
pose, view and light differ:

1. *Colour*: which colours, and how much of each. Sliced Wasserstein distance (Bonneel et al. 2015, Journal of
   Mathematical Imaging and Vision 51, eq. 9) between the CIELAB pixels, with lightness at half its weight, because
   light and folds change it most.
2. *Pattern*: at four sizes relative to the garment's, how much the cloth varies and in which direction: the structure
   tensor (Bigün & Granlund 1987) of differences of Gaussians (Burt & Adelson 1983), averaged over the mask. Stripes lie
   across, pin stripes stand, dots have no direction.
3. *Layout*: the mean colour of eight slices from top to bottom. A body that turns keeps it.

The similarity is ``exp(-(c·colour + p·pattern + l·layout))``; what it tells apart, and how surely, is measured by
``python -m bench.similarity`` and told in docs/training-choice.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.errors import InputError

Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]

SIDE = 64.0  # the square root of a mask's area, in pixels, at which everything is measured
LEAST_PIXELS = 64  # of a mask in its own picture
LIGHTNESS = 0.5
DIRECTIONS, QUANTILES = 24, 64
SIGMAS = (1.5, 3.0, 6.0, 12.0)
SLICES = 8
WEIGHTS = (0.030, 0.060, 0.012)  # colour, pattern, layout; so that another view of a garment is at about 0.7


@dataclass(frozen=True)
class Look:
    """What is compared of one garment in one picture.

    Attributes:
        colours: (DIRECTIONS, QUANTILES) quantiles of the weighted CIELAB pixels along fixed directions.
        pattern: (4 sizes, 3 channels, 3) square roots of energy in units of CIELAB: in all, and its parts along
            cos 2θ and sin 2θ, signed.
        layout: (SLICES, 3) weighted CIELAB.
    """

    colours: Floats
    pattern: Floats
    layout: Floats


@dataclass(frozen=True)
class References:
    """The garment as its photos show it."""

    looks: tuple[Look, ...]


def references_of(photos: Sequence[tuple[Image.Image, Mask]]) -> References:
    """The photos to compare with, measured once.

    Args:
        photos: RGB picture and bool (H, W) mask of its garment, at least one.

    Raises:
        InputError: ``references_missing``, ``mask_wrong_size``, ``mask_too_small``.
    """
    if not photos:
        raise InputError("references_missing", "There is no photo with a mask to compare with: add one.")
    return References(tuple(look(picture, mask) for picture, mask in photos))


def similarity(picture: Image.Image, mask: Mask, references: References) -> float:
    """How alike the masked garment is to the references': 1 the same pixels, about 0.7 another view of it.

    Front and back may differ, so the better half of the references counts.

    Args:
        picture: RGB.
        mask: bool (H, W) over it, True = garment.
        references: from :func:`references_of`.

    Raises:
        InputError: ``mask_wrong_size``, ``mask_too_small``.
    """
    own = look(picture, mask)
    found = sorted((alike(own, other) for other in references.looks), reverse=True)
    best = found[: (len(found) + 1) // 2]
    return float(np.mean(best))


def alike(one: Look, other: Look) -> float:
    """The similarity of two looks."""
    return float(np.exp(-np.dot(WEIGHTS, distances(one, other))))


def distances(one: Look, other: Look) -> NDArray[np.float64]:
    """(3,) distances in colour, pattern and layout, in units of weighted CIELAB."""
    # The mean of |cos| over the directions of space is 1/2: twice it brings the sliced distance to the scale of ΔE.
    colour = 2 * np.abs(one.colours - other.colours).mean()
    pattern = np.linalg.norm(one.pattern - other.pattern, axis=(1, 2)).mean()
    layout = np.linalg.norm(one.layout - other.layout, axis=1).mean()
    return np.array([colour, pattern, layout], np.float64)


def look(picture: Image.Image, mask: Mask) -> Look:
    """Measure one garment.

    Raises:
        InputError: ``mask_wrong_size``, ``mask_too_small``.
    """
    lab, inside = _at_scale(picture, mask)
    return Look(_colours(lab[inside]), _pattern(lab, inside), _layout(lab, inside))


def _at_scale(picture: Image.Image, mask: Mask) -> tuple[Floats, Mask]:
    """Weighted CIELAB and mask, cut to the mask's box, at the one scale; the rim, which mixes with the rest, is out."""
    if mask.shape != (picture.height, picture.width):
        raise InputError("mask_wrong_size", "The mask must have its picture's size.")
    if int(mask.sum()) < LEAST_PIXELS:
        raise InputError("mask_too_small", f"The mask must hold at least {LEAST_PIXELS} pixels of the garment.")
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    scale = SIDE / float(np.sqrt(mask.sum()))
    size = (max(8, round((box[2] - box[0]) * scale)), max(8, round((box[3] - box[1]) * scale)))
    kind = Image.Resampling.BICUBIC if scale > 1 else Image.Resampling.BOX
    pixels = np.asarray(picture.convert("RGB").crop(box).resize(size, kind), np.float32)
    cut = Image.fromarray(mask[box[1] : box[3], box[0] : box[2]]).convert("L").resize(size, Image.Resampling.BILINEAR)
    inside = np.asarray(cut) >= 128
    eroded = cv2.erode(inside.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=2, borderValue=0) > 0
    lab = cv2.cvtColor(pixels / 255, cv2.COLOR_RGB2LAB)
    lab[..., 0] *= LIGHTNESS
    return np.asarray(lab, np.float32), eroded if eroded.sum() >= LEAST_PIXELS else inside


def _directions() -> Floats:
    """(DIRECTIONS, 3) unit vectors spread evenly over a hemisphere: a Fibonacci lattice."""
    k = np.arange(DIRECTIONS) + 0.5
    height, turn = k / DIRECTIONS, np.pi * (1 + 5**0.5) * k
    flat = np.sqrt(1 - height**2)
    return np.asarray(np.stack([flat * np.cos(turn), flat * np.sin(turn), height], axis=1), np.float32)


def _colours(pixels: Floats) -> Floats:
    at = (np.arange(QUANTILES) + 0.5) / QUANTILES
    return np.asarray(np.quantile(pixels @ _directions().T, at, axis=0).T, np.float32)


def _pattern(lab: Floats, inside: Mask) -> Floats:
    weight = inside.astype(np.float32)
    levels = [blurred(lab, weight, sigma) for sigma in (SIGMAS[0] / 2, *SIGMAS)]
    return np.stack([_energy(fine - coarse, inside, sigma) for fine, coarse, sigma in
                     zip(levels[:-1], levels[1:], SIGMAS, strict=True)])  # fmt: skip


def blurred(lab: Floats, weight: Floats, sigma: float) -> Floats:
    """Blurred by what lies inside alone (normalised convolution, Knutsson & Westin 1993)."""
    total = cv2.GaussianBlur(lab * weight[..., None], (0, 0), sigma)
    return np.asarray(total / np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), 1e-3)[..., None], np.float32)


def _energy(band: Floats, inside: Mask, sigma: float) -> Floats:
    """(3 channels, 3): the root of the mean energy of a band's slope over its size, and its directed parts."""
    across, down = (cv2.Sobel(band, cv2.CV_32F, *order, ksize=3) * (sigma / 8) for order in ((1, 0), (0, 1)))
    xx, yy, xy = ((product[inside]).mean(axis=0) for product in (across**2, down**2, across * down))
    parts = np.stack([xx + yy, xx - yy, 2 * xy], axis=1)
    return np.asarray(np.sign(parts) * np.sqrt(np.abs(parts)), np.float32)


def _layout(lab: Floats, inside: Mask) -> Floats:
    rows = np.broadcast_to(np.arange(len(inside))[:, None], inside.shape)[inside]
    slices = np.array_split(np.argsort(rows, kind="stable"), SLICES)
    pixels = lab[inside]
    return np.stack([pixels[part].mean(axis=0) for part in slices])
