"""How near one pose is to another: PCK and OKS over the 33 landmarks.

Sources: PCK with the torso as unit, Sapp & Taskar 2013 (MODEC, the torso diagonal) and Yang & Ramanan 2013,
https://doi.org/10.1109/TPAMI.2012.261; OKS and its per-joint sigmas, COCO keypoint evaluation,
https://cocodataset.org/#keypoints-eval, Ronchi & Perona 2017, https://arxiv.org/abs/1707.05388.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from studio.errors import InputError
from studio.pose.types import J, Pose

COCO_17: tuple[J, ...] = (
    J.NOSE, J.LEFT_EYE, J.RIGHT_EYE, J.LEFT_EAR, J.RIGHT_EAR, J.LEFT_SHOULDER, J.RIGHT_SHOULDER,
    J.LEFT_ELBOW, J.RIGHT_ELBOW, J.LEFT_WRIST, J.RIGHT_WRIST, J.LEFT_HIP, J.RIGHT_HIP,
    J.LEFT_KNEE, J.RIGHT_KNEE, J.LEFT_ANKLE, J.RIGHT_ANKLE,
)  # fmt: skip

# COCO's sigmas for its 17 joints. The other 16 landmarks take the sigma of the COCO joint they sit on:
# eye corners the eye's, mouth corners the nose's, fingers the wrist's, heel and toes the ankle's.
_EYE, _NOSE, _EAR = 0.025, 0.026, 0.035
_SHOULDER, _ELBOW, _WRIST, _HIP, _KNEE, _ANKLE = 0.079, 0.072, 0.062, 0.107, 0.087, 0.089
SIGMAS: tuple[float, ...] = (
    _NOSE, *(_EYE,) * 6, _EAR, _EAR, _NOSE, _NOSE, _SHOULDER, _SHOULDER, _ELBOW, _ELBOW, *(_WRIST,) * 8,
    _HIP, _HIP, _KNEE, _KNEE, *(_ANKLE,) * 6,
)  # fmt: skip

# Share of its bounding box that a person's outline fills, for poses that come without a segmented area.
_BOX_FILL = 0.53


def torso(pose: Pose) -> float:
    """Torso diagonal in pixels: the mean of left shoulder-right hip and right shoulder-left hip (so mirroring keeps
    it)."""
    xy = pose.points[:, :2].astype(np.float64)
    one = np.linalg.norm(xy[J.LEFT_SHOULDER] - xy[J.RIGHT_HIP])
    other = np.linalg.norm(xy[J.RIGHT_SHOULDER] - xy[J.LEFT_HIP])
    return float((one + other) / 2)


def inside(pose: Pose, joints: Sequence[int] = COCO_17) -> tuple[J, ...]:
    """Those of ``joints`` that lie within the pose's own picture."""
    width, height = pose.size
    xy = pose.points
    return tuple(J(j) for j in joints if 0 <= xy[j, 0] < width and 0 <= xy[j, 1] < height)


def distances(found: Pose, asked: Pose, joints: Sequence[int]) -> NDArray[np.float64]:
    """(len(joints),) float64: pixels between the two poses, joint by joint.

    Raises:
        InputError: ``nothing_to_compare`` for no joints or a point that is not finite, ``pose_sizes_differ`` when
        the two
            poses lie over pictures of different sizes (scale one with :meth:`Pose.scaled` first).
    """
    if not joints:
        raise InputError("nothing_to_compare", "No joints to compare; name at least one.")
    if found.size != asked.size:
        raise InputError(
            "pose_sizes_differ", f"Poses over {found.size} and {asked.size}: scale one to the other first."
        )
    index = [int(j) for j in joints]
    apart = (found.points[index, :2] - asked.points[index, :2]).astype(np.float64)
    if not np.isfinite(apart).all():
        raise InputError("nothing_to_compare", "A joint to compare is not finite; leave it out.")
    return np.asarray(np.linalg.norm(apart, axis=1), np.float64)


def pck(found: Pose, asked: Pose, *, threshold: float = 0.2, joints: Sequence[int] = COCO_17) -> float:
    """Share (0..1) of ``joints`` found within ``threshold`` torso diagonals of where they were asked.

    The torso is that of ``asked``, which is taken as the truth.

    Raises:
        InputError: as :func:`distances`, and ``pose_without_torso`` when the asked torso has no length.
    """
    unit = torso(asked)
    if not unit > 0:
        raise InputError("pose_without_torso", "The asked pose's shoulders and hips coincide; PCK has no unit.")
    return float((distances(found, asked, joints) <= threshold * unit).mean())


def oks(found: Pose, asked: Pose, *, area: float | None = None, joints: Sequence[int] = COCO_17) -> float:
    """Object keypoint similarity, 0..1: mean of exp(-d^2 / (2 s^2 k^2)) with k = 2 sigma and s^2 = ``area``.

    Args:
        found, asked: poses over the same picture; ``asked`` is taken as the truth.
        area: the person's area in square pixels; None takes 0.53 of the asked COCO joints' bounding box.
        joints: the landmarks that count.

    Raises:
        InputError: as :func:`distances`, and ``pose_without_area`` when the area is not positive.
    """
    surface = _box_area(asked) if area is None else area
    if not surface > 0:
        raise InputError("pose_without_area", "The asked pose covers no area; OKS has no scale.")
    k = 2 * np.asarray([SIGMAS[int(j)] for j in joints], np.float64)
    d = distances(found, asked, joints)
    return float(np.exp(-(d**2) / (2 * surface * k**2)).mean())


def _box_area(pose: Pose) -> float:
    xy = pose.points[[int(j) for j in COCO_17], :2].astype(np.float64)
    width, height = xy.max(axis=0) - xy.min(axis=0)
    return float(width * height * _BOX_FILL)
