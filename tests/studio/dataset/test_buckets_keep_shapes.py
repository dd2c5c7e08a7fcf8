"""Buckets: about one area, multiples of the step, each picture where the least of it is cut away."""

from __future__ import annotations

import pytest

from studio.dataset.buckets import SLACK, best_shape, buckets, cut_away, shapes_of
from studio.errors import InputError


@pytest.mark.parametrize(
    ("base", "step"), [((128, 192), 32), ((512, 512), 64), ((512, 768), 64), ((1024, 1024), 64), ((832, 1216), 64)]
)
def test_shapes_are_of_the_bases_area_and_multiples_of_the_step(base: tuple[int, int], step: int) -> None:
    shapes = shapes_of(base=base, step=step, longest=2.0)
    assert base in shapes
    for width, height in shapes:
        assert width % step == height % step == 0
        assert width * height <= SLACK * base[0] * base[1]
        assert max(width, height) <= 2.0 * min(width, height)
        assert (height, width) in shapes


def test_pictures_of_one_shape_share_a_bucket_and_the_fullest_comes_first() -> None:
    sizes = [(600, 900), (900, 600), (1000, 1000), (1200, 1800), (450, 675), (64, 64)]
    made = buckets(sizes, base=(512, 768), step=64)
    assert [(one.width, one.height, one.pictures) for one in made] == [
        (512, 768, (0, 3, 4)), (640, 640, (2, 5)), (768, 512, (1,)),
    ]  # fmt: skip
    assert all(one.cut == pytest.approx(0) for one in made)


def test_every_picture_lies_in_exactly_one_bucket_and_none_would_cut_less() -> None:
    sizes = [(w, h) for w in range(100, 1500, 137) for h in range(100, 1500, 211)]
    made = buckets(sizes, base=(512, 512), step=64)
    held = sorted(i for one in made for i in one.pictures)
    assert held == list(range(len(sizes)))
    shapes = shapes_of(base=(512, 512), step=64, longest=2.0)
    for one in made:
        for index in one.pictures:
            own = cut_away(sizes[index], (one.width, one.height))
            assert own == pytest.approx(min(cut_away(sizes[index], shape) for shape in shapes), abs=1e-6)
            assert own <= one.cut + 1e-9


def test_what_is_cut_away_is_the_share_beyond_the_frame() -> None:
    assert cut_away((1000, 500), (512, 512)) == pytest.approx(0.5)
    assert cut_away((500, 1000), (512, 512)) == pytest.approx(0.5)
    assert cut_away((300, 450), (128, 192)) == pytest.approx(0)
    assert best_shape((3000, 100), shapes_of(base=(512, 512), step=64, longest=2.0)) == (704, 384)


@pytest.mark.parametrize(("base", "step"), [((100, 192), 32), ((128, 192), 0), ((0, 0), 32)])
def test_sizes_that_are_no_multiples_are_refused(base: tuple[int, int], step: int) -> None:
    with pytest.raises(InputError) as caught:
        buckets([(10, 10)], base=base, step=step)
    assert caught.value.code == "bucket_size_invalid"
