"""A pose from nothing but the garment's mask: headless mannequins, flat lays, a dress on a hanger.

The mask's shape says what it is (a split below is trousers, arms beside the trunk are sleeves, a narrow flat top is a
skirt, a long trunk is a dress), a few landmarks are read off it, and the most plausible body through them is fitted
(:mod:`studio.pose.solve`). The garment is taken to hang upright and to be seen from the front.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from studio.errors import InputError
from studio.pose.body import Proportions
from studio.pose.complete import FACE
from studio.pose.solve import Evidence, fit_body
from studio.pose.types import FOLLOWS, LANDMARKS, READ_OFF, J, JointState, Pose

Rows = NDArray[np.float64]

LEAST_PIXELS = 64
# A garment's trunk at the armpits, and its hips, as multiples of the distance between the joints.
SHOULDER_EASE, HIP_EASE = 1.15, 1.70
# Heights in statures: a waistband above the hip joints, a crotch below them, a shoulder seam above the shoulder joints.
WAISTBAND, CROTCH, SEAM = 0.085, 0.065, 0.022


class Kind(StrEnum):
    """What hangs where."""

    UPPER = "upper"
    TROUSERS = "trousers"
    SKIRT = "skirt"
    DRESS = "dress"


WORDS = {
    Kind.DRESS: ("full", "dress", "gown", "jumpsuit", "overall", "robe", "qipao", "hanfu"),
    Kind.TROUSERS: ("trouser", "pants", "jeans", "shorts", "leggings"),
    Kind.SKIRT: ("skirt", "mamianqun"),
    Kind.UPPER: ("upper", "shirt", "sweater", "coat", "jacket", "blouse", "top", "hoodie", "vest", "cardigan"),
}  # fmt: skip


@dataclass(frozen=True)
class Outline:
    """The mask row by row, from its top row down.

    Attributes:
        top, left: pixels of the picture where the garment's box begins.
        crop: bool (h, w), the garment's box.
        trunk: (h, 2) left and right edge of the run of pixels that holds the garment's middle axis.
        runs: (h,) how many runs of more than a twentieth of the garment's width there are.
        axis: x of the middle axis within the box.
    """

    top: int
    left: int
    crop: NDArray[np.bool_]
    trunk: Rows
    runs: NDArray[np.int64]
    axis: float

    @property
    def height(self) -> int:
        """Rows."""
        return self.crop.shape[0]

    def width_at(self, share: float) -> float:
        """Median trunk width about that share of the height, pixels."""
        y, half = int(share * self.height), max(1, self.height // 40)
        rows = self.trunk[max(0, y - half) : y + half + 1]
        return float(np.median(rows[:, 1] - rows[:, 0]))

    def span_at(self, share: float) -> float:
        """Outermost to outermost pixel about that share of the height."""
        y, half = int(share * self.height), max(1, self.height // 40)
        columns = np.nonzero(self.crop[max(0, y - half) : y + half + 1].any(axis=0))[0]
        return float(np.ptp(columns) + 1) if len(columns) else 0.0


def fit_to_mask(mask: NDArray[np.bool_], *, garment: str | None = None) -> Pose:
    """A complete pose that would wear the garment of this mask.

    Args:
        mask: bool (H, W), True = garment.
        garment: what it is, when known: "upper", "lower", "full" or a word such as "t-shirt", "trousers", "dress".
            None, or a word that says nothing, leaves it to the mask's shape.

    Returns:
        33 landmarks over the mask's picture, all INVENTED; those read off the mask have the higher confidence.

    Raises:
        InputError: ``mask_wrong_shape`` for anything but a two-dimensional bool array, ``mask_empty`` below 64 pixels.
    """
    if mask.ndim != 2 or mask.dtype != np.bool_:
        raise InputError("mask_wrong_shape", f"A mask is a bool array (H, W), not {mask.dtype} {mask.shape}.")
    outline = outline_of(mask)
    kind = kind_of(outline, garment)
    read = {Kind.UPPER: _upper, Kind.DRESS: _upper, Kind.TROUSERS: _trousers, Kind.SKIRT: _skirt}[kind]
    stature, joints = read(outline, kind)
    return _posed(joints, stature, outline, (mask.shape[1], mask.shape[0]))


def outline_of(mask: NDArray[np.bool_]) -> Outline:
    """The mask's largest pieces, row by row. Raises ``mask_empty``."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    if count < 2 or areas.sum() < LEAST_PIXELS:
        raise InputError("mask_empty", "The garment's mask is empty, or nearly; mark the garment first.")
    large = np.isin(labels, np.nonzero(areas >= 0.1 * areas.max())[0])
    ys, xs = np.nonzero(large)
    crop = large[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
    # The axis is the middle of the whole, but sleeves of unequal length pull it: take the median of the rows' middles.
    middles = [float(row.mean()) for row in (np.nonzero(line)[0] for line in crop) if len(row)]
    axis = float(np.median(middles))
    trunk, runs = _rows(crop, axis)
    return Outline(int(ys.min()), int(xs.min()), crop, trunk, runs, axis)


def _rows(crop: NDArray[np.bool_], axis: float) -> tuple[Rows, NDArray[np.int64]]:
    least = max(2, crop.shape[1] // 20)
    trunk, runs = np.zeros((len(crop), 2)), np.zeros(len(crop), np.int64)
    for y, line in enumerate(crop):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], line.view(np.int8), [0]])))
        starts, ends = edges[::2], edges[1::2]
        runs[y] = int((ends - starts >= least).sum())
        if len(starts):
            away = np.maximum(np.maximum(starts - axis, axis - ends), 0)
            k = int(np.argmin(away))
            trunk[y] = starts[k], ends[k]
    return trunk, runs


