"""What is measured: a finished picture beside what it was made from, checked once and then trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.errors import InputError
from studio.pose.types import Pose
from studio.segmentation.masks import Mask, check_mask, shrink

Pixels = NDArray[np.uint8]

# An erosion below this many pixels leaves the blended edge of a mask inside the lock.
LEAST_LOCK = 2.0


@dataclass(frozen=True)
class Subject:
    """One picture to measure; build it with :meth:`of`, which checks that everything lies on the same canvas.

    Attributes:
        result: (H, W, 3) uint8 sRGB, the finished picture.
        source: (H, W, 3) uint8 sRGB, the photo resampled onto the same canvas, or None.
        garment: (H, W) bool, the garment on that canvas, or None.
        locked: (H, W) bool, inside the garment: where the photo's pixels were put back, or None without a garment.
        asked: the pose that was asked for, over the same canvas, or None.
    """

    result: Pixels
    source: Pixels | None
    garment: Mask | None
    locked: Mask | None
    asked: Pose | None

    @classmethod
    def of(
        cls,
        result: Image.Image,
        source: Image.Image | None,
        garment: Mask | None,
        *,
        locked: Mask | None,
        asked: Pose | None,
        lock_share: float,
    ) -> Subject:
        """Check and gather.

        Raises:
            InputError: ``source_wrong_size``, ``pose_wrong_size``, ``skeleton_not_finite``, ``lock_outside_garment``,
                and what :func:`studio.segmentation.masks.check_mask` raises.
        """
        size = result.size
        if source is not None and source.size != size:
            raise InputError(
                "source_wrong_size",
                f"The source is {source.size}, the result {size}: resample the source onto the canvas.",
            )
        _check_pose(asked, size)
        if garment is not None:
            garment = check_mask(garment, size=size)
            locked = _lock(garment, locked, size, max(LEAST_LOCK, lock_share * max(size)))
        elif locked is not None:
            raise InputError("lock_outside_garment", "A lock was given without the garment mask it belongs to.")
        return cls(_pixels(result), None if source is None else _pixels(source), garment, locked, asked)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.result.shape[1], self.result.shape[0]


def _pixels(image: Image.Image) -> Pixels:
    return np.asarray(image.convert("RGB"))


def _check_pose(asked: Pose | None, size: tuple[int, int]) -> None:
    if asked is None:
        return
    if asked.size != size:
        raise InputError("pose_wrong_size", f"The asked pose is over a {asked.size} picture, the result is {size}.")
    if not np.isfinite(asked.points).all():
        raise InputError("skeleton_not_finite", "The asked skeleton has a coordinate that is not a finite number.")


def _lock(garment: Mask, locked: Mask | None, size: tuple[int, int], radius: float) -> Mask:
    if locked is None:
        return shrink(garment, radius)
    locked = check_mask(locked, size=size, allow_empty=True)
    if (locked & ~garment).any():
        raise InputError(
            "lock_outside_garment", "The lock marks pixels outside of the garment mask: erode that mask instead."
        )
    return locked
