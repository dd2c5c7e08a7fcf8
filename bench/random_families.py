"""Families of weights with seeded random values, for benchmarks and tests: time does not depend on the values.

``tiny`` and ``tiny_xl`` have the classes and the layout of sd15 and sdxl at a thousandth of their size; ``mid`` and
``mid_xl`` are in between; ``sd15`` and ``sdxl`` have the published architectures. Saved as a user's files are:
diffusers' folders.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from studio.diffusion.types import Defaults, FamilyFiles, Part

SD_ARGUMENTS = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
SCHEDULE = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "steps_offset": 1,
    "clip_sample": False,
    "timestep_spacing": "leading",
}


@dataclass(frozen=True)
class Shape:
    """What makes one family's architecture.

    Attributes:
        channels: of the UNet's levels.
        attention: which levels have cross attention, and how many transformer layers each.
        heads: attention_head_dim, which in diffusers' SD configs is the number of heads.
        texts: (width, layers, heads) of each text encoder; two make it an SDXL.
        vae: channels of the VAE's levels.
        groups: of the UNet's group norms.
        projection: width of the second text encoder's pooled output.
        inputs: the UNet's channels: 9 inpaints, 4 does not.
    """

    channels: tuple[int, ...]
    attention: tuple[int, ...]
    heads: int | tuple[int, ...]
    texts: tuple[tuple[int, int, int], ...]
    vae: tuple[int, ...]
    defaults: Defaults
    groups: int = 32
    layers: int = 2
    projection: int = 0
    time_width: int = 256
    max_length: int = 77
    prediction: str = "epsilon"
    inputs: int = 9

    @property
    def xl(self) -> bool:
        """Whether it is an SDXL."""
        return len(self.texts) == 2


TINY = Shape(
    channels=(16, 32), attention=(1, 1), heads=4, texts=((16, 2, 2),), vae=(8, 8, 8, 8), groups=8, layers=1,
    defaults=Defaults(4, 2.5, "DDIM", 64, 96), max_length=48, prediction="v_prediction",
)  # fmt: skip
TINY_XL = replace(
    TINY, attention=(0, 1), texts=((16, 2, 2), (24, 2, 2)), projection=24, time_width=8, prediction="epsilon"
)
MID = Shape(
    channels=(64, 128, 256, 256), attention=(1, 1, 1, 0), heads=8, texts=((256, 6, 4),), vae=(16, 32, 64, 64),
    defaults=Defaults(10, 5.0, "DPM++ 2M Karras", 256, 384),
)  # fmt: skip
SD15 = Shape(
    channels=(320, 640, 1280, 1280), attention=(1, 1, 1, 0), heads=8, texts=((768, 12, 12),), vae=(128, 256, 512, 512),
    defaults=Defaults(20, 7.0, "DPM++ 2M Karras", 512, 768),
)  # fmt: skip
SDXL = Shape(
    channels=(320, 640, 1280), attention=(0, 2, 10), heads=(5, 10, 20), texts=((768, 12, 12), (1280, 32, 20)),
    vae=(128, 256, 512, 512), defaults=Defaults(30, 7.0, "DPM++ 2M Karras", 1024, 1024), projection=1280,
)  # fmt: skip
MID_XL = replace(
    MID, channels=(64, 128, 256), attention=(0, 2, 4), heads=(2, 4, 8), texts=((256, 6, 4), (320, 6, 4)),
    vae=(16, 32, 64, 64), projection=320,
)  # fmt: skip
SHAPES = {"tiny": TINY, "tiny_xl": TINY_XL, "mid": MID, "mid_xl": MID_XL, "sd15": SD15, "sdxl": SDXL}
PLAIN = {f"{name}_plain": replace(SHAPES[name], inputs=4) for name in ("tiny", "tiny_xl", "sd15", "sdxl")}


def write_family(folder: Path, name: str, *, seed: int = 0, dtype: Any = None) -> FamilyFiles:
    """Write a family of :data:`SHAPES` or :data:`PLAIN` below ``folder`` and say where its parts are."""
    import torch

    shape = (SHAPES | PLAIN)[name]
    torch.manual_seed(seed)
    classes = {}
    for part, module in modules(shape).items():
        (module if dtype is None else module.to(dtype)).save_pretrained(folder / part)
        classes[part] = ("transformers" if "text" in part else "diffusers", type(module).__name__)
    for part in ("tokenizer", "tokenizer_2") if shape.xl else ("tokenizer",):
        write_tokenizer(folder / part, max_length=shape.max_length)
        classes[part] = ("transformers", "CLIPTokenizer")
    scheduler = {"_class_name": "DDIMScheduler", "prediction_type": shape.prediction, **SCHEDULE}
    (folder / "scheduler").mkdir()
    (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps(scheduler))
    classes["scheduler"] = ("diffusers", "DDIMScheduler")
    parts = tuple(Part(part, *classes[part], folder / part) for part in classes)
    prefix = "StableDiffusionXL" if shape.xl else "StableDiffusion"
    names = f"{prefix}InpaintPipeline", f"{prefix}ControlNetInpaintPipeline"
    arguments = {"add_watermarker": False} if shape.xl else SD_ARGUMENTS
    return FamilyFiles(name, parts, *names, shape.defaults, arguments)


def modules(shape: Shape) -> dict[str, Any]:
    """The family's modules with random weights; every zero-initialised layer too, or a ControlNet would do nothing."""
    import torch
    from diffusers import AutoencoderKL, ControlNetModel, UNet2DConditionModel

    common = denoiser_config(shape)
    parts: dict[str, Any] = {
        "vae": AutoencoderKL(
            block_out_channels=shape.vae,
            down_block_types=["DownEncoderBlock2D"] * len(shape.vae),
            up_block_types=["UpDecoderBlock2D"] * len(shape.vae),
            layers_per_block=shape.layers,
            norm_num_groups=min(shape.groups, min(shape.vae)),
            latent_channels=4,
            force_upcast=shape.xl,
            scaling_factor=0.13025 if shape.xl else 0.18215,
        ),
        "unet": UNet2DConditionModel(
            in_channels=shape.inputs,
            out_channels=4,
            up_block_types=up_blocks(shape),
            sample_size=shape.defaults.height // 8,
            **common,
        ),
        "controlnet": ControlNetModel(in_channels=4, conditioning_embedding_out_channels=(16, 32, 96, 256), **common),
    }
    parts.update(text_encoders(shape))
    for weight in (weight for part in parts.values() for weight in part.parameters()):
        if weight.ndim > 1 and not bool(weight.any()):
            torch.nn.init.normal_(weight, std=0.05)
    return parts


