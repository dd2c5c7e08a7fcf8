"""From a checkpoint to what ships: weights for torch, and ONNX for the browser and for a server without torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from studio.files import write_all
from studio.mini.segmenter.network import Segmenter
from studio.segmentation.onnx_export import export_decoder, export_encoder
from studio.segmentation.small_encoder import SIDE
from studio.segmentation.small_sam import torch_folder

FAMILY = "sam_mini"
ENCODER, DECODER = "encoder.onnx", "decoder.onnx"


def load(checkpoint: Path) -> Segmenter:
    """The averaged network of a training, in evaluation mode."""
    network = Segmenter()
    network.load_state_dict(torch.load(checkpoint, weights_only=True, map_location="cpu")["network"])
    network.at(SIDE)
    return network.eval()


def export(network: Segmenter, out: Path, *, about: Mapping[str, Any]) -> dict[str, Any]:
    """Write ``encoder.onnx`` (float16 inside), ``decoder.onnx`` (uint8) and ``card.json``; safetensors beside ``out``.

    Returns:
        The card: family, input size, SHA-256 of each file, and ``about``.
    """
    for_torch = torch_folder(out)
    for folder in (out, for_torch):
        folder.mkdir(parents=True, exist_ok=True)
    network = _rounded(network)
    parts = {"encoder": network.image_encoder.state_dict(), "decoder": _decoder_state(network)}
    files = {f"{name}.safetensors": save(_half(state)) for name, state in parts.items()}
    write_all({for_torch / name: data for name, data in files.items()})
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    hashes[ENCODER] = export_encoder(network.image_encoder, out / ENCODER, size=SIDE, half=True)
    hashes[DECODER] = export_decoder(network.prompt_encoder, network.mask_decoder, out / DECODER, quantize=True)
    card = {"family": FAMILY, "size": SIDE, "sha256": dict(sorted(hashes.items())), **about}
    write_all({out / "card.json": (json.dumps(card, indent=1) + "\n").encode()})
    return card


def _rounded(network: Segmenter) -> Segmenter:
    """Every weight as float16 holds it, so that all four files say the same."""
    network.load_state_dict({key: value.half().to(value.dtype) for key, value in network.state_dict().items()})
    return network


def _decoder_state(network: Segmenter) -> dict[str, torch.Tensor]:
    prompt = {f"prompt_encoder.{key}": value for key, value in network.prompt_encoder.state_dict().items()}
    mask = {f"mask_decoder.{key}": value for key, value in network.mask_decoder.state_dict().items()}
    return prompt | mask


def _half(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {key: value.half().contiguous() if value.is_floating_point() else value for key, value in state.items()}
