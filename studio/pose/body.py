"""Forward kinematics of a standing human: joint angles and proportions in, 33 landmarks in 3-D out.

Body space: unit = the body's height (crown to sole), origin at the hips' midpoint, x to the image's right, y down,
z negative towards the camera. At yaw 0 the body faces the camera, so its left arm hangs at positive x.
Default proportions: Drillis & Contini 1966, body segment lengths as fractions of stature (table in Winter,
Biomechanics and Motor Control of Human Movement, 4th ed., fig. 4.1), shortened to MediaPipe's joint centres.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from studio.pose.types import LANDMARKS, J, JointState, Pose

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Proportions:
    """Segment lengths as fractions of stature (unitless)."""

    head: float = 0.130
    neck: float = 0.058
    shoulder_width: float = 0.200
    hip_width: float = 0.118
    torso: float = 0.288
    upper_arm: float = 0.168
    forearm: float = 0.142
    hand: float = 0.100
    thigh: float = 0.242
    shin: float = 0.232
    foot: float = 0.105
    ankle_height: float = 0.038


@dataclass(frozen=True)
class Limb:
    """Two segments, each an absolute direction: degrees outwards from straight down, and degrees forwards."""

    upper: tuple[float, float]
    lower: tuple[float, float]


@dataclass(frozen=True)
class Angles:
    """A whole pose. Degrees; left and right are the subject's own.

    Attributes:
        yaw: turn about the vertical: 0 faces the camera, 90 shows the left side's profile (faces the image's left),
            180 the back.
        lean: torso sideways (towards image right at yaw 0) and forwards.
        head_yaw, head_pitch: on top of the body's own; positive pitch looks down.
    """

    left_arm: Limb = Limb((9, 0), (6, 10))
    right_arm: Limb = Limb((9, 0), (6, 10))
    left_leg: Limb = Limb((3, 0), (2, 0))
    right_leg: Limb = Limb((3, 0), (2, 0))
    yaw: float = 0.0
    lean: tuple[float, float] = (0.0, 0.0)
    shoulder_tilt: float = 0.0
    hip_tilt: float = 0.0
    head_yaw: float = 0.0
    head_pitch: float = 0.0

    def mirrored(self) -> Angles:
        """The same pose seen in a mirror."""
        return replace(
            self,
            left_arm=self.right_arm,
            right_arm=self.left_arm,
            left_leg=self.right_leg,
            right_leg=self.left_leg,
            yaw=-self.yaw,
            lean=(-self.lean[0], self.lean[1]),
            shoulder_tilt=-self.shoulder_tilt,
            hip_tilt=-self.hip_tilt,
            head_yaw=-self.head_yaw,
        )


def direction(side: float, outwards: float, forwards: float) -> Vector:
    """Unit vector of a segment; ``side`` +1 is the body's left (image right at yaw 0)."""
    a, f = math.radians(outwards), math.radians(forwards)
    return np.array([side * math.sin(a), math.cos(a) * math.cos(f), -math.cos(a) * math.sin(f)])


def rotation_y(degrees: float) -> NDArray[np.float64]:
    """3x3 turn about the vertical; positive shows the body's left side (it then faces the image's left)."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def rotation_x(degrees: float) -> NDArray[np.float64]:
    """3x3 nod: positive tips the top of the body towards the camera."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[1, 0, 0], [0, c, s], [0, -s, c]])


def landmarks(angles: Angles, proportions: Proportions | None = None) -> NDArray[np.float64]:
    """(33, 3) float64 landmarks in body space (see the module's docstring)."""
    p = proportions or Proportions()
    out = np.zeros((LANDMARKS, 3))
    for side, base in ((1.0, 0), (-1.0, 1)):
        _leg(out, p, angles, side, base)
        _arm(out, p, angles, side, base)
    _head(out, p, angles)
    return out @ rotation_y(angles.yaw).T


def torso_axes(angles: Angles) -> tuple[Vector, Vector]:
    """Unit vectors of the unturned body: up the spine, and along the shoulders towards the body's left."""
    side, forward = (math.radians(a) for a in angles.lean)
    up = np.array([math.sin(side), -math.cos(side) * math.cos(forward), -math.sin(forward)])
    tilt = math.radians(angles.shoulder_tilt) + side
    return up / np.linalg.norm(up), np.array([math.cos(tilt), math.sin(tilt), 0.0])


