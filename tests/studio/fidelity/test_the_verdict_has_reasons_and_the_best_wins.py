"""Verdicts by the weightiest reason, plain JSON, and the documented order of best_of."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from studio.errors import InputError
from studio.fidelity import (
    GarmentReport,
    LimbReport,
    OutlineReport,
    PoseReport,
    Report,
    SeamReport,
    Thresholds,
    Verdict,
    best_of,
)
from studio.fidelity.landmarks import NOT_FOUND
from studio.fidelity.verdict import Findings, judge

PERFECT = {
    "garment": GarmentReport(1.0, 0, 9000, 0.9), "seam": SeamReport(1.0, 2.0, 0.5, 400),
    "pose": PoseReport(0.95, 0.9, 17), "limbs": LimbReport((), ()), "outline": OutlineReport(0.98, 0.0, 0.0),
}  # fmt: skip


def judged(**changes: object) -> Report:
    return judge(Findings(**{**PERFECT, **changes}), Thresholds())  # type: ignore[arg-type]  # sections by name


def test_a_perfect_picture_is_good_and_says_why() -> None:
    report = judged()
    assert report.verdict is Verdict.GOOD
    assert [reason.code for reason in report.reasons] == [
        "garment_untouched", "seam_clean", "pose_followed", "limbs_complete", "outline_kept"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "verdict", "code"),
    [
        ({"garment": GarmentReport(0.9999, 1, 10000, 0.9)}, Verdict.REJECT, "garment_changed"),
        ({"seam": SeamReport(7.0, 9.0, 0.5, 400)}, Verdict.CHECK, "seam_visible"),
        ({"seam": SeamReport(2.0, 9.0, 13.0, 400)}, Verdict.REJECT, "seam_glaring"),
        ({"pose": PoseReport(0.6, 0.5, 17)}, Verdict.CHECK, "pose_off"),
        ({"pose": PoseReport(0.2, 0.1, 17)}, Verdict.REJECT, "pose_different"),
        ({"pose": PoseReport(gap=NOT_FOUND)}, Verdict.CHECK, "pose_not_found"),
        ({"limbs": LimbReport(("left hand",), ())}, Verdict.CHECK, "limb_missing"),
        ({"limbs": LimbReport((), ("arm",))}, Verdict.CHECK, "limb_extra"),
        ({"outline": OutlineReport(0.95, 0.2, 0.0)}, Verdict.CHECK, "sleeve_changed"),
        ({"outline": OutlineReport(0.95, 0.0, -0.1)}, Verdict.CHECK, "hem_changed"),
        ({"outline": OutlineReport(0.8, None, None)}, Verdict.CHECK, "outline_changed"),
    ],
)
def test_each_fault_alone_takes_the_good_away_and_leads(
    changes: dict[str, object], verdict: Verdict, code: str
) -> None:
    report = judged(**changes)
    assert report.verdict is verdict and report.reasons[0].code == code


def test_json_has_the_promised_keys_and_survives_json() -> None:
    found = json.loads(json.dumps(judged(limbs=LimbReport(("left hand",), None)).to_json()))
    assert found["garment"]["locked_ratio"] == 1.0 and found["garment"]["max_difference"] == 0
    assert {"delta_e_mean", "delta_e_p95"} <= set(found["seam"]) and found["pose"]["pck"] == 0.95
    assert found["limbs"]["missing"] == ["left hand"] and found["limbs"]["extra"] is None
    assert set(found["outline"]) >= {"iou", "sleeve_difference", "hem_difference"}
    assert found["verdict"] == "check" and found["reasons"][0] == {
        "code": "limb_missing", "message": "The left hand looks wrong or is missing.",
    }  # fmt: skip


def test_the_best_is_chosen_in_the_documented_order() -> None:
    changed = judged(garment=GarmentReport(0.99, 4, 9000, 0.9), pose=PoseReport(1.0, 1.0, 17))
    handless = judged(limbs=LimbReport(("left hand",), ()))
    unseen = judged(pose=PoseReport(gap=NOT_FOUND), limbs=LimbReport(gap=NOT_FOUND))
    seamed = judged(seam=SeamReport(4.0, 6.0, 0.5, 400))
    good = judged()
    nearer = judged(pose=PoseReport(1.0, 0.97, 17), seam=SeamReport(0.6, 1.0, 0.5, 400))
    assert best_of([changed, handless, unseen, seamed, good]) == 4
    assert best_of([changed, handless, seamed]) == 2
    assert best_of([changed, handless]) == 1
    assert best_of([unseen, handless]) == 1
    assert best_of([good, nearer]) == 1
    assert best_of([good, good]) == 0
    assert best_of([changed]) == 0


def test_nothing_to_choose_from_is_refused() -> None:
    with pytest.raises(InputError) as refused:
        best_of([])
    assert refused.value.code == "nothing_to_choose"


def test_the_front_door_is_cheap_to_open() -> None:
    heavy = "print(*(m for m in ('skimage', 'mediapipe', 'cv2', 'torch') if m in sys.modules))"
    program = f"import sys, studio.fidelity; assert studio.fidelity.__all__; {heavy}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