def kind_of(outline: Outline, garment: str | None = None) -> Kind:
    """What kind of garment has this outline; a word for it decides where it can."""
    word = (garment or "").lower()
    for kind, names in WORDS.items():
        if any(name in word for name in names):
            return kind
    split = _split(outline)
    if word == "lower":
        return Kind.TROUSERS if split is not None else Kind.SKIRT
    if split is not None and split < 0.62 and not _sleeved(outline):
        return Kind.TROUSERS
    height = outline.height
    top, chest, hem = outline.width_at(0.03), outline.width_at(0.3), outline.width_at(0.95)
    whole = np.median(outline.runs[: max(3, height // 12)]) <= 1
    if not _sleeved(outline) and height < 0.9 * chest:
        return Kind.SKIRT
    if whole and not _sleeved(outline) and top < 0.85 * hem and _widens(outline) and top > 0.3 * chest:
        return Kind.SKIRT
    return Kind.DRESS if height > 2.0 * max(chest, 1.0) else Kind.UPPER


def _split(outline: Outline) -> float | None:
    """Share of the height at which two legs part for good, or None."""
    lower = outline.runs[int(0.25 * outline.height) :]
    parted = np.flatnonzero(lower < 2)
    below = len(lower) - (int(parted[-1]) + 1 if len(parted) else 0)
    rough = float((outline.runs[int(0.7 * outline.height) :] >= 2).mean())
    if rough < 0.8:
        return None
    if below < 0.1 * outline.height:  # uneven hems: one leg ends first
        single = np.flatnonzero(lower[: int(0.9 * len(lower))] < 2)
        below = len(lower) - (int(single[-1]) + 1 if len(single) else 0)
    return 1.0 - below / outline.height


def _sleeved(outline: Outline) -> bool:
    """Three runs abreast, or a top much wider than the trunk below it."""
    upper = outline.runs[: max(1, int(0.75 * outline.height))]
    if float((upper >= 3).mean()) > 0.06:
        return True
    below = min(outline.span_at(0.6), outline.span_at(0.75))
    return max(outline.span_at(s) for s in (0.1, 0.2, 0.3, 0.4)) > 1.35 * max(below, 1.0)


def _widens(outline: Outline) -> bool:
    """From top to hem the trunk never narrows by more than a little: a skirt, where a dress has a waist or a
    neckline."""
    widths = np.array([outline.width_at(s) for s in np.linspace(0.04, 0.95, 12)])
    return bool((np.diff(widths) > -0.06 * widths.max()).all())


def _upper(outline: Outline, kind: Kind) -> tuple[float, dict[J, tuple[float, float]]]:
    """Shoulders, hips and, where there are sleeves, arms of a top or a dress."""
    chest = float(
        np.median([outline.width_at(s) for s in ((0.3, 0.4, 0.5) if kind is Kind.UPPER else (0.18, 0.25, 0.3))])
    )
    p = Proportions()
    stature = chest / SHOULDER_EASE / p.shoulder_width
    if kind is Kind.UPPER:  # a top that ends a little below the hips tells the stature too
        stature = float(np.sqrt(stature * outline.height / (p.torso * 1.12 + SEAM)))
    stature = float(np.clip(stature, outline.height / 1.2, outline.height / 0.22))
    half = stature * p.shoulder_width / 2
    y = _shoulder_line(outline, half) + SEAM * stature
    hips, hip = y + p.torso * stature, stature * p.hip_width / 2
    joints = {
        J.LEFT_SHOULDER: (outline.axis + half, y), J.RIGHT_SHOULDER: (outline.axis - half, y),
        J.LEFT_HIP: (outline.axis + hip, hips), J.RIGHT_HIP: (outline.axis - hip, hips),
    }  # fmt: skip
    if _sleeved(outline):
        joints |= _arm(outline, joints, stature, J.LEFT_SHOULDER) | _arm(outline, joints, stature, J.RIGHT_SHOULDER)
    return stature, joints


def _shoulder_line(outline: Outline, half: float) -> float:
    """First row that reaches two thirds of the way to both shoulders: the seam beside the neck."""
    for y, line in enumerate(outline.crop):
        columns = np.flatnonzero(line)
        if len(columns) and columns[0] <= outline.axis - 0.67 * half and columns[-1] >= outline.axis + 0.67 * half:
            return float(y)
    return 0.05 * outline.height


def _arm(
    outline: Outline, joints: dict[J, tuple[float, float]], stature: float, shoulder: J
) -> dict[J, tuple[float, float]]:
    """Elbow, and wrist of a long sleeve: towards the sleeve's farthest pixel outside of the trunk."""
    side = 1 if shoulder is J.LEFT_SHOULDER else -1
    x, y = joints[shoulder]
    ys, xs = np.nonzero(outline.crop)
    bound = outline.axis + side * 1.12 * abs(x - outline.axis)
    outer = (side * (xs - bound) > 0) & (ys < y + 0.62 * stature * 0.75) & (ys >= y - 0.35 * stature)
    if outer.sum() < LEAST_PIXELS // 8:
        return {}
    apart = np.hypot(xs[outer] - x, ys[outer] - y)
    far = apart >= 0.95 * apart.max()
    dx, dy, reach = float((xs[outer][far] - x).mean()), float((ys[outer][far] - y).mean()), float(apart.max())
    p = Proportions()
    arm, length = (p.upper_arm + p.forearm) * stature, max(float(np.hypot(dx, dy)), 1e-6)
    if reach < 0.25 * arm:
        return {}
    elbow = p.upper_arm * stature / max(1.0, arm / reach if reach > 0.75 * arm else 1.0)
    out = {J(shoulder + 2): (x + dx / length * elbow, y + dy / length * elbow)}
    if reach > 0.75 * arm:
        out[J(shoulder + 4)] = (x + dx, y + dy)
    return out


def _trousers(outline: Outline, kind: Kind) -> tuple[float, dict[J, tuple[float, float]]]:
    """Hips from the crotch, knees and ankles from the legs."""
    p, split = Proportions(), _split(outline)
    crotch = (split if split is not None else 0.35) * outline.height
    width = max(outline.width_at(0.8 * crotch / outline.height), 1.0)
    by_width = width / HIP_EASE / p.hip_width
    long = outline.height > 2.0 * width
    by_length = outline.height / (WAISTBAND + p.thigh + p.shin)
    if split is not None:  # a top may hang over the waistband, the crotch stays
        by_length = (outline.height - crotch) / (p.thigh + p.shin - CROTCH)
    stature = by_length if long else float(np.clip(by_width, 1.25 * by_length, 4 * by_length))
    y, half = max(crotch - CROTCH * stature, 0.02 * outline.height), stature * p.hip_width / 2
    joints = {J.LEFT_HIP: (outline.axis + half, y), J.RIGHT_HIP: (outline.axis - half, y)}
    for hip, side in ((J.LEFT_HIP, 1), (J.RIGHT_HIP, -1)):
        joints |= _leg(outline, joints, stature, hip, side, long)
    return stature, joints


def _leg(
    outline: Outline, joints: dict[J, tuple[float, float]], stature: float, hip: J, side: int, long: bool
) -> dict[J, tuple[float, float]]:
    """Ankle (long) or knee (short) along the line from the hip through the middle of the leg's hem."""
    ys, xs = np.nonzero(outline.crop)
    mine = side * (xs - outline.axis) > 0
    if not mine.any():
        return {}
    low = mine & (ys >= ys[mine].max() - 0.05 * outline.height)
    x, y = joints[hip]
    dx, dy = float(xs[low].mean()) - x, float(ys[low].mean()) - y
    length, p = max(float(np.hypot(dx, dy)), 1e-6), Proportions()
    dx, dy = dx / length * stature, dy / length * stature
    knee = (x + dx * p.thigh, y + dy * p.thigh)
    if not long:
        return {J(hip + 2): knee}
    return {J(hip + 2): knee, J(hip + 4): (x + dx * (p.thigh + p.shin), y + dy * (p.thigh + p.shin))}


def _skirt(outline: Outline, kind: Kind) -> tuple[float, dict[J, tuple[float, float]]]:
    """Hips a hand's breadth below the waistband; the waistband's width gives the scale."""
    p = Proportions()
    waist = max(outline.width_at(0.03), 1.0)
    stature = float(np.clip(waist / 0.150, outline.height / 0.62, outline.height / 0.16))
    half, y = stature * p.hip_width / 2, WAISTBAND * stature
    return stature, {J.LEFT_HIP: (outline.axis + half, y), J.RIGHT_HIP: (outline.axis - half, y)}


def _posed(joints: dict[J, tuple[float, float]], stature: float, outline: Outline, size: tuple[int, int]) -> Pose:
    points, weight = np.zeros((LANDMARKS, 3)), np.zeros(LANDMARKS)
    for joint, (x, y) in joints.items():
        points[joint] = x + outline.left, y + outline.top, 0.0
        weight[joint] = 1.0
    # Only facing the camera: the mask does not tell front from back, and a shop shows the front.
    body = fit_body(Evidence(points, weight, np.zeros(LANDMARKS), unit=stature), starts=(0.01,))
    fitted = body.points.copy()
    fitted[:, 2] -= fitted[[J.LEFT_HIP, J.RIGHT_HIP], 2].mean()
    confidence = np.where(weight > 0, READ_OFF, FOLLOWS).astype(np.float32)
    confidence[list(FACE)] = FOLLOWS
    unseen = np.zeros(LANDMARKS, np.float32)
    return Pose(fitted.astype(np.float32), unseen, confidence, (JointState.INVENTED,) * LANDMARKS, size)
