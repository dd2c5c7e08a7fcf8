"""A drawn set with one fault of each kind, from files to problems, captions and masks; and by command line."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench import dataset_scenes as scenes
from studio.cli.main import main
from studio.dataset.archives import unpack
from studio.dataset.captioner import taken
from studio.dataset.folders import read_folder
from studio.dataset.inspecting import Photo, Tools, inspect_set
from studio.dataset.people import MediaPipeFaces
from studio.dataset.preflight import preflight
from studio.dataset.records import Garment, Inspection
from studio.errors import InputError
from studio.images import open_photo
from studio.mini.world import Garment as Worn
from studio.mini.world import random_spec
from studio.pose.detect import MediaPipeDetector
from studio.segmentation.mask_files import encode_mask, read_mask
from studio.segmentation.masks import overlap

DRESS = Worn("dress", "teal", "plain", "cream", "short", "knee")
POSES = ("front", "contrapposto", "side-right", "back", "arms-open", "hands-on-hips", "walking")


def png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def files() -> dict[str, tuple[bytes, bytes | None]]:
    """Seven good photos with masks, then the faults without."""
    good = [scenes.worn(DRESS, 23 * 31 + i, pose, wearer=23, size=(320, 480)) for i, pose in enumerate(POSES)]
    other = scenes.worn(Worn("dress", "burgundy", "checked"), 900, "front", wearer=23, size=(320, 480))
    made: dict[str, tuple[bytes, bytes | None]] = {
        f"{i}.png": (png(one.picture), encode_mask(one.garment)) for i, one in enumerate(good)
    }
    made["7-other.png"] = png(other.picture), encode_mask(other.garment)
    made["8-again.png"] = png(scenes.again(good[0].picture)["cut by 3 %"]), None
    made["9-two.png"] = png(scenes.pair(54).picture), None
    made["a-rubbish.png"] = b"rubbish", None
    return made


@pytest.fixture(scope="module")
def looked(
    files: dict[str, tuple[bytes, bytes | None]], detector: MediaPipeDetector, faces: MediaPipeFaces
) -> Inspection:
    photos = [Photo(photo, mask) for photo, mask in files.values()]
    return inspect_set(photos, Garment("dress"), trigger="zkv17", language="mini", tools=Tools(detector, faces))


def test_every_fault_is_found_and_nothing_else_is_blamed_for_it(looked: Inspection) -> None:
    assert [(one.index, one.code) for one in looked.refused] == [(10, "photo_format_unsupported")]
    assert looked.duplicates == ((0, 8),)
    assert [one.index for one in looked.pictures if one.people != 1] == [9]
    assert [one.index for one in looked.pictures if one.strange] == [7]
    made = preflight(looked, base=(128, 192), step=32, steps=400)
    said = {one.code: one.pictures for one in made.problems}
    assert said["wrong_garment"] == (7,) and said["several_people"] == (9,) and said["near_duplicates"] == (0, 8)
    assert "blurred" not in said and "low_resolution" not in said


def test_views_are_front_side_and_back(looked: Inspection) -> None:
    assert [one.view for one in looked.pictures[:7]] == ["front", "front", "side", "back", "front", "front", "front"]


def test_the_merchants_mask_is_kept_and_a_missing_one_is_proposed(
    looked: Inspection, files: dict[str, tuple[bytes, bytes | None]]
) -> None:
    own, proposed = looked.pictures[0], looked.pictures[8]
    assert own.mask_by == "merchant" and own.mask == files["0.png"][1]
    assert proposed.mask_by == "proposal" and proposed.mask is not None
    given = files["0.png"][1]
    assert given is not None
    truth = np.asarray(read_mask(given, size=(320, 480)))[14:465, 9:310]
    assert overlap(read_mask(proposed.mask, size=proposed.size), truth) > 0.85


def test_captions_are_in_the_encoders_words_and_leave_the_garment_to_its_trigger(looked: Inspection) -> None:
    known = {word for seed in range(3000) for word in random_spec(seed).caption.replace(",", "").split()}
    for one in looked.pictures:
        assert set(one.caption.replace(",", "").split()) - known == {"zkv17"}
        assert "wearing zkv17 dress, " in one.caption  # as generation.trained calls it in a shoot
        assert (one.words.colour, one.words.sleeve, one.words.length) == ("teal", "short", "knee")
    assert "hands on hips, front view" in looked.pictures[5].caption
    assert looked.pictures[2].caption.split(", ")[2] == "side view"
    assert looked.pictures[3].caption.split(", ")[2] == "back view"


def test_of_two_people_each_crop_is_judged_by_what_it_shows(looked: Inspection) -> None:
    crops = looked.pictures[9].crops
    assert len(crops) == 2 and all(crop.clean for crop in crops)
    assert [crop.wanted for crop in crops] == [False, False]  # neither wears the teal dress


def test_the_crop_that_shows_the_garment_is_wanted(detector: MediaPipeDetector, faces: MediaPipeFaces) -> None:
    own = [scenes.worn(DRESS, 23 * 31 + i, pose, wearer=23, size=(320, 480)) for i, pose in enumerate(POSES[:5])]
    stranger = scenes.worn(Worn("dress", "orange", "dotted", "white"), 901, "front", wearer=16, size=(320, 480))
    both = scenes.side_by_side(own[4].picture, stranger.picture, height=480)
    photos = [Photo(png(one.picture), encode_mask(one.garment)) for one in own[:4]] + [Photo(png(both))]
    looked = inspect_set(photos, Garment("dress"), trigger="zkv17", language="mini", tools=Tools(detector, faces))
    crops = sorted(looked.pictures[4].crops, key=lambda crop: crop.box)
    assert [crop.wanted for crop in crops] == [True, False]
    left, right = crops[0].box, crops[1].box
    assert left[2] <= 340 and right[0] >= 300


class Talker:
    """Says the same of every picture."""

    def describe(self, pictures: object) -> list[str]:
        return ["A man in a blue dress standing in front of a brick wall."]


def test_catalog_merchant_and_captioner_are_heard(detector: MediaPipeDetector) -> None:
    drawing = scenes.worn(DRESS, 3, "front", size=(320, 480))
    photo = Photo(png(drawing.picture), encode_mask(drawing.garment), view="side")
    garment = Garment("dress", colour="sea green", wearer="woman", sleeve="short", length="long")
    tools = Tools(detector, None, Talker())
    looked = inspect_set([photo], garment, trigger="zkv17", language="english", tools=tools, details=True)
    (one,) = looked.pictures
    assert one.view == "side" and one.view_by == "merchant"
    assert "of a woman with" in one.caption and "zkv17 sea green short sleeved long dress" in one.caption
    assert one.caption.endswith("in front of a brick wall") and "blue" not in one.caption


def test_of_a_captioners_sentence_only_wearer_and_place_are_taken() -> None:
    assert taken("a woman in a red dress standing on the beach") == taken("A lady standing on the beach.")
    assert (taken("a woman in a dress").wearer, taken("a woman in a dress").where) == ("woman", "")
    assert taken("two girls at a party").where == "at a party"
    assert taken("a mannequin on a white dress").where == ""
    assert taken("arafed ] [unused3 ##ing").wearer == ""


def test_sets_that_are_none_and_a_call_to_stop(detector: MediaPipeDetector) -> None:
    tools = Tools(detector)
    for photos, code in (([], "dataset_empty"), ([Photo(b"")] * 501, "dataset_too_large")):
        with pytest.raises(InputError) as caught:
            inspect_set(photos, Garment("dress"), trigger="zkv17", language="mini", tools=tools)
        assert caught.value.code == code
    with pytest.raises(InputError):
        inspect_set([Photo(b"")], Garment("hat"), trigger="zkv17", language="mini", tools=tools)

    class Enough(Exception):
        pass

    def stop(index: int) -> None:
        if index == 1:
            raise Enough

    with pytest.raises(Enough):
        inspect_set([Photo(b"")] * 3, Garment("dress"), trigger="zkv17", language="mini", tools=tools, on_photo=stop)


def test_the_command_inspects_and_exports(
    files: dict[str, tuple[bytes, bytes | None]], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for name, (photo, mask) in files.items():
        if name[0] in "01237a":
            (photos / name).write_bytes(photo)
        if mask is not None and name[0] in "01237":
            (photos / f"{Path(name).stem}.mask.png").write_bytes(mask)
    common = [str(photos), "--category", "dress", "--trigger", "zkv17"]
    assert main(["dataset", "inspect", *common, "--json", "--seconds-per-step", "0.5", "--steps", "100"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["photos"] == ["0.png", "1.png", "2.png", "3.png", "7-other.png", "a-rubbish.png"]
    assert told["preflight"]["seconds"] == 50
    assert {"wrong_garment": [4], "photo_format_unsupported": [5]}.items() <= {
        one["code"]: one["pictures"] for one in told["preflight"]["problems"]
    }.items()
    out = tmp_path / "set"
    assert main(["dataset", "export", common[0], str(out), *common[1:], "--leave-out", "7-other.png"]) == 0
    written = read_folder(out)
    assert (written.trigger, written.class_word, len(written.entries)) == ("zkv17", "dress", 4)
    assert all("zkv17" in entry.caption and entry.mask is not None for entry in written.entries)
    assert [entry.view for entry in written.entries] == ["front", "front", "side", "back"]
    assert main(["dataset", "export", common[0], str(out), *common[1:]]) == 2
    assert main(["dataset", "inspect", str(tmp_path / "none"), *common[1:]]) == 2
    assert main(["dataset", "export", common[0], str(tmp_path / "b"), *common[1:], "--leave-out", "zebra.png"]) == 2


def test_the_command_takes_the_crop_that_shows_the_garment_and_packs_a_zip(
    files: dict[str, tuple[bytes, bytes | None]], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("0.png", "1.png", "3.png", "6.png"):
        photo, mask = files[name]
        (photos / name).write_bytes(photo)
        (photos / name.replace(".png", ".mask.png")).write_bytes(mask or b"")
    own = Image.open(io.BytesIO(files["4.png"][0]))
    stranger = scenes.worn(Worn("dress", "orange", "dotted", "white"), 901, "front", wearer=16, size=(320, 480))
    scenes.side_by_side(own, stranger.picture, height=480).save(photos / "both.png")
    out = tmp_path / "set.zip"
    given = [str(photos), str(out), "--category", "dress", "--trigger", "zkv17", "--take-crops"]
    assert main(["dataset", "export", *given]) == 0
    assert "several_people" not in capfd.readouterr().out
    unpacked = unpack(out, tmp_path / "back")
    sizes = [open_photo(entry.image).size for entry in read_folder(unpacked.folder).entries]
    assert sizes[:4] == [(320, 480)] * 4 and len(sizes) == 5
    assert sizes[4][0] < 340  # one person of the two
