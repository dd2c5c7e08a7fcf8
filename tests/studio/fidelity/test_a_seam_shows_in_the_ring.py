"""The ring of repainted cloth tells a seam: by its colour, and by the step where the photo's pixels begin."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage.color import deltaE_ciede2000, rgb2lab

from studio.fidelity import SeamReport, Verdict, measure
from studio.fidelity.seam import ring_of
from studio.segmentation.masks import expand
from tests.studio.fidelity.shoots import Shoot, shoot
from tests.studio.fidelity.test_the_garment_is_proved_pixel_for_pixel import codes, report_of


def seam_of(taken: Shoot) -> SeamReport:
    return report_of(taken).seam


def tinted(taken: Shoot, shift: tuple[int, int, int]) -> Shoot:
    pixels = taken.pixels.astype(np.int16)
    pixels[~taken.locked] += np.array(shift, np.int16)
    return taken.spoiled(pixels.clip(0, 255).astype(np.uint8))


def test_repainted_cloth_like_the_photos_shows_no_seam() -> None:
    report = report_of(shoot())
    assert report.seam.delta_e_mean is not None and report.seam.delta_e_mean < 1.5
    assert report.seam.step is not None and report.seam.step < 1.0
    assert "seam_clean" in codes(report)


def test_a_flat_tint_is_measured_as_its_own_ciede2000() -> None:
    cloth, other = (150, 60, 60), (150, 60, 90)
    photo = np.full((200, 200, 3), cloth, np.uint8)
    garment = np.zeros((200, 200), np.bool_)
    garment[40:160, 40:160] = True
    locked = np.zeros_like(garment)
    locked[44:156, 44:156] = True
    result = photo.copy()
    result[~locked] = other
    lab = [rgb2lab(np.array([[colour]], np.uint8))[0, 0] for colour in (cloth, other)]
    expected = float(deltaE_ciede2000(lab[0], lab[1]))
    report = measure(Image.fromarray(result), Image.fromarray(photo), garment, locked=locked, asked=None, detector=None)
    # The blur that stands for the eye mixes in some of the lock's unchanged colour.
    assert 0.7 * expected < (report.seam.delta_e_mean or 0) < expected
    assert report.seam.delta_e_p95 == pytest.approx(expected, rel=0.05)
    assert report.seam.step == pytest.approx(expected, rel=0.02)


def test_a_tint_of_everything_repainted_is_caught_and_a_stronger_one_refused() -> None:
    taken = shoot()
    mild, strong = report_of(tinted(taken, (0, 45, 45))), report_of(tinted(taken, (-90, 90, 90)))
    assert mild.verdict is Verdict.CHECK and "seam_visible" in codes(mild)
    assert strong.verdict is Verdict.REJECT and "seam_glaring" in codes(strong)


def test_more_tint_is_more_difference() -> None:
    taken = shoot()
    means = [seam_of(tinted(taken, (0, green, 0))).delta_e_mean or 0.0 for green in (0, 15, 30, 60)]
    assert means == sorted(means) and means[0] < 1.5 and means[3] > means[1] + 4


def test_a_thin_dark_line_shows_in_the_tail_though_hardly_in_the_mean() -> None:
    taken = shoot()
    pixels = taken.pixels
    line = ring_of(taken.garment, taken.locked) & expand(taken.locked, 1.0)
    line[: int(np.median(np.argwhere(line)[:, 0]))] = False
    pixels[line] = 0
    clean, lined = seam_of(taken), seam_of(taken.spoiled(pixels))
    assert (lined.delta_e_p95 or 0) > (clean.delta_e_p95 or 0) + 8


def test_another_background_is_no_seam() -> None:
    taken = shoot()
    pixels = taken.pixels
    pixels[~taken.garment] = (10, 90, 40)
    assert seam_of(taken.spoiled(pixels)).delta_e_mean == pytest.approx(seam_of(taken).delta_e_mean, abs=0.01)


def test_lost_fine_texture_is_no_seam_but_a_change_of_colour_of_the_same_size_is() -> None:
    rng = np.random.default_rng(5)
    photo = np.full((300, 300, 3), 128, np.int16) + rng.integers(-16, 17, (300, 300, 1))
    garment = np.zeros((300, 300), np.bool_)
    garment[50:250, 50:250] = True
    locked = np.zeros_like(garment)
    locked[60:240, 60:240] = True
    smooth = photo.copy()
    smooth[~locked] = 128
    shifted = photo.copy()
    shifted[~locked] += 16

    def mean(result: np.ndarray) -> float:
        pictures = [Image.fromarray(p.astype(np.uint8)) for p in (result, photo)]
        return measure(*pictures, garment, locked=locked, asked=None, detector=None).seam.delta_e_mean or 0.0

    assert mean(smooth) < 0.6 * mean(shifted)


def test_a_lock_up_to_the_edge_leaves_nothing_to_compare_and_says_so() -> None:
    taken = shoot()
    report = report_of(taken, taken.garment)
    assert report.seam.delta_e_mean is None and "no_seam_ring" in codes(report)


def test_a_soft_drift_makes_no_step() -> None:
    photo = np.full((300, 300, 3), (120, 80, 80), np.uint8)
    garment = np.zeros((300, 300), np.bool_)
    garment[30:270, 30:270] = True
    locked = np.zeros_like(garment)
    locked[45:255, 45:255] = True
    away = cv2.distanceTransform((~locked).astype(np.uint8), cv2.DIST_L2, 5)[..., None]
    result = np.clip(photo - 3.0 * away, 0, 255).astype(np.uint8)
    hard = photo.copy()
    hard[~locked] = (100, 60, 60)
    drift, step = (
        measure(Image.fromarray(r), Image.fromarray(photo), garment, locked=locked, asked=None, detector=None).seam
        for r in (result, hard)
    )
    assert (drift.step or 0) < 0.6 * (step.step or 0)
