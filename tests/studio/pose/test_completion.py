"""What is hidden of a skeleton comes back near where it was."""

from dataclasses import replace

import numpy as np
import pytest

from studio.errors import InputError
from studio.pose.complete import complete
from studio.pose.metrics import COCO_17, pck
from studio.pose.types import J, JointState, Pose
from tests.studio.pose.skeletons import FOREARMS, HEAD, LEFT_ARM, LOWER_BODY, skeleton, without

CASES = {"lower body": LOWER_BODY, "head": HEAD, "left arm": LEFT_ARM, "forearms": FOREARMS}
STANDS = [("front", 4.0), ("three-quarter-left", -8.0), ("back", 10.0), ("contrapposto", 0.0)]


@pytest.mark.parametrize("hidden", CASES)
def test_what_is_hidden_of_a_standing_skeleton_comes_back_within_a_fifth_of_the_torso(hidden: str) -> None:
    joints = [j for j in CASES[hidden] if j in COCO_17]
    scores = []
    for seed, (name, turn) in enumerate(STANDS):
        truth = skeleton(name, seed=seed, turn=turn)
        scores.append(pck(complete(without(truth, CASES[hidden])), truth, joints=joints))
    assert np.mean(scores) >= 0.8, scores


def test_seen_joints_stay_and_each_joint_says_how_it_came_to_be() -> None:
    truth = skeleton("hand-on-hip", seed=3)
    came_back = complete(without(truth, LOWER_BODY))
    seen = [j for j in J if j not in LOWER_BODY]
    assert np.abs(came_back.points[seen, :2] - truth.points[seen, :2]).max() < 1e-3
    assert {came_back.states[j] for j in LOWER_BODY} == {JointState.INVENTED}
    assert {came_back.states[j] for j in seen} == {JointState.SEEN}
    hip, knee, ankle = (came_back.confidence[j] for j in (J.LEFT_HIP, J.LEFT_KNEE, J.LEFT_ANKLE))
    assert 0 < ankle < knee < hip < 1 == came_back.confidence[J.NOSE]


def test_an_arm_that_is_hidden_is_like_the_one_that_is_seen() -> None:
    truth = skeleton("hands-on-hips", seed=1)
    came_back = complete(without(truth, LEFT_ARM)).points
    middle = truth.points[[J.LEFT_SHOULDER, J.RIGHT_SHOULDER], 0].mean()
    assert came_back[J.LEFT_ELBOW, 0] - middle > 0.8 * (middle - truth.points[J.RIGHT_ELBOW, 0])


def test_a_weak_joint_is_drawn_towards_the_body_and_a_seen_one_is_not() -> None:
    truth = skeleton("front")
    points = truth.points.copy()
    points[J.LEFT_WRIST, :2] += (130, -130)
    states = list(truth.states)
    states[J.LEFT_WRIST] = JointState.WEAK
    confidence = truth.confidence.copy()
    confidence[J.LEFT_WRIST] = 0.4
    weak = complete(replace(truth, points=points, states=tuple(states), confidence=confidence))
    assert pck(weak, truth, joints=[J.LEFT_WRIST], threshold=0.55) == 1
    seen = complete(replace(truth, points=points))
    assert np.allclose(seen.points[J.LEFT_WRIST, :2], points[J.LEFT_WRIST, :2], atol=1e-3)


def test_a_few_joints_far_below_the_frame_do_not_make_a_giant() -> None:
    truth = skeleton("front", seed=2)
    seen = without(truth, LOWER_BODY)
    points, visibility = seen.points.copy(), seen.visibility.copy()
    points[list(LOWER_BODY), :2] = (256, 3000)
    visibility[list(LOWER_BODY)] = 0.02
    came_back = complete(replace(seen, points=points, visibility=visibility))
    assert came_back.points[:, 1].max() < 1000


def test_the_face_of_a_back_turned_to_us_is_not_to_be_drawn() -> None:
    came_back = complete(without(skeleton("back"), HEAD))
    assert came_back.confidence[J.NOSE] == 0
    assert came_back.confidence[J.LEFT_EAR] > 0.05


def test_without_two_joints_apart_there_is_nothing_to_complete() -> None:
    truth = skeleton()
    with pytest.raises(InputError) as none_left:
        complete(without(truth, J))
    assert none_left.value.code == "skeleton_too_small"
    points = truth.points.copy()
    points[J.NOSE, 0] = np.nan
    with pytest.raises(InputError) as broken:
        complete(replace(truth, points=points))
    assert broken.value.code == "skeleton_not_finite"


def test_every_joint_of_a_complete_pose_is_finite_even_from_two_shoulders() -> None:
    truth = skeleton("side-left")
    came_back: Pose = complete(without(truth, [j for j in J if j not in (J.LEFT_SHOULDER, J.RIGHT_HIP)]))
    assert np.isfinite(came_back.points).all() and (came_back.confidence[11:] > 0).all()
