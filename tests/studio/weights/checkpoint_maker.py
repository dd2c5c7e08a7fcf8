"""A tiny inpainting family in diffusers layout, and the same tensors under the original authors' names.

The names follow the CompVis latent-diffusion repository's modules: what single-file checkpoints are made of.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

Tensors = dict[str, torch.Tensor]
WIDTH = 768


def tiny_models() -> dict[str, Any]:
    """VAE, text encoder, UNet and ControlNet of sd15's shape, two levels deep, seeded."""
    from diffusers import AutoencoderKL, ControlNetModel, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    torch.manual_seed(7)
    unet = UNet2DConditionModel(
        in_channels=9, block_out_channels=(32, 64), layers_per_block=1, cross_attention_dim=WIDTH, attention_head_dim=8,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
    )  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=(32, 64), layers_per_block=1, latent_channels=4,
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
    )  # fmt: skip
    text = CLIPTextConfig(
        vocab_size=100, hidden_size=WIDTH, intermediate_size=64, num_hidden_layers=1, num_attention_heads=4,
        projection_dim=WIDTH, architectures=["CLIPTextModel"],
    )  # fmt: skip
    controlnet = ControlNetModel.from_unet(unet, conditioning_channels=3)
    return {"vae": vae, "text_encoder": CLIPTextModel(text), "unet": unet, "controlnet": controlnet}


def save_diffusers(models: dict[str, Any], root: Path) -> Path:
    """The folder that a user of diffusers would have."""
    for name, model in models.items():
        model.save_pretrained(root / name, safe_serialization=True)
    for name, files in (("tokenizer", ("vocab.json", "merges.txt")), ("scheduler", ("scheduler_config.json",))):
        (root / name).mkdir()
        for file in files:
            (root / name / file).write_text(json.dumps({}) if file.endswith("json") else "#version: 0.2\n")
    return root


def save_checkpoint(models: dict[str, Any], path: Path) -> Path:
    """The same tensors in one file, under the original names."""
    state = {f"model.diffusion_model.{k}": v for k, v in _unet(models["unet"].state_dict()).items()}
    state |= {f"first_stage_model.{k}": v for k, v in _vae(models["vae"].state_dict()).items()}
    for key, value in models["text_encoder"].state_dict().items():
        state[f"cond_stage_model.transformer.text_model.{key.removeprefix('text_model.')}"] = value
    save_file({key: value.contiguous() for key, value in state.items()}, path)
    return path


RESNET = (
    ("norm1", "in_layers.0"), ("conv1", "in_layers.2"), ("time_emb_proj", "emb_layers.1"),
    ("norm2", "out_layers.0"), ("conv2", "out_layers.3"), ("conv_shortcut", "skip_connection"),
)  # fmt: skip
UNET_PREFIXES = (
    ("time_embedding.linear_1", "time_embed.0"), ("time_embedding.linear_2", "time_embed.2"),
    ("conv_in", "input_blocks.0.0"), ("conv_norm_out", "out.0"), ("conv_out", "out.2"),
    ("down_blocks.0.resnets.0", "input_blocks.1.0"), ("down_blocks.0.attentions.0", "input_blocks.1.1"),
    ("down_blocks.0.downsamplers.0.conv", "input_blocks.2.0.op"), ("down_blocks.1.resnets.0", "input_blocks.3.0"),
    ("mid_block.resnets.0", "middle_block.0"), ("mid_block.attentions.0", "middle_block.1"),
    ("mid_block.resnets.1", "middle_block.2"),
    ("up_blocks.0.resnets.0", "output_blocks.0.0"), ("up_blocks.0.resnets.1", "output_blocks.1.0"),
    ("up_blocks.0.upsamplers.0.conv", "output_blocks.1.1.conv"),
    ("up_blocks.1.resnets.0", "output_blocks.2.0"), ("up_blocks.1.attentions.0", "output_blocks.2.1"),
    ("up_blocks.1.resnets.1", "output_blocks.3.0"), ("up_blocks.1.attentions.1", "output_blocks.3.1"),
)  # fmt: skip
VAE_PREFIXES = (
    ("encoder.down_blocks.0.resnets.0", "encoder.down.0.block.0"),
    ("encoder.down_blocks.0.downsamplers.0.conv", "encoder.down.0.downsample.conv"),
    ("encoder.down_blocks.1.resnets.0", "encoder.down.1.block.0"),
    ("decoder.up_blocks.0.resnets.0", "decoder.up.1.block.0"),
    ("decoder.up_blocks.0.resnets.1", "decoder.up.1.block.1"),
    ("decoder.up_blocks.0.upsamplers.0.conv", "decoder.up.1.upsample.conv"),
    ("decoder.up_blocks.1.resnets.0", "decoder.up.0.block.0"),
    ("decoder.up_blocks.1.resnets.1", "decoder.up.0.block.1"),
    *(
        (f"{side}.mid_block.resnets.{i}", f"{side}.mid.block_{i + 1}")
        for side in ("encoder", "decoder")
        for i in (0, 1)
    ),
    *((f"{side}.mid_block.attentions.0", f"{side}.mid.attn_1") for side in ("encoder", "decoder")),
    *((f"{side}.conv_norm_out", f"{side}.norm_out") for side in ("encoder", "decoder")),
)
VAE_ATTENTION = (("group_norm", "norm"), ("to_q", "q"), ("to_k", "k"), ("to_v", "v"), ("to_out.0", "proj_out"))


def _renamed(key: str, prefixes: tuple[tuple[str, str], ...]) -> tuple[str, str]:
    """The original module of a key and what follows it; the key itself where both sides agree."""
    for ours, theirs in prefixes:
        if key.startswith(f"{ours}."):
            return theirs, key[len(ours) + 1 :]
    return "", key


def _unet(state: Tensors) -> Tensors:
    renamed = {}
    for key, value in state.items():
        module, rest = _renamed(key, UNET_PREFIXES)
        if ".resnets." in key:
            inner, rest = _renamed(rest, RESNET)
            rest = f"{inner}.{rest}"
        assert module, key
        renamed[f"{module}.{rest}"] = value
    return renamed


def _vae(state: Tensors) -> Tensors:
    renamed = {}
    for key, value in state.items():
        module, rest = _renamed(key, VAE_PREFIXES)
        if ".attentions." in key:
            inner, rest = _renamed(rest, VAE_ATTENTION)
            # The original attention is made of 1x1 convolutions.
            value = value[:, :, None, None] if value.ndim == 2 else value
            rest = f"{inner}.{rest}"
        rest = rest.replace("conv_shortcut", "nin_shortcut")
        renamed[f"{module}.{rest}" if module else rest] = value
    return renamed
