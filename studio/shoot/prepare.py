"""From a photo to the light table: pose, mask, frame, what is kept and what is locked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.errors import InputError
from studio.pose.body import Proportions
from studio.pose.complete import FACE, complete
from studio.pose.detect import Detection, PoseDetector
from studio.pose.fit import fit_to_mask
from studio.pose.frame import canvas_for, on_frame
from studio.pose.library import LibraryPose
from studio.pose.retarget import retarget
from studio.pose.types import J, Pose
from studio.segmentation.masks import check_mask, expand
from studio.segmentation.proposals import Part, Proposal, Proposals, propose
from studio.shoot.composite import lock
from studio.shoot.own import posed
from studio.shoot.presets import Kind, OwnPose
from studio.shoot.said import better_known, said
from studio.shoot.types import Mask, Order, Table

AS_PHOTOGRAPHED = "as-photographed"
# A joint that moved by less than this share of the torso still wears its piece of the garment.
MOVED = 0.12
BLANK = (232, 234, 238)
LIMBS = (
    (J.LEFT_SHOULDER, J.LEFT_ELBOW),
    (J.RIGHT_SHOULDER, J.RIGHT_ELBOW),
    (J.LEFT_ELBOW, J.LEFT_WRIST),
    (J.RIGHT_ELBOW, J.RIGHT_WRIST),
    (J.LEFT_HIP, J.LEFT_KNEE),
    (J.RIGHT_HIP, J.RIGHT_KNEE),
    (J.LEFT_KNEE, J.LEFT_ANKLE),
    (J.RIGHT_KNEE, J.RIGHT_ANKLE),
)


@dataclass(frozen=True)
class Seen:
    """What was found in the photo, in its own pixels.

    Attributes:
        pose: completed, or fitted from the mask when nobody was found; where the order says better, so.
        garment: bool (H, W).
        part: ``"upper"``, ``"lower"`` or ``"full"``.
        pieces: the garments the mask is made of, by part: for a full outfit of two pieces, both of them.
        person: bool (H, W): wearer or mannequin with its clothes.
        detected: whether a pose detector found somebody.
    """

    pose: Pose
    garment: Mask
    part: str
    pieces: Mapping[str, Mask]
    person: Mask
    detected: bool


def look_at(order: Order, photo: Image.Image, detector: PoseDetector) -> Seen:
    """Pose and garment of the photo.

    Raises:
        InputError: ``garment_not_found``, ``garment_part_missing``, ``mask_wrong_size``, ``mask_empty``.
    """
    detection = detector.detect(photo)
    proposals = _proposals(photo, detection)
    garment, part = _garment(order, proposals, photo.size)
    person = proposals[Part.PERSON].mask if Part.PERSON in proposals else garment
    pose = _pose(detection, garment, part)
    if order.pose == AS_PHOTOGRAPHED and order.photo_pose is not None:
        pose = better_known(pose, order.photo_pose)
    if part == "full" and not _reaches_legs(garment, pose):
        part = "upper"
    return Seen(pose, garment, part, _pieces(garment, part, proposals), person | garment, detection is not None)


@dataclass(frozen=True)
class Survey:
    """What a photo offers before anything is ordered.

    Attributes:
        proposals: no item at all when there is no garment.
        best: the garment to start from, None when there is none.
        pose: completed, or fitted from the garment when nobody was found; None when there is neither.
    """

    proposals: Proposals
    best: Proposal | None
    pose: Pose | None


def survey(photo: Image.Image, detector: PoseDetector) -> Survey:
    """Garments and pose of a photo; a photo without any is an answer too, not an error."""
    detection = detector.detect(photo)
    proposals = _proposals(photo, detection)
    if all(item.part is Part.PERSON for item in proposals.items):
        return Survey(Proposals(()), None, _completed(detection))
    best = proposals.best()
    return Survey(proposals, best, _pose(detection, best.mask, str(best.part.value)))


def _reaches_legs(garment: Mask, pose: Pose) -> bool:
    """Whether the garment comes down past the middle of the thighs; what a bust wears is an upper."""
    thighs = pose.points[[J.LEFT_HIP, J.RIGHT_HIP, J.LEFT_KNEE, J.RIGHT_KNEE], 1].mean()
    return bool(np.flatnonzero(garment.any(axis=1)).max() > thighs)


def _proposals(photo: Image.Image, detection: Detection | None) -> Proposals:
    if detection is None:
        return propose(photo, pose=None)
    return propose(photo, pose=detection.pose, person_mask=detection.person_mask)


def _pieces(garment: Mask, part: str, proposals: Proposals) -> dict[str, Mask]:
    """A full outfit is taken apart into the upper and lower that were proposed, when each is a real share of it."""
    if part == "full" and Part.UPPER in proposals and Part.LOWER in proposals:
        found = {p.value: proposals[p].mask & garment for p in (Part.UPPER, Part.LOWER)}
        if all(mask.sum() > 0.15 * garment.sum() for mask in found.values()):
            return {str(name): mask for name, mask in found.items()}
    return {part: garment}


def _garment(order: Order, proposals: Proposals, size: tuple[int, int]) -> tuple[Mask, str]:
    if order.mask is not None:
        mask = check_mask(order.mask, size=size)
        return mask, order.garment if order.garment != "auto" else _nearest_part(mask, proposals)
    if order.garment == "auto":
        best = proposals.best()
        return best.mask, str(best.part.value)
    part = Part(order.garment)
    if part not in proposals:
        raise InputError(
            "garment_part_missing",
            f"No {part} garment was found in this photo; mark it with --mask, or choose another part.",
        )
    return proposals[part].mask, str(part.value)


def _nearest_part(mask: Mask, proposals: Proposals) -> str:
    from studio.segmentation.masks import overlap

    parts = [p for p in (Part.UPPER, Part.LOWER, Part.FULL) if p in proposals]
    return str(max(parts, key=lambda p: overlap(mask, proposals[p].mask)).value) if parts else "full"


def _pose(detection: Detection | None, garment: Mask, part: str) -> Pose:
    """The completed pose; fitted from the mask when there is nothing to complete."""
    return _completed(detection) or fit_to_mask(garment, garment=part)


def _completed(detection: Detection | None) -> Pose | None:
    if detection is None:
        return None
    try:
        return complete(detection.pose)
    except InputError as error:
        if error.code != "skeleton_too_small":
            raise
        return None


def lay_out(order: Order, photo: Image.Image, seen: Seen) -> Table:
    """The light table of a shoot that has a photo.

    Raises:
        InputError: ``pose_unknown``, ``crop_unknown``, ``canvas_too_large``, ``garment_out_of_frame``.
    """
    asked = _asked(order, seen, photo.size)
    box = canvas_for(asked, order.crop, garment=seen.garment).box
    source, photographed = _framed(photo, box, order.size)
    garment = _framed_mask(seen.garment, box, order.size)
    person = _framed_mask(seen.person, box, order.size)
    if not garment.any():
        raise InputError("garment_out_of_frame", "The garment lies outside of the asked crop; choose another crop.")
    found = on_frame(seen.pose, box, order.size)
    wanted = on_frame(asked, box, order.size)
    kept = _kept(order.kind, garment, person, photographed, found, wanted)
    locked = np.zeros_like(kept) if order.kind is Kind.OUTFIT else lock(kept) & garment
    return Table(source, photographed, garment, kept, locked, found, wanted)


def blank_table(order: Order) -> Table:
    """The light table of a text shoot: a library pose on an empty frame."""
    wanted = "front" if order.pose == AS_PHOTOGRAPHED else _wanted(order)
    standing = retarget(wanted, Proportions(), order.size)
    box = canvas_for(standing, order.crop).box
    nothing = np.zeros((order.size[1], order.size[0]), bool)
    source = Image.new("RGB", order.size, (128, 128, 128))
    return Table(source, nothing, nothing, nothing, nothing, None, on_frame(standing, box, order.size))


def _asked(order: Order, seen: Seen, size: tuple[int, int]) -> Pose:
    """The pose that is asked for, in the photo's pixels; the trunk stays where the garment is."""
    if order.kind is Kind.MODEL and order.pose == AS_PHOTOGRAPHED and order.photo_pose is not None:
        return said(order.photo_pose, size)
    if order.pose == AS_PHOTOGRAPHED or order.kind in (Kind.SCENE, Kind.OUTFIT):
        return seen.pose
    asked = retarget(_wanted(order), seen.pose, size, keep_trunk=True)
    if order.kind is Kind.POSE and seen.detected:
        points, confidence = asked.points.copy(), asked.confidence.copy()
        points[list(FACE)], confidence[list(FACE)] = seen.pose.points[list(FACE)], seen.pose.confidence[list(FACE)]
        asked = replace(asked, points=points, confidence=confidence)
    return asked


