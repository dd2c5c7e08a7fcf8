"""Arms that vanish, arms that are too many, and none of either in a good picture."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from studio.fidelity import LimbReport, Report, Verdict, measure
from studio.pose.detect import MediaPipeDetector
from tests.studio.fidelity.shoots import Shoot, shoot
from tests.studio.fidelity.spoiling import arm, painted_out, with_third_arm


def report_of(taken: Shoot, detector: MediaPipeDetector) -> Report:
    return measure(
        taken.result, taken.source, taken.garment, locked=taken.locked, asked=taken.truth.pose, detector=detector
    )


def limbs_of(taken: Shoot, detector: MediaPipeDetector) -> LimbReport:
    return report_of(taken, detector).limbs


def test_a_good_picture_has_all_its_limbs_and_passes(detector: MediaPipeDetector) -> None:
    report = report_of(shoot(), detector)
    assert report.limbs == LimbReport(missing=(), extra=())
    assert report.pose.pck is not None and report.pose.pck > 0.9
    assert report.outline.iou is not None and report.outline.iou > 0.95
    assert report.verdict is Verdict.GOOD


@pytest.mark.parametrize(("side", "name"), [(0, "left"), (1, "right")])
def test_a_forearm_painted_out_is_missed_by_name(side: int, name: str, detector: MediaPipeDetector) -> None:
    taken = shoot()
    report = report_of(painted_out(taken, arm(taken.truth.pose, side, below=True)), detector)
    assert set(report.limbs.missing or ()) == {f"{name} forearm", f"{name} hand"}
    assert report.verdict is not Verdict.GOOD
    assert any(name in reason.message for reason in report.reasons if reason.code == "limb_missing")


@pytest.mark.parametrize("side", [0, 1])
def test_a_third_arm_is_one_too_many(side: int, detector: MediaPipeDetector) -> None:
    report = report_of(with_third_arm(shoot(), side), detector)
    assert report.limbs.extra == ("arm",)
    assert report.verdict is not Verdict.GOOD


def test_skin_coloured_walls_are_no_limbs(detector: MediaPipeDetector) -> None:
    assert limbs_of(shoot(scene="beige studio"), detector).extra == ()


def test_limbs_beyond_the_frame_are_not_missing(detector: MediaPipeDetector) -> None:
    photo = Image.fromarray(astronaut())
    found = detector.detect(photo)
    assert found is not None
    report = measure(photo, None, None, locked=None, asked=found.pose, detector=detector)
    assert report.limbs.missing == () and report.limbs.extra == ()


def test_nobody_in_the_picture_is_said_and_not_scored(detector: MediaPipeDetector) -> None:
    taken = shoot()
    empty = np.full_like(taken.pixels, 127)
    report = report_of(taken.spoiled(empty), detector)
    assert report.limbs.missing is None and report.pose.pck is None
    section = report.to_json()["limbs"]
    assert isinstance(section, dict) and section["measured"] is False and "No person" in str(section["reason"])
