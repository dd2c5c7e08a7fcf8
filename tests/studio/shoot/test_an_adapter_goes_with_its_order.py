"""A shoot with a LoRA: it is painted with, its trigger is in the prompt, and the recipe knows it by its bytes alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from studio.errors import InputError
from studio.shoot.finish import finished
from studio.shoot.flow import replay
from studio.shoot.presets import Kind
from studio.shoot.run import Crew
from studio.shoot.types import Order, Outcome
from tests.studio.adapters_for_mini import noise_adapter
from tests.studio.shoot.conftest import take


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return noise_adapter(tmp_path_factory.mktemp("adapter") / "zkv17.safetensors")


def order(photo: Image.Image, **other: Any) -> Order:
    chosen: dict[str, Any] = {"kind": Kind.OUTFIT, "outfit": "zkv17 coat", "seed": 5, "steps": 3, "size": (256, 384)}
    return Order(photo=photo, **{**chosen, **other})


@pytest.fixture(scope="module")
def outcome(crew: Crew, mannequin: Image.Image, adapter: Path) -> Outcome:
    return take(crew, order(mannequin, adapters=((adapter, 0.8),)))


def again(crew: Crew, recipe: Any, photo: Image.Image, *adapters: Path) -> Outcome:
    recipe = json.loads(json.dumps(recipe))
    return replay(
        recipe, photo=photo, engine=crew.engine, detector=crew.detector, weights=crew.weights, adapters=adapters
    )


def test_the_garment_is_painted_with_the_adapter_at_its_weight(
    crew: Crew, mannequin: Image.Image, adapter: Path, outcome: Outcome
) -> None:
    pictures = {
        outcome.shots[0].image.tobytes(),
        take(crew, order(mannequin)).shots[0].image.tobytes(),
        take(crew, order(mannequin, adapters=((adapter, 0.4),))).shots[0].image.tobytes(),
    }
    assert len(pictures) == 3
    assert "zkv17 coat" in outcome.shots[0].recipe["prompt"]


def test_the_recipe_names_it_by_its_bytes_and_never_by_its_place(outcome: Outcome, adapter: Path) -> None:
    recipe = outcome.shots[0].recipe
    (one,) = recipe["adapters"]
    assert one["weight"] == 0.8 and len(one["sha256"]) == 64
    assert str(adapter.parent) not in json.dumps(recipe)


def test_a_replay_takes_the_same_file_wherever_it_lies(
    crew: Crew, mannequin: Image.Image, adapter: Path, outcome: Outcome, tmp_path: Path
) -> None:
    other = noise_adapter(tmp_path / "other.safetensors", seed=1)
    moved = Path(shutil.copy(adapter, tmp_path / "moved.safetensors"))
    once_more = again(crew, outcome.shots[0].recipe, mannequin, other, moved).shots[0]
    assert finished(once_more, "png", kept=False) == finished(outcome.shots[0], "png", kept=False)


def test_a_replay_without_it_is_refused(crew: Crew, mannequin: Image.Image, outcome: Outcome, tmp_path: Path) -> None:
    other = noise_adapter(tmp_path / "other.safetensors", seed=1)
    for offered, code in (((), "recipe_adapter_missing"), ((other,), "recipe_adapter_missing"),
                          ((tmp_path / "none",), "adapter_missing")):  # fmt: skip
        with pytest.raises(InputError) as caught:
            again(crew, outcome.shots[0].recipe, mannequin, *offered)
        assert caught.value.code == code


def test_a_kept_garment_is_called_as_the_order_says(crew: Crew, mannequin: Image.Image) -> None:
    kept = order(mannequin, kind=Kind.MODEL, persona="kofi", worn="zkv17 coat")
    shot = take(crew, kept).shots[0]
    assert "zkv17 coat" in shot.recipe["prompt"] and shot.recipe["worn"] == "zkv17 coat"
    once_more = again(crew, shot.recipe, mannequin).shots[0]
    assert once_more.image.tobytes() == shot.image.tobytes()
    plain = take(crew, order(mannequin, kind=Kind.MODEL, persona="kofi")).shots[0]
    assert "zkv17" not in plain.recipe["prompt"] and "worn" not in plain.recipe


@pytest.mark.parametrize("words", ["", "   ", "x" * 501])
def test_words_that_are_none_are_refused(crew: Crew, mannequin: Image.Image, words: str) -> None:
    with pytest.raises(InputError) as caught:
        take(crew, order(mannequin, worn=words))
    assert caught.value.code == "worn_invalid"
