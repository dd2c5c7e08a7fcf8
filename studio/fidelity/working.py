"""A smaller copy of the subject: limbs and outlines are judged at this size, which is enough and saves seconds."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from studio.fidelity.subject import Pixels, Subject
from studio.pose.detect import Detection
from studio.pose.metrics import torso
from studio.pose.types import Pose
from studio.segmentation.masks import Mask, SoftMask, resize_mask, resize_soft

WORK_SIDE = 512


@dataclass(frozen=True)
class Working:
    """The subject at no more than 512 pixels a side; every array and pose over that same small canvas.

    Attributes:
        result, source: (h, w, 3) uint8.
        garment, locked: (h, w) bool.
        asked: the pose asked for; found: the pose found again, as the detector gave it.
        person: (h, w) float32 0..1, the detector's mask of the person found.
    """

    result: Pixels
    source: Pixels | None
    garment: Mask | None
    locked: Mask | None
    asked: Pose | None
    found: Pose | None
    person: SoftMask | None

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width)."""
        return self.result.shape[0], self.result.shape[1]

    @property
    def poses(self) -> tuple[Pose, ...]:
        """The poses that are known and have a torso, the asked one first."""
        known = (self.asked, self.found)
        return tuple(pose for pose in known if pose is not None and torso(pose) > 1)


def working_copy(subject: Subject, found: Detection | None) -> Working:
    """The subject and the person found in its result, small."""
    factor = min(1.0, WORK_SIDE / max(subject.size))
    size = (max(1, round(subject.size[0] * factor)), max(1, round(subject.size[1] * factor)))
    return Working(
        result=_smaller(subject.result, size),
        source=None if subject.source is None else _smaller(subject.source, size),
        garment=None if subject.garment is None else resize_mask(subject.garment, size),
        locked=None if subject.locked is None else resize_mask(subject.locked, size),
        asked=None if subject.asked is None else _pose(subject.asked, size),
        found=None if found is None else _pose(found.pose, size),
        person=None if found is None else resize_soft(found.person_mask, size),
    )


def _smaller(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    if pixels.shape[1::-1] == size:
        return pixels
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _pose(pose: Pose, size: tuple[int, int]) -> Pose:
    return pose.scaled(size[0] / pose.size[0], size=size)
