"""Named poses: what a merchant picks from. Each is joint angles; :mod:`studio.pose.body` makes landmarks of them."""

from __future__ import annotations

from dataclasses import dataclass

from studio.errors import InputError
from studio.pose.body import Angles, Limb


@dataclass(frozen=True)
class LibraryPose:
    """A pose by name.

    Attributes:
        name: stable, kebab-case.
        title: what a merchant reads.
        words: how a prompt says it (the vocabulary the bundled text encoder was trained on).
        view: how a prompt says from where it is seen.
        angles: the joint angles.
    """

    name: str
    title: str
    words: str
    view: str
    angles: Angles


STRAIGHT = Limb((3, 0), (2, 0))
RELAXED = Limb((9, 2), (5, 12))
ON_HIP = Limb((42, -8), (-48, 22))
POCKET = Limb((22, -12), (-10, 24))
CROSSED_L = Limb((12, 22), (-78, 50))
CROSSED_R = Limb((12, 22), (-74, 40))


def _entry(name: str, title: str, words: str, view: str, **angles: object) -> LibraryPose:
    return LibraryPose(name, title, words, view, Angles(**angles))  # type: ignore[arg-type]  # keywords of Angles


_ALL = (
    _entry("front", "Front", "standing", "front view", left_arm=RELAXED, right_arm=RELAXED),
    _entry(
        "contrapposto",
        "Relaxed stand",
        "standing relaxed",
        "front view",
        left_arm=RELAXED,
        right_arm=Limb((14, 0), (4, 16)),
        left_leg=Limb((7, 6), (5, -6)),
        right_leg=Limb((0, 0), (0, 0)),
        hip_tilt=4,
        shoulder_tilt=-3,
        head_yaw=8,
    ),
    _entry(
        "three-quarter-left",
        "Three-quarter, left",
        "standing",
        "three quarter view",
        yaw=38,
        left_arm=RELAXED,
        right_arm=RELAXED,
        left_leg=Limb((3, 6), (2, 2)),
        head_yaw=-12,
    ),
    _entry(
        "three-quarter-right",
        "Three-quarter, right",
        "standing",
        "three quarter view",
        yaw=-38,
        left_arm=RELAXED,
        right_arm=RELAXED,
        right_leg=Limb((3, 6), (2, 2)),
        head_yaw=12,
    ),
    _entry(
        "side-left",
        "Side, left",
        "standing",
        "side view",
        yaw=84,
        left_arm=Limb((4, 2), (3, 14)),
        right_arm=Limb((4, 6), (3, 20)),
    ),
    _entry(
        "side-right",
        "Side, right",
        "standing",
        "side view",
        yaw=-84,
        left_arm=Limb((4, 6), (3, 20)),
        right_arm=Limb((4, 2), (3, 14)),
    ),
    _entry("back", "Back", "standing", "back view", yaw=180, left_arm=RELAXED, right_arm=RELAXED),
    _entry(
        "back-three-quarter",
        "Back, three-quarter",
        "standing",
        "back view",
        yaw=146,
        left_arm=RELAXED,
        right_arm=RELAXED,
        head_yaw=-24,
    ),
    _entry(
        "walking",
        "Walking",
        "walking",
        "front view",
        yaw=14,
        left_arm=Limb((9, -20), (6, -4)),
        right_arm=Limb((9, 22), (4, 38)),
        left_leg=Limb((1, 24), (1, 12)),
        right_leg=Limb((2, -16), (1, -38)),
    ),
    _entry(
        "walking-side",
        "Walking, from the side",
        "walking",
        "side view",
        yaw=76,
        left_arm=Limb((5, -22), (4, -4)),
        right_arm=Limb((5, 24), (4, 42)),
        left_leg=Limb((1, 26), (1, 10)),
        right_leg=Limb((1, -18), (1, -42)),
    ),
    _entry(
        "hands-on-hips",
        "Hands on hips",
        "hands on hips",
        "front view",
        left_arm=ON_HIP,
        right_arm=ON_HIP,
        left_leg=Limb((7, 0), (5, 0)),
        right_leg=Limb((7, 0), (5, 0)),
    ),
    _entry(
        "hand-on-hip",
        "One hand on hip",
        "hand on hip",
        "front view",
        left_arm=ON_HIP,
        right_arm=RELAXED,
        left_leg=Limb((8, 4), (6, -4)),
        right_leg=Limb((0, 0), (0, 0)),
        hip_tilt=3,
        head_yaw=-8,
    ),
    _entry("arms-crossed", "Arms crossed", "arms crossed", "front view", left_arm=CROSSED_L, right_arm=CROSSED_R),
    _entry(
        "hands-in-pockets",
        "Hands in pockets",
        "hands in pockets",
        "front view",
        left_arm=POCKET,
        right_arm=POCKET,
        left_leg=Limb((5, 0), (4, 0)),
        right_leg=Limb((5, 0), (4, 0)),
    ),
    _entry(
        "arms-open",
        "Arms open",
        "arms open",
        "front view",
        left_arm=Limb((38, 4), (34, 14)),
        right_arm=Limb((38, 4), (34, 14)),
        left_leg=Limb((6, 0), (5, 0)),
        right_leg=Limb((6, 0), (5, 0)),
    ),
    _entry(
        "hand-raised",
        "Hand to hair",
        "hand raised",
        "front view",
        left_arm=Limb((78, 18), (158, 12)),
        right_arm=RELAXED,
        left_leg=Limb((6, 4), (4, -4)),
        hip_tilt=3,
    ),
    _entry(
        "sitting",
        "Sitting",
        "sitting",
        "three quarter view",
        yaw=30,
        left_arm=Limb((8, 18), (2, 62)),
        right_arm=Limb((8, 18), (2, 62)),
        left_leg=Limb((8, 78), (4, 0)),
        right_leg=Limb((8, 78), (4, 0)),
        lean=(0, 4),
    ),
    _entry(
        "legs-crossed",
        "Legs crossed",
        "standing",
        "front view",
        left_arm=RELAXED,
        right_arm=POCKET,
        left_leg=Limb((-2, 6), (-8, 0)),
        right_leg=Limb((2, 0), (1, 0)),
        hip_tilt=-2,
    ),
    _entry(
        "leaning",
        "Leaning",
        "leaning",
        "three quarter view",
        yaw=-26,
        lean=(6, -4),
        left_arm=POCKET,
        right_arm=RELAXED,
        left_leg=Limb((2, 12), (2, 4)),
        right_leg=Limb((6, 0), (6, 0)),
        head_yaw=10,
    ),
    _entry(
        "wide-stance",
        "Wide stance",
        "standing",
        "front view",
        left_arm=Limb((14, 2), (8, 10)),
        right_arm=Limb((14, 2), (8, 10)),
        left_leg=Limb((13, 0), (11, 0)),
        right_leg=Limb((13, 0), (11, 0)),
    ),
)

POSES: dict[str, LibraryPose] = {pose.name: pose for pose in _ALL}


def named(name: str) -> LibraryPose:
    """The library's pose of that name.

    Raises:
        InputError: ``pose_unknown``, with the names there are.
    """
    if name not in POSES:
        raise InputError("pose_unknown", f"There is no pose named {name!r}. Choose one of: {', '.join(POSES)}.")
    return POSES[name]
