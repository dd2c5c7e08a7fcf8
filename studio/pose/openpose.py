"""OpenPose's 18 joints: from the 33 landmarks, to and from its JSON, and as the coloured skeleton ControlNet reads.

Sources: OpenPose COCO-18 order and limb colours, Cao et al. 2019, https://arxiv.org/abs/1812.08008; ControlNet's
openpose conditioning draws limbs as filled ellipses at 60 % brightness, Zhang et al. 2023,
https://arxiv.org/abs/2302.05543.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence

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

Canvas = NDArray[np.float32]
EPSILON = 1e-6
# Pixels. OpenCV's antialiased polygons, with which the reference draws and mini was trained, reach a little farther
# than they say, with a soft rim. Drawn like this, a skeleton of 128x192 is 0.4 levels from OpenCV's on average. OpenCV
# itself stays out: the web process draws skeletons too.
OUTSET, RIM = 0.7, 1.4
STRIP, BESIDE = 64, 8.0  # rows; pixels beside a limb's half width beyond which nothing of it is drawn


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
    return draw_people([points], size, minimum=minimum)


def draw_people(people: Sequence[NDArray[np.float32]], size: tuple[int, int], *, minimum: float = 0.05) -> Image.Image:
    """As :func:`draw_18`, several on one drawing, each over those before."""
    canvas = np.zeros((size[1], size[0], 3), np.float32)
    for points in people:
        _person(canvas, points, minimum)
    return Image.fromarray(np.round(canvas, out=canvas).astype(np.uint8))


def _person(canvas: Canvas, points: NDArray[np.float32], minimum: float) -> None:
    half = max(1.0, 4.0 * max(canvas.shape[:2]) / 768)
    drawn = np.isfinite(points).all(axis=1) & (points[:, 2] >= minimum)
    for (a, b), colour in zip(LIMBS, COLOURS, strict=False):
        if drawn[a] and drawn[b]:
            _limb(canvas, points[a], points[b], half, colour)
    for point, colour, keep in zip(points, COLOURS, drawn, strict=True):
        if keep:
            _joint(canvas, point, half, colour)


def _limb(canvas: Canvas, one: Canvas, other: Canvas, half: float, colour: tuple[int, ...]) -> None:
    """An ellipse with its ends in the two joints, at 60 % brightness over whatever is there, its soft rim included."""
    dx, dy = float(other[0] - one[0]), float(other[1] - one[1])
    length = math.hypot(dx, dy)
    cos, sin = (dx / length, dy / length) if length else (1.0, 0.0)
    middle = (float(one[0] + other[0]) / 2, float(one[1] + other[1]) / 2)
    radii = max(length / 2, EPSILON), half
    for box, x, y in _strips(_around(canvas, middle, max(length / 2, half)), (dx, dy), half + BESIDE):
        covered = _ellipse(x * cos + y * sin, y * cos - x * sin, radii)
        there = covered > 0
        box[there] = covered[there, None] * np.asarray(colour, np.float32) * 0.6


def _strips(
    around: tuple[Canvas, Canvas, Canvas], along: tuple[float, float], near: float
) -> Iterator[tuple[Canvas, Canvas, Canvas]]:
    """The parts of a box that may be within ``near`` of a line through its middle, so many rows at a time: a slanting
    limb lies in a square that is empty but for its diagonal.
    """
    box, x, y = around
    for top in range(0, len(box), STRIP) if box.size else ():
        rows = slice(top, top + STRIP)
        # Of the line from -1/2 to 1/2, what passes these rows.
        ends = (
            [(float(y[at, 0]) + by) / along[1] for at, by in ((top, -near), (min(top + STRIP, len(y)) - 1, near))]
            if along[1]
            else [-0.5, 0.5]
        )
        first, last = (min(0.5, max(-0.5, end)) for end in sorted(ends))
        left, right = sorted((first * along[0], last * along[0]))
        columns = slice(*np.searchsorted(x[0], (left - near, right + near)))
        yield box[rows, columns], x[:, columns], y[rows]


def _joint(canvas: Canvas, point: Canvas, radius: float, colour: tuple[int, ...]) -> None:
    """A disc, blended at its rim."""
    box, x, y = _around(canvas, (float(point[0]), float(point[1])), radius)
    covered = _ellipse(x, y, (radius, radius))[..., None]
    box[...] = box * (1 - covered) + np.asarray(colour, np.float32) * covered


def _around(canvas: Canvas, middle: tuple[float, float], reach: float) -> tuple[Canvas, Canvas, Canvas]:
    """The part of the canvas within ``reach`` of a place, and its columns' x and its rows' y from there."""
    height, width = canvas.shape[:2]
    left, right = (int(np.clip(middle[0] + by, 0, width)) for by in (-reach - 2, reach + 3))
    top, bottom = (int(np.clip(middle[1] + by, 0, height)) for by in (-reach - 2, reach + 3))
    y, x = (side.astype(np.float32) for side in np.ogrid[top:bottom, left:right])
    return canvas[top:bottom, left:right], x - np.float32(middle[0]), y - np.float32(middle[1])


def _ellipse(x: Canvas, y: Canvas, radii: tuple[float, float]) -> Canvas:
    """How much of each pixel an ellipse about 0 covers, 0..1: by its distance to the rim, to first order.

    Source: f / |grad f| as a distance, Taubin 1994, https://doi.org/10.1145/195826.195831.
    """
    a, b = radii[0] + OUTSET, radii[1] + OUTSET
    level = np.hypot(x / a, y / b)
    slope = np.hypot(x / a**2, y / b**2) / np.maximum(level, EPSILON)
    return np.asarray(np.clip(0.5 - (level - 1) / np.maximum(slope, EPSILON) / RIM, 0, 1))


def render_skeleton(pose: Pose, size: tuple[int, int] | None = None) -> Image.Image:
    """The coloured skeleton of a 33-landmark pose at ``size`` (its own picture's size when None)."""
    target = size or pose.size
    points = to_18(pose)
    if pose.size != target:
        points[:, 0] *= target[0] / pose.size[0]
        points[:, 1] *= target[1] / pose.size[1]
    return draw_18(points, target)


def skeleton_png(pose: Pose) -> bytes:
    """The coloured skeleton over nothing, at the size of the pose's picture."""
    drawn = np.asarray(render_skeleton(pose))
    alpha = drawn.any(axis=2).astype(np.uint8) * 255
    buffer = io.BytesIO()
    Image.fromarray(np.dstack([drawn, alpha])).save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()