def denoiser_config(shape: Shape) -> dict[str, Any]:
    """What UNet and ControlNet have in common."""
    config: dict[str, Any] = {
        "block_out_channels": shape.channels,
        "down_block_types": ["CrossAttnDownBlock2D" if depth else "DownBlock2D" for depth in shape.attention],
        "layers_per_block": shape.layers,
        "cross_attention_dim": sum(width for width, _, _ in shape.texts),
        "attention_head_dim": shape.heads,
        "norm_num_groups": shape.groups,
        "use_linear_projection": shape.xl,
        "transformer_layers_per_block": tuple(max(depth, 1) for depth in shape.attention),
    }
    if shape.xl:
        width = 6 * shape.time_width + shape.projection
        config |= {"addition_embed_type": "text_time", "addition_time_embed_dim": shape.time_width}
        config |= {"projection_class_embeddings_input_dim": width}
    return config


def up_blocks(shape: Shape) -> list[str]:
    """The UNet's way up mirrors its way down."""
    return ["CrossAttnUpBlock2D" if depth else "UpBlock2D" for depth in reversed(shape.attention)]


def text_encoders(shape: Shape) -> dict[str, Any]:
    """One CLIP text encoder, or SDXL's two."""
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    encoders = {}
    for index, (width, layers, heads) in enumerate(shape.texts):
        config = CLIPTextConfig(
            vocab_size=49408 if width > 256 else len(vocabulary()),
            hidden_size=width,
            intermediate_size=width * 4,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            max_position_embeddings=shape.max_length,
            projection_dim=shape.projection or width,
            bos_token_id=len(vocabulary()) - 2,
            eos_token_id=len(vocabulary()) - 1,
        )
        cls = CLIPTextModelWithProjection if index else CLIPTextModel
        encoders["text_encoder_2" if index else "text_encoder"] = cls(config)
    return encoders


def vocabulary() -> list[str]:
    """Letters alone and at a word's end, then the two marks: a tokenizer without merges."""
    letters = [chr(code) for code in range(33, 127)]
    return [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]


def write_tokenizer(folder: Path, *, max_length: int) -> None:
    """A CLIP tokenizer that spells."""
    folder.mkdir(parents=True)
    (folder / "vocab.json").write_text(json.dumps({token: index for index, token in enumerate(vocabulary())}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    start, end = "<|startoftext|>", "<|endoftext|>"
    config = {"bos_token": start, "eos_token": end, "unk_token": end, "pad_token": end, "model_max_length": max_length}
    (folder / "tokenizer_config.json").write_text(json.dumps({**config, "tokenizer_class": "CLIPTokenizer"}))