def _wanted(order: Order) -> str | LibraryPose:
    return posed(order.pose) if isinstance(order.pose, OwnPose) else order.pose


def _framed(photo: Image.Image, box: tuple[int, int, int, int], size: tuple[int, int]) -> tuple[Image.Image, Mask]:
    """The photo's part in ``box`` at ``size``, and where it is the photo: the rest is blank."""
    cut = Image.fromarray(_cut(np.asarray(photo), box, border=cv2.BORDER_REPLICATE))
    inside = _cut(np.full((photo.height, photo.width), 255, np.uint8), box, border=cv2.BORDER_CONSTANT)
    photographed = np.asarray(Image.fromarray(inside).resize(size, Image.Resampling.BOX)) > 254
    # The border is repeated for the resampling's sake alone; what nobody photographed is blank paper.
    pixels = np.array(cut.resize(size, Image.Resampling.LANCZOS))
    pixels[~photographed] = BLANK
    return Image.fromarray(pixels), photographed


def _framed_mask(mask: Mask, box: tuple[int, int, int, int], size: tuple[int, int]) -> Mask:
    cut = _cut(mask.astype(np.uint8) * 255, box, border=cv2.BORDER_CONSTANT)
    return np.asarray(Image.fromarray(cut).resize(size, Image.Resampling.BOX)) >= 128


