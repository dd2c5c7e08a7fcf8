"""What is here, whether it is whole, and how it goes."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from studio.errors import InputError, WeightsError
from studio.weights import family_hashes, locate, weights_root
from studio.weights.importing import import_weights
from studio.weights.store import remove
from studio.weights.verify import verify
from tests.studio.weights.makers import diffusers_folder

UNET = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture
def sd15(tmp_path: Path) -> Path:
    """An installed sd15; its folder."""
    return import_weights("sd15", diffusers_folder(tmp_path / "mine"), parts={}).located.root


def test_missing_weights_name_the_command_that_fetches_them() -> None:
    with pytest.raises(WeightsError) as caught:
        locate("sdxl")

    assert caught.value.code == "weights_missing"
    assert "python -m studio weights fetch sdxl" in caught.value.message
    assert caught.value.exit_status == 3


def test_the_folder_is_the_one_asked_for_else_the_users_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMODEL_WEIGHTS", "/srv/weights")
    assert weights_root() == Path("/srv/weights")
    monkeypatch.delenv("IMODEL_WEIGHTS")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert weights_root() == Path("/data/imodel/weights")


def test_what_comes_with_mediapipe_is_found_and_has_the_published_hashes() -> None:
    located = locate("mediapipe_pose")

    assert located.origin == "bundled"
    assert located.components["landmarks"].read_bytes()[4:8] == b"TFL3"
    assert verify("mediapipe_pose") == 2_959_046 + 6_440_512
    assert set(family_hashes(located)) == {
        "pose_detection/pose_detection.tflite",
        "pose_landmark/pose_landmark_full.tflite",
    }


def test_a_flipped_bit_is_found_though_size_and_time_are_the_same(sd15: Path) -> None:
    assert verify("sd15") > 0
    path = sd15 / UNET
    status, content = path.stat(), bytearray(path.read_bytes())
    content[-5] ^= 0x01
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    with pytest.raises(WeightsError) as caught:
        verify("sd15")

    assert caught.value.code == "weights_damaged"
    assert UNET in caught.value.message
    assert "vae" not in caught.value.message


def test_a_file_that_is_gone_or_shorter_is_seen_at_once(sd15: Path) -> None:
    for spoil in (lambda path: path.write_bytes(path.read_bytes()[:-1]), Path.unlink):
        spoil(sd15 / UNET)
        with pytest.raises(WeightsError) as caught:
            locate("sd15")
        assert caught.value.code == "weights_damaged"
        assert "python -m studio weights remove sd15" in caught.value.message


def test_a_file_that_somebody_put_beside_is_found(sd15: Path) -> None:
    (sd15 / "unet" / "extra.bin").write_bytes(b"x")

    with pytest.raises(WeightsError) as caught:
        verify("sd15")

    assert "unet/extra.bin does not belong there" in caught.value.message


def test_a_record_that_can_not_be_read_is_damage_and_not_a_crash(sd15: Path) -> None:
    for text in ("", "[]", '{"files": {"a": 1}, "origin": "hub"}', '{"files": {"../../etc/passwd": {}}}'):
        (sd15 / "weights.json").write_text(text)
        with pytest.raises(WeightsError) as caught:
            locate("sd15")
        assert caught.value.code == "weights_damaged"


def test_hashes_for_a_recipe_come_from_the_record_until_a_file_changes(sd15: Path) -> None:
    record = json.loads((sd15 / "weights.json").read_text())
    record["files"][UNET]["sha256"] = "from the record"
    (sd15 / "weights.json").write_text(json.dumps(record))
    assert family_hashes(locate("sd15"))[UNET] == "from the record"

    os.utime(sd15 / UNET, (1, 1))

    assert family_hashes(locate("sd15"))[UNET] == hashlib.sha256((sd15 / UNET).read_bytes()).hexdigest()


def test_removing_frees_the_folder_and_says_how_much(sd15: Path) -> None:
    bytes_there = sum(path.stat().st_size for path in sd15.rglob("*") if path.is_file())

    assert remove("sd15") == bytes_there

    assert not sd15.exists()
    with pytest.raises(WeightsError) as caught:
        remove("sd15")
    assert caught.value.code == "weights_missing"


def test_a_damaged_family_can_be_removed(sd15: Path) -> None:
    (sd15 / UNET).unlink()

    remove("sd15")

    assert not sd15.exists()


def test_what_comes_with_a_package_is_not_removed() -> None:
    with pytest.raises(InputError) as caught:
        remove("mediapipe_pose")
    assert caught.value.code == "weights_bundled"
    assert locate("mediapipe_pose").origin == "bundled"


def test_knowing_the_table_costs_no_torch_and_no_mediapipe() -> None:
    code = """
import sys
import studio.cli.weights, studio.weights
studio.weights.find_family("mini"); studio.cli.weights._state(studio.weights.FAMILIES["mediapipe_pose"])
print([name for name in ("torch", "diffusers", "transformers", "mediapipe", "huggingface_hub") if name in sys.modules])
"""
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert child.stdout.strip() == "[]"
