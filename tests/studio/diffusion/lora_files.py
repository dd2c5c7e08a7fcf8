"""LoRA files as other programs write them, for the tiny families."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

ATTENTION = ("to_q", "to_v", "to_out.0")
TEXT = ("q_proj", "v_proj")


def targets(engine: Any, *, parts: tuple[str, ...] = ("unet",)) -> dict[tuple[str, str], torch.nn.Module]:
    """(component, module name) of the usual targets."""
    found = {}
    for part in parts:
        ends = ATTENTION if part == "unet" else TEXT
        for name, module in engine.parts[part].named_modules():
            plain = name.removesuffix(".base_layer")
            if "lora" not in name and plain.endswith(ends) and hasattr(module, "in_features"):
                found[part, plain] = module
    return found


def matrices(
    engine: Any, *, seed: int, rank: int = 4, parts: tuple[str, ...] = ("unet",), size: float = 0.3
) -> dict[tuple[str, str], tuple[torch.Tensor, torch.Tensor]]:
    """Random (down, up) for each target."""
    generator = torch.Generator().manual_seed(seed)
    return {
        name: (
            torch.randn(rank, module.in_features, generator=generator) * size,
            torch.randn(module.out_features, rank, generator=generator) * size,
        )
        for name, module in targets(engine, parts=parts).items()
    }


def write_diffusers(path: Path, pairs: Mapping[tuple[str, str], Any], *, config: dict[str, Any] | None = None) -> Path:
    """As ``save_lora_weights`` does, with the LoraConfig beside the weights when given."""
    tensors = {}
    for (part, name), (down, up) in pairs.items():
        tensors[f"{part}.{name}.lora_A.weight"] = down
        tensors[f"{part}.{name}.lora_B.weight"] = up
    metadata = {"format": "pt"}
    if config is not None:
        metadata["lora_adapter_metadata"] = json.dumps(config)
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path, metadata=metadata)
    return path


def write_kohya(path: Path, pairs: Mapping[tuple[str, str], Any], *, alpha: float, xl: bool) -> Path:
    """As kohya's sd-scripts do: flattened names, down and up, an alpha for each module."""
    prefixes = {"unet": "lora_unet_", "text_encoder": "lora_te1_" if xl else "lora_te_", "text_encoder_2": "lora_te2_"}
    tensors = {}
    for (part, name), (down, up) in pairs.items():
        full = name if part == "unet" or name.startswith("text_model.") else f"text_model.{name}"
        stem = prefixes[part] + full.replace(".", "_")
        tensors[f"{stem}.lora_down.weight"] = down
        tensors[f"{stem}.lora_up.weight"] = up
        tensors[f"{stem}.alpha"] = torch.tensor(alpha)
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)
    return path
