"""The shapes of the ``mini`` family: one recipe for two cores, a larger one for an accelerator, both in diffusers' own
classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from diffusers import AutoencoderKL, ControlNetModel, UNet2DConditionModel
    from transformers import CLIPTextModel

MAX_TOKENS = 48


@dataclass(frozen=True)
class Recipe:
    """Sizes and lengths of one training.

    Attributes:
        pictures: how many world pictures are rendered.
        vae_channels, unet_channels: widths per level.
        text_width, text_layers: of the CLIP text encoder.
        vae_steps, steps, word_steps: optimiser steps of the autoencoder, and of the two phases of UNet + ControlNet +
            text encoder together (:data:`studio.mini.train_denoiser.PHASES`).
        vae_batch, batch: pictures a step.
        vae_rate, rate: peak learning rates (cosine to zero after a linear warm-up).
    """

    name: str
    pictures: int
    vae_channels: tuple[int, ...]
    unet_channels: tuple[int, ...]
    unet_layers: int
    text_width: int
    text_layers: int
    vae_steps: int
    vae_batch: int
    vae_rate: float
    steps: int
    word_steps: int
    batch: int
    rate: float


RECIPES = {
    "cpu": Recipe("cpu", 14_000, (16, 32, 64, 96), (64, 128, 192), 1, 128, 3, 4_000, 8, 1.6e-3, 6_000, 4_000, 16, 8e-4),
    "large": Recipe(
        "large", 60_000, (24, 48, 96, 128), (80, 144, 208), 1, 160, 4, 30_000, 64, 1e-3, 90_000, 60_000, 256, 6e-4
    ),
    "smoke": Recipe("smoke", 8, (8, 8, 16, 16), (16, 32, 32), 1, 32, 1, 2, 2, 1e-3, 2, 2, 2, 1e-3),
}


def build_vae(recipe: Recipe) -> AutoencoderKL:
    """f8 autoencoder with 4 latent channels (Rombach et al. 2022, arXiv:2112.10752), no attention."""
    from diffusers import AutoencoderKL

    levels = len(recipe.vae_channels)
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        block_out_channels=recipe.vae_channels,
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=8,
        mid_block_add_attention=False,
        sample_size=192,
    )


def build_text_encoder(recipe: Recipe, *, vocabulary: int, start: int, end: int) -> CLIPTextModel:
    """A small CLIP text transformer (Radford et al. 2021, arXiv:2103.00020), trained together with the UNet."""
    from transformers import CLIPTextConfig, CLIPTextModel

    config = CLIPTextConfig(
        vocab_size=vocabulary,
        hidden_size=recipe.text_width,
        intermediate_size=recipe.text_width * 3,
        num_hidden_layers=recipe.text_layers,
        num_attention_heads=recipe.text_width // 32,
        max_position_embeddings=MAX_TOKENS,
        bos_token_id=start,
        eos_token_id=end,
        pad_token_id=end,
        projection_dim=recipe.text_width,
    )
    return CLIPTextModel(config)


def _shared(recipe: Recipe) -> dict[str, Any]:
    return {
        "block_out_channels": recipe.unet_channels,
        "layers_per_block": recipe.unet_layers,
        "cross_attention_dim": recipe.text_width,
        "attention_head_dim": 4,
        "norm_num_groups": 16,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    }


def build_unet(recipe: Recipe) -> UNet2DConditionModel:
    """Nine input channels: noisy latents 4, mask 1, latents of the masked picture 4, in diffusers' inpainting order.

    ``sample_size`` is what diffusers' pipelines insist on; the network itself takes any size, and is trained at 24x16.
    """
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=64,
        in_channels=9,
        out_channels=4,
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        **_shared(recipe),
    )


def build_controlnet(recipe: Recipe) -> ControlNetModel:
    """The UNet's encoder again, on the noisy latents alone, reading the skeleton picture (Zhang et al. 2023,
    arXiv:2302.05543).
    """
    from diffusers import ControlNetModel

    embedding = (8, 16, 32, 64) if min(recipe.unet_channels) >= 64 else (4, 8, 8, 16)
    return ControlNetModel(in_channels=4, conditioning_embedding_out_channels=embedding, **_shared(recipe))
