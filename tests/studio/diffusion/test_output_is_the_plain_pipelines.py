"""Same weights, seed and parameters: what diffusers' own pipeline makes, we make."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from bench.random_families import SD_ARGUMENTS
from studio.diffusion.engine import DiffusersEngine
from studio.diffusion.types import Control, FamilyFiles, Generate


def plain_pipeline(family: FamilyFiles, *, control: bool) -> Any:
    """Built the way diffusers' documentation does it, from the same files, without a line of ours."""
    diffusers, transformers = importlib.import_module("diffusers"), importlib.import_module("transformers")
    libraries = {"diffusers": diffusers, "transformers": transformers}
    parts = {p.name: getattr(libraries[p.library], p.class_name).from_pretrained(p.folder) for p in family.parts}
    if not control:
        del parts["controlnet"]
    cls = getattr(diffusers, family.control_inpaint if control else family.inpaint)
    xl = "text_encoder_2" in parts
    pipeline = cls(**parts, **({"add_watermarker": False} if xl else SD_ARGUMENTS))
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def distance(one: Image.Image, other: Image.Image) -> int:
    return int(np.abs(np.asarray(one, np.int16) - np.asarray(other, np.int16)).max())


def test_text_to_image_is_inpainting_with_everything_masked(family: FamilyFiles, engine: DiffusersEngine) -> None:
    expected = plain_pipeline(family, control=False)(
        prompt="a red coat", negative_prompt="blue", image=Image.new("RGB", (64, 96)),
        mask_image=Image.new("L", (64, 96), 255), width=64, height=96, strength=1.0, num_inference_steps=4,
        guidance_scale=3.0, generator=torch.Generator().manual_seed(11),
    ).images[0]  # fmt: skip
    request = Generate("a red coat", "blue", seed=11, steps=4, guidance_scale=3.0, sampler="DDIM", width=64, height=96)
    assert distance(engine.generate(request).images[0], expected) == 0


@pytest.mark.parametrize("strength", [1.0, 0.6])
def test_inpainting_with_a_skeleton(
    family: FamilyFiles,
    engine: DiffusersEngine,
    strength: float,
    photo: Image.Image,
    mask: Image.Image,
    skeleton: Image.Image,
) -> None:
    diffusers = importlib.import_module("diffusers")
    pipeline = plain_pipeline(family, control=True)
    pipeline.scheduler = diffusers.EulerAncestralDiscreteScheduler.from_config(pipeline.scheduler.config)
    expected = pipeline(
        prompt="a red coat", image=photo, mask_image=mask, control_image=skeleton, width=64, height=96,
        strength=strength, num_inference_steps=6, guidance_scale=3.0, controlnet_conditioning_scale=0.8,
        control_guidance_start=0.2, control_guidance_end=0.7, generator=torch.Generator().manual_seed(7),
    ).images[0]  # fmt: skip
    request = Generate(
        "a red coat", seed=7, steps=6, guidance_scale=3.0, sampler="Euler a", width=64, height=96,
        denoising_strength=strength, image=photo, mask=mask, mask_blur=0, paste_back=False,
        controls=(Control(skeleton, weight=0.8, start=0.2, end=0.7),),
    )  # fmt: skip
    assert distance(engine.generate(request).images[0], expected) == 0


def test_the_skeleton_the_mask_and_the_seed_all_matter(
    engine: DiffusersEngine, photo: Image.Image, mask: Image.Image, skeleton: Image.Image
) -> None:
    """Else the equalities above could hold between two pipelines that look at nothing."""
    base = Generate("a coat", seed=1, steps=3, sampler="DDIM", image=photo, mask=mask, paste_back=False)
    pictures = [
        engine.generate(request).images[0]
        for request in (
            base,
            Generate(**{**vars(base), "seed": 2}),
            Generate(**{**vars(base), "mask_invert": True}),
            Generate(**{**vars(base), "controls": (Control(skeleton),)}),
            Generate(**{**vars(base), "prompt": "xyz xyz xyz xyz"}),
        )
    ]
    assert all(distance(pictures[0], other) > 0 for other in pictures[1:])


def test_the_controlnet_rests_outside_of_its_window(
    engine: DiffusersEngine, skeleton: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluations = []
    net = engine.parts["controlnet"]
    entry = net.controlnet_cond_embedding
    hook = entry.register_forward_pre_hook(lambda module, args: evaluations.append(1))
    try:
        engine.generate(Generate("a coat", seed=1, steps=10, sampler="DDIM", controls=(Control(skeleton, end=0.5),)))
    finally:
        hook.remove()
    assert len(evaluations) == 5


def test_two_controls_add_up_and_one_of_no_weight_changes_nothing(
    engine: DiffusersEngine, skeleton: Image.Image, photo: Image.Image
) -> None:
    def made(*controls: Control) -> Image.Image:
        return engine.generate(Generate("a coat", seed=1, steps=3, sampler="DDIM", controls=controls)).images[0]

    alone = made(Control(skeleton))
    assert distance(made(Control(skeleton), Control(photo, weight=0)), alone) == 0
    assert distance(made(Control(skeleton), Control(photo)), alone) > 0
    assert distance(made(Control(skeleton, weight=0.5), Control(skeleton, weight=0.5)), alone) <= 1
