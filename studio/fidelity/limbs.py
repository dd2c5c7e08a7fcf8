"""Limbs that vanished and limbs that are too many, as far as a person mask and the colour of skin can tell.

Missing: the skeleton has a limb where the detector's person mask has nobody. Extra: a patch in the person's own skin
colour, unlike the background, where no limb of the asked nor of the found skeleton is. Neither sees a limb that lies in
front of the body, and a covered third leg is not skin. docs/fidelity.md says how often they are right.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from studio.fidelity.regions import EXTREMITIES, SEGMENTS, TRUNK, Extremity, Segment, capsule, trunk_and_head
from studio.fidelity.report import Gap, LimbReport
from studio.fidelity.working import Working
from studio.pose.metrics import torso
from studio.pose.types import WEAK_FROM, J, Pose
from studio.segmentation import colours
from studio.segmentation.colours import ANYTHING, ColourModel, Floats
from studio.segmentation.masks import Mask, SoftMask, expand, shrink
from studio.segmentation.silhouette import strangeness
from studio.segmentation.zones import zones_of

# Least share of a limb's tube that must be person, where it was asked and where the detector says it is.
ASKED_FROM, FOUND_FROM = 0.35, 0.6
# A limb found shorter than this share of the asked one is no proof of it.
SQUEEZED_BELOW = 0.5
# Least share of a lower arm or leg that must be skin to be a bare one.
BARE_FROM = 0.35
# Areas of an extra part in squared torso diagonals: a hand is about 0.03, a bare arm 0.12.
LEAST_PART, MOST_PART = 0.02, 0.6
# From this length, in torso diagonals, a part is more than a hand.
ARM_FROM = 0.38
LEAST_SKIN = 30
# From this distance between the asked and the found limb, in torso diagonals, they may be two limbs.
DOUBLED_FROM = 0.4


def count_limbs(small: Working, *, gap: Gap | None) -> LimbReport:
    """Missing and extra limbs; ``gap`` says why nobody was found, if so."""
    if gap is not None or small.person is None or not small.poses:
        return LimbReport(gap=gap)
    skin = skin_of(small)
    extra = None if skin is None else extra_parts(small, skin)
    return LimbReport(missing_limbs(small, small.person >= 0.5), extra)


def missing_limbs(small: Working, person: Mask) -> tuple[str, ...]:
    """Names of the limbs that are empty where they were asked and not to be seen where the detector put them."""
    trunk = _trunk(small)
    first, *others = small.poses
    return tuple(
        segment.name
        for segment in SEGMENTS
        if _expected(segment, first)
        and _shown(segment, first, person, trunk, hidden=1.0) < ASKED_FROM
        and not any(_elsewhere(segment, pose, first, person, trunk) for pose in others)
    )


def _elsewhere(segment: Segment, found: Pose, asked: Pose, person: Mask, trunk: Mask) -> bool:
    """The limb is where the detector put it, and no stub: it squeezes an arm that is not there into the one above."""
    (a, b), (c, d) = segment.ends(found), segment.ends(asked)
    if np.linalg.norm(b - a) < SQUEEZED_BELOW * np.linalg.norm(d - c):
        return False
    return _shown(segment, found, person, trunk, hidden=0.0) >= FOUND_FROM


def _expected(segment: Segment, pose: Pose) -> bool:
    """The limb lies in the picture with both its ends, and the asked pose is more than a guess there."""
    joints = [int(segment.start), *(int(j) for j in segment.end)]
    inside = all(0 <= x < pose.size[0] and 0 <= y < pose.size[1] for x, y in segment.ends(pose))
    return inside and float(pose.confidence[joints].min()) >= WEAK_FROM


def _shown(segment: Segment, pose: Pose, person: Mask, trunk: Mask, *, hidden: float) -> float:
    """Share (0..1) of the limb's tube that is person; ``hidden`` when most of it lies on the trunk and proves nothing.

    A detector puts the joints of an arm that is not there onto the trunk, where there is always somebody.
    """
    a, b = segment.ends(pose)
    # The first part of a limb lies over what it grows from.
    tube = capsule(a + 0.4 * (b - a), b, max(1.0, segment.radius * torso(pose)), person.shape)
    clear = tube & ~trunk
    if np.count_nonzero(clear) < 0.5 * np.count_nonzero(tube) or not clear.any():
        return hidden
    return float(person[clear].mean())


def _trunk(small: Working) -> Mask:
    """The garment, and the quadrangle of shoulders and hips."""
    out = np.zeros(small.shape, np.bool_) if small.garment is None else small.garment.copy()
    for pose in small.poses:
        plane = np.zeros(small.shape, np.uint8)
        cv2.fillConvexPoly(plane, cv2.convexHull(np.round(pose.points[list(TRUNK), :2]).astype(np.int32)), 1)
        out |= plane.astype(np.bool_)
    return out


def skin_of(small: Working) -> ColourModel | None:
    """The colours of the found person's skin, sampled from face and hands; None when too little of it is in view."""
    if small.found is None or small.person is None:
        return None
    zones = zones_of(small.found, small.shape)
    bare = (zones.hands | zones.forearms) & (small.person >= 0.7)
    if zones.faced:
        bare |= zones.face & (small.person >= 0.7)
    if small.garment is not None:
        bare &= ~expand(small.garment, 2)
    lab = colours.to_lab(small.result)
    samples = lab[bare]
    samples = samples[colours.generic_skin().density(samples) > ANYTHING]
    if len(samples) < LEAST_SKIN:
        return None
    return colours.fit(colours.in_other_light(_typical(samples)), components=5, floor=(16.0, 6.0, 6.0))


