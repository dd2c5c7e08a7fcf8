"""OpenPose's 18 joints: from the 33 landmarks, to and from its JSON, and as the coloured skeleton ControlNet reads.

Sources: OpenPose COCO-18 order and limb colours, Cao et al. 2019, https://arxiv.org/abs/1812.08008; ControlNet's
openpose conditioning draws limbs as filled ellipses at 60 % brightness, Zhang et al. 2023,
https://arxiv.org/abs/2302.05543.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.pose.types import J, Pose

# COCO-18: nose, neck, right arm, left arm, right leg, left leg, eyes (right, left), ears (right, left).
FROM_33: tuple[tuple[J, ...], ...] = (
    (J.NOSE,), (J.LEFT_SHOULDER, J.RIGHT_SHOULDER),
    (J.RIGHT_SHOULDER,), (J.RIGHT_ELBOW,), (J.RIGHT_WRIST,),
    (J.LEFT_SHOULDER,), (J.LEFT_ELBOW,), (J.LEFT_WRIST,),
    (J.RIGHT_HIP,), (J.RIGHT_KNEE,), (J.RIGHT_ANKLE,),
    (J.LEFT_HIP,), (J.LEFT_KNEE,), (J.LEFT_ANKLE,),
    (J.RIGHT_EYE,), (J.LEFT_EYE,), (J.RIGHT_EAR,), (J.LEFT_EAR,),
)  # fmt: skip
LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10),
    (1, 11), (11, 12), (12, 13), (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
COLOURS = (
    (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0), (0, 255, 0),
    (0, 255, 85), (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255), (0, 0, 255), (85, 0, 255),
    (170, 0, 255), (255, 0, 255), (255, 0, 170), (255, 0, 85),
)  # fmt: skip


def to_18(pose: Pose) -> NDArray[np.float32]:
    """(18, 3) float32: x, y in pixels and confidence 0..1; the neck is the shoulders' midpoint."""
    rows = []
    for sources in FROM_33:
        index = [int(s) for s in sources]
        xy = pose.points[index, :2].mean(axis=0)
        rows.append([xy[0], xy[1], pose.confidence[index].min()])
    return np.asarray(rows, np.float32)


def draw_18(points: NDArray[np.float32], size: tuple[int, int], *, minimum: float = 0.05) -> Image.Image:
    """Draw the skeleton as ControlNet's openpose models were trained to read it.

    Args:
        points: (18, 3) float32, x, y in pixels of the drawing, confidence 0..1.
        size: (width, height) of the drawing in pixels.
        minimum: joints of a lower confidence, and limbs that touch one, are left out.

    Returns:
        An RGB picture on black. Line width grows with the picture: 4 px half-width at 512 px, as in the reference.
    """
    width, height = size
    canvas = np.zeros((height, width, 3), np.uint8)
    half = max(1.0, 4.0 * max(width, height) / 768)
    shift, one = 4, 16
    drawn = np.isfinite(points).all(axis=1) & (points[:, 2] >= minimum)
    for (a, b), colour in zip(LIMBS, COLOURS, strict=False):
        if not (drawn[a] and drawn[b]):
            continue
        (xa, ya), (xb, yb) = points[a, :2], points[b, :2]
        length = math.hypot(xb - xa, yb - ya)
        polygon = _ellipse((xa + xb) / 2, (ya + yb) / 2, length / 2, half, math.atan2(yb - ya, xb - xa))
        limb = np.zeros_like(canvas)
        cv2.fillConvexPoly(limb, np.round(polygon * one).astype(np.int32), colour, cv2.LINE_AA, shift)
        covered = limb.any(axis=2)
        canvas[covered] = (limb[covered] * 0.6).astype(np.uint8)
    for (x, y, _), colour, keep in zip(points, COLOURS, drawn, strict=True):
        if keep:
            centre = (int(round(float(x) * one)), int(round(float(y) * one)))
            cv2.circle(canvas, centre, int(round(half * one)), colour, -1, cv2.LINE_AA, shift)
    return Image.fromarray(canvas)


def _ellipse(cx: float, cy: float, a: float, b: float, angle: float) -> NDArray[np.float64]:
    t = np.linspace(0, 2 * math.pi, 40, endpoint=False)
    x, y = a * np.cos(t), b * np.sin(t)
    return np.stack(
        [cx + x * math.cos(angle) - y * math.sin(angle), cy + x * math.sin(angle) + y * math.cos(angle)], axis=1
    )


def render_skeleton(pose: Pose, size: tuple[int, int] | None = None) -> Image.Image:
    """The coloured skeleton of a 33-landmark pose at ``size`` (its own picture's size when None)."""
    target = size or pose.size
    points = to_18(pose)
    if pose.size != target:
        points[:, 0] *= target[0] / pose.size[0]
        points[:, 1] *= target[1] / pose.size[1]
    return draw_18(points, target)
