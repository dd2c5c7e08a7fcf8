"""Where a body of a given pose may be, as masks; sizes in torso diagonals of that pose."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from studio.pose.metrics import torso
from studio.pose.types import J, Pose
from studio.segmentation.masks import Mask
from studio.segmentation.zones import zones_of

Point = NDArray[np.float64]

TRUNK = (J.LEFT_SHOULDER, J.RIGHT_SHOULDER, J.RIGHT_HIP, J.LEFT_HIP)
ARMS = ((J.LEFT_SHOULDER, J.LEFT_ELBOW, J.LEFT_WRIST), (J.RIGHT_SHOULDER, J.RIGHT_ELBOW, J.RIGHT_WRIST))
LEGS = ((J.LEFT_HIP, J.LEFT_KNEE, J.LEFT_ANKLE), (J.RIGHT_HIP, J.RIGHT_KNEE, J.RIGHT_ANKLE))


@dataclass(frozen=True)
class Segment:
    """A piece of a limb: its start, the landmarks whose mean is its end, and half its width in torso diagonals."""

    name: str
    start: J
    end: tuple[J, ...]
    radius: float

    def ends(self, pose: Pose) -> tuple[Point, Point]:
        """Start and end in pixels."""
        index = [int(j) for j in self.end]
        xy = pose.points[:, :2].astype(np.float64)
        return xy[self.start], np.asarray(xy[index].mean(axis=0))


def _side(side: str, base: int) -> tuple[Segment, ...]:
    def j(left: J) -> J:
        return J(left + base)

    return (
        Segment(f"{side} upper arm", j(J.LEFT_SHOULDER), (j(J.LEFT_ELBOW),), 0.06),
        Segment(f"{side} forearm", j(J.LEFT_ELBOW), (j(J.LEFT_WRIST),), 0.045),
        Segment(f"{side} hand", j(J.LEFT_WRIST), (j(J.LEFT_INDEX), j(J.LEFT_PINKY)), 0.04),
        Segment(f"{side} thigh", j(J.LEFT_HIP), (j(J.LEFT_KNEE),), 0.09),
        Segment(f"{side} shin", j(J.LEFT_KNEE), (j(J.LEFT_ANKLE),), 0.06),
        Segment(f"{side} foot", j(J.LEFT_ANKLE), (j(J.LEFT_FOOT),), 0.04),
    )


SEGMENTS: tuple[Segment, ...] = (*_side("left", 0), *_side("right", 1))


def capsule(a: Point, b: Point, radius: float, shape: tuple[int, ...]) -> Mask:
    """All pixels of (h, w) within ``radius`` pixels of the line from a to b."""
    canvas = np.zeros(shape, np.uint8)
    ends = [(int(round(float(p[0]))), int(round(float(p[1])))) for p in (a, b)]
    cv2.line(canvas, ends[0], ends[1], 1, max(1, int(round(2 * radius))))
    for end in ends:
        cv2.circle(canvas, end, max(1, int(round(radius))), 1, -1)
    return canvas.astype(np.bool_)


def chains(pose: Pose, joints: tuple[tuple[J, ...], ...], radius: float, shape: tuple[int, ...]) -> Mask:
    """Capsules along chains of joints; ``radius`` in torso diagonals."""
    out = np.zeros(shape, np.bool_)
    reach = radius * torso(pose)
    xy = pose.points[:, :2].astype(np.float64)
    for chain in joints:
        for a, b in zip(chain, chain[1:], strict=False):
            out |= capsule(xy[a], xy[b], reach, shape)
    return out


@dataclass(frozen=True)
class Extremity:
    """A whole arm or leg: its joints, its last piece (hand or foot), and how far from the joints it may reach."""

    chain: tuple[J, J, J]
    tip: Segment
    radius: float

    def region(self, pose: Pose, shape: tuple[int, int]) -> Mask:
        """Where this limb may be in this pose, generously, to beyond the fingers or toes."""
        start, tip = self.tip.ends(pose)
        beyond = capsule(start, start + 2.0 * (tip - start), 0.15 * torso(pose), shape)
        return chains(pose, (self.chain,), self.radius, shape) | beyond

    def apart(self, one: Pose, other: Pose) -> float:
        """Pixels between the two poses at the middle and the last joint of the chain, whichever is more."""
        index = [int(j) for j in self.chain[1:]]
        between = one.points[index, :2].astype(np.float64) - other.points[index, :2]
        return float(np.linalg.norm(between, axis=1).max())


EXTREMITIES: tuple[Extremity, ...] = tuple(
    Extremity(chain, segment, radius)
    for base in (0, len(SEGMENTS) // 2)
    for chain, segment, radius in (
        (ARMS[base and 1], SEGMENTS[base + 2], 0.17),
        (LEGS[base and 1], SEGMENTS[base + 5], 0.22),
    )
)


def trunk_and_head(pose: Pose, shape: tuple[int, int]) -> Mask:
    """Where trunk, neck, head and hair may be, generously."""
    zones = zones_of(pose, shape)
    trunk = np.zeros(shape, np.uint8)
    corners = np.round(pose.points[list(TRUNK), :2]).astype(np.int32)
    cv2.fillConvexPoly(trunk, cv2.convexHull(corners), 1)
    width = max(3, int(round(0.36 * torso(pose))))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    return np.asarray(zones.head | zones.mane | zones.neck | cv2.dilate(trunk, disc).astype(np.bool_))
