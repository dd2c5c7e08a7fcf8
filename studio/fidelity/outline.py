"""The garment's outline in the result: did the repaint lengthen a sleeve, drop the hem, or paint over the cloth?

Cloth is told from the rest by two colour mixtures: the garment's own, and that of the picture far from it. A part
counts as garment when its colour does and it grows out of the garment; what looked so in the photo does not count.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from studio.fidelity.lock import NO_GARMENT, NO_SOURCE
from studio.fidelity.regions import ARMS, LEGS, chains
from studio.fidelity.report import Gap, OutlineReport
from studio.fidelity.seam import delta_e
from studio.fidelity.subject import Pixels
from studio.fidelity.working import Working
from studio.pose.metrics import torso
from studio.pose.types import J, Pose
from studio.segmentation import colours
from studio.segmentation.colours import ANYTHING, ColourModel, Floats
from studio.segmentation.masks import Mask, expand, overlap, shrink

LEAST_PIXELS = 200
# How surely the cloth's and the surroundings' colours must be told apart, 0..1, for an outline to be believed.
TOLD_FROM = 0.6
# CIEDE2000 from which a pixel of the garment no longer shows the photo's cloth.
COVERED_FROM = 15.0
ALIKE = Gap(
    "colours_alike", "The garment and its surroundings have nearly the same colour, so its outline can't be told.", True
)
CROWDED = Gap("no_surroundings", "The garment fills the picture, so its outline can't be told.", True)


def compare_outline(small: Working) -> OutlineReport:
    """The garment found again in the result against the photo's mask: IoU, sleeves and hem."""
    if small.garment is None or not small.garment.any():
        return OutlineReport(gap=NO_GARMENT)
    if small.source is None:
        return OutlineReport(gap=NO_SOURCE)
    pose = small.poses[0] if small.poses else None
    near = _neighbourhood(small.garment, pose)
    if np.count_nonzero(~near) < LEAST_PIXELS:
        return OutlineReport(gap=CROWDED)
    found = _found_again(small, small.garment, small.source, near)
    if found is None:
        return OutlineReport(gap=ALIKE)
    if pose is None:
        return OutlineReport(overlap(found, small.garment))
    sleeve, hem = sleeve_change(found, small.garment, pose), hem_change(found, small.garment, pose)
    return OutlineReport(overlap(found, small.garment), sleeve, hem)


def sleeve_change(found: Mask, garment: Mask, pose: Pose) -> float | None:
    """Length of arm that is covered in one mask and not in the other, in arm lengths, of the arm where it is more."""
    changes = [_covered(found, arm, pose) - _covered(garment, arm, pose) for arm in ARMS if _in_frame(arm[:2], pose)]
    return max(changes, key=abs) if changes else None


def hem_change(found: Mask, garment: Mask, pose: Pose) -> float | None:
    """Mean drop of the lower edge over the garment's columns, in torso diagonals; None where the frame cuts the hem."""
    arms = chains(pose, ARMS, 0.12, garment.shape)
    before, now = _lowest(garment & ~arms), _lowest(found & ~arms)
    rows = np.flatnonzero(garment.any(axis=1))
    columns = before > rows[0] + 0.6 * (rows[-1] - rows[0])
    if not columns.any() or (before[columns] >= garment.shape[0] - 2).mean() > 0.5:
        return None
    drop = np.where(now >= 0, now - before, 0)[columns]
    return float(drop.mean() / torso(pose))


def _neighbourhood(garment: Mask, pose: Pose | None) -> Mask:
    """Where the garment might have grown to: around it, and along the limbs."""
    if pose is None:
        rows, columns = np.nonzero(garment)
        return expand(garment, 0.12 * float(np.hypot(np.ptp(rows), np.ptp(columns))) + 2)
    limbs = chains(pose, ARMS, 0.2, garment.shape) | chains(pose, LEGS, 0.3, garment.shape)
    return np.asarray(expand(garment, 0.35 * torso(pose)) | limbs)


