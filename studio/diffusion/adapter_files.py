"""A LoRA file from outside: its header checked before its tensors, its layout brought to one form.

Layouts: diffusers, peft (with or without ``base_model.model.``) and kohya, for the denoiser and the text encoders.
Only safetensors; the limits are those of docs/engines.md. What comes out is one pair of matrices for each module with
every scale (kohya's alpha, peft's lora_alpha / r) multiplied in, so that only the job's weight is left to apply.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load

from studio.errors import InputError
from studio.weights.lora_files import COMPONENTS, check_kind, check_lora_file, config_of, is_kohya, scale_of
from studio.weights.safety import ADAPTER_LIMITS

MAX_RANK = ADAPTER_LIMITS.rank or 128
ModuleName = tuple[str, str]


@dataclass(frozen=True)
class Pair:
    """One module's low-rank change, W + up @ down: ``down`` (r, in, ...), ``up`` (out, r, ...), scales in ``up``."""

    down: torch.Tensor
    up: torch.Tensor

    @property
    def rank(self) -> int:
        """r."""
        return int(self.down.shape[0])


@dataclass(frozen=True)
class AdapterWeights:
    """A file's content: (component, module name) to its pair; ``sha256`` of the file's bytes."""

    sha256: str
    pairs: Mapping[ModuleName, Pair]

    @property
    def rank(self) -> int:
        """The largest of its modules' ranks."""
        return max(pair.rank for pair in self.pairs.values())

    @property
    def bytes(self) -> int:
        """What its tensors take in memory."""
        return sum(pair.down.nbytes + pair.up.nbytes for pair in self.pairs.values())


def read_adapter(path: Path, pipeline: Any) -> AdapterWeights:
    """Read and check a LoRA file for the modules of a pipeline.

    Args:
        path: the file.
        pipeline: a diffusers pipeline of the family, for its converters of layouts and its module names.

    Raises:
        InputError: ``adapter_missing``, ``adapter_metadata_unreadable``, ``adapter_kind_unsupported`` (DoRA, LoKr,
            LoHa), ``adapter_layout_unknown``, ``adapter_rank_too_large``, ``adapter_not_for_family`` when a module is
            not there or has another shape; and with the codes of :mod:`studio.weights.safety`: ``pickle_refused``,
            ``safetensors_invalid``, ``safetensors_limit``, ``safetensors_not_finite``.
    """
    config = config_of(check_lora_file(path).metadata)
    content = path.read_bytes()
    tensors = load(content)
    check_kind(tensors)
    pairs = _scaled(_pairs(_one_layout(tensors, pipeline), pipeline), config)
    _check_fit(pairs, pipeline)
    return AdapterWeights(hashlib.sha256(content).hexdigest(), pairs)


def _one_layout(tensors: Mapping[str, torch.Tensor], pipeline: Any) -> dict[str, torch.Tensor]:
    """Names as ``component.module...``, whatever the layout."""
    plain = {name.removeprefix("base_model.model."): tensor for name, tensor in tensors.items()}
    if is_kohya(plain):
        try:
            converted, _ = pipeline.lora_state_dict(_without_alphas(plain), unet_config=pipeline.unet.config)
        except (ValueError, KeyError, IndexError) as error:
            raise InputError(
                "adapter_layout_unknown", "The adapter's kohya layout has names we do not know."
            ) from error
        return dict(converted)
    if not any(name.startswith(f"{component}.") for name in plain for component in COMPONENTS):
        return {f"unet.{name}": tensor for name, tensor in plain.items()}  # peft saves the bare denoiser's names
    return plain


def _without_alphas(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Kohya's scale is alpha / r for each module: into the up matrix, before a converter merges the alphas into one."""
    result = {name: tensor for name, tensor in tensors.items() if not name.endswith(".alpha")}
    for name, tensor in tensors.items():
        stem = name.removesuffix(".alpha")
        if stem != name and tensor.numel() != 1:
            raise InputError("adapter_layout_unknown", f"The adapter's {name} is not one number.")
        if stem != name and f"{stem}.lora_up.weight" in result:
            up = result[f"{stem}.lora_up.weight"]
            result[f"{stem}.lora_up.weight"] = up.float() * (float(tensor) / up.shape[1])
    return result


def _pairs(tensors: Mapping[str, torch.Tensor], pipeline: Any) -> dict[ModuleName, Pair]:
    pairs: dict[ModuleName, Pair] = {}
    for component in COMPONENTS:
        own = {n.removeprefix(f"{component}."): t for n, t in tensors.items() if n.startswith(f"{component}.")}
        if own:
            pairs.update(_component_pairs(component, own, getattr(pipeline, component, None)))
    if not pairs or len(pairs) * 2 != len(tensors):
        raise InputError("adapter_layout_unknown", "The adapter has tensors that are neither LoRA matrices nor alphas.")
    return pairs


def _component_pairs(component: str, own: dict[str, torch.Tensor], module: Any) -> dict[ModuleName, Pair]:
    from diffusers.utils.state_dict_utils import (
        StateDictType,
        convert_state_dict_to_peft,
        convert_unet_state_dict_to_peft,
    )

    if not all("lora_A" in name or "lora_B" in name for name in own):
        denoiser = component == "unet"
        own = (
            convert_unet_state_dict_to_peft(own)
            if denoiser
            else convert_state_dict_to_peft(
                own, original_type=StateDictType.DIFFUSERS_OLD
            )  # its guess wants an out_proj
        )
    if component != "unet" and not hasattr(module, "text_model"):  # transformers 5 took this level out of CLIPTextModel
        own = {name.removeprefix("text_model."): tensor for name, tensor in own.items()}
    downs = {name.split(".lora_A.")[0]: tensor for name, tensor in own.items() if ".lora_A." in name}
    ups = {name.split(".lora_B.")[0]: tensor for name, tensor in own.items() if ".lora_B." in name}
    if downs.keys() != ups.keys():
        raise InputError(
            "adapter_layout_unknown", "The adapter has a down matrix without its up matrix, or the reverse."
        )
    return {(component, name): Pair(down, ups[name]) for name, down in downs.items()}


def _scaled(pairs: Mapping[ModuleName, Pair], config: Mapping[str, Any]) -> dict[ModuleName, Pair]:
    scales = {name: scale_of(*name, config) for name in pairs}
    return {name: Pair(pair.down, pair.up.float() * scales[name]) for name, pair in pairs.items()}


def _check_fit(pairs: Mapping[ModuleName, Pair], pipeline: Any) -> None:
    for (component, name), pair in pairs.items():
        weight = _weight(getattr(pipeline, component, None), name)
        fits = weight is not None and pair.down.ndim == pair.up.ndim == weight.ndim
        if not fits or (pair.up.shape[0], *pair.down.shape[1:]) != tuple(weight.shape):
            raise InputError(
                "adapter_not_for_family",
                f"The adapter was made for other weights: {component}.{name} is not there or has another shape.",
            )
        if pair.up.shape[1] != pair.rank:
            raise InputError("adapter_layout_unknown", f"The two matrices of {component}.{name} differ in rank.")
        if not 1 <= pair.rank <= MAX_RANK:  # the file's check knows the factors of today's layouts only
            raise InputError("adapter_rank_too_large", f"The adapter's rank must be 1 to {MAX_RANK}.")


def _weight(component: Any, name: str) -> Any:
    try:
        module = component.get_submodule(name)
    except AttributeError:
        return None
    return getattr(getattr(module, "base_layer", module), "weight", None)  # once a LoRA was there, peft wraps the layer
