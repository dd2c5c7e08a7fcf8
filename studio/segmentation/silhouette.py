"""The figure against its background: a detector's soft mask made crisp, or an object found with no mask at all.

Source of the cut: Rother, Kolmogorov, Blake 2004, "GrabCut", through OpenCV.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from studio.segmentation import colours
from studio.segmentation.colours import Floats
from studio.segmentation.masks import (
    Mask,
    SoftMask,
    expand,
    fill_holes,
    resize_mask,
    shrink,
)

# GrabCut's time grows with the pixels; its answer hardly changes above this, and the edge is refined later.
GRAB_SIDE = 400


def crisp(small: NDArray[np.uint8], person: SoftMask) -> Mask:
    """A detector's soft mask cut along the picture's edges.

    Args:
        small: (h, w, 3) uint8 picture.
        person: (h, w) float32 0..1; only a band around its 0.5 line is decided anew.
    """
    band = 0.015 * max(person.shape)
    inside = person >= 0.5
    if not inside.any() or inside.all():
        return inside
    labels = np.where(inside, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[shrink(inside, band) & (person > 0.8)] = cv2.GC_FGD
    labels[~expand(inside, band) & (person < 0.2)] = cv2.GC_BGD
    cut = grab(small, labels, rounds=2)
    return np.asarray((cut & expand(inside, 2 * band)) | shrink(inside, 2 * band))


def against_background(small: NDArray[np.uint8], *, where: SoftMask | None = None, sure: Mask | None = None) -> Mask:
    """The main object of a picture whose frame shows mostly background.

    Args:
        small: (h, w, 3) uint8 picture.
        where: (h, w) float32 0..1, how plausible the object is at each place; a broad bump in the middle when None.
        sure: (h, w) bool, what must be object, from a pose. A figure may be cut off at the sides low down; without a
            pose it is taken to stand free.
    """
    frame = _frame(small.shape[:2], free=sure is None)
    plausible = _middle(small.shape[:2]) if where is None else where
    strange = strangeness(colours.to_lab(small), frame)
    weighted = strange * plausible
    inside = weighted > max(_otsu(weighted), 0.12)
    labels = np.where(inside, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    radius = 0.012 * max(small.shape[:2])
    labels[shrink(inside, radius) & (strange > 0.5) & (plausible > 0.5)] = cv2.GC_FGD
    labels[(strange < 0.08) & ~expand(inside, 3 * radius)] = cv2.GC_BGD
    labels[frame & (strange < 0.35)] = cv2.GC_BGD
    if sure is not None:
        labels[sure] = cv2.GC_FGD
    cut = grab(small, labels, rounds=4)
    return _main_part(cut, plausible, sure)


def grab(small: NDArray[np.uint8], labels: NDArray[np.uint8], *, rounds: int) -> Mask:
    """GrabCut from (h, w) uint8 labels of ``cv2.GC_*``; without both kinds of pixel, the labels' own guess."""
    guess = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
    factor = min(1.0, GRAB_SIDE / max(labels.shape))
    size = (max(8, round(labels.shape[1] * factor)), max(8, round(labels.shape[0] * factor)))
    work = cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST)
    ahead = (work == cv2.GC_FGD) | (work == cv2.GC_PR_FGD)
    if np.count_nonzero(ahead) < 16 or np.count_nonzero(~ahead) < 16:
        return np.asarray(guess)
    picture = cv2.resize(small, size, interpolation=cv2.INTER_AREA)
    cv2.setRNGSeed(7)  # its k-means starts would otherwise depend on earlier calls
    cv2.grabCut(picture, work, None, np.zeros((1, 65)), np.zeros((1, 65)), rounds, cv2.GC_INIT_WITH_MASK)
    cut = (work == cv2.GC_FGD) | (work == cv2.GC_PR_FGD)
    return resize_mask(np.asarray(cut), (labels.shape[1], labels.shape[0]))


def strangeness(lab: Floats, frame: Mask) -> SoftMask:
    """(h, w) float32 0..1: how badly the frame's colours, and their slow gradients, explain each pixel."""
    model = colours.fit(lab[frame], components=5, floor=(6.0, 3.0, 3.0))
    offsets = [lab - mean.astype(np.float32) for mean in model.means]
    distances = [
        np.einsum("hwi,ij,hwj->hw", o, i.astype(np.float32), o) for o, i in zip(offsets, model.inverses, strict=True)
    ]
    heavy = [d for d, w in zip(distances, model.weights, strict=True) if w > 0.04]
    return np.asarray(1 - np.exp(-np.minimum.reduce([*heavy, _off_gradient(lab, frame)]) / 18), np.float32)


def _off_gradient(lab: Floats, frame: Mask) -> Floats:
    """Squared distance from the quadratic surface through the frame's pixels, in units of its own scatter."""
    ys, xs = np.mgrid[-1 : 1 : lab.shape[0] * 1j, -1 : 1 : lab.shape[1] * 1j]
    terms = np.stack([np.ones_like(xs), xs, ys, xs * xs, xs * ys, ys * ys], axis=-1).astype(np.float32)
    trusted = frame.copy()
    for _ in range(3):
        coefficients, *_ = np.linalg.lstsq(terms[trusted], lab[trusted], rcond=None)
        error = ((lab - terms @ coefficients) ** 2 / (1, 0.5, 0.5)).sum(axis=-1)
        trusted = frame & (error <= np.percentile(error[frame], 70))
    return np.asarray(error / max(4.0, 4 * float(error[trusted].mean())), np.float32)


def _frame(shape: tuple[int, ...], *, free: bool) -> Mask:
    """The strip along top and sides that shows background; of a ``free`` standing object the lower corners, too."""
    height, width = shape[:2]
    strip, low, corner = max(2, round(0.03 * max(height, width))), round(0.7 * height), round(0.2 * width)
    frame = np.zeros((height, width), np.bool_)
    frame[:strip] = frame[:low, :strip] = frame[:low, -strip:] = True
    if free:
        frame[:, :strip] = frame[:, -strip:] = frame[-strip:, :corner] = frame[-strip:, -corner:] = True
    return frame


def _middle(shape: tuple[int, ...]) -> SoftMask:
    ys, xs = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    return np.asarray(np.clip(1.25 - (np.abs(xs) ** 3 + 0.5 * np.abs(ys) ** 4), 0, 1), np.float32)


def _otsu(values: SoftMask) -> float:
    threshold, _ = cv2.threshold((values * 255).astype(np.uint8), 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return float(threshold) / 255


def _main_part(cut: Mask, plausible: SoftMask, sure: Mask | None) -> Mask:
    """The part with the most weight where an object is plausible, others of a third of it, and those that are sure."""
    solid = fill_holes(cut, at_most=int(0.002 * cut.size))
    total, labels = cv2.connectedComponents(solid.astype(np.uint8), connectivity=8)
    if total <= 2:
        return solid
    weights = np.bincount(labels.ravel(), weights=(plausible**2).ravel(), minlength=total)
    weights[0] = 0
    kept = weights >= max(weights.max() / 3, 1e-9)
    if sure is not None:
        kept[np.unique(labels[sure & solid])] = True
    kept[0] = False
    return np.asarray(kept[labels])
