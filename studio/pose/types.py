"""The 33-landmark pose, in MediaPipe's order, as the rest of the studio passes it around.

Source of the order: MediaPipe Pose (BlazePose GHUM), Bazarevsky et al. 2020, https://arxiv.org/abs/2006.10204.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum

import numpy as np
from numpy.typing import NDArray


class J(IntEnum):
    """MediaPipe's landmark indices; left and right are the subject's own."""

    NOSE = 0
    LEFT_EYE_INNER = 1
    LEFT_EYE = 2
    LEFT_EYE_OUTER = 3
    RIGHT_EYE_INNER = 4
    RIGHT_EYE = 5
    RIGHT_EYE_OUTER = 6
    LEFT_EAR = 7
    RIGHT_EAR = 8
    MOUTH_LEFT = 9
    MOUTH_RIGHT = 10
    LEFT_SHOULDER = 11
    RIGHT_SHOULDER = 12
    LEFT_ELBOW = 13
    RIGHT_ELBOW = 14
    LEFT_WRIST = 15
    RIGHT_WRIST = 16
    LEFT_PINKY = 17
    RIGHT_PINKY = 18
    LEFT_INDEX = 19
    RIGHT_INDEX = 20
    LEFT_THUMB = 21
    RIGHT_THUMB = 22
    LEFT_HIP = 23
    RIGHT_HIP = 24
    LEFT_KNEE = 25
    RIGHT_KNEE = 26
    LEFT_ANKLE = 27
    RIGHT_ANKLE = 28
    LEFT_HEEL = 29
    RIGHT_HEEL = 30
    LEFT_FOOT = 31
    RIGHT_FOOT = 32


LANDMARKS = 33


class JointState(StrEnum):
    """How a joint came to be: measured, measured badly, or filled in by us."""

    SEEN = "seen"
    WEAK = "weak"
    INVENTED = "invented"


# Visibility from which a joint is taken as measured, and from which it still says something.
SEEN_FROM = 0.6
WEAK_FROM = 0.3
# Confidence of a joint read off a garment's mask, and of one that only follows from the body.
READ_OFF, FOLLOWS = 0.4, 0.2


@dataclass(frozen=True)
class Pose:
    """33 landmarks over one picture.

    Attributes:
        points: (33, 3) float32; x right and y down in pixels of the picture (may lie outside of it), z in the same
            units, negative towards the camera, 0 at the hips' midpoint.
        visibility: (33,) float32 in 0..1, the detector's own belief that the joint is in view.
        confidence: (33,) float32 in 0..1, our belief that the point is where it says.
        states: 33 of :class:`JointState`.
        size: (width, height) in pixels of the picture the points refer to.
    """

    points: NDArray[np.float32]
    visibility: NDArray[np.float32]
    confidence: NDArray[np.float32]
    states: tuple[JointState, ...] = field(default=())
    size: tuple[int, int] = (0, 0)

    def moved(self, dx: float, dy: float, *, size: tuple[int, int]) -> Pose:
        """The same pose after the canvas grew by (dx, dy) pixels at its left and top."""
        shift = np.array([dx, dy, 0.0], np.float32)
        return replace(self, points=self.points + shift, size=size)

    def scaled(self, factor: float, *, size: tuple[int, int]) -> Pose:
        """The same pose on the picture resized by ``factor``."""
        return replace(self, points=(self.points * factor).astype(np.float32), size=size)


def observed(
    points: NDArray[np.float32], visibility: NDArray[np.float32], size: tuple[int, int], *, slack: float = 0.02
) -> Pose:
    """A detector's raw answer as a Pose: states by visibility, and no joint outside of the picture counts as seen.

    Args:
        points: (33, 3) float32, pixels.
        visibility: (33,) float32, 0..1.
        size: (width, height) of the picture, pixels.
        slack: share of the picture's longer side by which a joint may lie outside and still be weak.
    """
    limit = slack * max(size)
    below = np.minimum(points[:, 0], points[:, 1])
    beyond = np.maximum(points[:, 0] - size[0], points[:, 1] - size[1])
    outside = np.maximum(-below, beyond)
    belief = np.where(outside > limit, 0.0, np.where(outside > 0, np.minimum(visibility, SEEN_FROM - 0.01), visibility))
    states = tuple(_state(float(b)) for b in belief)
    return Pose(points, visibility, belief.astype(np.float32), states, size)


def _state(belief: float) -> JointState:
    if belief >= SEEN_FROM:
        return JointState.SEEN
    return JointState.WEAK if belief >= WEAK_FROM else JointState.INVENTED
