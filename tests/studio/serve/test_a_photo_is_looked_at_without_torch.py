"""``propose`` on the light executor: masks and pose of a photo, none of an empty one, and never torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studio.serve.client import JobError, ping
from tests.studio.serve.conftest import Message, Running, shoot


def propose(photo: Path, out: Path) -> Message:
    return {"op": "propose", "id": "p", "photo": str(photo), "out": str(out)}


def test_the_garments_of_a_mannequin_are_masks_of_the_photos_size(light: Running, photo: Path, tmp_path: Path) -> None:
    found = light.run(propose(photo, tmp_path))
    parts = {part["part"]: part for part in found["parts"]}
    assert {"upper", "lower", "full"} <= parts.keys()
    assert found["best"] in ("upper", "full")
    pixels = np.asarray(Image.open(photo)).astype(int)
    red = (pixels[..., 0] - pixels[..., 2] > 60) & (pixels[..., 0] > 100)
    for part in parts.values():
        with Image.open(part["file"]) as picture:
            mask = np.asarray(picture) == 255
        assert (picture.format, picture.mode, picture.size) == ("PNG", "L", (400, 600))
        assert part["share"] == pytest.approx(mask.mean(), abs=1e-5)
        left, top, right, bottom = part["box"]
        assert mask[top:bottom, left:right].sum() == mask.sum()
        assert mask[top].any() and mask[bottom - 1].any() and mask[:, left].any() and mask[:, right - 1].any()
    upper = np.asarray(Image.open(parts["upper"]["file"])) == 255
    assert upper[red].mean() > 0.9
    assert red[upper].mean() > 0.6


def test_the_pose_is_over_the_photo(light: Running, photo: Path, tmp_path: Path) -> None:
    found = light.run(propose(photo, tmp_path))
    assert found["pose"]["size"] == [400, 600]
    assert len(found["pose"]["rows"]) == 33
    x, y, _, confidence, state = found["pose"]["rows"][11]
    assert 150 < x < 250
    assert 100 < y < 200
    assert 0 < confidence <= 1
    assert state in ("seen", "weak", "invented")
    with Image.open(found["files"]["skeleton"]) as skeleton:
        assert (skeleton.mode, skeleton.size) == ("RGBA", (400, 600))
        alpha = np.asarray(skeleton)[..., 3]
    assert alpha.max() == 255
    assert alpha.min() == 0


def test_an_empty_photo_has_no_garment_and_that_is_an_answer(light: Running, tmp_path: Path) -> None:
    wall = tmp_path / "wall.png"
    Image.new("RGB", (200, 300), (128, 128, 128)).save(wall)
    found = light.run(propose(wall, tmp_path / "out"))
    assert (found["parts"], found["best"], found["pose"]) == ([], None, None)
    assert found["files"] == {"skeleton": None}
    assert list((tmp_path / "out").iterdir()) == []


def test_a_photo_that_is_none_is_refused(light: Running, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_text("words")
    with pytest.raises(JobError) as caught:
        light.run(propose(bad, tmp_path / "out"))
    assert (caught.value.kind, caught.value.code) == ("input", "photo_format_unsupported")


def test_a_light_executor_refuses_to_paint(light: Running, photo: Path, tmp_path: Path) -> None:
    with pytest.raises(JobError) as caught:
        light.run(shoot(photo, tmp_path))
    assert caught.value.code == "op_not_served"


def test_no_torch_is_mapped_into_a_light_executor(light: Running, photo: Path, tmp_path: Path) -> None:
    light.run(propose(photo, tmp_path))
    maps = Path(f"/proc/{ping(light.socket)['pid']}/maps").read_text()
    assert "libtorch" not in maps
    assert "mediapipe" in maps
    assert ping(light.socket)["engine"] is None


def test_a_painting_executor_does_map_torch(executor: Running, photo: Path, tmp_path: Path) -> None:
    executor.run(shoot(photo, tmp_path))
    assert "libtorch" in Path(f"/proc/{ping(executor.socket)['pid']}/maps").read_text()
