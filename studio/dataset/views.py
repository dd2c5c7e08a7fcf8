"""From where a picture shows its wearer, how much of them, and how they stand: from the 33 landmarks.

A view that is not certain is ``unsure``, and the merchant is asked: a headless mannequin's front and back look alike to
a pose detector, and MediaPipe now and then sees a face at the back of a head (rates in docs/dataset.md).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from studio.dataset.types import View
from studio.pose.body import Angles, Proportions, landmarks
from studio.pose.library import POSES
from studio.pose.types import J, Pose
from studio.segmentation.masks import Mask

# Shoulders' width across the picture over the torso's length: 0.65 from the front, under 0.3 from the side.
SIDE_BELOW, TURNED_FROM = 0.35, 0.45
HEADED_FROM = 0.57  # a figure's rise above the middle of its shoulders over its torso: heads 0.62, neck stumps 0.53
IN_FRAME = 0.25
LIMBS = (
    (J.LEFT_SHOULDER, J.LEFT_ELBOW), (J.LEFT_ELBOW, J.LEFT_WRIST),
    (J.RIGHT_SHOULDER, J.RIGHT_ELBOW), (J.RIGHT_ELBOW, J.RIGHT_WRIST),
    (J.LEFT_HIP, J.LEFT_KNEE), (J.LEFT_KNEE, J.LEFT_ANKLE),
    (J.RIGHT_HIP, J.RIGHT_KNEE), (J.RIGHT_KNEE, J.RIGHT_ANKLE),
)  # fmt: skip
ARMS, LEGS = slice(0, 4), slice(4, 8)
LEGS_WEIGHT = 0.7
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Stance:
    """How somebody stands in a picture.

    Attributes:
        view: front, side, back, or unsure.
        guess: the likeliest of the three where it is unsure; else the view itself.
        headless: a mannequin without a head, or the frame cuts it off.
        crop: full, knee or waist: how far down the frame goes.
        pose: as a phrase of the pose library.
    """

    view: View
    guess: View
    headless: bool
    crop: str
    pose: str


def stance_of(pose: Pose, person: Mask, *, face: bool | None = None) -> Stance:
    """The stance of a pose.

    A face that shows overrules landmarks that read a back; landmarks that read a front where no face shows are doubted.

    Args:
        pose: over the picture, as a detector saw it.
        person: (H, W) bool: that person.
        face: whether a face shows at the head (:func:`studio.dataset.people.face_seen`); None: nobody looked.
    """
    headless = not face and head_rise(pose, person) < HEADED_FROM
    guess = view_of(pose)
    if guess == "back" and face:
        guess = "front"
    breadth = abs(_across(pose))
    doubtful = headless or SIDE_BELOW < breadth < TURNED_FROM or (guess == "front" and face is False)
    return Stance("unsure" if doubtful else guess, guess, headless, crop_of(pose), pose_words(pose, guess))


def view_of(pose: Pose) -> View:
    """The likeliest view: the subject's left shoulder is on the picture's right when we see the front."""
    across = _across(pose)
    middle = (SIDE_BELOW + TURNED_FROM) / 2
    if abs(across) < middle:
        return "side"
    return "front" if across > 0 else "back"


def _across(pose: Pose) -> float:
    """Signed width of the shoulders over the length of the torso."""
    points = pose.points[:, :2].astype(np.float64)
    torso = np.linalg.norm(
        _middle(points, J.LEFT_SHOULDER, J.RIGHT_SHOULDER) - _middle(points, J.LEFT_HIP, J.RIGHT_HIP)
    )
    return float((points[J.LEFT_SHOULDER, 0] - points[J.RIGHT_SHOULDER, 0]) / max(torso, 1.0))


def head_rise(pose: Pose, person: Mask) -> float:
    """How far the figure rises above the middle of its shoulders, in torsos; raised arms beside it do not count."""
    points = pose.points[:, :2].astype(np.float64)
    shoulders = _middle(points, J.LEFT_SHOULDER, J.RIGHT_SHOULDER)
    torso = max(float(np.linalg.norm(shoulders - _middle(points, J.LEFT_HIP, J.RIGHT_HIP))), 1.0)
    left, right = (round(shoulders[0] + side * 0.3 * torso) for side in (-1, 1))
    rows = np.flatnonzero(person[:, max(0, left) : max(0, right)].any(axis=1))
    return float(shoulders[1] - rows[0]) / torso if len(rows) else 0.0


def crop_of(pose: Pose) -> str:
    """``full`` with an ankle in the frame, ``knee`` with a knee in it, else ``waist``."""
    for word, joints in (("full", (J.LEFT_ANKLE, J.RIGHT_ANKLE)), ("knee", (J.LEFT_KNEE, J.RIGHT_KNEE))):
        if any(_framed(pose, joint) for joint in joints):
            return word
    return "waist"


def _framed(pose: Pose, joint: J) -> bool:
    x, y = pose.points[joint, :2]
    return bool(0 <= x < pose.size[0] and 0 <= y < pose.size[1] and pose.confidence[joint] >= IN_FRAME)


def pose_words(pose: Pose, view: View) -> str:
    """The words of the library's pose of that view whose limbs point most alike, both ways round; of limbs in the frame
    only."""
    own, seen = _directions(pose.points[:, :2].astype(np.float64)), _limbs_seen(pose)
    if not seen[ARMS].any():
        return "standing"
    costs = {}
    for name, known in POSES.items():
        if _seen_from(known.view) == view:
            ways = [_flat(known.angles), _flat(known.angles.mirrored())]
            # Seen by landmarks as a back, left and right have changed places.
            costs[name] = min(_cost(own, seen, way * side) for way in ways for side in ((1, 1), (-1, 1)))
    return POSES[min(costs, key=lambda name: costs[name])].words


def _seen_from(view: str) -> View:
    return {"side view": "side", "back view": "back"}.get(view, "front")  # type: ignore[return-value]  # of View's words


def _flat(angles: Angles) -> Floats:
    return _directions(landmarks(replace(angles), Proportions())[:, :2])


def _directions(points: Floats) -> Floats:
    """(8, 2) limbs as fractions of the torso's length: a limb towards the camera is short."""
    torso = np.linalg.norm(
        _middle(points, J.LEFT_SHOULDER, J.RIGHT_SHOULDER) - _middle(points, J.LEFT_HIP, J.RIGHT_HIP)
    )
    return np.asarray([points[b] - points[a] for a, b in LIMBS]) / max(float(torso), 1e-6)


def _limbs_seen(pose: Pose) -> NDArray[np.bool_]:
    return np.asarray([_framed(pose, a) and _framed(pose, b) for a, b in LIMBS])


def _cost(own: Floats, seen: NDArray[np.bool_], known: Floats) -> float:
    weights = np.ones(8)
    weights[LEGS] = LEGS_WEIGHT
    distance = np.linalg.norm(own - known, axis=1)
    return float((distance * weights)[seen].sum() / weights[seen].sum())


def _middle(points: Floats, a: J, b: J) -> Floats:
    return np.asarray((points[a] + points[b]) / 2)
