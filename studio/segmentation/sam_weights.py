"""Segment Anything's three sizes and how a checkpoint becomes one of them.

Source: Kirillov et al. 2023, "Segment Anything", https://arxiv.org/abs/2304.02643, appendix A; the numbers are those of
``segment_anything`` 1.0, whose classes are used as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from safetensors.torch import load_file

from studio.errors import WeightsError
from studio.segmentation.torchvision_names import segment_anything
from studio.weights.foreign import load_torch_checkpoint
from studio.weights.safety import check_safetensors

IMAGE_SIZE = 1024
PATCH = 16
CHANNELS = 256
PIXEL_MEAN = (123.675, 116.28, 103.53)
PIXEL_STD = (58.395, 57.12, 57.375)


@dataclass(frozen=True)
class Architecture:
    """The image encoder's size; prompt encoder and mask decoder are the same in all three."""

    width: int
    depth: int
    heads: int
    global_attention: tuple[int, ...]


ARCHITECTURES: Mapping[str, Architecture] = MappingProxyType(
    {
        "vit_b": Architecture(768, 12, 12, (2, 5, 8, 11)),
        "vit_l": Architecture(1024, 24, 16, (5, 11, 17, 23)),
        "vit_h": Architecture(1280, 32, 16, (7, 15, 23, 31)),
    }
)


def build(architecture: Architecture) -> torch.nn.Module:
    """An untrained ``segment_anything.modeling.Sam`` on the current default device, in evaluation mode."""
    modeling = segment_anything().modeling
    prompt_encoder, mask_decoder = decoding_parts(modeling)
    model: torch.nn.Module = modeling.Sam(
        image_encoder=_encoder(modeling, architecture),
        prompt_encoder=prompt_encoder,
        mask_decoder=mask_decoder,
        pixel_mean=list(PIXEL_MEAN),
        pixel_std=list(PIXEL_STD),
    )
    return model.eval()


def decoding_parts(modeling: Any) -> tuple[torch.nn.Module, torch.nn.Module]:
    """SAM's prompt encoder and mask decoder, untrained, at the sizes that all of its encoders share."""
    side = IMAGE_SIZE // PATCH
    prompt_encoder: torch.nn.Module = modeling.PromptEncoder(
        embed_dim=CHANNELS,
        image_embedding_size=(side, side),
        input_image_size=(IMAGE_SIZE, IMAGE_SIZE),
        mask_in_chans=16,
    )
    mask_decoder: torch.nn.Module = modeling.MaskDecoder(
        num_multimask_outputs=3,
        transformer=modeling.TwoWayTransformer(depth=2, embedding_dim=CHANNELS, mlp_dim=2048, num_heads=8),
        transformer_dim=CHANNELS,
        iou_head_depth=3,
        iou_head_hidden_dim=256,
    )
    return prompt_encoder, mask_decoder


def _encoder(modeling: Any, architecture: Architecture) -> torch.nn.Module:
    encoder: torch.nn.Module = modeling.ImageEncoderViT(
        img_size=IMAGE_SIZE,
        patch_size=PATCH,
        embed_dim=architecture.width,
        depth=architecture.depth,
        num_heads=architecture.heads,
        mlp_ratio=4,
        out_chans=CHANNELS,
        norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
        qkv_bias=True,
        use_rel_pos=True,
        global_attn_indexes=list(architecture.global_attention),
        window_size=14,
    )
    return encoder


def load(path: Path, architecture: str) -> torch.nn.Module:
    """The named architecture holding the checkpoint's weights, float32, on the CPU.

    Args:
        path: a ``.pth`` as Meta published it, or the same tensors as ``.safetensors``.
        architecture: ``vit_b``, ``vit_l`` or ``vit_h``.

    Raises:
        WeightsError: ``architecture_unknown``, ``weights_missing``, ``weights_mismatch`` (another architecture, or not
            SAM), and those of the weights room: ``pickle_refused``, ``checkpoint_invalid``, ``safetensors_invalid``.
    """
    if architecture not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise WeightsError("architecture_unknown", f"SAM has no architecture {architecture!r}: choose one of {known}.")
    state = read_checkpoint(path, architecture)
    return assemble(state, architecture, origin=str(path))


def assemble(state: Mapping[str, torch.Tensor], architecture: str, *, origin: str) -> torch.nn.Module:
    """The architecture with ``state`` put in, without ever allocating a second copy of the weights."""
    with torch.device("meta"):
        model = build(ARCHITECTURES[architecture])
    check_state(state, architecture, origin=origin)
    model.load_state_dict({name: tensor.float() for name, tensor in state.items()}, strict=True, assign=True)
    # Not part of a checkpoint, so still without storage after the load.
    model.pixel_mean = torch.tensor(PIXEL_MEAN).view(-1, 1, 1)
    model.pixel_std = torch.tensor(PIXEL_STD).view(-1, 1, 1)
    return model.eval()


def check_state(state: Mapping[str, torch.Tensor], architecture: str, *, origin: str) -> None:
    """Raise ``weights_mismatch`` (WeightsError) unless names and shapes are the architecture's; values are not read."""
    if _shapes(state) == expected_shapes(architecture):
        return
    for other in ARCHITECTURES:
        if _shapes(state) == expected_shapes(other):
            raise WeightsError(
                "weights_mismatch", f"{origin} holds SAM {other}, not {architecture}: load it as {other}."
            )
    raise WeightsError(
        "weights_mismatch",
        f"{origin} does not hold SAM {architecture}: {_difference(state, architecture)}. {_fetch(architecture)}",
    )


def expected_shapes(architecture: str) -> dict[str, tuple[int, ...]]:
    """Name to shape of every tensor a checkpoint of the architecture must hold; allocates no weights."""
    with torch.device("meta"):
        return _shapes(build(ARCHITECTURES[architecture]).state_dict())


def read_checkpoint(path: Path, architecture: str) -> dict[str, torch.Tensor]:
    """The tensors in a checkpoint file; nothing in it is ever executed."""
    if not path.is_file():
        raise WeightsError("weights_missing", f"There is no checkpoint at {path}. {_fetch(architecture)}")
    if path.suffix == ".safetensors":
        check_safetensors(path, finite=False)
        return dict(load_file(path))
    # Copied out of the mapped file: a checkpoint replaced on disk must not change, or kill, a running process.
    return {name: tensor.clone() for name, tensor in load_torch_checkpoint(path).items()}


def _fetch(architecture: str) -> str:
    return f"Fetch it with: python -m studio weights fetch sam_{architecture}"


def _shapes(state: Mapping[str, torch.Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


def _difference(state: Mapping[str, torch.Tensor], architecture: str) -> str:
    expected, found = expected_shapes(architecture), _shapes(state)
    missing, extra = sorted(expected.keys() - found.keys()), sorted(found.keys() - expected.keys())
    wrong = sorted(name for name in expected.keys() & found.keys() if expected[name] != found[name])
    examples = ", ".join((missing + extra + wrong)[:3])
    return f"{len(missing)} tensors missing, {len(extra)} unknown, {len(wrong)} of another shape, e.g. {examples}"
