"""The similarity of garments: another view of the same one is nearer than a neighbour that differs in one thing."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image

from studio.errors import InputError
from studio.lora.similarity import References, distances, look, references_of, similarity
from studio.mini.world import Drawing, Garment, draw, random_spec

DRESS = Garment("dress", "#2f6f73", "zigzag", "#7a1f5c", "long", "knee", third="#f2efe6")
NEIGHBOURS = {
    "other colour": replace(DRESS, colour="#c8a02c"),
    "other second colour": replace(DRESS, second="#dfd0a0"),
    "other pattern": replace(DRESS, pattern="yoked"),
    "no pattern": replace(DRESS, pattern="plain"),
}


def view(garment: Garment, seed: int, size: tuple[int, int] = (128, 192)) -> Drawing:
    """The dress on the seed's own person, in its pose, scene and light."""
    spec = replace(random_spec(seed), full=garment, upper=None, lower=None, crop="head-to-toe")
    return draw(spec, size)


@pytest.fixture(scope="module")
def photos() -> References:
    drawings = [view(DRESS, seed) for seed in (1, 2, 3, 4)]
    return references_of([(one.picture, one.garment) for one in drawings])


def mean(garment: Garment, photos: References) -> float:
    drawings = [view(garment, seed) for seed in (11, 12, 13, 14)]
    return float(np.mean([similarity(one.picture, one.garment, photos) for one in drawings]))


def test_another_view_of_the_garment_is_like_it(photos: References) -> None:
    assert mean(DRESS, photos) > 0.65


@pytest.mark.parametrize("name", NEIGHBOURS)
def test_a_near_neighbour_is_clearly_less_like_it(photos: References, name: str) -> None:
    assert mean(NEIGHBOURS[name], photos) < mean(DRESS, photos) - 0.15


def test_the_very_picture_is_at_one() -> None:
    one = view(DRESS, 5)
    assert similarity(one.picture, one.garment, references_of([(one.picture, one.garment)])) == pytest.approx(1.0)


def test_what_lies_outside_of_the_mask_does_not_count(photos: References) -> None:
    one = view(DRESS, 6)
    pixels = np.array(one.picture)
    pixels[~cv2.dilate(one.garment.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)] = (255, 0, 255)
    assert similarity(Image.fromarray(pixels), one.garment, photos) == pytest.approx(
        similarity(one.picture, one.garment, photos), abs=0.02
    )


def test_the_size_of_the_picture_hardly_counts() -> None:
    small, large = view(DRESS, 7), view(DRESS, 7, (384, 576))
    colour, pattern, layout = distances(look(small.picture, small.garment), look(large.picture, large.garment))
    other = view(NEIGHBOURS["other pattern"], 7)
    far = distances(look(small.picture, small.garment), look(other.picture, other.garment))
    assert colour < 4 and pattern < far[1] / 3 and layout < 4


def test_the_better_half_of_the_references_counts() -> None:
    """A photo of the back must not pull down a sample of the front."""
    one = view(DRESS, 8)
    other = view(NEIGHBOURS["other colour"], 8)
    both = references_of([(one.picture, one.garment), (other.picture, other.garment)])
    assert similarity(one.picture, one.garment, both) == pytest.approx(1.0)


def test_what_can_not_be_compared_is_refused() -> None:
    one = view(DRESS, 9)
    with pytest.raises(InputError) as caught:
        look(one.picture, np.zeros((10, 10), bool))
    assert caught.value.code == "mask_wrong_size"
    with pytest.raises(InputError) as caught:
        look(one.picture, np.zeros_like(one.garment))
    assert caught.value.code == "mask_too_small"
    with pytest.raises(InputError) as caught:
        references_of([])
    assert caught.value.code == "references_missing"
