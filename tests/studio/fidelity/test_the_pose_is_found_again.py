"""The asked pose against the one in the picture; and silence where nothing can be compared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.cbook import get_sample_data
from PIL import Image

from studio.errors import InputError
from studio.fidelity import Report, Verdict, measure
from studio.pose.detect import MediaPipeDetector
from studio.pose.metrics import torso
from studio.pose.types import J, Pose
from tests.studio.fidelity.shoots import Shoot, shoot
from tests.studio.fidelity.test_the_garment_is_proved_pixel_for_pixel import codes


def report_of(taken: Shoot, asked: Pose | None, detector: MediaPipeDetector | None) -> Report:
    return measure(taken.result, taken.source, taken.garment, locked=taken.locked, asked=asked, detector=detector)


def test_the_drawn_figure_stands_as_asked(detector: MediaPipeDetector) -> None:
    taken = shoot()
    pose = report_of(taken, taken.truth.pose, detector).pose
    assert pose.pck == 1.0 and (pose.oks or 0) > 0.85 and pose.joints == 17


def test_a_figure_half_a_torso_aside_follows_no_pose(detector: MediaPipeDetector) -> None:
    taken = shoot()
    asked = taken.truth.pose
    aside = asked.moved(0.5 * torso(asked), 0, size=asked.size)
    report = report_of(taken, aside, detector)
    assert (report.pose.pck or 0) < 0.1 and (report.pose.oks or 1) < 0.4
    assert report.verdict is Verdict.REJECT and "pose_different" in codes(report)


def test_one_arm_elsewhere_costs_its_joints_alone(detector: MediaPipeDetector) -> None:
    taken = shoot()
    asked = taken.truth.pose
    points = asked.points.copy()
    points[[J.LEFT_ELBOW, J.LEFT_WRIST], 1] -= 0.6 * torso(asked)
    report = report_of(taken, replace(asked, points=points), detector)
    assert report.pose.pck == pytest.approx(15 / 17)


def test_joints_nobody_drew_are_not_asked_for(detector: MediaPipeDetector) -> None:
    taken = shoot()
    asked = taken.truth.pose
    points, confidence = asked.points.copy(), asked.confidence.copy()
    points[J.LEFT_WRIST] = (5, 5, 0)
    confidence[J.LEFT_WRIST] = 0.0
    pose = report_of(taken, replace(asked, points=points, confidence=confidence), detector).pose
    assert pose.pck == 1.0 and pose.joints == 16


def test_a_real_portrait_is_compared_by_the_joints_in_the_frame(detector: MediaPipeDetector) -> None:
    with get_sample_data("grace_hopper.jpg") as file:
        photo = Image.open(file).convert("RGB")
    found = detector.detect(photo)
    assert found is not None
    report = measure(photo, None, None, locked=None, asked=found.pose, detector=detector)
    assert report.pose.pck == 1.0 and (report.pose.joints or 17) < 17
    assert report.garment.locked_ratio is None and "no_garment" not in codes(report)


def test_without_a_detector_nothing_is_scored() -> None:
    taken = shoot()
    report = report_of(taken, taken.truth.pose, None)
    assert report.pose.pck is None and report.limbs.missing is None
    assert report.verdict is Verdict.CHECK and "no_detector" in codes(report)
    section = report.to_json()["pose"]
    assert isinstance(section, dict)
    assert (section["pck"], section["oks"], section["measured"]) == (None, None, False) and section["reason"]


def test_text_to_image_with_nothing_to_go_by_is_never_good() -> None:
    report = measure(shoot().result, None, None, locked=None, asked=None, detector=None)
    assert report.verdict is Verdict.CHECK


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_skeleton_that_is_not_finite_is_refused(bad: float) -> None:
    taken = shoot()
    points = taken.truth.pose.points.copy()
    points[0, 0] = bad
    with pytest.raises(InputError) as refused:
        report_of(taken, replace(taken.truth.pose, points=points), None)
    assert refused.value.code == "skeleton_not_finite"
