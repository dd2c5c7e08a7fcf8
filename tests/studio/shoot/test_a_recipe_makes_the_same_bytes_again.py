"""Replay: same photo, weights and libraries, same bytes; anything else is said, not glossed over."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from PIL import Image

from studio.errors import InputError
from studio.shoot.finish import finished
from studio.shoot.flow import replay
from studio.shoot.recipe import read
from studio.shoot.run import Crew
from studio.shoot.types import Order, Outcome
from tests.studio.shoot.conftest import take


@pytest.fixture(scope="module")
def outcome(crew: Crew, hopper: Image.Image) -> Outcome:
    return take(crew, Order(photo=hopper, steps=3, size=(256, 384), count=2, seed=7, persona="kofi", scene="beach"))


def again(crew: Crew, recipe: dict[str, object], photo: Image.Image) -> Outcome:
    return replay(recipe, photo=photo, engine=crew.engine, detector=crew.detector, weights=crew.weights)


@pytest.mark.parametrize("index", [0, 1])
def test_a_replayed_picture_has_the_same_bytes(crew: Crew, hopper: Image.Image, outcome: Outcome, index: int) -> None:
    shot = outcome.shots[index]
    recipe = json.loads(json.dumps(shot.recipe))
    once_more = again(crew, recipe, hopper).shots[0]
    assert finished(once_more, "png", kept=True) == finished(shot, "png", kept=True)
    assert once_more.image.tobytes() != outcome.shots[1 - index].image.tobytes()


def test_another_photo_is_refused(crew: Crew, astronaut: Image.Image, outcome: Outcome) -> None:
    with pytest.raises(InputError) as caught:
        again(crew, dict(outcome.shots[0].recipe), astronaut)
    assert caught.value.code == "recipe_photo_differs"


def test_other_weights_are_refused(crew: Crew, hopper: Image.Image, outcome: Outcome) -> None:
    recipe = copy.deepcopy(dict(outcome.shots[0].recipe))
    some_file = next(iter(recipe["engine"]["weights"]))
    recipe["engine"]["weights"][some_file] = "0" * 64
    with pytest.raises(InputError) as caught:
        again(crew, recipe, hopper)
    assert caught.value.code == "recipe_weights_differ"


def test_a_recipe_that_lacks_a_field_is_refused(crew: Crew, hopper: Image.Image, outcome: Outcome) -> None:
    recipe = {key: value for key, value in outcome.shots[0].recipe.items() if key != "batch"}
    with pytest.raises(InputError) as caught:
        again(crew, recipe, hopper)
    assert caught.value.code == "recipe_incomplete"


@pytest.mark.parametrize("text", ["", "not json", "[1, 2]", '"x"'])
def test_a_file_that_is_no_recipe_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read(path)
    assert caught.value.code == "recipe_unreadable"


def test_the_recipe_says_what_the_picture_was_made_from(outcome: Outcome) -> None:
    recipe = outcome.shots[1].recipe
    assert recipe["seed"] == 8
    assert recipe["presets"]["persona"] == "kofi"
    assert "dark skin" in recipe["prompt"]
    assert "beach" in recipe["prompt"]
    assert all(len(value) == 64 for value in recipe["engine"]["weights"].values())
    assert {"torch", "diffusers"} <= recipe["engine"]["parameters"]["engine"]["versions"].keys()
    assert len(recipe["pose"]["asked"]) == 33
