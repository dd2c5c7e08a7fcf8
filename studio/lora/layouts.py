"""What a LoRA's modules are called: by diffusers, and by kohya's sd-scripts. No torch.

kohya flattens a module's path with underscores. For Stable Diffusion the path is diffusers' own; for SDXL it is that of
Stability's generative-models, whose blocks are numbered through (sd-scripts, library/sdxl_original_unet.py).
"""

from __future__ import annotations

import re

UNET_PREFIX = "lora_unet_"
TEXT_PREFIXES = {"sd": {"text_encoder": "lora_te_"}, "xl": {"text_encoder": "lora_te1_", "text_encoder_2": "lora_te2_"}}
_RESNET = {"conv1": "in_layers.2", "conv2": "out_layers.3", "conv_shortcut": "skip_connection",
           "time_emb_proj": "emb_layers.1"}  # fmt: skip
_BLOCK = re.compile(r"(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.+)")
_MIDDLE = re.compile(r"mid_block\.(resnets|attentions)\.(\d+)\.(.+)")


def kohya_name(component: str, module: str, *, xl: bool, layers: int) -> str:
    """``lora_unet_...`` for a module of diffusers' name.

    Args:
        component: ``unet``, ``text_encoder`` or ``text_encoder_2``.
        module: its path in the component, ``text_model.`` in front or not.
        xl: whether it is an SDXL.
        layers: the denoiser's ``layers_per_block``.
    """
    if component != "unet":
        prefix = TEXT_PREFIXES["xl" if xl else "sd"][component]
        return prefix + text_module(module).replace(".", "_")
    return UNET_PREFIX + (sgm_name(module, layers=layers) if xl else module).replace(".", "_")


def text_module(module: str) -> str:
    """With the level that transformers 5 took out of CLIPTextModel: files keep it, every loader knows it."""
    return module if module.startswith(("text_model.", "text_projection")) else f"text_model.{module}"


def sgm_name(module: str, *, layers: int) -> str:
    """A denoiser's module in generative-models' numbering: input_blocks, middle_block, output_blocks."""
    middle = _MIDDLE.fullmatch(module)
    if middle:
        kind, index, rest = middle.groups()
        place = 1 if kind == "attentions" else 2 * int(index)
        return f"middle_block.{place}.{_inner(kind, rest)}"
    block = _BLOCK.fullmatch(module)
    if not block:
        return module
    way, level, kind, index, rest = block.groups()
    start = int(level) * (layers + 1)
    if kind == "downsamplers":
        return f"input_blocks.{start + layers + 1}.0.op"
    if kind == "upsamplers":
        return f"output_blocks.{start + layers}.2.conv"
    number = start + int(index) + (1 if way == "down" else 0)
    where = "input_blocks" if way == "down" else "output_blocks"
    return f"{where}.{number}.{0 if kind == 'resnets' else 1}.{_inner(kind, rest)}"


def _inner(kind: str, rest: str) -> str:
    return _RESNET.get(rest, rest) if kind == "resnets" else rest
