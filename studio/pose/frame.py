"""The asked crop of a completed pose, and how far the canvas must grow to hold it.

The rule, in words (docs/pose.md): the frame reaches from above the crown to below the feet (head-to-toe), to a little
under the knees (knee-up) or a little under the hips (waist-up), holds hands and elbows that lie in that stretch, and
always the whole garment: a crop that would cut a dress moves its line below the hem instead. Its shape is ``aspect``;
what is missing is added around.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from studio.errors import InputError
from studio.pose.types import J, Pose

# Heights as shares of the stature, where the bundled model was taught to expect the frame's edge.
BELOW = {"head-to-toe": 0.0, "knee-up": 0.065, "waist-up": 0.078}
MARGIN = 0.045  # of the frame's height, above the crown and below the feet
SIDE = 0.045  # of the stature, beside the outermost joint: half a sleeve
GARMENT_MARGIN = 0.02  # of the stature, around the garment
TORSO, HEAD, NECK, SOLE = 0.288, 0.130, 0.058, 0.012
LARGEST_GROWTH = 8.0


class Crop(StrEnum):
    """How much of the person the picture is to show."""

    HEAD_TO_TOE = "head-to-toe"
    KNEE_UP = "knee-up"
    WAIST_UP = "waist-up"


@dataclass(frozen=True)
class Canvas:
    """Pixels to add at each side of the picture, and the crop within the grown canvas.

    Attributes:
        left, top, right, bottom: how far the picture grows, pixels, 0 or more.
        frame: (left, top, right, bottom) of the crop in pixels of the grown canvas; it lies wholly within.
    """

    left: int
    top: int
    right: int
    bottom: int
    frame: tuple[int, int, int, int]

    @property
    def box(self) -> tuple[int, int, int, int]:
        """The frame in pixels of the picture itself; it may reach outside."""
        x0, y0, x1, y1 = self.frame
        return x0 - self.left, y0 - self.top, x1 - self.left, y1 - self.top


def on_frame(pose: Pose, box: tuple[int, int, int, int], size: tuple[int, int]) -> Pose:
    """A pose in the picture's pixels to those of ``box``, shown at ``size`` (width, height)."""
    inner = (box[2] - box[0], box[3] - box[1])
    return pose.moved(-box[0], -box[1], size=inner).scaled(size[1] / inner[1], size=size)


def canvas_for(
    pose: Pose, crop: Crop | str, *, aspect: float = 2 / 3, garment: NDArray[np.bool_] | None = None
) -> Canvas:
    """How the canvas must grow to hold ``crop`` of a completed pose.

    Args:
        pose: all 33 landmarks, over a picture of ``pose.size``.
        crop: one of :class:`Crop`, or its value.
        aspect: width over height of the frame.
        garment: bool (H, W) over the picture; the frame holds all of it.

    Raises:
        InputError: ``crop_unknown``, ``mask_size_differs``, ``canvas_too_large`` when the pose asks for a canvas
        more than
            eight times as long as the picture (then the pose is wrong), ``skeleton_not_finite``.
    """
    asked = _crop(crop)
    if not np.isfinite(pose.points).all():
        raise InputError("skeleton_not_finite", "The skeleton has a coordinate that is not a finite number.")
    left, top, right, bottom = _shaped(_needed(pose, asked, garment), aspect)
    x0, y0 = math.floor(left), math.floor(top)
    height = math.ceil(bottom - y0)
    width = round(height * aspect)
    if max(height, width) > LARGEST_GROWTH * max(pose.size):
        raise InputError("canvas_too_large", "The pose asks for a canvas eight times the picture; check the landmarks.")
    grow_left, grow_top = max(0, -x0), max(0, -y0)
    grow_right, grow_bottom = max(0, x0 + width - pose.size[0]), max(0, y0 + height - pose.size[1])
    frame = (x0 + grow_left, y0 + grow_top, x0 + grow_left + width, y0 + grow_top + height)
    return Canvas(grow_left, grow_top, grow_right, grow_bottom, frame)


