"""OpenPose's JSON goes in and out; what is no skeleton is refused by code."""

import copy
import json
import math
from typing import Any

import numpy as np
import pytest

from studio.errors import InputError
from studio.pose.complete import complete
from studio.pose.metrics import COCO_17, pck
from studio.pose.openpose import to_18
from studio.pose.openpose_json import from_json, to_json
from studio.pose.types import J, JointState
from tests.studio.pose.skeletons import skeleton


def document() -> dict[str, Any]:
    return to_json(skeleton("walking"))


def test_a_skeleton_survives_the_way_out_and_in_again() -> None:
    pose = skeleton("walking")
    back = from_json(json.dumps(document()))
    assert back.size == (512, 768)
    assert np.abs(to_18(back)[:, :2] - to_18(pose)[:, :2]).max() < 0.01
    assert back.states[J.LEFT_FOOT] is JointState.INVENTED and back.states[J.LEFT_KNEE] is JointState.SEEN


def test_what_the_file_lacks_is_completed_without_depth() -> None:
    content = document()
    content["people"][0]["pose_keypoints_2d"][8 * 3 : 14 * 3] = [0] * 18
    assert pck(complete(from_json(content)), skeleton("walking"), joints=[j for j in COCO_17 if j < J.LEFT_KNEE]) == 1


def test_of_several_people_the_largest_is_taken() -> None:
    content = document()
    small = [v * 0.3 if k % 3 < 2 else v for k, v in enumerate(content["people"][0]["pose_keypoints_2d"])]
    content["people"].insert(0, {"pose_keypoints_2d": small})
    assert np.allclose(from_json(content).points, from_json(document()).points)


def broken(**change: Any) -> dict[str, Any]:
    content = copy.deepcopy(document())
    content.update(change)
    return content


def with_number(value: Any, at: int = 0) -> dict[str, Any]:
    content = document()
    content["people"][0]["pose_keypoints_2d"][at] = value
    return content


BAD: list[tuple[str, Any]] = [
    ("skeleton_not_json", "{"),
    ("skeleton_not_json", b"\xff\xfe\x00"),
    ("skeleton_not_json", "[]"),
    ("skeleton_not_json", "[" * 100_000),
    ("skeleton_too_large", " " * 1_000_001),
    ("skeleton_empty", broken(people=[])),
    ("skeleton_empty", broken(people={"a": 1})),
    ("skeleton_empty", broken(people=[{"pose_keypoints_2d": [0] * 54}])),
    ("skeleton_too_large", broken(people=[{}] * 101)),
    ("skeleton_wrong_length", broken(people=[{"pose_keypoints_2d": [1.0] * 53}])),
    ("skeleton_wrong_length", broken(people=[7])),
    ("skeleton_wrong_length", broken(people=[{}])),
    ("skeleton_without_canvas", broken(canvas_width=None)),
    ("skeleton_without_canvas", broken(canvas_height=0)),
    ("skeleton_without_canvas", broken(canvas_width=True)),
    ("skeleton_without_canvas", broken(canvas_width=10**9)),
    ("skeleton_not_finite", with_number(math.nan)),
    ("skeleton_not_finite", with_number(-math.inf)),
    ("skeleton_not_finite", json.dumps(with_number(math.nan))),
    ("skeleton_not_finite", with_number(10**400)),
    ("skeleton_not_numbers", with_number("7")),
    ("skeleton_not_numbers", with_number(None)),
    ("skeleton_not_numbers", with_number(True)),
    ("skeleton_out_of_range", with_number(1e9)),
    ("skeleton_out_of_range", with_number(1.5, at=2)),
]


@pytest.mark.parametrize(("code", "bad"), BAD, ids=[f"{code}-{k}" for k, (code, _) in enumerate(BAD)])
def test_what_is_no_skeleton_is_refused_by_code(code: str, bad: Any) -> None:
    with pytest.raises(InputError) as refused:
        from_json(bad)
    assert refused.value.code == code
