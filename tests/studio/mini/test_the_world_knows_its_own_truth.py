"""The procedural world: the same spec draws the same picture, and its masks, landmarks and words are true of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from studio.mini.world import Garment, Person, Spec, draw, random_spec
from studio.mini.world.spec import COLOURS, CROPS, LOWER, SCENES, UPPER
from studio.pose.library import POSES
from studio.pose.types import J

PLAIN = Spec(
    person=Person(hair="bob"), upper=Garment("sweater", "red", sleeve="long"), lower=Garment("trousers", "blue")
)


def test_a_spec_draws_the_same_bytes_twice_and_another_seed_others() -> None:
    assert draw(random_spec(3)).picture.tobytes() == draw(random_spec(3)).picture.tobytes()
    assert draw(random_spec(3)).picture.tobytes() != draw(random_spec(4)).picture.tobytes()


@pytest.mark.parametrize("category", [*UPPER, *LOWER, "dress"])
def test_every_garment_is_drawn_in_its_colour_inside_its_mask(category: str) -> None:
    garment = Garment(category, "green", sleeve="long")
    if category == "dress":
        spec, part = replace(PLAIN, upper=None, lower=None, full=garment), "full"
    elif category in UPPER:
        spec, part = replace(PLAIN, upper=garment), "upper"
    else:
        spec, part = replace(PLAIN, lower=garment), "lower"
    drawing = draw(spec, (192, 288))
    mask = drawing.masks[part]
    assert 0.01 < mask.mean() < 0.4
    red, green, blue = np.median(np.asarray(drawing.picture)[mask], axis=0)
    assert green > red + 20
    assert green > blue + 10
    assert not (mask & ~drawing.masks["person"]).any()


def test_landmarks_lie_on_the_figure() -> None:
    for name, pose in POSES.items():
        spec = replace(PLAIN, angles=pose.angles)
        drawing = draw(spec, (192, 288))
        joints = [J.LEFT_SHOULDER, J.RIGHT_SHOULDER, J.LEFT_HIP, J.RIGHT_HIP, J.LEFT_KNEE, J.RIGHT_KNEE, J.LEFT_ELBOW]
        xy = drawing.pose.points[joints, :2].round().astype(int)
        on = drawing.masks["person"][xy[:, 1].clip(0, 287), xy[:, 0].clip(0, 191)]
        assert on.sum() >= len(joints) - 1, name


def test_a_mannequin_has_no_head_and_a_person_has() -> None:
    person = draw(PLAIN, (192, 288))
    mannequin = draw(replace(PLAIN, person=Person(skin="white", mannequin=True)), (192, 288))
    x, y = person.pose.points[J.NOSE, :2].round().astype(int)
    assert person.masks["person"][y, x]
    assert not mannequin.masks["person"][y, x]


def test_sleeves_and_hems_have_the_length_that_was_asked() -> None:
    def area(sleeve: str) -> int:
        return int(
            draw(replace(PLAIN, upper=Garment("t-shirt", "red", sleeve=sleeve)), (192, 288)).masks["upper"].sum()
        )

    def lowest(length: str) -> int:
        full = replace(PLAIN, upper=None, lower=None, full=Garment("dress", "red", length=length))
        return int(np.nonzero(draw(full, (192, 288)).masks["full"])[0].max())

    assert area("none") < area("short") < area("long")
    assert lowest("short") < lowest("knee") < lowest("long")


def test_every_scene_and_crop_is_drawn_and_said() -> None:
    for scene in SCENES:
        spec = replace(PLAIN, scene=scene)
        assert scene in spec.caption
        assert np.asarray(draw(spec, (96, 144)).picture).std() > 5
    heights = [draw(replace(PLAIN, crop=crop), (96, 144)).masks["upper"].sum() for crop in CROPS]
    assert heights == sorted(heights)


def test_captions_name_colour_pattern_and_wearer() -> None:
    spec = replace(PLAIN, upper=Garment("t-shirt", "navy", "striped", sleeve="none"))
    assert "navy striped sleeveless t-shirt and blue trousers" in spec.caption
    assert spec.caption.startswith("full body photo of a woman with light skin and bob brown hair")
    assert set(COLOURS) >= {"navy", "blue"}


def test_random_specs_cover_people_and_mannequins_and_all_garments() -> None:
    specs = [random_spec(seed) for seed in range(400)]
    assert {s.person.mannequin for s in specs} == {True, False}
    worn = {garment.category for s in specs for garment in s.garments}
    assert worn == {*UPPER, *LOWER, "dress"}
    assert {s.crop for s in specs} == set(CROPS)