def stature_of(pose: Pose) -> float:
    """Stature in pixels of a completed pose, by its torso, or its thighs when it is bent towards the camera."""
    xy = pose.points.astype(np.float64)
    shoulders, hips = (xy[list(pair)].mean(axis=0) for pair in ((11, 12), (23, 24)))
    flat = np.linalg.norm((shoulders - hips)[:2]) / TORSO
    thighs = np.linalg.norm((xy[[23, 24]] - xy[[25, 26]])[:, :2], axis=1) / 0.242
    return max(float(flat), 0.7 * float(thighs.max()), 1.0)


def crown_of(pose: Pose) -> tuple[float, float]:
    """x, y of the top of the head, half a head above the middle of the ears, along the neck."""
    xy = pose.points[:, :2].astype(np.float64)
    ears = xy[[J.LEFT_EAR, J.RIGHT_EAR]].mean(axis=0)
    neck = xy[[J.LEFT_SHOULDER, J.RIGHT_SHOULDER]].mean(axis=0)
    up = (ears - neck) / max(float(np.linalg.norm(ears - neck)), 1e-6)
    crown = ears + up * HEAD * 0.60 * stature_of(pose)
    return float(crown[0]), float(crown[1])


def _crop(crop: Crop | str) -> Crop:
    try:
        return Crop(crop)
    except ValueError:
        raise InputError("crop_unknown", f"There is no crop {crop!r}. Choose one of: {', '.join(Crop)}.") from None


def _needed(pose: Pose, crop: Crop, garment: NDArray[np.bool_] | None) -> tuple[float, float, float, float]:
    """left, top, right, bottom of what the frame must hold, in pixels of the picture."""
    stature, xy = stature_of(pose), pose.points[:, :2].astype(np.float64)
    crown_x, crown_y = crown_of(pose)
    top = min(crown_y, float(xy[:, 1].min())) if crop is Crop.HEAD_TO_TOE else crown_y
    bottom = _line(xy, crop, stature)
    cloth = None if garment is None else _garment_box(garment, pose.size)
    if cloth is not None:
        edge = GARMENT_MARGIN * stature
        top, bottom = min(top, cloth[1] - edge), max(bottom, cloth[3] + edge)
    margin = MARGIN * (bottom - top) / (1 - 2 * MARGIN)
    within = xy[(xy[:, 1] >= top - margin) & (xy[:, 1] <= bottom)]
    xs = [crown_x, *within[:, 0]]
    left, right = min(xs) - SIDE * stature, max(xs) + SIDE * stature
    if cloth is not None:
        left, right = min(left, cloth[0] - edge), max(right, cloth[2] + edge)
    return left, top - margin, right, bottom + (margin if crop is Crop.HEAD_TO_TOE else 0.0)


def _line(xy: NDArray[np.float64], crop: Crop, stature: float) -> float:
    """y of the crop's lower edge, before margins."""
    if crop is Crop.HEAD_TO_TOE:
        return float(xy[:, 1].max()) + SOLE * stature
    joints = [J.LEFT_KNEE, J.RIGHT_KNEE] if crop is Crop.KNEE_UP else [J.LEFT_HIP, J.RIGHT_HIP]
    return float(xy[joints, 1].max()) + BELOW[crop] * stature


def _garment_box(garment: NDArray[np.bool_], size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    if garment.shape != (size[1], size[0]):
        raise InputError(
            "mask_size_differs", f"The mask is {garment.shape[::-1]}, the picture {size}; they must agree."
        )
    ys, xs = np.nonzero(garment)
    return (int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1) if len(ys) else None


def _shaped(box: tuple[float, float, float, float], aspect: float) -> tuple[float, float, float, float]:
    """Grow a box to the aspect: sideways about its middle, or mostly upwards, so that feet and crop line stay low."""
    left, top, right, bottom = box
    if right - left < aspect * (bottom - top):
        middle, half = (left + right) / 2, aspect * (bottom - top) / 2
        return middle - half, top, middle + half, bottom
    extra = (right - left) / aspect - (bottom - top)
    return left, top - 0.6 * extra, right, bottom + 0.4 * extra
