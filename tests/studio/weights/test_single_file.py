"""A single-file checkpoint becomes the family's parts, tensor for tensor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from studio.errors import WeightsError
from studio.weights import FAMILIES, locate
from studio.weights.importing import import_weights
from studio.weights.verify import verify
from tests.studio.weights.checkpoint_maker import save_checkpoint, save_diffusers, tiny_models

PLAIN = "diffusion_pytorch_model.safetensors"


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    """Tiny models, the ones that a checkpoint must turn into again."""
    return tiny_models()


@pytest.fixture
def installed(models: dict[str, Any], tmp_path: Path) -> Path:
    """An sd15 of the same shape but other values, whose configs a checkpoint borrows."""
    others = {name: type(model).from_config(model.config) for name, model in models.items() if name != "text_encoder"}
    others["text_encoder"] = type(models["text_encoder"])(models["text_encoder"].config)
    folder = save_diffusers(others, tmp_path / "other")
    return import_weights("sd15", folder, parts={}).located.root


def test_every_tensor_of_a_checkpoint_arrives_in_its_part(
    models: dict[str, Any], installed: Path, tmp_path: Path
) -> None:
    controlnet = load_file(installed / "controlnet" / PLAIN)

    located = import_weights("sd15", save_checkpoint(models, tmp_path / "mine.safetensors"), parts={}).located

    for name, file in (("unet", PLAIN), ("vae", PLAIN), ("text_encoder", "model.safetensors")):
        got = type(models[name]).from_pretrained(located.components[name]).state_dict()
        wanted = {key: value.half() for key, value in models[name].state_dict().items()}
        assert got.keys() == wanted.keys()
        assert all(torch.equal(got[key].half(), wanted[key]) for key in wanted), name
        assert {tensor.dtype for tensor in load_file(located.components[name] / file).values()} <= {
            torch.float16,
            torch.int64,
        }
    kept = load_file(located.components["controlnet"] / PLAIN)
    assert all(torch.equal(kept[key], controlnet[key]) for key in controlnet)
    verify("sd15")


def test_a_checkpoint_that_can_not_inpaint_is_refused(models: dict[str, Any], installed: Path, tmp_path: Path) -> None:
    before = locate("sd15").files
    path = save_checkpoint(models, tmp_path / "mine.safetensors")
    state = load_file(path)
    first = "model.diffusion_model.input_blocks.0.0.weight"
    save_file({**state, first: state[first][:, :4].contiguous()}, path)

    with pytest.raises(WeightsError) as caught:
        import_weights("sd15", path, parts={})

    assert caught.value.code == "weights_mismatch"
    assert locate("sd15").files == before


@pytest.mark.parametrize(
    ("lacking", "part"),
    [
        ("first_stage_model", "vae"),
        ("first_stage_model.decoder.conv_in.weight", "vae"),
        ("model.diffusion_model.middle_block.1.norm.weight", "unet"),
        ("cond_stage_model.transformer.text_model.final_layer_norm.weight", "text_encoder"),
    ],
)
def test_a_checkpoint_that_lacks_a_part_or_a_tensor_is_refused_and_the_part_named(
    models: dict[str, Any], installed: Path, tmp_path: Path, lacking: str, part: str
) -> None:
    path = save_checkpoint(models, tmp_path / "mine.safetensors")
    state = load_file(path)
    save_file({key: value for key, value in state.items() if lacking not in key}, path)

    with pytest.raises(WeightsError) as caught:
        import_weights("sd15", path, parts={})

    assert caught.value.code == "weights_mismatch"
    assert part in caught.value.message


@pytest.mark.parametrize("name", ["sd15", "sdxl"])
def test_the_classes_in_the_table_are_those_of_the_libraries(name: str) -> None:
    import diffusers
    import transformers

    family = FAMILIES[name]
    libraries = {"diffusers": diffusers, "transformers": transformers}
    assert family.pipelines is not None
    assert all(hasattr(libraries[part.library], part.class_name) for part in family.components)
    for pipeline in (family.pipelines.inpaint, family.pipelines.control_inpaint):
        expected, optional = getattr(diffusers, pipeline)._get_signature_keys(getattr(diffusers, pipeline))
        given = {part.name for part in family.components} | {key for key, _ in family.pipelines.arguments}
        unset = {"image_encoder", "feature_extractor", "force_zeros_for_empty_prompt", "requires_aesthetics_score"}
        assert set(expected) - {"controlnet"} <= given | unset
        assert {key for key, _ in family.pipelines.arguments} <= set(expected) | set(optional)
