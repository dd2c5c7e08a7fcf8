"""A trained adapter as a file: diffusers' key layout, and what the metadata says."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping

import torch
from safetensors.torch import save

from studio.lora.identity import Identity
from studio.lora.layouts import text_module
from studio.lora.networks import Networks, bare_name, target_ends
from studio.lora.types import Plan
from studio.weights.lora_files import METADATA_KEY

Tensors = dict[str, torch.Tensor]


def adapter_bytes(networks: Networks, plan: Plan, identity: Identity, *, step: int) -> bytes:
    """The adapter as it is now, in diffusers' layout: float16, ``component.module.lora_A.weight``."""
    tensors = {_file_name(name): value.detach().half().cpu() for name, value in networks.trainable().items()}
    return saved(tensors, _metadata(networks, plan, identity, step))


def saved(tensors: Tensors, metadata: Mapping[str, str]) -> bytes:
    """A safetensors file whose bytes depend on its content alone: the library writes metadata in a random order."""
    content = bytes(save(tensors, metadata=dict(metadata)))
    end = 8 + struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + content[end:]


def _file_name(parameter: str) -> str:
    component, _, module = bare_name(parameter).partition(".")
    return f"{component}.{module if component == 'unet' else text_module(module)}"


def _metadata(networks: Networks, plan: Plan, identity: Identity, step: int) -> dict[str, str]:
    config: dict[str, object] = {}
    for component, ends in target_ends(plan).items():
        if component in networks.tuned:
            config |= {f"{component}.r": plan.rank, f"{component}.lora_alpha": plan.alpha}
            config |= {f"{component}.target_modules": list(ends)}
    return {
        "format": "pt",
        METADATA_KEY: json.dumps(config, sort_keys=True),
        "imodel.family": plan.family,
        "imodel.architecture": "sdxl" if networks.xl else "sd",
        "imodel.layers_per_block": str(networks.unet.config.layers_per_block),
        "imodel.base_sha256": identity.base,
        "imodel.data_sha256": identity.data,
        **({"imodel.start_sha256": identity.start} if identity.start else {}),
        "imodel.trigger": plan.trigger,
        "imodel.recipe": plan.to_json(),
        "imodel.step": str(step),
        "modelspec.trigger_phrase": plan.trigger,
    }
