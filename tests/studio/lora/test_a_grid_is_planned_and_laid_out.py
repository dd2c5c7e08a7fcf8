"""The XYZ grid: every combination once, the winner by means over seeds, a sheet and a table that say the same."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studio.errors import InputError
from studio.lora.grid import Axis, Setting, plan, table, winner
from studio.lora.grid_sheet import ACCENT, PAPER, sheet

BASE = Setting("a zkv17 dress", seed=3)
FILES: dict[int | str, Path] = {100: Path("/a/100.safetensors"), 200: Path("/a/200.safetensors")}
WEIGHT, STEP, SEED = Axis("weight", (0.6, 0.8, 1.0)), Axis("checkpoint", (None, 100, 200)), Axis("seed", (1, 2))


def test_three_axes_give_every_combination_once() -> None:
    cells = plan([WEIGHT, STEP, SEED], BASE, adapters=FILES)
    assert len(cells) == 18
    assert [cell.n for cell in cells] == list(range(18))
    made = {(cell.setting.weight, cell.setting.checkpoint, cell.setting.seed) for cell in cells}
    assert len(made) == 18
    for cell in cells:
        assert cell.setting.weight == WEIGHT.values[cell.x]
        assert cell.setting.checkpoint == STEP.values[cell.y]
        assert cell.setting.adapter == FILES.get(cell.setting.checkpoint or 0)
        assert cell.setting.seed == SEED.values[cell.z]


def test_one_axis_is_a_grid_too_and_the_rest_stays() -> None:
    cells = plan([Axis("prompt", ("a", "b"))], BASE)
    assert [(cell.x, cell.y, cell.z, cell.setting.prompt, cell.setting.seed) for cell in cells] == [
        (0, 0, 0, "a", 3),
        (1, 0, 0, "b", 3),
    ]


@pytest.mark.parametrize(
    ("axes", "code"),
    [
        ([], "grid_axes_invalid"),
        ([WEIGHT, WEIGHT], "grid_axes_invalid"),
        ([WEIGHT, STEP, SEED, Axis("steps", (4,))], "grid_axes_invalid"),
        ([Axis("colour", ("red",))], "grid_axis_unknown"),
        ([Axis("seed", ())], "grid_axis_empty"),
        ([Axis("seed", (1, 1))], "grid_axis_empty"),
        ([Axis("seed", tuple(range(121)))], "grid_too_large"),
        ([Axis("checkpoint", (300,))], "grid_checkpoint_unknown"),
    ],
)
def test_axes_that_make_no_grid_are_refused(axes: list[Axis], code: str) -> None:
    with pytest.raises(InputError) as caught:
        plan(axes, BASE, adapters=FILES)
    assert caught.value.code == code


def test_a_setting_wins_by_its_mean_and_not_by_one_lucky_seed() -> None:
    cells = plan([Axis("checkpoint", (100, 200)), SEED], BASE, adapters=FILES)
    lucky = {(100, 1): 0.9, (100, 2): 0.3, (200, 1): 0.7, (200, 2): 0.75}
    scores = {cell.n: lucky[int(cell.setting.checkpoint or 0), cell.setting.seed] for cell in cells}
    found = winner(cells, scores)
    assert found is not None
    assert (found.setting.checkpoint, found.setting.seed, found.score) == (200, 2, 0.75)
    assert found.mean == pytest.approx(0.725)


def test_of_equals_the_gentlest_wins_and_the_base_never_does() -> None:
    cells = plan([WEIGHT, STEP], BASE, adapters=FILES)
    scores = {cell.n: 0.99 if cell.setting.checkpoint is None else 0.8 for cell in cells}
    found = winner(cells, scores)
    assert found is not None
    assert (found.setting.weight, found.setting.checkpoint) == (0.6, 100)
    assert found.base == pytest.approx(0.99)


def test_nothing_scored_has_no_winner() -> None:
    assert winner(plan([SEED], BASE), {}) is None


def test_the_table_has_a_line_for_each_cell_and_no_formula() -> None:
    cells = plan([Axis("prompt", ("=1+1", "plain, with a comma")), SEED], BASE)
    rows = list(
        csv.reader(
            io.StringIO(
                table([Axis("prompt", ("=1+1", "plain, with a comma")), SEED], cells, {0: 0.51234}, {0: "a.webp"})
            )
        )
    )
    assert rows[0][:4] == ["n", "x", "y", "z"]
    assert len(rows) == 5
    first = dict(zip(rows[0], rows[1], strict=True))
    assert (first["x"], first["y"], first["z"], first["score"], first["file"]) == ("'=1+1", "1", "", "0.5123", "a.webp")
    assert rows[2][1] == "plain, with a comma"


def test_the_sheet_shows_each_picture_in_its_place_and_frames_the_winner() -> None:
    axes = [WEIGHT, STEP, SEED]
    cells = plan(axes, BASE, adapters=FILES)
    pictures = {cell.n: Image.new("RGB", (64, 96), (10 * cell.n, 80, 200 - 10 * cell.n)) for cell in cells}
    page = np.asarray(sheet(axes, cells, pictures, {4: 0.8}, best=4))
    shown = {tuple(pixel) for pixel in page.reshape(-1, 3)}
    assert {(10 * n, 80, 200 - 10 * n) for n in range(18)} <= shown
    assert PAPER in shown
    rows, columns = np.nonzero((page == (40, 80, 160)).all(axis=2))
    frame = page[rows.min() - 4 : rows.max() + 4, columns.min() - 4]
    assert (frame == ACCENT).all()
    other = np.nonzero((page == (50, 80, 150)).all(axis=2))
    assert not (page[other[0].min() - 4, other[1].min() - 4] == ACCENT).all()
    assert other[1].min() > columns.max() and other[0].min() == rows.min()
