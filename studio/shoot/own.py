"""A merchant's own personas, scenes and poses: their JSON, checked, and the way from landmarks to a library pose.

As JSON a preset is its name; one's own is an object, in an order and in a recipe alike (docs/executor.md):

    persona  {"name", "words", "below", "above"}
    scene    {"name", "words"}
    pose     {"name", "landmarks": 33 x [x, y, z, confidence], "words"?, "view"?}
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, NoReturn

from studio.errors import InputError
from studio.pose.library import LibraryPose
from studio.pose.types import LANDMARKS, SEEN_FROM, WEAK_FROM, J, JointState
from studio.shoot.presets import PERSONAS, SCENES, Landmarks, OwnPose, Persona, Scene, pick

LONGEST_NAME, LONGEST_WORDS = 80, 500
FARTHEST = 1e6
LEAST_KNOWN = 4
# The fit measures noise in statures, so any unit will do once the pose is about as large as one in a photo.
WORKING_SIZE = 1000.0
# Shoulder width over torso length of the average body that faces us.
FACING = 0.69


def persona_of(choice: str | Persona) -> Persona:
    """The persona meant; InputError ``persona_unknown``."""
    return pick("persona", PERSONAS, choice) if isinstance(choice, str) else choice


def scene_of(choice: str | Scene) -> Scene:
    """The scene meant; InputError ``scene_unknown``."""
    return pick("scene", SCENES, choice) if isinstance(choice, str) else choice


def preset_json(choice: str | Persona | Scene | OwnPose) -> str | dict[str, Any]:
    """A preset's name, or one's own as the object that :func:`persona_from` and its like read."""
    if isinstance(choice, str):
        return choice
    values = {key: value for key, value in asdict(choice).items() if key != "title"}
    if isinstance(choice, OwnPose):
        values["landmarks"] = [list(row) for row in choice.landmarks]
    return values


def persona_from(value: object) -> str | Persona:
    """A preset's name, or one's own; InputError ``order_persona_invalid``."""
    if isinstance(value, str):
        return value
    words = _words(value, "persona", needed=("name", "words", "below", "above"))
    return Persona(words["name"], words["name"], words["words"], words["below"], words["above"])


def scene_from(value: object) -> str | Scene:
    """A preset's name, or one's own; InputError ``order_scene_invalid``."""
    if isinstance(value, str):
        return value
    words = _words(value, "scene", needed=("name", "words"))
    return Scene(words["name"], words["name"], words["words"])


def pose_from(value: object) -> str | OwnPose:
    """A library pose's name, or one's own; InputError ``order_pose_invalid``.

    A row may carry a fifth column, the state, as a proposal's rows do; it is not read.
    """
    if isinstance(value, str):
        return value
    if not isinstance(value, Mapping):
        _refuse("pose", "it is a library pose's name, or an object")
    landmarks = _landmarks(value.get("landmarks"), "pose")
    rest = {key: item for key, item in value.items() if key != "landmarks"}
    words = _words(rest, "pose", needed=("name",), allowed=("words", "view"))
    return OwnPose(words["name"], landmarks, words.get("words", "standing"), words.get("view") or view_of(landmarks))


def photo_pose_from(value: object) -> Landmarks | None:
    """The rows that a merchant says of a photo, None for none; InputError ``order_photo_pose_invalid``."""
    return None if value is None else _landmarks(value, "photo_pose")


def view_of(landmarks: Landmarks) -> str:
    """From where a pose is seen, in the library's words, by how wide the shoulders look beside the torso."""
    left, right = landmarks[J.LEFT_SHOULDER], landmarks[J.RIGHT_SHOULDER]
    hips = [sum(landmarks[j][k] for j in (J.LEFT_HIP, J.RIGHT_HIP)) / 2 for k in (0, 1)]
    torso = math.dist(((left[0] + right[0]) / 2, (left[1] + right[1]) / 2), hips)
    facing = (left[0] - right[0]) / max(FACING * torso, 1e-9)
    if facing > 0.8:
        return "front view"
    if facing > 0.4:
        return "three quarter view"
    return "side view" if facing > -0.4 else "back view"


