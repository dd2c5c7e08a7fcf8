"""How much of the garment a picture shows: too small, cut by the frame, or behind arms, hair and bags.

Where cloth should be is known from the landmarks: between shoulders and hips for an upper garment, from the hips down
the thighs for a lower one. What of that lies beyond the frame is cut; what lies in it without being garment is covered.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from studio.dataset.records import Showing
from studio.pose.types import J, Pose
from studio.segmentation.masks import Mask

EDGE_FROM = 0.3  # of the mask's height or width that runs along a side or the top
Points = NDArray[np.float64]


def showing(mask: Mask, pose: Pose | None, *, part: str) -> Showing:
    """What a picture shows of its garment.

    Args:
        mask: (H, W) bool, True = garment.
        pose: landmarks over the picture, or None.
        part: upper, lower or full.
    """
    share = float(mask.mean())
    edge = _along_edges(mask)
    if pose is None or not mask.any():
        return Showing(share, edge, None)
    canvas, offset = _expected(pose, mask.shape, part)
    total = int(canvas.sum())
    height, width = mask.shape
    framed = canvas[offset : offset + height, offset : offset + width]
    inside = int(framed.sum())
    if not total or not inside:
        return Showing(share, edge, None)
    cut = 1 - inside / total
    return Showing(share, max(cut, edge), 1 - int((framed & mask).sum()) / inside)


def _along_edges(mask: Mask) -> float:
    """The longest run of the mask along a side or the top, over its height or width; the bottom cuts every bust."""
    if not mask.any():
        return 0.0
    tall, wide = int(mask.any(axis=1).sum()), int(mask.any(axis=0).sum())
    sides = max(int(mask[:, 0].sum()), int(mask[:, -1].sum())) / tall
    run = max(sides, int(mask[0].sum()) / wide)
    return run if run >= EDGE_FROM else 0.0


def _expected(pose: Pose, shape: tuple[int, ...], part: str) -> tuple[Mask, int]:
    """Where cloth should be, on a canvas that reaches half the picture beyond each of its edges, and that margin."""
    margin = max(shape[0], shape[1]) // 2
    canvas = np.zeros((shape[0] + 2 * margin, shape[1] + 2 * margin), np.uint8)
    points = pose.points[:, :2].astype(np.float64) + margin
    for corners in _regions(points, part):
        cv2.fillConvexPoly(canvas, cv2.convexHull(np.round(corners).astype(np.int32)), 1)
    return canvas > 0, margin


def _regions(points: Points, part: str) -> list[Points]:
    regions = []
    if part in ("upper", "full"):
        regions.append(_trunk(points))
    if part in ("lower", "full"):
        regions += [_thigh(points, J.LEFT_HIP, J.LEFT_KNEE), _thigh(points, J.RIGHT_HIP, J.RIGHT_KNEE)]
    return regions


def _trunk(points: Points) -> Points:
    """From under the collar to the hips; of a body seen from the side, at least a third of the torso wide."""
    tops, lows = points[[J.LEFT_SHOULDER, J.RIGHT_SHOULDER]], points[[J.LEFT_HIP, J.RIGHT_HIP]]
    upper, lower = tops.mean(axis=0), lows.mean(axis=0)
    down = lower - upper
    least = np.array([down[1], -down[0]]) / 6
    corners = []
    for at, ends in ((0.22, tops), (0.95, lows)):
        half = (ends[0] - ends[1]) / 2 * 0.75
        half = half if np.linalg.norm(half) >= np.linalg.norm(least) else least
        middle = upper + at * down
        corners += [middle + half, middle - half]
    return np.asarray(corners)


def _thigh(points: Points, hip: J, knee: J) -> Points:
    a, b = points[hip], points[knee]
    along = b - a
    side = np.array([along[1], -along[0]]) * 0.12
    top, low = a + 0.1 * along, a + 0.7 * along
    return np.asarray([top + side, top - side, low + side, low - side])
