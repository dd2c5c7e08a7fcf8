"""What engines do wrong, done on purpose to a finished picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from studio.fidelity.regions import capsule
from studio.pose.types import J, Pose
from tests.studio.fidelity.shoots import Shoot

Pixels = NDArray[np.uint8]


def painted_out(taken: Shoot, where: NDArray[np.bool_]) -> Shoot:
    """``where`` filled from its surroundings, except for the garment."""
    hole = where & ~taken.garment
    return taken.spoiled(np.asarray(cv2.inpaint(taken.pixels, hole.astype(np.uint8), 3, cv2.INPAINT_TELEA)))


def arm(pose: Pose, side: int, *, below: bool, radius: float = 14) -> NDArray[np.bool_]:
    """The arm (0 left, 1 right) with its hand, or what is ``below`` the elbow, as a generous tube."""
    joints = [J.LEFT_SHOULDER, J.LEFT_ELBOW, J.LEFT_WRIST, J.LEFT_INDEX]
    xy = pose.points[[j + side for j in joints], :2].astype(np.float64)
    points = [*(xy[1:] if below else xy), xy[3] + 0.8 * (xy[3] - xy[2])]
    out = np.zeros(pose.size[::-1], np.bool_)
    for a, b in zip(points, points[1:], strict=False):
        out |= capsule(a, b, radius, out.shape)
    return out


def with_third_arm(taken: Shoot, side: int = 0, *, degrees: float = 112.0) -> Shoot:
    """A copy of an arm, swung upwards about its shoulder."""
    shoulder = taken.truth.pose.points[J.LEFT_SHOULDER + side, :2]
    part = arm(taken.truth.pose, side, below=False) & taken.truth.masks["person"]
    turn = cv2.getRotationMatrix2D((float(shoulder[0]), float(shoulder[1])), -degrees if side else degrees, 1.0)
    size = taken.result.size
    moved = cv2.warpAffine(taken.pixels, turn, size, flags=cv2.INTER_LINEAR)
    where = cv2.warpAffine(part.astype(np.uint8), turn, size, flags=cv2.INTER_NEAREST).astype(np.bool_)
    pixels = taken.pixels
    spot = where & ~taken.garment
    pixels[spot] = moved[spot]
    return taken.spoiled(pixels)