def posed(own: OwnPose) -> LibraryPose:
    """One's own pose as the library holds them: the joint angles of the likeliest body through its landmarks.

    Raises:
        InputError: ``skeleton_not_finite``, ``skeleton_too_small``.
    """
    import numpy as np

    from studio.pose.complete import body_of
    from studio.pose.types import Pose

    rows = np.asarray(own.landmarks, np.float32)
    known = rows[rows[:, 3] >= WEAK_FROM, :2]
    extent = max(float(np.ptp(known, axis=0).max()), 1e-9) if len(known) else 1.0
    points = (rows[:, :3] - rows[:, :3].mean(axis=0)) * np.float32(WORKING_SIZE / extent)
    if np.ptp(rows[:, 2]) == 0:
        points[:, 2] = 0
    states = tuple(state_of(float(confidence)) for confidence in rows[:, 3])
    body = body_of(Pose(points, rows[:, 3], rows[:, 3], states, (int(WORKING_SIZE), int(WORKING_SIZE))))
    return LibraryPose(own.name, own.name, own.words, own.view, body.angles)


def state_of(confidence: float) -> JointState:
    """How a joint of this confidence counts where nothing else is known of it."""
    if confidence >= SEEN_FROM:
        return JointState.SEEN
    return JointState.WEAK if confidence >= WEAK_FROM else JointState.INVENTED


def _words(value: object, what: str, *, needed: tuple[str, ...], allowed: tuple[str, ...] = ()) -> dict[str, str]:
    """An object of these texts and no other field."""
    if not isinstance(value, Mapping):
        _refuse(what, "it is a preset's name, or an object")
    unknown = [str(key) for key in value if key not in (*needed, *allowed)]
    missing = [key for key in needed if key not in value]
    if unknown or missing:
        _refuse(what, f"{', '.join(unknown or missing)} {'is unknown' if unknown else 'is missing'}")
    for key, text in value.items():
        longest = LONGEST_NAME if key == "name" else LONGEST_WORDS
        if not (isinstance(text, str) and text.strip() and len(text) <= longest and text.isprintable()):
            _refuse(what, f"{key} must be 1 to {longest} characters on one line")
    return dict(value)


def _landmarks(rows: object, what: str) -> Landmarks:
    if not (isinstance(rows, list | tuple) and len(rows) == LANDMARKS):
        _refuse(what, f"landmarks must be {LANDMARKS} rows")
    found = tuple(_landmark(row, what) for row in rows)
    known = [row for row in found if row[3] >= WEAK_FROM]
    spread = max((max(r[k] for r in known) - min(r[k] for r in known) for k in (0, 1)), default=0.0) if known else 0.0
    if len(known) < LEAST_KNOWN or not spread > 0:
        _refuse(what, f"at least {LEAST_KNOWN} landmarks, apart, must have a confidence from {WEAK_FROM} up")
    return found


def _landmark(row: object, what: str) -> tuple[float, float, float, float]:
    if not (isinstance(row, list | tuple) and len(row) in (4, 5) and all(_is_number(v) for v in row[:4])):
        _refuse(what, "each landmark must be [x, y, z, confidence], all numbers")
    x, y, z, confidence = (float(v) for v in row[:4])
    if max(abs(x), abs(y), abs(z)) > FARTHEST or not 0 <= confidence <= 1:
        _refuse(what, f"coordinates reach to {FARTHEST:g}, confidence from 0 to 1")
    return x, y, z, confidence


def _is_number(value: object) -> bool:
    """NaN and the infinities are not."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _refuse(what: str, why: str) -> NoReturn:
    raise InputError(f"order_{what}_invalid", f"The order's {what} can not be used: {why}.")
