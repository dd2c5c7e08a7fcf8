"""A library pose on this subject: its own bone lengths, its own place in the picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from studio.pose.body import Angles, Proportions, landmarks, place
from studio.pose.complete import FACE, PARENT, TRUNK, body_of
from studio.pose.library import LibraryPose, named
from studio.pose.solve import Body
from studio.pose.types import LANDMARKS, J, JointState, Pose

# Where a figure stands that has no place of its own: statures per frame height, and the soles' height in the frame.
TALL, FLOOR = 0.885, 0.955


def retarget(
    wanted: str | LibraryPose,
    subject: Pose | Proportions,
    frame: tuple[int, int],
    *,
    mirror: bool = False,
    keep_trunk: bool = False,
) -> Pose:
    """A library pose with the subject's proportions and place.

    Args:
        wanted: a pose of :mod:`studio.pose.library` by name, or one of the same make.
        subject: a pose (its bone lengths, and the middle of its shoulders and hips, are kept), or proportions alone,
            which then stand in the middle of the frame, head to toe.
        frame: (width, height) in pixels of the picture the result refers to; a subject's points must refer to it too.
        mirror: the pose as in a mirror.
        keep_trunk: leave shoulders and hips exactly where the subject has them, and its turn with them: only head,
        arms and legs
            take the library's angles. So the garment's own pixels fit the new pose.

    Returns:
        33 landmarks, all INVENTED except a kept trunk.

    Raises:
        InputError: ``pose_unknown``; as :func:`studio.pose.complete.complete` for a subject without measured joints.
    """
    angles = (named(wanted) if isinstance(wanted, str) else wanted).angles
    angles = angles.mirrored() if mirror else angles
    if isinstance(subject, Proportions):
        return _invented(_standing(angles, subject, frame))
    body = body_of(_all_known(subject))
    if keep_trunk:
        return _on_trunk(subject, body, angles, frame)
    asked = landmarks(angles, body.proportions)
    middle = asked[list(TRUNK), :2].mean(axis=0) * body.stature
    goal = subject.points[list(TRUNK), :2].mean(axis=0)
    return _invented(
        place(asked, size=frame, stature=body.stature, hips=(float(goal[0] - middle[0]), float(goal[1] - middle[1])))
    )


def mirrored(pose: Pose) -> Pose:
    """The pose as the picture flipped left to right shows it: the subject's left becomes its right."""
    swap = _swapped()
    points = pose.points[swap].copy()
    points[:, 0] = pose.size[0] - points[:, 0]
    states = tuple(pose.states[j] for j in swap)
    return Pose(points, pose.visibility[swap], pose.confidence[swap], states, pose.size)


def _swapped() -> list[int]:
    out = [int(J.NOSE)]
    out += [4, 5, 6, 1, 2, 3]
    return out + [j + 1 if j % 2 else j - 1 for j in range(J.LEFT_EAR, LANDMARKS)]


def _all_known(subject: Pose) -> Pose:
    """A completed pose's invented joints are its body too, once the pose is to be kept."""
    states = tuple(JointState.WEAK if s is JointState.INVENTED and c > 0 else s
                   for s, c in zip(subject.states, subject.confidence, strict=True))  # fmt: skip
    return replace(subject, states=states)


def _standing(angles: Angles, proportions: Proportions, frame: tuple[int, int]) -> Pose:
    body = landmarks(angles, proportions)
    stature = TALL * frame[1]
    x = frame[0] / 2 - float(body[list(TRUNK), 0].mean()) * stature
    y = FLOOR * frame[1] - float(body[:, 1].max()) * stature
    return place(body, size=frame, stature=stature, hips=(x, y))


def _on_trunk(subject: Pose, body: Body, angles: Angles, frame: tuple[int, int]) -> Pose:
    """The library's head and limbs, hung onto the subject's own shoulders and hips."""
    own = body.angles
    asked = replace(angles, yaw=own.yaw, lean=own.lean, shoulder_tilt=own.shoulder_tilt, hip_tilt=own.hip_tilt)
    hung = place(landmarks(asked, body.proportions), size=frame, stature=body.stature, hips=body.hips)
    shift = np.zeros((LANDMARKS, 3), np.float32)
    shift[list(TRUNK)] = subject.points[list(TRUNK)] - hung.points[list(TRUNK)]
    shift[list(FACE)] = shift[list(TRUNK[:2])].mean(axis=0)
    for child, parent in PARENT.items():
        shift[child] = shift[parent]
    points: NDArray[np.float32] = (hung.points + shift).astype(np.float32)
    confidence = hung.confidence.copy()
    confidence[list(TRUNK)] = subject.confidence[list(TRUNK)]
    states = tuple(subject.states[j] if j in TRUNK else JointState.INVENTED for j in range(LANDMARKS))
    return Pose(points, hung.visibility, confidence, states, frame)


def _invented(pose: Pose) -> Pose:
    return replace(pose, states=(JointState.INVENTED,) * LANDMARKS)
