"""How a body stands in a photo, as its merchant says: what is asked, and what is known better than the detector did.

A joint that was seen, or that the garment's outline shows, and is somewhere else in the merchant's landmarks is asked
to move: the cloth on its limb is let go (:func:`studio.shoot.prepare.released`). One that nobody knew is where they
say, and the cloth stays.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from studio.pose.types import READ_OFF, JointState, Pose
from studio.shoot.own import state_of
from studio.shoot.presets import Landmarks


def said(landmarks: Landmarks, size: tuple[int, int]) -> Pose:
    """33 rows of x, y, z, confidence as a pose, as they are.

    Args:
        landmarks: in pixels of the photo.
        size: (width, height) of the photo.
    """
    rows = np.asarray(landmarks, np.float32)
    states = tuple(state_of(float(confidence)) for confidence in rows[:, 3])
    return Pose(rows[:, :3].copy(), rows[:, 3].copy(), rows[:, 3].copy(), states, size)


def better_known(found: Pose, landmarks: Landmarks) -> Pose:
    """What was found, with the joints that nobody knew where the merchant says they are."""
    wanted = said(landmarks, found.size)
    guessed = np.array([state is JointState.INVENTED for state in found.states]) & (found.confidence < READ_OFF)
    points = np.where(guessed[:, None], wanted.points, found.points)
    confidence = np.where(guessed, wanted.confidence, found.confidence)
    states = tuple(b if g else a for a, b, g in zip(found.states, wanted.states, guessed, strict=True))
    return replace(found, points=points, confidence=confidence, states=states)
