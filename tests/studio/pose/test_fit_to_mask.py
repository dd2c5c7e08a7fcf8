"""From a garment's mask alone comes a whole body that would wear it."""

import cv2
import numpy as np
import pytest

from studio.errors import InputError
from studio.pose.fit import Kind, fit_to_mask, kind_of, outline_of
from studio.pose.types import J, JointState

Corners = list[tuple[int, int]]
SHIRT: Corners = [
    (150, 100),
    (180, 110),
    (210, 100),
    (290, 170),
    (265, 200),
    (230, 165),
    (230, 280),
    (130, 280),
    (130, 165),
    (95, 200),
    (70, 170),
]
LONG_SLEEVES: Corners = [
    (150, 100),
    (210, 100),
    (240, 115),
    (300, 270),
    (275, 280),
    (228, 160),
    (228, 270),
    (132, 270),
    (132, 160),
    (85, 280),
    (60, 270),
    (120, 115),
]
TROUSERS: Corners = [(140, 80), (220, 80), (235, 400), (195, 400), (182, 170), (178, 170), (165, 400), (125, 400)]
SKIRT: Corners = [(145, 100), (215, 100), (260, 260), (100, 260)]
DRESS: Corners = [
    (150, 60),
    (162, 62),
    (180, 85),
    (198, 62),
    (210, 60),
    (222, 110),
    (210, 180),
    (270, 400),
    (90, 400),
    (150, 180),
    (138, 110),
]


def mask_of(corners: Corners) -> np.ndarray:
    return cv2.fillPoly(np.zeros((480, 360), np.uint8), [np.array(corners)], 1).astype(bool)


@pytest.mark.parametrize(
    ("corners", "kind"),
    [
        (SHIRT, Kind.UPPER),
        (LONG_SLEEVES, Kind.UPPER),
        (TROUSERS, Kind.TROUSERS),
        (SKIRT, Kind.SKIRT),
        (DRESS, Kind.DRESS),
    ],
)
def test_the_shape_says_what_it_is(corners: Corners, kind: Kind) -> None:
    assert kind_of(outline_of(mask_of(corners))) is kind


def test_a_word_for_the_garment_overrides_the_shape() -> None:
    outline = outline_of(mask_of(SKIRT))
    assert [kind_of(outline, word) for word in ("upper", "full", "lower", "mamianqun", "cloth")] == [
        Kind.UPPER,
        Kind.DRESS,
        Kind.SKIRT,
        Kind.SKIRT,
        Kind.SKIRT,
    ]


@pytest.mark.parametrize("corners", [SHIRT, LONG_SLEEVES, TROUSERS, SKIRT, DRESS])
def test_the_body_is_upright_whole_and_invented(corners: Corners) -> None:
    pose = fit_to_mask(mask_of(corners))
    assert np.isfinite(pose.points).all() and set(pose.states) == {JointState.INVENTED} and pose.size == (360, 480)
    chain = [J.NOSE, J.LEFT_SHOULDER, J.LEFT_HIP, J.LEFT_KNEE, J.LEFT_ANKLE]
    assert (np.diff(pose.points[chain, 1]) > 10).all()
    assert pose.points[J.LEFT_SHOULDER, 0] > 180 > pose.points[J.RIGHT_SHOULDER, 0]
    assert 0 < pose.confidence.min() and pose.confidence.max() < 0.5


def test_a_shirt_hangs_from_the_shoulders_and_its_sleeves_lead_the_arms() -> None:
    short, long = fit_to_mask(mask_of(SHIRT)), fit_to_mask(mask_of(LONG_SLEEVES))
    assert 100 < short.points[J.LEFT_SHOULDER, 1] < 135 and 210 < short.points[J.LEFT_SHOULDER, 0] < 240
    assert 230 < short.points[J.LEFT_HIP, 1] < 290
    assert long.points[J.LEFT_WRIST, :2] == pytest.approx((288, 274), abs=22)
    assert long.points[J.RIGHT_WRIST, :2] == pytest.approx((72, 274), abs=22)


def test_trousers_hold_the_legs() -> None:
    points = fit_to_mask(mask_of(TROUSERS)).points
    assert 90 < points[J.LEFT_HIP, 1] < 170 and points[J.NOSE, 1] < 0
    assert points[J.LEFT_ANKLE, :2] == pytest.approx((215, 395), abs=25)


def test_specks_beside_the_garment_do_not_move_the_body() -> None:
    clean = mask_of(SHIRT)
    specked = clean.copy()
    specked[440:444, 10:14] = True
    assert np.allclose(fit_to_mask(clean).points, fit_to_mask(specked).points)


def test_masks_of_any_shape_give_a_pose() -> None:
    rng = np.random.default_rng(4)
    dot, line = np.zeros((300, 200), bool), np.zeros((300, 200), bool)
    dot[100:109, 50:59], line[:, 99] = True, True
    for mask in (np.ones((300, 200), bool), dot, line, line.T, rng.random((120, 90)) < 0.6):
        assert np.isfinite(fit_to_mask(mask).points).all()


def test_a_mask_that_is_none_is_refused_by_code() -> None:
    for code, bad in {
        "mask_empty": np.zeros((300, 200), bool),
        "mask_wrong_shape": np.zeros((300, 200, 1), bool),
        "mask_wrong_shape ": np.zeros((300, 200), np.uint8),
    }.items():
        with pytest.raises(InputError) as refused:
            fit_to_mask(bad)
        assert refused.value.code == code.strip()
