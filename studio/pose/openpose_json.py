"""OpenPose's JSON with 18 joints, in and out.

Source: OpenPose output format, https://github.com/CMU-Perceptual-Computing-Lab/openpose (doc/02_output.md):
``people`` is a
list, ``pose_keypoints_2d`` holds x, y, confidence per joint, all zero for a joint that was not found.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.errors import InputError
from studio.pose.openpose import FROM_33, to_18
from studio.pose.types import LANDMARKS, Pose, observed

JOINTS = 18
LARGEST_TEXT = 1_000_000
LARGEST_SIDE = 12_000
# How far outside of its canvas (in canvas sides) a joint may lie: a completed skeleton does leave the picture.
FARTHEST = 10


def to_json(pose: Pose) -> dict[str, Any]:
    """The pose as an OpenPose document for one person; ``json.dumps`` takes it."""
    numbers = [round(float(v), 3) for v in to_18(pose).ravel()]
    return {
        "version": 1.3,
        "people": [{"pose_keypoints_2d": numbers}],
        "canvas_width": pose.size[0],
        "canvas_height": pose.size[1],
    }


def from_json(document: str | bytes | Mapping[str, Any]) -> Pose:
    """The largest person of an OpenPose document as a pose, to be completed: joints it lacks are INVENTED, at (0, 0).

    Args:
        document: JSON text, or what ``json.loads`` made of it.

    Raises:
        InputError: ``skeleton_not_json``, ``skeleton_too_large`` (text over 1 MB), ``skeleton_without_canvas``,
            ``skeleton_empty`` (no people, or no joint found), ``skeleton_wrong_length``, ``skeleton_not_numbers``,
            ``skeleton_not_finite``, ``skeleton_out_of_range``.
    """
    content = _parsed(document)
    size = (_side(content, "canvas_width"), _side(content, "canvas_height"))
    people = content.get("people")
    if not isinstance(people, list) or not people:
        raise InputError("skeleton_empty", "The skeleton file has nobody in `people`.")
    if len(people) > 100:
        raise InputError("skeleton_too_large", "The skeleton file has more than 100 people; keep one.")
    found = max((_joints(person, size) for person in people), key=_reach)
    if not (found[:, 2] > 0).any():
        raise InputError("skeleton_empty", "Every joint of the skeleton has confidence 0.")
    return _to_33(found, size)


def _parsed(document: str | bytes | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(document, str | bytes):
        if len(document) > LARGEST_TEXT:
            raise InputError("skeleton_too_large", "The skeleton file is over 1 MB; a person takes 1 KB.")
        try:
            document = json.loads(document)
        except (ValueError, RecursionError) as error:
            raise InputError("skeleton_not_json", f"The skeleton file is not JSON: {error}") from None
    if not isinstance(document, Mapping):
        raise InputError("skeleton_not_json", "The skeleton file must hold a JSON object with `people`.")
    return document


def _side(content: Mapping[str, Any], name: str) -> int:
    value = content.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST_SIDE:
        raise InputError("skeleton_without_canvas", f"`{name}` must be a whole number of pixels, 1 to {LARGEST_SIDE}.")
    return value


def _joints(person: Any, size: tuple[int, int]) -> NDArray[np.float32]:
    numbers = person.get("pose_keypoints_2d") if isinstance(person, Mapping) else None
    if not isinstance(numbers, list) or len(numbers) != JOINTS * 3:
        raise InputError(
            "skeleton_wrong_length", "`pose_keypoints_2d` must hold 54 numbers: x, y, confidence of 18 joints."
        )
    if any(isinstance(n, bool) or not isinstance(n, int | float) for n in numbers):
        raise InputError("skeleton_not_numbers", "`pose_keypoints_2d` holds something that is not a number.")
    # A whole number of 400 digits is finite and still no float.
    if any(abs(n) > 1e12 if isinstance(n, int) else not math.isfinite(n) for n in numbers):
        raise InputError(
            "skeleton_not_finite", "`pose_keypoints_2d` holds NaN, infinity or a number beyond all measure."
        )
    joints = np.asarray(numbers, np.float64).reshape(JOINTS, 3)
    confident = (joints[:, 2] >= 0) & (joints[:, 2] <= 1)
    if not confident.all() or np.abs(joints[:, :2]).max() > FARTHEST * max(size):
        raise InputError(
            "skeleton_out_of_range", "A joint lies far outside of the canvas, or a confidence outside of 0..1."
        )
    return joints.astype(np.float32)


def _reach(joints: NDArray[np.float32]) -> float:
    """Size of a person: the diagonal of the box around the joints found."""
    found = joints[joints[:, 2] > 0, :2]
    return float(np.linalg.norm(np.ptp(found, axis=0))) if len(found) else -1.0


def _to_33(joints: NDArray[np.float32], size: tuple[int, int]) -> Pose:
    points = np.zeros((LANDMARKS, 3), np.float32)
    visibility = np.zeros(LANDMARKS, np.float32)
    for row, sources in zip(joints, FROM_33, strict=True):
        if len(sources) == 1:  # the neck is no landmark of the 33
            points[sources[0], :2] = row[:2]
            visibility[sources[0]] = row[2]
    return observed(points, visibility, size, slack=float(FARTHEST))
