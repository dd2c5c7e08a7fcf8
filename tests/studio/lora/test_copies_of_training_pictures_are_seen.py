"""Samples that have become the training pictures: measured against how alike the held-out photos are."""

from __future__ import annotations

from dataclasses import replace

from studio.lora.collapse import Garment, copied
from studio.mini.world import Garment as Cloth
from studio.mini.world import draw, random_spec

DRESS = Cloth("dress", "#2f6f73", "emblem", "#7a1f5c", "long", third="#f2efe6")


def views(*seeds: int) -> list[Garment]:
    specs = [replace(random_spec(seed), full=DRESS, upper=None, lower=None, crop="head-to-toe") for seed in seeds]
    return [(one.picture, one.garment) for one in (draw(spec) for spec in specs)]


TRAINING, HELD_OUT, NEW = views(1, 2, 3, 4, 5), views(6, 7, 8), views(9, 10, 11)


def test_a_training_picture_given_back_is_a_copy() -> None:
    assert copied(TRAINING[:2], TRAINING, HELD_OUT) > 0.99


def test_new_views_of_the_garment_are_none() -> None:
    assert copied(NEW, TRAINING, HELD_OUT) < 0.35


def test_a_worse_copy_is_less_of_one() -> None:
    blurred = [(picture.resize((8, 12)).resize(picture.size), mask) for picture, mask in TRAINING[:2]]
    assert 0.2 < copied(blurred, TRAINING, HELD_OUT) < 0.99


def test_without_anything_to_compare_with_nothing_is_said() -> None:
    assert copied([], TRAINING, HELD_OUT) == copied(NEW, [], HELD_OUT) == copied(NEW, TRAINING, []) == 0.0
