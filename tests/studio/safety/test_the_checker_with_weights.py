"""diffusers' checker from the weights store: its own verdicts, its thresholds, and pictures that stay as they are."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker, cosine_distance
from PIL import Image
from transformers import CLIPConfig, CLIPImageProcessor

from studio.errors import WeightsError
from studio.safety import bring_up
from studio.safety.concepts import ConceptChecker, finding
from studio.weights.importing import import_weights

TINY = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder with a tiny checker of random weights, whose thresholds some of the pictures pass."""
    monkeypatch.setenv("IMODEL_WEIGHTS", str(tmp_path / "store"))
    torch.manual_seed(5)
    config = CLIPConfig(
        text_config={**TINY, "vocab_size": 99}, projection_dim=8,
        vision_config={**TINY, "image_size": 32, "patch_size": 8},
    )  # fmt: skip
    model = StableDiffusionSafetyChecker(config)
    with torch.no_grad():
        model.concept_embeds.copy_(torch.randn(17, 8))
        model.special_care_embeds.copy_(torch.randn(3, 8))
    processor = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=32)
    with torch.no_grad():
        clip = processor(pictures(), return_tensors="pt").pixel_values
        embedded = model.eval().visual_projection(model.vision_model(clip)[1])
        for name, share in (("concept_embeds", 0.95), ("special_care_embeds", 0.7)):
            reached = cosine_distance(embedded, getattr(model, name)).quantile(share, dim=0)
            getattr(model, f"{name}_weights").copy_(reached)
    model.save_pretrained(tmp_path / "mine" / "safety_checker", safe_serialization=True)
    processor.save_pretrained(tmp_path / "mine" / "feature_extractor")
    return tmp_path / "mine"


def pictures() -> list[Image.Image]:
    dice = np.random.default_rng(7)
    return [Image.fromarray(dice.integers(0, 255, (40, 30 + k, 3), np.uint8)) for k in range(24)]


def test_its_verdicts_are_the_originals_and_no_picture_turns_black(mine: Path) -> None:
    import_weights("safety_checker", mine, parts={})
    checker, shown = bring_up(None), pictures()
    assert isinstance(checker, ConceptChecker)
    before = [picture.tobytes() for picture in shown]
    found = checker.look(shown)

    original = StableDiffusionSafetyChecker.from_pretrained(mine / "safety_checker").eval()
    clip = CLIPImageProcessor.from_pretrained(mine / "feature_extractor")(shown, return_tensors="pt").pixel_values
    _images, flags = original(clip, [np.ones((2, 2, 3)) for _ in shown])
    assert [one.flagged for one in found] == [bool(flag) for flag in flags]
    assert {True, False} == set(flags), "the random thresholds must tell some from others"
    assert [picture.tobytes() for picture in shown] == before
    assert all(one.checker == "diffusers-clip" for one in found)


def test_a_special_care_concept_lowers_the_other_thresholds() -> None:
    assert not finding([-0.005], [-0.2]).flagged
    found = finding([-0.005, -0.3], [0.04])
    assert found.flagged
    assert [(reason.code, reason.score) for reason in found.reasons] == [("concept_0", 0.005), ("special_care_0", 0.04)]
    assert not finding([-0.3], [0.04]).flagged


def test_margins_are_rounded_before_they_are_compared_as_the_original_does() -> None:
    assert not finding([0.0004], []).flagged
    assert finding([0.0006], []).flagged


def test_a_pickle_in_its_place_is_refused(mine: Path) -> None:
    (mine / "safety_checker" / "model.safetensors").unlink()
    (mine / "safety_checker" / "pytorch_model.bin").write_bytes(pickle.dumps({}))
    with pytest.raises(WeightsError) as caught:
        import_weights("safety_checker", mine, parts={})
    assert caught.value.code == "pickle_refused"


def test_damaged_weights_are_said_and_rules_do_not_stand_in_unnoticed(mine: Path) -> None:
    located = import_weights("safety_checker", mine, parts={}).located
    (located.root / "safety_checker" / "model.safetensors").write_bytes(b"short")
    with pytest.raises(WeightsError) as caught:
        bring_up(None)
    assert caught.value.code == "weights_damaged"
