"""What an editor of a photo's skeleton asks for: a figure to begin with, a chosen pose on it, and the drawings of it.

Rows are 33 of x, y, z, confidence in the photo's pixels, as an order's ``photo_pose`` has them.
"""

from __future__ import annotations

import io

from studio.pose.body import Proportions
from studio.pose.frame import canvas_for, on_frame
from studio.pose.openpose import render_skeleton, skeleton_png
from studio.pose.retarget import retarget
from studio.pose.types import WEAK_FROM, Pose
from studio.shoot.own import posed
from studio.shoot.presets import Landmarks, OwnPose
from studio.shoot.said import said

Rows = list[list[float]]
STANDING = "front"
# Confidence of a figure that nobody measured: the least that still says something.
GUESS = WEAK_FROM


def standing(size: tuple[int, int]) -> Rows:
    """The library's plain stand in the middle of a photo of ``size`` (width, height); all of it a guess."""
    return [[*row[:3], 0.0 if row[3] == 0 else GUESS] for row in _rows(retarget(STANDING, Proportions(), size))]


def placed(
    choice: str | OwnPose, landmarks: Landmarks, size: tuple[int, int], *, mirror: bool, keep_trunk: bool
) -> Rows:
    """A pose in the proportions and place of the figure that stands there, as a shoot with that pose would ask for it.

    Args:
        choice: a library pose's name, or one's own.
        landmarks: the figure, in pixels of the photo.
        size: (width, height) of the photo.
        mirror: left and right exchanged.
        keep_trunk: shoulders and hips stay where they are, as in a shoot; else the whole body takes the pose.

    Raises:
        InputError: ``pose_unknown``, ``skeleton_not_finite``, ``skeleton_too_small``.
    """
    wanted = posed(choice) if isinstance(choice, OwnPose) else choice
    return _rows(retarget(wanted, said(landmarks, size), size, mirror=mirror, keep_trunk=keep_trunk))


def control_png(landmarks: Landmarks, size: tuple[int, int], *, crop: str, shown: tuple[int, int]) -> bytes:
    """The skeleton as ControlNet gets it: on black, on the frame of ``crop`` (garment aside), ``shown`` pixels large.

    Raises:
        InputError: ``crop_unknown``, ``canvas_too_large``.
    """
    pose = said(landmarks, size)
    buffer = io.BytesIO()
    render_skeleton(on_frame(pose, canvas_for(pose, crop).box, shown)).save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()


def layer_png(landmarks: Landmarks, size: tuple[int, int], *, side: int) -> bytes:
    """The skeleton over nothing, to lie on the photo; its longest side is ``side`` pixels."""
    factor = side / max(size)
    shown = (max(1, round(size[0] * factor)), max(1, round(size[1] * factor)))
    return skeleton_png(said(landmarks, size).scaled(factor, size=shown))


def _rows(pose: Pose) -> Rows:
    rows = zip(pose.points, pose.confidence, strict=True)
    return [[*(round(float(value), 2) for value in point), round(float(sure), 4)] for point, sure in rows]
