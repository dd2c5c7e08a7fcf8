from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from studio.errors import InputError
from studio.segmentation import masks


def _disc(radius: float, side: int = 61) -> np.ndarray:
    ys, xs = np.mgrid[:side, :side] - side // 2
    return np.hypot(xs, ys) <= radius


def _dot(side: int = 61) -> np.ndarray:
    return _disc(0, side)


def test_a_dot_expands_to_a_euclidean_disc_not_to_a_square_or_a_diamond() -> None:
    assert np.array_equal(masks.expand(_dot(), 10), _disc(10))


def test_shrinking_keeps_exactly_what_is_farther_than_the_radius_from_the_outside() -> None:
    mask = _disc(12) | _disc(3)
    mask[30:, 20:41] = True
    inside, outside = np.argwhere(mask), np.argwhere(~mask)
    far = np.linalg.norm(inside[:, None] - outside[None], axis=2).min(axis=1) > 7
    expected = np.zeros_like(mask)
    expected[tuple(inside[far].T)] = True
    assert 0 < expected.sum() < mask.sum()
    assert np.array_equal(masks.shrink(mask, 7), expected)


def test_a_garment_cut_off_by_the_frame_is_not_shrunk_along_the_frame() -> None:
    mask = np.zeros((20, 20), np.bool_)
    mask[:, 8:] = True
    expected = np.zeros((20, 20), np.bool_)
    expected[:, 11:] = True
    assert np.array_equal(masks.shrink(mask, 3), expected)


def test_an_empty_mask_stays_empty_and_a_full_one_full() -> None:
    empty, full = np.zeros((9, 7), np.bool_), np.ones((9, 7), np.bool_)
    assert not masks.expand(empty, 5).any()
    assert masks.shrink(full, 5).all()
    assert masks.feather(empty, 3).max() == 0
    assert masks.feather(full, 3).min() == 1


def test_a_radius_of_zero_gives_a_copy_and_not_the_same_array() -> None:
    mask = _disc(5)
    grown = masks.expand(mask, 0)
    grown[:] = False
    assert mask.any()


def test_feathering_is_a_linear_ramp_whose_half_falls_on_the_edge() -> None:
    mask = np.zeros((5, 40), np.bool_)
    mask[:, 20:] = True
    ramp = masks.feather(mask, 4)[2]
    assert ramp.dtype == np.float32
    np.testing.assert_allclose(ramp[15:25], [0, 0.0625, 0.1875, 0.3125, 0.4375, 0.5625, 0.6875, 0.8125, 0.9375, 1])


def test_feathering_inside_leaves_the_outside_untouched_and_the_other_way_round() -> None:
    mask = _disc(15)
    inside, outside = masks.feather(mask, 6, side="inside"), masks.feather(mask, 6, side="outside")
    assert inside[~mask].max() == 0
    assert 0 < inside[mask].min() < 0.2
    assert outside[mask].min() == 1
    assert 0.8 < outside[~mask].max() < 1


def test_merge_subtract_and_intersect_are_set_operations_and_change_nothing_given() -> None:
    a, b = np.array([[True, True, False, False]]), np.array([[True, False, True, False]])
    assert masks.merge(a, b).tolist() == [[True, True, True, False]]
    assert masks.subtract(a, b).tolist() == [[False, True, False, False]]
    assert masks.intersect(a, b).tolist() == [[True, False, False, False]]
    assert a.tolist() == [[True, True, False, False]]


def test_overlap_is_intersection_over_union() -> None:
    a, b = np.zeros((4, 4), np.bool_), np.zeros((4, 4), np.bool_)
    a[:2], b[1:3] = True, True
    assert masks.overlap(a, b) == pytest.approx(4 / 12)
    assert masks.overlap(~a & a, ~b & b) == 1.0


def test_the_largest_parts_are_kept_by_size_and_diagonal_neighbours_are_one_part() -> None:
    mask = np.zeros((12, 12), np.bool_)
    mask[0, 0] = mask[1, 1] = mask[2, 2] = True
    mask[6:8, 6:9] = True
    mask[11, 0] = True
    largest = masks.largest_parts(mask)
    assert largest.sum() == 6 and largest[6, 6]
    assert masks.largest_parts(mask, 2).sum() == 9
    assert masks.largest_parts(mask, 9, at_least=0.4).sum() == 9


def test_holes_are_filled_but_bays_open_to_the_frame_are_not() -> None:
    mask = np.ones((10, 10), np.bool_)
    mask[4:6, 4:6] = False
    mask[0:3, 8] = False
    filled = masks.fill_holes(mask)
    assert filled[4:6, 4:6].all()
    assert not filled[0:3, 8].any()
    assert not masks.fill_holes(mask, at_most=3)[4, 4]


def test_cleaning_drops_hairs_crumbs_and_pinholes_and_keeps_the_outline() -> None:
    mask = _disc(20)
    dirty = mask.copy()
    dirty[30, :] = True
    dirty[2:5, 2:5] = True
    dirty[28:30, 28:30] = False
    assert masks.overlap(masks.clean(dirty, radius=2), mask) > 0.99


def test_masks_of_another_size_are_refused_with_both_sizes_named() -> None:
    a, b = np.ones((30, 40), np.bool_), np.ones((30, 41), np.bool_)
    for operation in (masks.merge, masks.subtract, masks.intersect, masks.overlap):
        with pytest.raises(InputError, match=r"41x30.*40x30") as caught:
            operation(a, b)
        assert caught.value.code == "mask_wrong_size"


@pytest.mark.parametrize(
    ("array", "code"),
    [
        (np.zeros((4, 4), np.bool_), "mask_empty"),
        (np.ones((4, 4), np.uint8), "mask_not_bool"),
        (np.ones((4, 4, 3), np.bool_), "mask_not_2d"),
        (np.ones((0, 4), np.bool_), "mask_not_2d"),
    ],
)
def test_what_is_no_usable_mask_has_its_own_code(array: np.ndarray, code: str) -> None:
    with pytest.raises(InputError) as caught:
        masks.check_mask(array)
    assert caught.value.code == code


@pytest.mark.parametrize("radius", [-1.0, float("nan"), float("inf")])
def test_a_radius_that_is_no_length_is_refused(radius: float) -> None:
    for operation in (masks.expand, masks.shrink, masks.feather):
        with pytest.raises(InputError) as caught:
            operation(_disc(3), radius)
        assert caught.value.code == "radius_invalid"


def test_resizing_up_and_down_again_gives_the_mask_back() -> None:
    mask = _disc(20)
    assert np.array_equal(masks.resize_mask(masks.resize_mask(mask, (183, 183)), (61, 61)), mask)


def test_masks_and_proposals_never_import_torch() -> None:
    script = "import sys, studio.segmentation.proposals, studio.segmentation.mask_files; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
