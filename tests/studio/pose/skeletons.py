"""Complete skeletons for these tests: library poses on varied bodies, with joints hidden as a detector would leave
them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace

import numpy as np

from studio.pose.body import Proportions, landmarks, place
from studio.pose.library import POSES
from studio.pose.types import J, JointState, Pose

HEAD = tuple(J(j) for j in range(11))
LOWER_BODY = tuple(J(j) for j in range(23, 33))
LEFT_ARM = (J.LEFT_ELBOW, J.LEFT_WRIST, J.LEFT_PINKY, J.LEFT_INDEX, J.LEFT_THUMB)
FOREARMS = tuple(J(j) for j in range(15, 23))


def skeleton(name: str = "front", *, seed: int = 0, turn: float = 0.0) -> Pose:
    """A library pose on a body whose segments are each some 6 % off the average, over 512 x 768."""
    rng, average = np.random.default_rng(seed), Proportions()
    body = Proportions(
        **{f.name: float(getattr(average, f.name) * np.exp(rng.normal(0, 0.06))) for f in fields(average)}
    )
    angles = replace(POSES[name].angles, yaw=POSES[name].angles.yaw + turn)
    return place(landmarks(angles, body), size=(512, 768), stature=640, hips=(256, 390))


def without(pose: Pose, joints: Iterable[J]) -> Pose:
    """The pose with ``joints`` unknown: at the origin, visibility 0."""
    hidden = set(joints)
    kept = np.array([j not in hidden for j in range(33)])
    states = tuple(JointState.SEEN if k else JointState.INVENTED for k in kept)
    seen = kept.astype(np.float32)
    return Pose(pose.points * kept[:, None], seen, seen, states, pose.size)