def _leg(out: NDArray[np.float64], p: Proportions, angles: Angles, side: float, base: int) -> None:
    limb = angles.left_leg if side > 0 else angles.right_leg
    tilt = math.radians(angles.hip_tilt)
    hip = side * p.hip_width / 2 * np.array([math.cos(tilt), math.sin(tilt), 0.0])
    knee = hip + p.thigh * direction(side, *limb.upper)
    ankle = knee + p.shin * direction(side, *limb.lower)
    splay = math.radians(12)
    toe = np.array([side * math.sin(splay), 0.0, -math.cos(splay)])
    # A foot on the ground is flat; one that trails behind points down along its shin.
    drop = max(0.0, -math.sin(math.radians(limb.lower[1]))) * 0.6
    heel = ankle + np.array([0.0, p.ankle_height * 0.75, 0.0]) - toe * p.foot * 0.18
    out[J.LEFT_HIP + base], out[J.LEFT_KNEE + base], out[J.LEFT_ANKLE + base] = hip, knee, ankle
    out[J.LEFT_HEEL + base] = heel
    out[J.LEFT_FOOT + base] = heel + p.foot * (toe * math.sqrt(1 - drop**2) + np.array([0.0, drop + 0.04, 0.0]))


def _arm(out: NDArray[np.float64], p: Proportions, angles: Angles, side: float, base: int) -> None:
    limb = angles.left_arm if side > 0 else angles.right_arm
    up, across = torso_axes(angles)
    shoulder = p.torso * up + side * p.shoulder_width / 2 * across
    elbow = shoulder + p.upper_arm * direction(side, *limb.upper)
    along = direction(side, *limb.lower)
    wrist = elbow + p.forearm * along
    spread = np.cross(along, np.array([1.0, 0.0, 0.0]))
    spread = spread / max(float(np.linalg.norm(spread)), 1e-6)
    out[J.LEFT_SHOULDER + base], out[J.LEFT_ELBOW + base], out[J.LEFT_WRIST + base] = shoulder, elbow, wrist
    out[J.LEFT_INDEX + base] = wrist + p.hand * (0.78 * along + 0.12 * spread)
    out[J.LEFT_PINKY + base] = wrist + p.hand * (0.70 * along - 0.20 * spread)
    out[J.LEFT_THUMB + base] = wrist + p.hand * (0.42 * along + 0.30 * spread)


# Face landmarks in heads (unit = head height) from the head's centre, for the body's left side; x is mirrored.
FACE = {
    J.LEFT_EYE_INNER: (0.09, 0.01, -0.37),
    J.LEFT_EYE: (0.155, 0.005, -0.35),
    J.LEFT_EYE_OUTER: (0.22, 0.01, -0.31),
    J.LEFT_EAR: (0.355, 0.06, 0.02),
    J.MOUTH_LEFT: (0.10, 0.285, -0.36),
}
NOSE = (0.0, 0.15, -0.47)


def head_frame(angles: Angles, proportions: Proportions) -> tuple[Vector, NDArray[np.float64]]:
    """The head's centre in the unturned body, and the 3x3 turn of the head relative to it."""
    up, _ = torso_axes(angles)
    centre = (proportions.torso + proportions.neck + proportions.head * 0.5) * up + np.array([0, 0, -0.012])
    return centre, rotation_y(angles.head_yaw) @ rotation_x(angles.head_pitch)


def _head(out: NDArray[np.float64], p: Proportions, angles: Angles) -> None:
    centre, turn = head_frame(angles, p)
    out[J.NOSE] = centre + turn @ (p.head * np.array(NOSE))
    for joint, offset in FACE.items():
        x, y, z = offset
        mirror = J.MOUTH_RIGHT if joint is J.MOUTH_LEFT else J(joint + (1 if joint is J.LEFT_EAR else 3))
        out[joint] = centre + turn @ (p.head * np.array([x, y, z]))
        out[mirror] = centre + turn @ (p.head * np.array([-x, y, z]))


def place(body: NDArray[np.float64], *, size: tuple[int, int], stature: float, hips: tuple[float, float]) -> Pose:
    """Put body-space landmarks on a picture.

    Args:
        body: (33, 3) from :func:`landmarks`.
        size: (width, height) of the picture, pixels.
        stature: the body's height in pixels.
        hips: x, y in pixels of the hips' midpoint.
    """
    points = (body * stature + np.array([hips[0], hips[1], 0.0])).astype(np.float32)
    inside = (points[:, 0] >= 0) & (points[:, 0] < size[0]) & (points[:, 1] >= 0) & (points[:, 1] < size[1])
    facing = ~_turned_away(body)
    states = tuple(JointState.SEEN for _ in range(LANDMARKS))
    return Pose(points, (inside & facing).astype(np.float32), facing.astype(np.float32), states, size)


def _turned_away(body: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(33,) True for face landmarks on the far side of the head: OpenPose draws none of those, so neither do we."""
    away = np.zeros(LANDMARKS, bool)
    face = list(range(J.NOSE, J.LEFT_SHOULDER))
    middle = body[[J.LEFT_EAR, J.RIGHT_EAR], 2].mean()
    away[face] = body[face, 2] > middle + 0.018
    return away
