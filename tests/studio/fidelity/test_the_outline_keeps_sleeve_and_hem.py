"""A sleeve that grew, a hem that fell, cloth that was painted over: the outline tells them, with sign and size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from studio.fidelity import Report, measure
from studio.fidelity.outline import hem_change, sleeve_change
from studio.pose.metrics import torso
from studio.pose.types import J
from tests.studio.fidelity.shoots import Shoot, shoot
from tests.studio.fidelity.spoiling import arm
from tests.studio.fidelity.test_the_garment_is_proved_pixel_for_pixel import codes


def report_of(taken: Shoot, locked: NDArray[np.bool_] | None = None) -> Report:
    lock = taken.locked if locked is None else locked
    return measure(taken.result, taken.source, taken.garment, locked=lock, asked=taken.truth.pose, detector=None)


def with_long_sleeve(taken: Shoot) -> Shoot:
    """The left arm, all but the hand, in the T-shirt's red."""
    pose = taken.truth.pose
    wrist = float(pose.points[J.LEFT_WRIST, 1])
    sleeve = arm(pose, 0, below=False) & taken.truth.masks["person"] & ~taken.garment
    sleeve[int(wrist) :] = False
    pixels = taken.pixels
    cloth = pixels[taken.locked]
    pixels[sleeve] = cloth[np.random.default_rng(1).integers(0, len(cloth), int(sleeve.sum()))]
    return taken.spoiled(pixels)


def with_lower_hem(taken: Shoot, rows: int) -> Shoot:
    """The shirt's lower edge drawn out by ``rows`` pixels."""
    pixels, band = taken.pixels, taken.garment.copy()
    bottom = int(np.flatnonzero(taken.garment.any(axis=1))[-1])
    band[: bottom - 12] = False
    ys, xs = np.nonzero(band)
    for down in range(1, rows + 1):
        free = ~taken.garment[ys + down, xs]
        pixels[ys[free] + down, xs[free]] = taken.pixels[ys[free], xs[free]]
    return taken.spoiled(pixels)


def test_a_kept_outline_has_no_differences() -> None:
    report = report_of(shoot())
    assert report.outline.iou is not None and report.outline.iou > 0.97
    assert abs(report.outline.sleeve_difference or 0) < 0.03 and abs(report.outline.hem_difference or 0) < 0.02
    assert "outline_kept" in codes(report)


def test_a_sleeve_that_grew_to_the_wrist_is_longer_by_more_than_half_an_arm() -> None:
    report = report_of(with_long_sleeve(shoot()))
    assert 0.4 < (report.outline.sleeve_difference or 0) < 0.8
    assert "sleeve_changed" in codes(report) and "longer" in report.reasons[0].message


def test_a_hem_that_fell_is_measured_in_torsos() -> None:
    taken = shoot()
    report = report_of(with_lower_hem(taken, 14))
    expected = 14 / torso(taken.truth.pose)
    assert report.outline.hem_difference is not None and abs(report.outline.hem_difference - expected) < 0.4 * expected
    assert "hem_changed" in codes(report)


def test_cloth_painted_over_by_skin_shrinks_the_outline() -> None:
    taken = shoot()
    pixels, lock = taken.pixels, taken.locked.copy()
    rows = np.flatnonzero(taken.garment.any(axis=1))
    covered = taken.garment.copy()
    covered[: rows[0] + int(0.6 * len(rows))] = False
    pixels[covered] = (232, 186, 156)
    lock[covered] = False
    report = report_of(taken.spoiled(pixels), lock)
    assert report.outline.iou is not None and report.outline.iou < 0.8
    assert {"outline_changed", "hem_changed"} <= set(codes(report))
    assert (report.outline.hem_difference or 0) < -0.1


def test_a_garment_like_its_surroundings_is_not_measured() -> None:
    taken = shoot()
    pixels = taken.pixels
    cloth = pixels[taken.locked]
    pixels[~taken.garment] = cloth[np.random.default_rng(2).integers(0, len(cloth), int((~taken.garment).sum()))]
    report = report_of(taken.spoiled(pixels))
    assert report.outline.iou is None and "colours_alike" in codes(report)


def test_sleeve_and_hem_are_signed_and_the_frame_cuts_no_hem() -> None:
    taken = shoot()
    pose, garment = taken.truth.pose, taken.garment
    without_sleeves = garment & ~arm(pose, 0, below=False) & ~arm(pose, 1, below=False)
    assert (sleeve_change(without_sleeves, garment, pose) or 0) < -0.1
    assert sleeve_change(garment, garment, pose) == 0.0
    to_the_frame = garment.copy()
    to_the_frame[int(np.flatnonzero(garment.any(axis=1))[-1]) - 3 :, garment.any(axis=0)] = True
    assert hem_change(to_the_frame, to_the_frame, pose) is None
