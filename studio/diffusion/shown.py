"""A photo as an engine could show it at best: through its autoencoder and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image


def as_shown(engine: Any, picture: Image.Image) -> Image.Image:
    """The picture encoded and decoded; what is lost there no painting of that engine has either.

    Args:
        engine: a :class:`studio.diffusion.engine.DiffusersEngine`, between two jobs.
        picture: RGB, sides multiples of 8.
    """
    import torch

    vae = engine.parts["vae"]
    dtype = vae.dtype
    # As diffusers' own pipelines do it: SDXL's autoencoder overflows in half precision.
    upcast = dtype == torch.float16 and bool(vae.config.force_upcast)
    pixels = torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1)[None].float() / 127.5 - 1
    try:
        if upcast:
            vae.to(dtype=torch.float32)
        with torch.no_grad():
            latents = vae.encode(pixels.to(vae.device, vae.dtype)).latent_dist.mean
            made = vae.decode(latents).sample[0]
    finally:
        if upcast:
            vae.to(dtype=dtype)
    levels = ((made.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return Image.fromarray(levels.permute(1, 2, 0).cpu().numpy())
