"""The canvas grows by what the crop needs, and no crop cuts the garment."""

import numpy as np
import pytest

from studio.errors import InputError
from studio.pose.frame import Canvas, Crop, canvas_for
from studio.pose.types import J
from tests.studio.pose.skeletons import skeleton


def line_of(canvas: Canvas) -> int:
    """The frame's lower edge in pixels of the picture as it was."""
    return canvas.frame[3] - canvas.top


@pytest.mark.parametrize("crop", Crop)
def test_the_frame_is_two_to_three_and_lies_within_the_grown_canvas(crop: Crop) -> None:
    pose = skeleton("hands-on-hips")
    canvas = canvas_for(pose, crop)
    left, top, right, bottom = canvas.frame
    assert (right - left) / (bottom - top) == pytest.approx(2 / 3, abs=0.002)
    assert 0 <= left < right <= 512 + canvas.left + canvas.right
    assert 0 <= top < bottom <= 768 + canvas.top + canvas.bottom


def test_each_crop_ends_where_its_name_says() -> None:
    pose = skeleton("front")
    y = pose.points[:, 1]
    feet, knees, waist = (line_of(canvas_for(pose, crop)) for crop in ("head-to-toe", "knee-up", "waist-up"))
    assert y[J.LEFT_HIP] < waist < y[J.LEFT_KNEE] - 40
    assert y[J.LEFT_KNEE] < knees < y[J.LEFT_ANKLE] - 40
    assert feet > y.max()


def test_a_cut_off_photo_grows_downward_only_as_far_as_the_feet() -> None:
    whole = skeleton("front")
    cut = whole.moved(0, 0, size=(512, 400))
    canvas = canvas_for(cut, Crop.HEAD_TO_TOE)
    assert canvas.bottom == line_of(canvas_for(whole, Crop.HEAD_TO_TOE)) - 400 > 250
    assert canvas_for(cut, Crop.WAIST_UP).bottom < 80


def test_a_long_dress_is_not_cut_by_a_waist_up_crop() -> None:
    pose = skeleton("front")
    dress = np.zeros((768, 512), bool)
    dress[200:650, 60:440] = True
    canvas = canvas_for(pose, Crop.WAIST_UP, garment=dress)
    left, top, right, bottom = canvas.frame
    assert line_of(canvas) > 650 > line_of(canvas_for(pose, Crop.WAIST_UP))
    assert left - canvas.left < 60 and right - canvas.left > 440
    assert (right - left) / (bottom - top) == pytest.approx(2 / 3, abs=0.002)


def test_what_can_not_be_framed_is_refused_by_code() -> None:
    pose = skeleton("front")
    far = pose.moved(0, 0, size=(20, 20))
    broken = skeleton("front")
    broken.points[0, 0] = np.inf
    for code, call in {
        "crop_unknown": lambda: canvas_for(pose, "ankle-up"),
        "mask_size_differs": lambda: canvas_for(pose, Crop.KNEE_UP, garment=np.zeros((512, 768), bool)),
        "canvas_too_large": lambda: canvas_for(far, Crop.HEAD_TO_TOE),
        "skeleton_not_finite": lambda: canvas_for(broken, Crop.HEAD_TO_TOE),
    }.items():
        with pytest.raises(InputError) as refused:
            call()
        assert refused.value.code == code