def _typical(samples: Floats) -> Floats:
    """The two thirds nearest to the median: not lips, eyes, sleeves."""
    distance = (((samples - np.median(samples, axis=0)) / (2.5, 1, 1)) ** 2).sum(axis=1)
    return np.asarray(samples[distance <= np.percentile(distance, 66)], np.float32)


def extra_parts(small: Working, skin: ColourModel) -> tuple[str, ...]:
    """Names of the skin-coloured parts that belong to no limb of a known skeleton, in reading order."""
    pose = small.found if small.found is not None else small.poses[0]
    lab = colours.to_lab(small.result)
    bare = (skin.density(lab) > 2 * ANYTHING) & _stands_out(lab, small)
    odd = bare & ~_accounted(small, bare)
    unit = torso(pose)
    person = np.zeros(small.shape, np.float32) if small.person is None else small.person
    odd = expand(shrink(odd, 0.015 * unit), 0.015 * unit) & odd
    return tuple(_name(part, pose, unit) for part in _parts(odd, person) if _limb_sized(part, unit, small.shape))


def _accounted(small: Working, skin: Mask) -> Mask:
    """Where the known skeletons explain skin."""
    out = np.zeros(small.shape, np.bool_)
    for pose in small.poses:
        out |= trunk_and_head(pose, small.shape)
    for limb in EXTREMITIES:
        for pose in _explaining(limb, small.poses, skin):
            out |= limb.region(pose, small.shape)
    if small.garment is not None:
        out |= expand(small.garment, 0.03 * torso(small.poses[0]))
    return out


def _explaining(limb: Extremity, poses: tuple[Pose, ...], skin: Mask) -> tuple[Pose, ...]:
    """The poses that this limb may be drawn in; the asked one alone when it is bare there and in a second place, too.

    Else a third arm is explained away as soon as the detector takes it for the second.
    """
    if len(poses) < 2 or limb.apart(*poses) < DOUBLED_FROM * torso(poses[0]):
        return poses
    return poses[:1] if all(_bare(limb, pose, skin) for pose in poses) else poses


def _bare(limb: Extremity, pose: Pose, skin: Mask) -> bool:
    """Skin in the lower half of the limb."""
    a, b = pose.points[[int(j) for j in limb.chain[1:]], :2].astype(np.float64)
    tube = capsule(a + 0.3 * (b - a), b, max(1.0, 0.045 * torso(pose)), skin.shape)
    return bool(tube.any() and skin[tube].mean() >= BARE_FROM)


def _stands_out(lab: Floats, small: Working) -> Mask:
    """The person, and whatever the colours along the picture's frame do not explain."""
    person = np.zeros(small.shape, np.bool_) if small.person is None else small.person >= 0.5
    strip = max(3, round(0.05 * max(small.shape)))
    frame = np.ones(small.shape, np.bool_)
    frame[strip:-strip, strip:-strip] = False
    frame &= ~expand(person, strip)
    if np.count_nonzero(frame) < 200:
        return person
    return np.asarray(person | (strangeness(lab, frame) > 0.6))


@dataclass(frozen=True)
class _Part:
    """A connected part: pixels, (left, top, right, bottom), middle, longest side, and the share that is person."""

    area: int
    box: tuple[int, int, int, int]
    centre: tuple[float, float]
    length: float
    person: float


def _parts(mask: Mask, person: SoftMask) -> list[_Part]:
    total, labels, stats, centres = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    out = []
    for i in range(1, total):
        x, y, w, h, area = (int(v) for v in stats[i])
        where = labels[y : y + h, x : x + w] == i
        believed = float((person[y : y + h, x : x + w][where] >= 0.5).mean())
        centre = (float(centres[i][0]), float(centres[i][1]))
        out.append(_Part(area, (x, y, x + w, y + h), centre, _length(where), believed))
    return out


def _length(part: NDArray[np.bool_]) -> float:
    ys, xs = np.nonzero(part)
    _, (a, b), _ = cv2.minAreaRect(np.stack([xs, ys], axis=1).astype(np.float32))
    return float(max(a, b))


def _limb_sized(part: _Part, unit: float, shape: tuple[int, int]) -> bool:
    """A limb's size; what the frame cuts off must be the detector's person, for else it is scenery more often."""
    left, top, right, bottom = part.box
    at_frame = left <= 1 or top <= 1 or right >= shape[1] - 1 or bottom >= shape[0] - 1
    believed = not at_frame or part.person >= 0.5
    return believed and LEAST_PART * unit**2 <= part.area <= MOST_PART * unit**2


def _name(part: _Part, pose: Pose, unit: float) -> str:
    if part.length < ARM_FROM * unit:
        return "hand"
    xy = pose.points[:, 1]
    seen = float(pose.confidence[[J.LEFT_KNEE, J.RIGHT_KNEE]].min()) >= WEAK_FROM
    line = float(xy[[J.LEFT_HIP, J.RIGHT_HIP, J.LEFT_KNEE, J.RIGHT_KNEE]].mean()) if seen else np.inf
    return "leg" if part.centre[1] > line else "arm"
