"""An order that can't be carried out is refused before anything is computed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from studio.errors import Cancelled, InputError
from studio.shoot.flow import check, shoot
from studio.shoot.presets import Kind
from studio.shoot.run import Crew
from studio.shoot.types import Listener, Order
from tests.studio.shoot.conftest import take

GREY = Image.new("RGB", (200, 300), (128, 128, 128))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"photo": None}, "photo_missing"),
        ({"persona": "nobody"}, "persona_unknown"),
        ({"scene": "moon"}, "scene_unknown"),
        ({"crop": "toe"}, "crop_unknown"),
        ({"pose": "flying"}, "pose_unknown"),
        ({"kind": Kind.POSE}, "pose_needed"),
        ({"garment": "hat"}, "garment_unknown"),
        ({"count": 0}, "count_out_of_range"),
        ({"best_of": 9}, "count_out_of_range"),
        ({"size": (512, 512)}, "size_out_of_range"),
        ({"size": (20000, 30000)}, "size_out_of_range"),
    ],
)
def test_a_wrong_choice_is_named(change: dict[str, object], code: str) -> None:
    with pytest.raises(InputError) as caught:
        check(replace(Order(photo=GREY), **change))  # type: ignore[arg-type]
    assert caught.value.code == code


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match="amelie"):
        check(Order(photo=GREY, persona="nobody"))


def test_a_mask_of_another_size_is_refused(crew: Crew, hopper: Image.Image) -> None:
    with pytest.raises(InputError) as caught:
        take(crew, Order(photo=hopper, mask=np.ones((10, 10), bool)))
    assert caught.value.code == "mask_wrong_size"


def test_an_empty_wall_has_no_garment(crew: Crew) -> None:
    with pytest.raises(InputError) as caught:
        take(crew, Order(photo=GREY))
    assert caught.value.code == "garment_not_found"


def test_a_shoot_can_be_stopped_while_it_paints(crew: Crew, hopper: Image.Image) -> None:
    told: list[str] = []
    listener = Listener(
        on_progress=lambda stage, _: told.append(stage), should_cancel=lambda: told.count("painting") >= 3
    )
    with pytest.raises(Cancelled):
        shoot(
            Order(photo=hopper, steps=20, size=(256, 384)),
            engine=crew.engine,
            detector=crew.detector,
            weights=crew.weights,
            listener=listener,
        )
    assert told.count("painting") <= 5
    assert "composite" not in told


def test_progress_never_goes_back_and_previews_come(crew: Crew, hopper: Image.Image) -> None:
    fractions: list[float] = []
    previews: list[tuple[Image.Image, ...]] = []
    listener = Listener(on_progress=lambda _, fraction: fractions.append(fraction), on_preview=previews.append)
    shoot(
        Order(photo=hopper, steps=4, size=(256, 384)),
        engine=crew.engine,
        detector=crew.detector,
        weights=crew.weights,
        listener=listener,
    )
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert len(previews) == 4
