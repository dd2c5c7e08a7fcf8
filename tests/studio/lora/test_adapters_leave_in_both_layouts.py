"""A trained adapter in diffusers' and in kohya's layout: plain diffusers and our engine draw one picture from both."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file

from studio.dataset.types import DataSet
from studio.diffusion.engine import DiffusersEngine
from studio.diffusion.machine import quiet
from studio.diffusion.types import AdapterUse, FamilyFiles, Generate
from studio.errors import InputError
from studio.lora.headers import export_kohya
from studio.lora.identity import base_hash, data_hash
from studio.lora.training import train
from studio.lora.types import Plan
from studio.lora.uploads import check_upload
from tests.studio.lora.conftest import PLAN

REQUEST = Generate("zkx coat", seed=5, steps=3, width=64, height=96, sampler="DDIM", guidance_scale=3.0)


@pytest.fixture(scope="module")
def trained(
    families: dict[str, FamilyFiles], dataset: DataSet, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """An adapter for each architecture, with everything in it that can be trained, alpha other than rank."""
    plan = replace(PLAN, modules="attention+conv", text_encoder=True, text_learning_rate=5e-2, learning_rate=5e-2)
    made = {}
    for kind, files in families.items():
        out = tmp_path_factory.mktemp(f"out-{kind}")
        made[kind] = train(files, dataset, replace(plan, family=kind), out=out, device="cpu").checkpoints[-1].adapter
    return made


def by_diffusers(files: FamilyFiles, adapter: Path | None) -> np.ndarray:
    """A picture of a plain diffusers pipeline, loaded from the family's own folders."""
    import diffusers
    import transformers

    parts: dict[str, Any] = {}
    for part in files.parts:
        if part.name.startswith("controlnet"):
            continue
        library = diffusers if part.library == "diffusers" else transformers
        parts[part.name] = getattr(library, part.class_name).from_pretrained(part.folder)
    pipeline = getattr(diffusers, files.inpaint)(**parts, **files.arguments)
    pipeline.set_progress_bar_config(disable=True)
    if adapter is not None:
        pipeline.load_lora_weights(adapter)
    blank = Image.new("RGB", (64, 96))
    result = pipeline(
        prompt="zkx coat", image=blank, mask_image=Image.new("L", (64, 96), 255), width=64, height=96, strength=1.0,
        num_inference_steps=3, guidance_scale=3.0, generator=torch.Generator("cpu").manual_seed(5),
    )  # fmt: skip
    return np.asarray(result.images[0], np.int16)


def distance(one: np.ndarray, other: np.ndarray) -> int:
    return int(np.abs(one - other).max())


@pytest.mark.parametrize("kind", ["tiny", "tiny_xl", "tiny_plain", "tiny_xl_plain"])
def test_plain_diffusers_and_our_engine_take_both(
    kind: str, families: dict[str, FamilyFiles], trained: dict[str, Path], tmp_path: Path
) -> None:
    files, ours, kohya = families[kind], trained[kind], tmp_path / "kohya.safetensors"
    export_kohya(ours, kohya)
    with quiet():
        bare, first, second = (by_diffusers(files, adapter) for adapter in (None, ours, kohya))
    assert distance(bare, first) > 20
    assert distance(first, second) == 0
    engine = DiffusersEngine(files, device="cpu")
    here = [
        np.asarray(engine.generate(replace(REQUEST, adapters=(AdapterUse(path),))).images[0], np.int16)
        for path in (ours, kohya)
    ]
    engine.close()
    assert distance(here[0], here[1]) == 0
    assert distance(here[0], first) <= 1


def test_every_tensor_comes_along_in_kohyas_layout(trained: dict[str, Path], tmp_path: Path) -> None:
    kohya = tmp_path / "kohya.safetensors"
    export_kohya(trained["tiny_xl"], kohya)
    ours, theirs = load_file(trained["tiny_xl"]), load_file(kohya)
    assert len(theirs) == len(ours) // 2 * 3
    assert {float(value) for name, value in theirs.items() if name.endswith(".alpha")} == {8.0}
    # sd-scripts' own names for SDXL: its blocks are numbered through.
    for name in (
        "lora_unet_input_blocks_3_1_transformer_blocks_0_attn1_to_q.lora_down.weight",
        "lora_unet_middle_block_1_proj_in.lora_up.weight",
        "lora_unet_output_blocks_1_2_conv.lora_down.weight",
        "lora_unet_input_blocks_2_0_op.lora_down.weight",
        "lora_unet_input_blocks_1_0_in_layers_2.lora_down.weight",
        "lora_te1_text_model_encoder_layers_0_self_attn_q_proj.lora_down.weight",
        "lora_te2_text_model_encoder_layers_1_self_attn_out_proj.lora_up.weight",
    ):
        assert name in theirs, name
    sd = tmp_path / "sd.safetensors"
    export_kohya(trained["tiny"], sd)
    assert "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_out_0.lora_up.weight" in load_file(sd)
    assert "lora_te_text_model_encoder_layers_0_self_attn_v_proj.alpha" in load_file(sd)


def test_metadata_says_what_it_was_made_from(
    trained: dict[str, Path], families: dict[str, FamilyFiles], dataset: DataSet, tmp_path: Path
) -> None:
    export_kohya(trained["tiny"], tmp_path / "kohya.safetensors")
    for path in (trained["tiny"], tmp_path / "kohya.safetensors"):
        with safe_open(path, "pt") as file:
            said = file.metadata()
        assert said["imodel.trigger"] == said["modelspec.trigger_phrase"] == "zkx"
        assert said["imodel.base_sha256"] == base_hash(families["tiny"])
        assert said["imodel.data_sha256"] == data_hash(dataset)
        assert said["imodel.step"] == "4"
        assert Plan.from_json(said["imodel.recipe"]).alpha == 8.0
    assert said["ss_network_dim"] == "4" and said["ss_network_alpha"] == "8.0"
    with safe_open(trained["tiny"], "pt") as file:
        assert json.loads(file.metadata()["lora_adapter_metadata"])["unet.lora_alpha"] == 8.0


def test_an_upload_of_another_base_is_refused(trained: dict[str, Path]) -> None:
    with pytest.raises(InputError) as caught:
        check_upload(trained["tiny"], family=None)  # a tiny family is none of ours
    assert caught.value.code == "adapter_base_unknown"


def test_a_kohya_file_is_not_exported_again(trained: dict[str, Path], tmp_path: Path) -> None:
    export_kohya(trained["tiny"], tmp_path / "a.safetensors")
    with pytest.raises(InputError) as caught:
        export_kohya(tmp_path / "a.safetensors", tmp_path / "b.safetensors")
    assert caught.value.code == "adapter_layout_unknown"
    assert not (tmp_path / "b.safetensors").exists()


def test_equal_trainings_are_equal_files(families: dict[str, FamilyFiles], dataset: DataSet, tmp_path: Path) -> None:
    first, second = (train(families["tiny"], dataset, PLAN, out=tmp_path / n, device="cpu") for n in "ab")
    assert first.checkpoints[-1].sha256 == second.checkpoints[-1].sha256
    other = train(families["tiny"], dataset, replace(PLAN, seed=4), out=tmp_path / "c", device="cpu")
    assert other.checkpoints[-1].sha256 != first.checkpoints[-1].sha256
