"""LoRAs of noise for the bundled family: enough to change every picture."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

import studio.mini

UNET = Path(studio.mini.__file__).parent / "weights" / "unet" / "diffusion_pytorch_model.safetensors"


def noise_adapter(path: Path, *, seed: int = 0, rank: int = 4) -> Path:
    """Write one in diffusers' layout."""
    generator, tensors = torch.Generator().manual_seed(seed), {}
    for name, weight in load_file(UNET).items():
        if name.endswith(("attn2.to_q.weight", "attn2.to_v.weight")):
            stem = f"unet.{name.removesuffix('.weight')}"
            tensors[f"{stem}.lora_A.weight"] = torch.randn(rank, weight.shape[1], generator=generator)
            tensors[f"{stem}.lora_B.weight"] = torch.randn(weight.shape[0], rank, generator=generator) * 0.2
    save_file(tensors, path)
    return path
