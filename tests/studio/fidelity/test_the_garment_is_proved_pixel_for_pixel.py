"""Inside the lock nothing may differ, not by one level of one channel of one pixel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from studio.errors import InputError
from studio.fidelity import Report, Verdict, measure
from tests.studio.fidelity.shoots import Shoot, shoot


def report_of(taken: Shoot, locked: NDArray[np.bool_] | None = None) -> Report:
    lock = taken.locked if locked is None else locked
    return measure(taken.result, taken.source, taken.garment, locked=lock, asked=None, detector=None)


def codes(report: Report) -> list[str]:
    return [reason.code for reason in report.reasons]


def test_an_untouched_garment_has_ratio_one_and_no_difference() -> None:
    taken = shoot()
    garment = report_of(taken).garment
    assert (garment.locked_ratio, garment.max_difference, garment.pixels) == (1.0, 0, int(taken.locked.sum()))
    assert "garment_untouched" in codes(report_of(taken))


@pytest.mark.parametrize("by", [1, -3, 200])
def test_one_changed_pixel_is_counted_and_measured(by: int) -> None:
    taken = shoot()
    pixels = taken.pixels
    y, x = np.argwhere(taken.locked)[1000]
    value = int(np.asarray(taken.source)[y, x, 1]) + by
    pixels[y, x, 1] = value if 0 <= value <= 255 else value - 2 * by
    report = report_of(taken.spoiled(pixels))
    locked = int(taken.locked.sum())
    assert report.garment.locked_ratio == pytest.approx((locked - 1) / locked, abs=1e-12)
    assert report.garment.locked_ratio is not None and report.garment.locked_ratio < 1
    assert report.garment.max_difference == abs(by)
    assert report.verdict is Verdict.REJECT and codes(report)[0] == "garment_changed"
    assert "1 of its pixels" in report.reasons[0].message


def test_a_change_outside_of_the_lock_is_no_change_of_the_garment() -> None:
    taken = shoot()
    pixels = taken.pixels
    pixels[~taken.garment] = 0
    assert report_of(taken.spoiled(pixels)).garment.locked_ratio == 1.0


def test_json_does_not_round_one_pixel_in_a_million_away() -> None:
    picture = np.zeros((1024, 1024, 3), np.uint8)
    everywhere = np.ones((1024, 1024), np.bool_)
    changed = picture.copy()
    changed[5, 5] = 255
    report = measure(
        Image.fromarray(changed), Image.fromarray(picture), everywhere, locked=everywhere, asked=None, detector=None
    )
    section = report.to_json()["garment"]
    assert isinstance(section, dict) and section["locked_ratio"] == 1 - 1 / 1024**2 and section["max_difference"] == 255


def test_without_a_lock_the_garment_is_eroded_here() -> None:
    taken = shoot()
    report = measure(taken.result, taken.source, taken.garment, locked=None, asked=None, detector=None)
    assert report.garment.pixels is not None and int(taken.locked.sum()) < report.garment.pixels < taken.garment.sum()


def test_a_lock_of_a_small_part_does_not_speak_for_the_garment() -> None:
    taken = shoot()
    few = taken.locked.copy()
    few[np.argwhere(taken.locked)[200, 0] :] = False
    report = report_of(taken, few)
    assert report.garment.locked_ratio == 1.0 and report.verdict is not Verdict.GOOD
    assert "garment_mostly_repainted" in codes(report)


def test_an_empty_lock_is_not_measured_instead_of_perfect() -> None:
    taken = shoot()
    report = report_of(taken, np.zeros_like(taken.locked))
    assert report.garment.locked_ratio is None and report.verdict is Verdict.CHECK
    assert "garment_too_thin" in codes(report)


def test_arguments_of_another_canvas_are_refused() -> None:
    taken = shoot()
    with pytest.raises(InputError) as refused:
        report_of(replace(taken, source=taken.source.resize((100, 150))))
    assert refused.value.code == "source_wrong_size"
    with pytest.raises(InputError) as refused:
        report_of(taken, ~taken.garment)
    assert refused.value.code == "lock_outside_garment"
