"""``generate`` around the engine's own request: a second, larger pass, and skeletons read off photos."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from studio.errors import InputError
from studio.serve.client import JobError
from studio.serve.passes import places_of, second_of
from tests.studio.serve.conftest import Message, Running


def message(out: Path, request: dict[str, Any], **around: Any) -> Message:
    whole = {"prompt": "navy coat", "steps": 2, "width": 64, "height": 96, "seed": 3, **request}
    return {"op": "generate", "id": "p", "engine": "mini", "request": whole, "out": str(out), **around}


def test_the_second_pass_enlarges_each_picture_and_repaints_it(executor: Running, tmp_path: Path) -> None:
    second = {"width": 128, "height": 192, "steps": 3, "strength": 0.7, "prompt": "silk"}
    executor.run(message(tmp_path / "a", {"batch_size": 2}, second=second))
    shots = executor.told("shot")
    assert [(shot["seed"], shot["sizes"]["full"]) for shot in shots] == [(3, [128, 192]), (4, [128, 192])]
    assert shots[0]["recipe"]["engine"]["parameters"]["second"]["prompt"] == "silk"
    fractions = [event["fraction"] for event in executor.told("progress")]
    assert fractions == sorted(fractions)
    painted = [np.asarray(Image.open(shot["files"]["full"])) for shot in shots]
    assert (painted[0] != painted[1]).any()


def test_nobody_on_a_control_is_the_senders_mistake(executor: Running, tmp_path: Path) -> None:
    empty = tmp_path / "empty.png"
    Image.new("RGB", (128, 192), (90, 120, 90)).save(empty)
    with pytest.raises(JobError) as caught:
        executor.run(message(tmp_path / "out", {"controls": [{"image": str(empty)}]}, detect=[0]))
    assert (caught.value.kind, caught.value.code) == ("input", "control_without_person")


def test_a_skeleton_read_off_a_photo_lies_beside_the_pictures(executor: Running, photo: Path, tmp_path: Path) -> None:
    ended = executor.run(message(tmp_path / "out", {"controls": [{"image": str(photo)}]}, detect=[0]))
    drawn = np.asarray(Image.open(ended["files"]["skeleton"]).convert("RGB"))
    with Image.open(photo) as picture:
        assert drawn.shape[1::-1] == picture.size
    assert drawn.max() > 100 and (drawn == 0).mean() > 0.5


@pytest.mark.parametrize("value", [{"width": 64}, {"width": 64, "height": 64, "enlarge": "magic"}, [], {"colour": 1}])
def test_a_second_pass_that_makes_no_sense_is_refused(value: Any) -> None:
    with pytest.raises(InputError) as caught:
        second_of(value)
    assert caught.value.code.startswith("second_")


@pytest.mark.parametrize("value", [[1], [-1], ["0"], [True], 0])
def test_only_places_of_controls_are_read(value: Any) -> None:
    with pytest.raises(InputError):
        places_of(value, 1)