def _cut(pixels: NDArray[Any], box: tuple[int, int, int, int], *, border: int) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    x0, y0, x1, y1 = box
    cx0, cy0, cx1, cy1 = max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)
    if cx0 >= cx1 or cy0 >= cy1:
        raise InputError("garment_out_of_frame", "The asked crop shows nothing of the photo; choose another crop.")
    return np.asarray(
        cv2.copyMakeBorder(pixels[cy0:cy1, cx0:cx1], cy0 - y0, y1 - cy1, cx0 - x0, x1 - cx1, border, value=0)
    )


def _kept(kind: Kind, garment: Mask, person: Mask, photographed: Mask, found: Pose, asked: Pose) -> Mask:
    """What the finished picture keeps of the source."""
    if kind is Kind.SCENE:
        return person & photographed
    if kind is Kind.OUTFIT:
        return photographed & ~expand(garment, max(2.0, garment.shape[0] / 128))
    worn = garment & ~released(garment, found, asked)
    if kind is Kind.POSE:
        worn = worn | (_head(found) & person)
    return worn & photographed


def released(garment: Mask, found: Pose, asked: Pose) -> Mask:
    """The garment's pixels on limbs that are asked to move: they can't stay where they are and are repainted."""
    torso = _torso(found)
    out = np.zeros_like(garment)
    for a, b in LIMBS:
        if max(_shift(found, asked, a), _shift(found, asked, b)) > MOVED * torso:
            out |= _band(garment.shape, found, (a, b), 0.26 * torso)
    return np.asarray(out & garment & ~_trunk(garment.shape, found))


def _shift(found: Pose, asked: Pose, joint: J) -> float:
    return float(np.linalg.norm(found.points[joint, :2] - asked.points[joint, :2]))


def _torso(pose: Pose) -> float:
    points = pose.points
    top, bottom = points[[J.LEFT_SHOULDER, J.RIGHT_SHOULDER], :2].mean(0), points[[J.LEFT_HIP, J.RIGHT_HIP], :2].mean(0)
    return max(1.0, float(np.linalg.norm(top - bottom)))


def _band(shape: tuple[int, ...], pose: Pose, bone: tuple[J, J], radius: float) -> Mask:
    canvas = np.zeros(shape, np.uint8)
    a, b = (tuple(int(v) for v in np.round(pose.points[j, :2])) for j in bone)
    cv2.line(canvas, a, b, 1, max(1, int(2 * radius)))
    return canvas.astype(bool)


def _trunk(shape: tuple[int, ...], pose: Pose) -> Mask:
    canvas = np.zeros(shape, np.uint8)
    corners = pose.points[[J.LEFT_SHOULDER, J.RIGHT_SHOULDER, J.RIGHT_HIP, J.LEFT_HIP], :2]
    cv2.fillConvexPoly(canvas, np.round(corners).astype(np.int32), 1)
    return canvas.astype(bool)


def _head(pose: Pose) -> Mask:
    """A generous disc about the head, down to the chin."""
    size = pose.size
    canvas = np.zeros((size[1], size[0]), np.uint8)
    if pose.confidence[list(FACE)].max() <= 0.3:
        return canvas.astype(bool)
    centre = pose.points[[J.LEFT_EAR, J.RIGHT_EAR, J.NOSE], :2].mean(0)
    cv2.circle(canvas, (int(centre[0]), int(centre[1])), int(0.34 * _torso(pose)), 1, -1)
    return canvas.astype(bool)
