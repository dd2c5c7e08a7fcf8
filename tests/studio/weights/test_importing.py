"""A user's own weights: taken in whole after their content was judged, or not at all."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from studio.errors import InputError, StudioError, WeightsError
from studio.weights import family_hashes, locate
from studio.weights.foreign import load_torch_checkpoint
from studio.weights.importing import Imported, import_weights
from studio.weights.verify import verify
from tests.studio.weights.hub_standin import StandInHub
from tests.studio.weights.makers import Harmful, diffusers_folder, safetensors, small_file

PLAIN = "diffusion_pytorch_model.safetensors"


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A complete folder of the user's."""
    return diffusers_folder(tmp_path / "mine")


def take(path: Path, name: str = "sd15", **parts: Path) -> Imported:
    return import_weights(name, path, parts=parts)


def refusal(path: Path, name: str = "sd15", **parts: Path) -> StudioError:
    """The error of an import that must fail, which must not leave anything behind."""
    with pytest.raises(StudioError) as caught:
        take(path, name, **parts)
    with pytest.raises(WeightsError):
        locate(name)
    return caught.value


def test_a_folder_in_diffusers_layout_is_copied_and_whole(mine: Path) -> None:
    located = take(mine).located

    assert located.origin == "import"
    assert (located.components["unet"] / PLAIN).read_bytes() == (mine / "unet" / PLAIN).read_bytes()
    assert (located.components["tokenizer"] / "vocab.json").is_file()
    verify("sd15")


def test_weights_in_half_precision_are_stored_under_the_plain_name(mine: Path) -> None:
    (mine / "unet" / PLAIN).rename(mine / "unet" / "diffusion_pytorch_model.fp16.safetensors")

    located = take(mine).located

    assert (located.components["unet"] / PLAIN).is_file()


def test_what_is_not_weights_or_configs_is_left_behind_and_said(mine: Path) -> None:
    (mine / "unet" / "diffusion_pytorch_model.bin").write_bytes(pickle.dumps({}))
    (mine / "unet" / "model.py").write_text("print('run me')")

    imported = take(mine)

    assert imported.skipped == ("unet/diffusion_pytorch_model.bin", "unet/model.py")
    assert sorted(path.name for path in imported.located.components["unet"].iterdir()) == ["config.json", PLAIN]


def test_a_part_that_is_only_a_pickle_is_refused_with_the_way_out(mine: Path, tmp_path: Path) -> None:
    proof = tmp_path / "it-ran"
    (mine / "unet" / PLAIN).unlink()
    (mine / "unet" / "diffusion_pytorch_model.bin").write_bytes(pickle.dumps(Harmful(proof)))

    error = refusal(mine)

    assert error.code == "pickle_refused"
    assert "diffusion_pytorch_model.bin" in error.message
    assert "safe_serialization" in error.message
    assert not proof.exists()


def test_a_pickle_called_safetensors_is_refused(mine: Path, tmp_path: Path) -> None:
    torch.save({"w": torch.ones(2)}, mine / "vae" / PLAIN)

    assert refusal(mine).code == "pickle_refused"


@pytest.mark.parametrize("suffix", [".ckpt", ".pt", ".safetensors"])
def test_a_single_file_that_is_a_pickle_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"model{suffix}"
    torch.save({"state_dict": {"w": torch.ones(2)}}, path)

    assert refusal(path).code == "pickle_refused"


def test_weights_that_are_cut_short_are_refused(mine: Path) -> None:
    content = (mine / "unet" / PLAIN).read_bytes()
    (mine / "unet" / PLAIN).write_bytes(content[:-1])

    assert refusal(mine).code == "safetensors_invalid"


def test_weights_that_hold_no_numbers_are_refused(mine: Path) -> None:
    (mine / "unet" / PLAIN).write_bytes(safetensors({"w": np.array([1, np.nan], np.float16)}))

    assert refusal(mine).code == "safetensors_not_finite"


def test_weights_in_pieces_are_refused_with_the_way_out(mine: Path) -> None:
    (mine / "unet" / PLAIN).rename(mine / "unet" / "diffusion_pytorch_model-00001-of-00002.safetensors")

    error = refusal(mine)

    assert error.code == "weights_incomplete"
    assert "max_shard_size" in error.message


def test_a_unet_of_another_family_is_refused(mine: Path) -> None:
    assert refusal(mine, "sdxl").code == "weights_incomplete"
    (mine / "unet" / "config.json").write_text('{"_class_name": "UNet2DConditionModel", "in_channels": 4}')

    error = refusal(mine)

    assert error.code == "weights_mismatch"
    assert "in_channels = 4, not 9" in error.message