def _found_again(small: Working, garment: Mask, source: Pixels, near: Mask) -> Mask | None:
    """The garment in the result; None when colours can't tell it from what is around it."""
    core = small.locked if small.locked is not None and small.locked.any() else garment
    now, before = colours.to_lab(small.result), colours.to_lab(source)
    grown = _growth(now, before[core], garment, near)
    already = _growth(before, before[core], garment, near)
    if grown is None:
        return None
    if already is not None:
        grown &= ~expand(already, 1)
    grown = _attached(expand(shrink(grown, 1), 1.5) & grown, garment)
    covered = garment & ~core & (_blurred_delta(now, before) > COVERED_FROM)
    return np.asarray((garment & ~(expand(shrink(covered, 1), 1.5) & covered)) | grown)


def _growth(lab: Floats, cloth_samples: Floats, garment: Mask, near: Mask) -> Mask | None:
    """Pixels near the garment, outside of it, in its colours; None when those are the surroundings' too."""
    other_samples = lab[~near]
    cloth, other = colours.fit(cloth_samples, components=5), colours.fit(other_samples, components=6)
    if colours.separation(cloth, other, cloth_samples, other_samples) < TOLD_FROM:
        return None
    return near & ~garment & (_odds(lab, cloth, other) > 1.0)


def _odds(lab: Floats, cloth: ColourModel, other: ColourModel) -> Floats:
    """Log odds of cloth; a colour seen in neither is not cloth."""
    as_cloth = cloth.density(lab) + 0.05 * ANYTHING
    as_other = other.density(lab) + ANYTHING
    return np.asarray(cv2.blur(np.log(as_cloth / as_other).astype(np.float32), (3, 3)), np.float32)


def _attached(grown: Mask, garment: Mask) -> Mask:
    """The parts that touch the garment."""
    total, labels = cv2.connectedComponents(grown.astype(np.uint8), connectivity=8)
    touching = np.zeros(total, np.bool_)
    touching[np.unique(labels[expand(garment, 3) & grown])] = True
    touching[0] = False
    return np.asarray(touching[labels])


def _blurred_delta(now: Floats, before: Floats) -> NDArray[np.float64]:
    return delta_e(cv2.GaussianBlur(now, (0, 0), 1.0), cv2.GaussianBlur(before, (0, 0), 1.0))


def _in_frame(joints: tuple[J, ...], pose: Pose) -> bool:
    xy = pose.points
    return all(0 <= xy[j, 0] < pose.size[0] and 0 <= xy[j, 1] < pose.size[1] for j in joints)


def _covered(mask: Mask, arm: tuple[J, J, J], pose: Pose) -> float:
    """Share of the arm's length from shoulder to wrist that the mask covers, averaged over a narrow tube."""
    shoulder, elbow, wrist = pose.points[list(arm), :2].astype(np.float64)
    upper = max(float(np.linalg.norm(elbow - shoulder)), 1e-6)
    lower = max(float(np.linalg.norm(wrist - elbow)), 1e-6)
    along = np.concatenate([_line(shoulder, elbow, upper), _line(elbow, wrist, lower)])
    half = 0.04 * torso(pose)
    offsets = np.linspace(-half, half, 5)
    square = along[:, None, None, :] + np.stack(np.meshgrid(offsets, offsets), axis=-1)[None]
    x = np.clip(np.round(square[..., 0]).astype(int), 0, mask.shape[1] - 1)
    y = np.clip(np.round(square[..., 1]).astype(int), 0, mask.shape[0] - 1)
    return float((mask[y, x].mean(axis=(1, 2)) >= 0.5).mean())


def _line(a: NDArray[np.float64], b: NDArray[np.float64], length: float) -> NDArray[np.float64]:
    """Points a pixel apart from a to b."""
    t = (np.arange(max(1, int(round(length)))) + 0.5) / max(1, int(round(length)))
    return np.asarray(a + t[:, None] * (b - a))


def _lowest(mask: Mask) -> NDArray[np.int_]:
    """The lowest row of each column; -1 for none."""
    rows = mask.shape[0] - 1 - np.argmax(mask[::-1], axis=0)
    return np.where(mask.any(axis=0), rows, -1)
