"""The whole recipe at toy size, and the bundled weights: what is committed loads, is small enough, and works."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from studio.diffusion.engine import load_engine
from studio.diffusion.types import Generate
from studio.mini.__main__ import WEIGHTS, main
from studio.mini.data import HELD_OUT, load, render
from studio.mini.evaluate import Ask, Family, colour_errors, paint
from studio.mini.export import weigh
from studio.mini.family import RECIPES
from studio.mini.judge import GARMENT, Judge, classes, look
from studio.mini.latents import TASKS, repaint_mask
from studio.mini.train import Plan, train


def test_the_toy_recipe_trains_saves_and_goes_on(tmp_path: Path) -> None:
    lines: list[str] = []
    plan = Plan(RECIPES["smoke"], tmp_path / "work", tmp_path / "out", "cpu", 1, 1)
    train(plan, lines.append)
    family = Family.load(tmp_path / "out")
    assert family.unet.config.in_channels == 9
    assert json.loads((tmp_path / "out" / "training.json").read_text())["recipe"]["name"] == "smoke"
    first = family.unet.conv_in.weight.clone()
    again = replace(plan, out=tmp_path / "out2", start=tmp_path / "out")
    train(again, lines.append)
    assert "the autoencoder is there already" in lines
    moved = (Family.load(tmp_path / "out2").unet.conv_in.weight - first).abs().max()
    assert 0 < moved < 0.05


def test_a_drawing_is_encoded_under_every_task() -> None:
    parts = np.zeros((32, 32), np.uint8)
    parts[8:24, 8:24] = 1
    parts[10:18, 10:22] = 3
    rng = np.random.default_rng(0)
    masks = {task: repaint_mask(task, parts, rng) for task in TASKS}
    assert masks["all"].all()
    assert (masks["scene"] == (parts == 0)).all()
    assert not masks["keep"][13, 15]
    assert masks["swap"][13, 15]
    assert masks["keep"].mean() > 0.5 > masks["swap"].mean()


def test_the_bundled_weights_are_small_and_say_how_they_were_made() -> None:
    assert weigh(WEIGHTS) <= 40_000_000
    about = json.loads((WEIGHTS / "training.json").read_text())
    assert about["recipe"]["name"] in ("cpu", "large")


def test_the_bundled_engine_paints_the_asked_colour_scene_and_pose(tmp_path: Path) -> None:
    """A small share of what ``evaluate`` measures: enough to fail when weights and code no longer fit together."""
    data = load(render(tmp_path, 10, first_seed=HELD_OUT, workers=1))
    family = Family.load(WEIGHTS)
    everything = np.ones(data.parts.shape, bool)
    ask = Ask(data.captions, data.skeletons, data.pictures, everything, True, 5)
    trained = paint(family, ask, steps=10, guidance=2.0)
    fresh = paint(family.untrained(1), ask, steps=10, guidance=2.0)
    truth = data.pictures.astype(float)
    outside = data.parts == 0
    near, far = (np.abs(p - truth)[outside].mean() for p in (trained.astype(float), fresh.astype(float)))
    assert near < 0.7 * far


def test_load_engine_finds_the_bundled_family() -> None:
    engine = load_engine("mini", device="cpu")
    result = engine.generate(Generate("full body photo of a woman, park", seed=3, steps=2))
    assert result.images[0].size == (128, 192)
    engine.close()


def test_the_judge_tells_garments_from_scenes_by_their_codes() -> None:
    parts = np.array([[[0, 1, 3, 2]], [[0, 1, 4, 4]]], np.uint8)
    assert classes(parts).tolist() == [[[0, 1, GARMENT, 1]], [[0, 1, GARMENT, GARMENT]]]
    torch.manual_seed(0)
    assert look(Judge(), np.zeros((1, 64, 48, 3), np.uint8)).shape == (1, 32, 24)


def test_a_garment_of_the_asked_colour_has_a_small_error(tmp_path: Path) -> None:
    data = load(render(tmp_path, 6, first_seed=HELD_OUT, workers=1))
    seen = classes(data.parts)[:, ::2, ::2].astype(np.uint8)
    right = colour_errors(seen, data.pictures)
    wrong = colour_errors(seen, 255 - data.pictures)
    assert np.median(right) < 20 < np.median(wrong)


def test_render_writes_pictures_masks_and_captions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", "--out", str(tmp_path), "--count", "1", "--size", "96x144"]) == 0
    assert {p.name for p in tmp_path.iterdir()} == {"000000.png", "000000-garment.png", "000000.txt"}
    assert "1 pictures" in capsys.readouterr().out
