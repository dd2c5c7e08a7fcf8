"""A library pose takes the subject's bones and place."""

import numpy as np
import pytest

from studio.errors import InputError
from studio.pose.body import Proportions
from studio.pose.retarget import mirrored, retarget
from studio.pose.types import J, JointState, Pose
from tests.studio.pose.skeletons import skeleton

TRUNK = [J.LEFT_SHOULDER, J.RIGHT_SHOULDER, J.LEFT_HIP, J.RIGHT_HIP]
BONES = [(11, 13), (13, 15), (12, 14), (23, 25), (25, 27), (24, 26), (26, 28)]


def bones(pose: Pose) -> np.ndarray:
    return np.array([np.linalg.norm(pose.points[a] - pose.points[b]) for a, b in BONES])


def test_bone_lengths_and_place_are_the_subject_s() -> None:
    subject = skeleton("front", seed=5)
    posed = retarget("hands-on-hips", subject, subject.size)
    assert bones(posed) == pytest.approx(bones(subject), rel=0.06)
    assert posed.points[TRUNK, :2].mean(axis=0) == pytest.approx(subject.points[TRUNK, :2].mean(axis=0), abs=0.5)
    assert posed.points[J.LEFT_ELBOW, 0] - posed.points[J.LEFT_SHOULDER, 0] > 50
    assert set(posed.states) == {JointState.INVENTED}


def test_a_kept_trunk_does_not_move_and_the_arms_take_the_pose() -> None:
    subject = skeleton("three-quarter-left", seed=6)
    posed = retarget("hands-on-hips", subject, subject.size, keep_trunk=True)
    assert np.array_equal(posed.points[TRUNK], subject.points[TRUNK])
    assert posed.states[J.LEFT_HIP] is JointState.SEEN and posed.states[J.LEFT_KNEE] is JointState.INVENTED
    assert posed.points[J.LEFT_WRIST, 0] < posed.points[J.LEFT_ELBOW, 0]


def test_proportions_alone_stand_head_to_toe_in_the_frame() -> None:
    long_legs = Proportions(thigh=0.27, shin=0.26)
    posed = retarget("front", long_legs, (400, 600))
    assert posed.points[:, 1].max() == pytest.approx(0.955 * 600, abs=0.5)
    assert posed.points[TRUNK, 0].mean() == pytest.approx(200, abs=0.5)
    assert bones(posed)[3] == pytest.approx(0.27 * 0.885 * 600, abs=0.5)


def test_the_mirrored_pose_is_the_pose_in_a_mirror() -> None:
    frame = (400, 600)
    plain, flipped = (
        retarget("hand-raised", Proportions(), frame),
        retarget("hand-raised", Proportions(), frame, mirror=True),
    )
    assert plain.points[J.LEFT_WRIST, 1] < plain.points[J.LEFT_SHOULDER, 1] < plain.points[J.RIGHT_WRIST, 1]
    assert np.allclose(mirrored(plain).points, flipped.points, atol=0.01)
    assert np.allclose(mirrored(mirrored(plain)).points, plain.points, atol=0.01)


def test_an_unknown_pose_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(InputError, match="hands-on-hips") as refused:
        retarget("handstand", Proportions(), (400, 600))
    assert refused.value.code == "pose_unknown"
