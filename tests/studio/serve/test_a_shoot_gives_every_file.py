"""A shoot over the socket: every variant, each labelled, and everything beside it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studio.provenance import SourceType, read_labels
from studio.serve.client import JobError
from tests.studio.serve.conftest import Message, Running, shoot


@pytest.fixture(scope="module")
def done(executor: Running, photo: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Message, list[Message]]:
    out = tmp_path_factory.mktemp("out") / "made" / "by the job"
    ended = executor.run(shoot(photo, out, count=2, seed=5, size=[512, 768], persona="kofi", steps=4))
    return ended, list(executor.events)


def of(events: list[Message], name: str) -> list[Message]:
    return [event for event in events if event["event"] == name]


def test_every_variant_is_there_as_it_was_told(done: tuple[Message, list[Message]]) -> None:
    shots = of(done[1], "shot")
    assert [(shot["index"], shot["seed"]) for shot in shots] == [(0, 5), (1, 6)]
    wanted = {
        "full": ("PNG", (512, 768)),
        "display": ("WEBP", (512, 768)),
        "large": ("WEBP", (512, 768)),
        "medium": ("WEBP", (427, 640)),
        "small": ("WEBP", (213, 320)),
    }
    for shot in shots:
        assert set(shot["files"]) == set(shot["sizes"]) == set(shot["sha256"]) == set(wanted)
        for name, (format_, size) in wanted.items():
            data = Path(shot["files"][name]).read_bytes()
            assert hashlib.sha256(data).hexdigest() == shot["sha256"][name]
            with Image.open(shot["files"][name]) as picture:
                assert (picture.format, picture.size, tuple(shot["sizes"][name])) == (format_, size, size)


def test_every_variant_and_the_sheet_are_labelled(done: tuple[Message, list[Message]]) -> None:
    shots = of(done[1], "shot")
    files = [path for shot in shots for path in shot["files"].values()] + [done[0]["files"]["sheet"]]
    labels = [read_labels(Path(path).read_bytes()) for path in files]
    assert len(files) == 11
    assert {label.source_type for label in labels} == {SourceType.COMPOSITE}
    assert len({label.aigc.produce_id for label in labels if label.aigc}) == 2
    photo = read_labels(Path(done[0]["files"]["source"]).read_bytes())
    assert (photo.source_type, photo.aigc) == (None, None)


def test_what_lies_beside_fits_the_result(done: tuple[Message, list[Message]]) -> None:
    files, shot = done[0]["files"], of(done[1], "shot")[0]
    with Image.open(files["mask"]) as mask, Image.open(files["source"]) as source:
        assert (mask.mode, mask.size, source.format, source.size) == ("L", (512, 768), "WEBP", (512, 768))
        garment = np.asarray(mask) == 255
        before = np.asarray(source.convert("RGB")).astype(int)
    with Image.open(shot["files"]["full"]) as full:
        after = np.asarray(full).astype(int)
    assert set(np.unique(np.asarray(Image.open(files["mask"])))) == {0, 255}
    assert np.abs(before - after)[garment].mean() < 5 < np.abs(before - after)[~garment].mean()
    with Image.open(files["skeleton"]) as skeleton:
        alpha = np.asarray(skeleton)[..., 3]
    assert skeleton.mode == "RGBA"
    assert 0.005 < (alpha > 0).mean() < 0.2


def test_progress_and_previews_come_and_the_last_word_is_done(done: tuple[Message, list[Message]]) -> None:
    ended, events = done
    fractions = [event["fraction"] for event in of(events, "progress")]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert events[-1] == ended
    previews = of(events, "preview")
    assert [event["n"] for event in previews] == list(range(1, len(previews) + 1))
    assert previews
    with Image.open(previews[0]["file"]) as preview:
        assert preview.format == "WEBP"
        assert preview.width / preview.height == pytest.approx(2 * 2 / 3, rel=0.02)
    assert {"paint", "engine", "files", "total"} <= ended["timings"].keys()


def test_a_replay_gives_the_same_bytes(
    executor: Running, photo: Path, tmp_path: Path, done: tuple[Message, list[Message]]
) -> None:
    shot = of(done[1], "shot")[1]
    recipe = json.loads(json.dumps(shot["recipe"]))
    executor.run({"op": "replay", "id": "r", "recipe": recipe, "photo": str(photo), "out": str(tmp_path)})
    again = executor.told("shot")
    assert [one["sha256"] for one in again] == [shot["sha256"]]
    assert again[0]["seed"] == 6


def test_another_photo_is_refused_at_a_replay(
    executor: Running, tmp_path: Path, done: tuple[Message, list[Message]]
) -> None:
    other = tmp_path / "other.png"
    Image.new("RGB", (320, 480), "grey").save(other)
    recipe = of(done[1], "shot")[0]["recipe"]
    with pytest.raises(JobError) as caught:
        executor.run({"op": "replay", "id": "r", "recipe": recipe, "photo": str(other), "out": str(tmp_path)})
    assert (caught.value.kind, caught.value.code) == ("input", "recipe_photo_differs")


def test_ones_own_persona_scene_and_pose_are_taken(executor: Running, photo: Path, tmp_path: Path) -> None:
    executor.run({"op": "propose", "id": "p", "photo": str(photo), "out": str(tmp_path / "p")})
    rows = executor.events[-1]["pose"]["rows"]
    own = {
        "persona": {"name": "Zoë", "words": "a woman with silver hair", "below": "plaid kilt", "above": "blouse"},
        "scene": {"name": "Our shop", "words": "shop with oak shelves"},
        "pose": {"name": "mine", "landmarks": rows, "words": "dancing"},
    }
    executor.run(shoot(photo, tmp_path, garment="upper", **own))
    recipe = executor.told("shot")[0]["recipe"]
    assert recipe["presets"]["persona"] == own["persona"]
    for words in ("silver hair", "plaid kilt", "oak shelves", "dancing"):
        assert words in recipe["prompt"]


def test_a_text_shoot_has_no_source_and_no_mask_and_says_it_was_made(executor: Running, tmp_path: Path) -> None:
    ended = executor.run(shoot(None, tmp_path, kind="text", outfit="navy coat"))
    assert ended["files"]["source"] is None
    assert ended["files"]["mask"] is None
    labels = read_labels(Path(executor.told("shot")[0]["files"]["small"]).read_bytes())
    assert labels.source_type == SourceType.MADE