def test_a_missing_part_is_named_and_can_be_given_from_elsewhere(mine: Path, tmp_path: Path) -> None:
    (mine / "controlnet").rename(tmp_path / "openpose")

    assert "--part controlnet=PATH" in refusal(mine).message
    located = take(mine, controlnet=tmp_path / "openpose").located
    assert (located.components["controlnet"] / PLAIN).is_file()


def test_a_part_that_is_not_given_is_kept_from_what_is_installed(mine: Path, tmp_path: Path) -> None:
    first = family_hashes(take(mine).located)
    newer = diffusers_folder(tmp_path / "newer", without=("controlnet",))
    (newer / "unet" / PLAIN).write_bytes(safetensors({"w": np.zeros(2, np.float32)}))

    second = family_hashes(take(newer).located)

    assert second[f"controlnet/{PLAIN}"] == first[f"controlnet/{PLAIN}"]
    assert second[f"unet/{PLAIN}"] != first[f"unet/{PLAIN}"]


def test_a_bare_file_for_a_part_takes_its_config_from_what_is_installed(mine: Path, tmp_path: Path) -> None:
    take(mine)
    bare = tmp_path / "openpose.safetensors"
    bare.write_bytes(safetensors({"w": np.full(3, 7, np.float32)}))

    located = take(mine, controlnet=bare).located

    assert (located.components["controlnet"] / PLAIN).read_bytes() == bare.read_bytes()
    assert (located.components["controlnet"] / "config.json").is_file()


def test_a_bare_file_for_a_part_takes_its_config_from_the_hub(hub: StandInHub, mine: Path, tmp_path: Path) -> None:
    bare = tmp_path / "openpose.safetensors"
    bare.write_bytes(small_file("controlnet/x.safetensors"))

    located = take(mine, controlnet=bare).located

    assert b"ControlNetModel" in (located.components["controlnet"] / "config.json").read_bytes()
    assert [request.path for request in hub.seen if request.method == "GET" and "safetensors" in request.path] == []


def test_an_import_that_fails_leaves_the_earlier_one_in_place(mine: Path) -> None:
    before = family_hashes(take(mine).located)
    (mine / "unet" / PLAIN).write_bytes(b"broken")

    with pytest.raises(WeightsError):
        take(mine)

    assert family_hashes(locate("sd15")) == before
    verify("sd15")


def test_a_sam_checkpoint_is_taken_in_under_its_own_name_only(tmp_path: Path) -> None:
    path = tmp_path / "sam.pth"
    torch.save({"image_encoder.pos_embed": torch.zeros(1, 64, 64, 768), "x": torch.ones(1)}, path)

    assert refusal(path, "sam_vit_h").code == "weights_mismatch"
    located = take(path, "sam_vit_b").located
    assert located.components["checkpoint"].read_bytes() == path.read_bytes()


def test_a_sam_checkpoint_in_safetensors_is_taken_in_too(tmp_path: Path) -> None:
    path = tmp_path / "sam.safetensors"
    save_file({"image_encoder.pos_embed": torch.zeros(1, 64, 64, 768), "x": torch.ones(1)}, path)

    located = take(path, "sam_vit_b").located

    assert load_torch_checkpoint(located.components["checkpoint"])["x"].item() == 1.0


def test_a_sam_checkpoint_that_would_run_code_is_refused(tmp_path: Path) -> None:
    path, proof = tmp_path / "sam.pth", tmp_path / "it-ran"
    torch.save({"image_encoder.pos_embed": Harmful(proof)}, path)

    assert refusal(path, "sam_vit_b").code == "pickle_refused"
    assert not proof.exists()


def test_what_can_not_be_imported_is_said_before_anything_is_read(mine: Path, tmp_path: Path) -> None:
    for call, code in (
        (lambda: take(tmp_path / "nowhere"), "import_not_found"),
        (lambda: take(mine, text_encoder_9=mine), "unknown_part"),
        (lambda: take(mine, "mediapipe_pose"), "weights_bundled"),
        (lambda: take(mine, "nothing"), "unknown_weights"),
        (lambda: take(mine, "sam_vit_b"), "import_not_a_file"),
        (lambda: take(mine / "unet" / PLAIN, "mini"), "import_not_a_folder"),
    ):
        with pytest.raises(InputError) as caught:
            call()
        assert caught.value.code == code
