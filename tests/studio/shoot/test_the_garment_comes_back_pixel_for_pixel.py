"""What every shoot promises, read from the pixels themselves and not only from the report."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from studio.shoot.presets import Kind
from studio.shoot.run import Crew
from studio.shoot.types import Order, Outcome
from tests.studio.shoot.conftest import take


def order(photo: Image.Image | None, **choices: object) -> Order:
    return Order(**{"photo": photo, "steps": 2, "size": (256, 384), **choices})  # type: ignore[arg-type]


def unchanged(outcome: Outcome, where: np.ndarray) -> float:
    image, source = np.asarray(outcome.shots[0].image), np.asarray(outcome.table.source)
    return float((image[where] == source[where]).all(axis=1).mean())


@pytest.mark.parametrize("name", ["hopper", "astronaut", "mannequin"])
def test_a_model_shoot_keeps_the_locked_pixels_and_paints_the_rest(
    crew: Crew, request: pytest.FixtureRequest, name: str
) -> None:
    outcome = take(crew, order(request.getfixturevalue(name)))
    table = outcome.table
    assert table.locked.sum() > 0.03 * table.locked.size
    assert not (table.locked & ~table.garment).any()
    assert unchanged(outcome, table.locked) == 1.0
    assert unchanged(outcome, ~table.kept) < 0.05
    report = outcome.shots[0].report.to_json()
    assert report["garment"]["locked_ratio"] == 1.0  # type: ignore[index]
    assert report["garment"]["max_difference"] == 0  # type: ignore[index]


def test_nothing_of_the_filled_in_canvas_is_ever_kept(crew: Crew, astronaut: Image.Image) -> None:
    table = take(crew, order(astronaut)).table
    assert 0.2 < (~table.photographed).mean() < 0.9
    assert not (table.kept & ~table.photographed).any()


def test_a_scene_change_keeps_the_wearer_too(crew: Crew, hopper: Image.Image) -> None:
    outcome = take(crew, order(hopper, kind=Kind.SCENE, crop="waist-up", scene="beach"))
    table = outcome.table
    nose = table.found.points[0, :2].round().astype(int)  # type: ignore[union-attr]
    assert table.kept[nose[1], nose[0]]
    assert not table.garment[nose[1], nose[0]]
    assert unchanged(outcome, table.locked) == 1.0


def test_an_outfit_change_paints_the_garment_and_leaves_everything_else(crew: Crew, hopper: Image.Image) -> None:
    outcome = take(crew, order(hopper, kind=Kind.OUTFIT, crop="waist-up", outfit="red-dress"))
    table = outcome.table
    far = table.kept & ~_near(table.garment, 12)
    assert unchanged(outcome, far) == 1.0
    assert unchanged(outcome, table.garment) < 0.05
    assert "red" in outcome.shots[0].recipe["prompt"]
    assert outcome.shots[0].report.to_json()["garment"]["measured"] is False  # type: ignore[index]


def test_a_pose_change_lets_go_of_sleeves_that_must_move(crew: Crew, mannequin: Image.Image) -> None:
    still = take(crew, order(mannequin)).table
    moved = take(crew, order(mannequin, kind=Kind.POSE, pose="arms-open")).table
    gone = still.garment.mean() - moved.kept.mean()
    assert 0.002 < gone < 0.8 * still.garment.mean()
    assert moved.locked.any()


def test_a_text_shoot_needs_no_photo_and_measures_no_garment(crew: Crew) -> None:
    outcome = take(crew, order(None, kind=Kind.TEXT, pose="walking", outfit="navy-coat"))
    report = outcome.shots[0].report.to_json()
    assert report["garment"]["locked_ratio"] is None  # type: ignore[index]
    assert "navy coat" in outcome.shots[0].recipe["prompt"]


def test_a_mask_of_ones_own_is_what_is_kept(crew: Crew, astronaut: Image.Image) -> None:
    mask = np.zeros((512, 512), bool)
    mask[260:460, 120:280] = True
    outcome = take(crew, order(astronaut, mask=mask))
    share = outcome.table.garment.sum() / outcome.table.photographed.sum()
    assert share == pytest.approx(mask.mean(), rel=0.05)


def test_more_candidates_than_pictures_leaves_the_best_of_each(crew: Crew, hopper: Image.Image) -> None:
    outcome = take(crew, order(hopper, count=2, best_of=2, seed=40))
    assert len(outcome.shots) == 2
    assert outcome.shots[0].seed in (40, 41)
    assert outcome.shots[1].seed in (42, 43)


def _near(mask: np.ndarray, radius: int) -> np.ndarray:
    from studio.segmentation.masks import expand

    return expand(mask, radius)
