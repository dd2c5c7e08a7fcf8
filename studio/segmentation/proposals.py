"""Garment proposals with nothing to click.

A small copy of the photo is cut into figure and background (the pose detector's person mask and GrabCut, or the frame's
colours alone), the figure into cloth and the rest (skin sampled from its own face or neck), the cloth into upper and
lower; then each mask is carried over to the photo's own pixels. No weights are needed and no torch is imported.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.errors import InputError
from studio.pose.types import J, Pose
from studio.segmentation import parts, silhouette
from studio.segmentation.guided import enlarge
from studio.segmentation.masks import Mask, SoftMask, check_size, expand, largest_parts, resize_mask, resize_soft
from studio.segmentation.zones import Zones, zones_of

WORK_SIDE = 640
# Small pixels by which the edge may move on its way to the photo's own size.
REACH = 3
LEAST_SHARE = 0.002


class Part(StrEnum):
    """What a proposal covers."""

    UPPER = "upper"
    LOWER = "lower"
    FULL = "full"
    PERSON = "person"


@dataclass(frozen=True)
class Proposal:
    """One mask to start from.

    Attributes:
        part: what it covers.
        mask: (H, W) bool at the photo's own size.
        score: 0..1, a rank among the proposals of one photo, not a probability.
    """

    part: Part
    mask: Mask
    score: float


@dataclass(frozen=True)
class Proposals:
    """The proposals of one photo; a part that is not in view has none."""

    items: tuple[Proposal, ...]

    def __getitem__(self, part: Part) -> Proposal:
        """The proposal for a part; KeyError when there is none."""
        for item in self.items:
            if item.part == part:
                return item
        raise KeyError(part)

    def __contains__(self, part: object) -> bool:
        return any(item.part == part for item in self.items)

    def best(self) -> Proposal:
        """The garment to start from: the best scored that is not the whole person.

        Raises:
            InputError: ``garment_not_found``.
        """
        garments = [item for item in self.items if item.part is not Part.PERSON]
        if not garments:
            raise InputError("garment_not_found", "No garment was found in this photo: mark it with a click or a mask.")
        return max(garments, key=lambda item: item.score)


def propose(image: Image.Image, *, pose: Pose | None, person_mask: SoftMask | None = None) -> Proposals:
    """Upper, lower and full garment, and the person or mannequin, as far as the photo shows them.

    Args:
        image: RGB photo.
        pose: landmarks over that photo as a detector saw them, or None (headless mannequin, flat lay).
        person_mask: (H, W) float32 0..1 from the same detector, or None.

    Raises:
        InputError: ``mask_wrong_size`` or ``pose_wrong_size`` when they belong to another photo, ``pose_not_finite``.
    """
    photo = np.asarray(image.convert("RGB"))
    _check(image.size, pose, person_mask)
    factor = min(1.0, WORK_SIDE / max(image.size))
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    small = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA))
    zones = None if pose is None else zones_of(pose.scaled(size[0] / image.width, size=size), (size[1], size[0]))
    figure = _figure(small, None if person_mask is None else resize_soft(person_mask, size), zones)
    found = parts.dressed(small, figure, zones)
    scored = _scores(found, figure, zones, None if pose is None else _belief(pose))
    wanted = [(part, mask, score) for part, mask, score in scored if mask.mean() >= LEAST_SHARE]
    # Upper and full are one and the same array when no legs are in view: carried over once.
    large = {id(mask): _full_size(photo, small, mask) for _, mask, _ in {id(row[1]): row for row in wanted}.values()}
    return Proposals(tuple(Proposal(part, large[id(mask)], score) for part, mask, score in wanted))


def _check(size: tuple[int, int], pose: Pose | None, person_mask: SoftMask | None) -> None:
    if person_mask is not None:
        check_size(person_mask, size)
    if pose is None:
        return
    if pose.size != size:
        raise InputError("pose_wrong_size", f"The pose is over a {pose.size} picture, the photo is {size}.")
    if not np.isfinite(pose.points[:, :2]).all():
        raise InputError("pose_not_finite", "A landmark of the pose is not a number: find the pose again.")


def _figure(small: NDArray[np.uint8], person: SoftMask | None, zones: Zones | None) -> Mask:
    if person is not None and (person >= 0.5).mean() >= LEAST_SHARE:
        return silhouette.crisp(small, person)
    if zones is None:
        return silhouette.against_background(small)
    near = expand(zones.core | zones.head | zones.arms | zones.thighs | zones.shins | zones.feet, 0.25 * zones.unit)
    spread = max(3, int(0.3 * zones.unit)) | 1
    where = cv2.GaussianBlur(near.astype(np.float32), (spread, spread), 0)
    return silhouette.against_background(small, where=np.asarray(where, np.float32), sure=zones.core)


def _belief(pose: Pose) -> float:
    """How surely the trunk was seen, 0.3..1."""
    trunk = [J.LEFT_SHOULDER, J.RIGHT_SHOULDER, J.LEFT_HIP, J.RIGHT_HIP]
    return float(np.clip(pose.confidence[trunk].mean(), 0.3, 1))


def _scores(
    found: parts.Dressed, figure: Mask, zones: Zones | None, belief: float | None
) -> list[tuple[Part, Mask, float]]:
    """Full leads: it holds the garment whichever piece is meant; a single piece never scores above it."""
    solid = _solidity(found.full)
    sure = solid * (0.6 if belief is None else 0.6 + 0.35 * belief)
    scored = [(Part.FULL, found.full, sure)]
    if zones is not None:
        lower = bool(found.lower.any())
        scored.append((Part.UPPER, found.upper, 0.98 * sure * ((0.4 + 0.5 * found.two_pieces) if lower else 1.0)))
        scored.append((Part.LOWER, found.lower, 0.95 * sure * (0.4 + 0.5 * found.two_pieces)))
    scored.append((Part.PERSON, figure, 0.9 if belief is None else 0.8 + 0.2 * belief))
    return scored


def _solidity(mask: Mask) -> float:
    """How much of the mask is one part, 0..1."""
    area = int(np.count_nonzero(mask))
    return int(np.count_nonzero(largest_parts(mask))) / area if area else 0.0


def _full_size(photo: NDArray[np.uint8], small: NDArray[np.uint8], mask: Mask) -> Mask:
    """The mask at the photo's own size, its edge moved to the photo's edge by at most three small pixels."""
    if photo.shape == small.shape:
        return mask
    result = np.zeros(photo.shape[:2], np.bool_)
    near = expand(mask, REACH)
    inner = _box(near, margin=4 * REACH)
    ratio = photo.shape[0] / small.shape[0], photo.shape[1] / small.shape[1]
    outer = tuple(slice(round(s.start * r), round(s.stop * r)) for s, r in zip(inner, ratio, strict=True))
    crop = photo[outer]
    soft = enlarge(crop, small[inner], mask[inner].astype(np.float32), radius=REACH)
    result[outer] = (soft >= 0.5) & resize_mask(near[inner], (crop.shape[1], crop.shape[0]))
    # Specks that the snap made are dropped; what the small mask held as a part of its own stays.
    return largest_parts(result, result.size, at_least=min(1.0, 30 / max(1, int(np.count_nonzero(mask)))))


def _box(mask: Mask, *, margin: int) -> tuple[slice, slice]:
    """Rows and columns around the mask, ``margin`` pixels wider."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (
        slice(max(0, int(rows[0]) - margin), min(mask.shape[0], int(rows[-1]) + margin + 1)),
        slice(max(0, int(columns[0]) - margin), min(mask.shape[1], int(columns[-1]) + margin + 1)),
    )
