"""``compare``: every cell is painted with its own settings, scored in the garment alone, and told."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from studio.mini.world import Garment, Person, Spec, draw
from studio.provenance import SourceType, read_labels
from studio.serve.client import JobError
from tests.studio.adapters_for_mini import noise_adapter
from tests.studio.serve.conftest import Running


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return noise_adapter(tmp_path_factory.mktemp("adapter") / "step-100.safetensors")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    """Two photos of one dress, each with its mask."""
    folder = tmp_path_factory.mktemp("photos")
    found = []
    for k, scene in enumerate(("white studio", "beach")):
        drawn = draw(Spec(Person(), full=Garment("dress", "red", sleeve="long"), scene=scene), (256, 384))
        image, mask = folder / f"{k}.png", folder / f"{k}-mask.png"
        drawn.picture.save(image)
        Image.fromarray(drawn.garment.astype(np.uint8) * 255).save(mask)
        found.append({"image": str(image), "mask": str(mask)})
    return found


def grid(photos: list[dict[str, str]], adapter: Path, out: Path, **other: Any) -> dict[str, Any]:
    """Weight by checkpoint: the base twice, the adapter at two weights."""
    axes = [{"name": "weight", "values": [0.0, 1.0]}, {"name": "checkpoint", "values": [None, 100]}]
    cells = [
        {"x": x, "y": y, "adapter": str(adapter) if y else None, "weight": float(x), "prompt": "a red dress", "seed": 5,
         "steps": 2}
        for y in (0, 1) for x in (0, 1)
    ]  # fmt: skip
    return {"op": "compare", "id": "grid", "family": "mini", "axes": axes, "cells": cells, "references": photos,
            "out": str(out), **other}  # fmt: skip


def test_every_cell_is_painted_scored_and_told(
    executor: Running, photos: list[dict[str, str]], adapter: Path, tmp_path: Path
) -> None:
    done = executor.run(grid(photos, adapter, tmp_path))
    told = executor.told("cell")
    assert [event["n"] for event in told] == [0, 1, 2, 3]
    assert all(0 < event["score"] < 1 and event["score"] == event["report"]["similarity"] for event in told)
    pictures = [np.asarray(Image.open(event["file"]).convert("RGB"), int) for event in told]
    assert pictures[0].shape == (192, 128, 3)
    base, base_again, weightless, changed = pictures
    assert np.array_equal(base, base_again) and np.array_equal(base, weightless)
    assert np.abs(changed - base).max() > 30
    rows = list(csv.DictReader(Path(done["csv"]).open(newline="")))
    assert [row["file"] for row in rows] == [Path(event["file"]).name for event in told]
    assert [row["y"] for row in rows] == ["", "", "100", "100"]
    for file in (done["sheet"], told[0]["file"]):
        assert read_labels(Path(file).read_bytes()).source_type is SourceType.COMPOSITE
    assert done["best"] == 3  # the only one with an adapter that does anything
    assert done["setting"]["weight"] == 1.0 and done["setting"]["adapter"] == str(adapter)
    assert done["setting"]["base"] == pytest.approx(told[0]["score"], abs=1e-3)


def test_only_the_garment_is_painted_new(
    executor: Running, photos: list[dict[str, str]], adapter: Path, tmp_path: Path
) -> None:
    executor.run(grid(photos, adapter, tmp_path, subject=photos[1]))
    (first, *_) = executor.told("cell")
    made = np.asarray(Image.open(first["file"]).convert("RGB"), int)
    photo = np.asarray(Image.open(photos[1]["image"]).resize((128, 192), Image.Resampling.BOX), int)
    mask = np.asarray(Image.open(photos[1]["mask"]).resize((128, 192), Image.Resampling.BOX)) > 0
    assert np.abs(made - photo)[:20].mean() < 6  # the sky above her, as WebP keeps it
    assert np.abs(made - photo)[mask].mean() > 12


def test_a_cancelled_grid_leaves_no_cell(
    executor: Running, photos: list[dict[str, str]], adapter: Path, tmp_path: Path
) -> None:
    with pytest.raises(JobError) as caught:
        executor.run(grid(photos, adapter, tmp_path), should_cancel=lambda: len(executor.told("cell")) >= 1)
    assert caught.value.code == "cancelled"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"axes": []}, "grid_axes_invalid"),
        ({"axes": [{"name": "mood", "values": [1]}]}, "grid_axis_unknown"),
        ({"cells": []}, "message_cells_invalid"),
        ({"cells": [{"prompt": "a"}, {"prompt": "b"}]}, "message_cells_invalid"),
        ({"cells": [{"prompt": "a", "x": 2}]}, "cell_x_invalid"),
        ({"cells": [{"prompt": "a", "adapter": "a.safetensors"}]}, "cell_adapter_invalid"),
        ({"references": []}, "references_missing"),
        ({"colour": "red"}, "message_field_unknown"),
    ],
)
def test_a_grid_that_makes_no_sense_is_refused_before_anything_is_painted(
    executor: Running,
    photos: list[dict[str, str]],
    adapter: Path,
    tmp_path: Path,
    change: dict[str, Any],
    code: str,
) -> None:
    with pytest.raises(JobError) as caught:
        executor.run({**grid(photos, adapter, tmp_path), **change})
    assert (caught.value.kind, caught.value.code) == ("input", code)
    assert not executor.told("cell")
