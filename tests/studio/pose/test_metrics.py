"""PCK and OKS give the numbers their definitions give."""

import math

import numpy as np
import pytest

from studio.errors import InputError
from studio.pose.metrics import COCO_17, SIGMAS, inside, oks, pck, torso
from studio.pose.types import J, JointState, Pose


def square_pose(size: tuple[int, int] = (200, 300)) -> Pose:
    """A pose whose torso is 60 x 80 pixels, so that its diagonal is 100, inside a 100 x 200 box."""
    points = np.zeros((33, 3), np.float32)
    points[:, :2] = (100, 100)
    points[J.LEFT_SHOULDER, :2], points[J.RIGHT_SHOULDER, :2] = (130, 100), (70, 100)
    points[J.LEFT_HIP, :2], points[J.RIGHT_HIP, :2] = (130, 180), (70, 180)
    points[J.LEFT_WRIST, :2], points[J.RIGHT_WRIST, :2] = (150, 180), (50, 180)
    points[J.NOSE, :2], points[J.LEFT_ANKLE, :2] = (100, 50), (120, 250)
    ones = np.ones(33, np.float32)
    return Pose(points, ones, ones, (JointState.SEEN,) * 33, size)


def shifted(pose: Pose, joint: J, dx: float, dy: float = 0.0) -> Pose:
    points = pose.points.copy()
    points[joint, :2] += (dx, dy)
    return Pose(points, pose.visibility, pose.confidence, pose.states, pose.size)


def test_the_torso_is_the_diagonal_from_shoulder_to_opposite_hip() -> None:
    assert torso(square_pose()) == pytest.approx(100)


def test_a_joint_counts_up_to_a_fifth_of_the_torso_and_no_further() -> None:
    asked = square_pose()
    assert pck(shifted(asked, J.LEFT_WRIST, 19.9), asked) == 1
    assert pck(shifted(asked, J.LEFT_WRIST, 20.1), asked) == pytest.approx(16 / 17)
    assert pck(shifted(asked, J.LEFT_WRIST, 20.1), asked, threshold=0.25) == 1
    assert pck(shifted(asked, J.LEFT_WRIST, 20.1), asked, joints=[J.LEFT_WRIST, J.NOSE]) == 0.5


def test_oks_of_one_shifted_joint_is_the_value_of_coco_s_formula() -> None:
    asked = square_pose()
    found = shifted(asked, J.LEFT_WRIST, 12, 5)
    expected = (16 + math.exp(-(13**2) / (2 * 5000 * (2 * 0.062) ** 2))) / 17
    assert oks(found, asked, area=5000) == pytest.approx(expected, abs=1e-6)
    assert oks(asked, asked) == 1


def test_oks_without_an_area_takes_053_of_the_box_of_the_joints() -> None:
    asked = square_pose()
    found = shifted(asked, J.LEFT_HIP, 7)
    assert oks(found, asked) == pytest.approx(oks(found, asked, area=0.53 * 100 * 200), abs=1e-9)


def test_faces_are_judged_more_strictly_than_hips() -> None:
    asked = square_pose()
    assert oks(shifted(asked, J.NOSE, 8), asked) < oks(shifted(asked, J.LEFT_HIP, 8), asked)
    assert len(SIGMAS) == 33 and SIGMAS[J.LEFT_HIP] == 0.107 and SIGMAS[J.RIGHT_THUMB] == SIGMAS[J.RIGHT_WRIST]


def test_what_can_not_be_compared_is_refused_by_code() -> None:
    asked = square_pose()
    flat = Pose(np.zeros((33, 3), np.float32), asked.visibility, asked.confidence, asked.states, asked.size)
    for code, call in {
        "nothing_to_compare": lambda: pck(asked, asked, joints=[]),
        "pose_sizes_differ": lambda: oks(asked, square_pose(size=(100, 150))),
        "pose_without_torso": lambda: pck(asked, flat),
        "pose_without_area": lambda: oks(asked, flat),
    }.items():
        with pytest.raises(InputError) as refused:
            call()
        assert refused.value.code == code
    with pytest.raises(InputError, match="not finite"):
        pck(shifted(asked, J.NOSE, math.nan), asked)


def test_joints_outside_the_picture_can_be_left_out() -> None:
    low = square_pose(size=(200, 200))
    assert set(COCO_17) - set(inside(low)) == {J.LEFT_ANKLE}
