"""A LoRA file from outside: its header checked before its tensors, its layout brought to one form.

Layouts: diffusers, peft (with or without ``base_model.model.``) and kohya, for the denoiser and the text encoders.
Only safetensors; the limits are those of docs/engines.md. What comes out is one pair of matrices for each module with
every scale (kohya's alpha, peft's lora_alpha / r) multiplied in, so that only the job's weight is left to apply.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load

from studio.errors import InputError, WeightsError
from studio.weights.safety import ADAPTER_LIMITS, BASE_LIMITS, SafetensorsReport, check_safetensors

# Any tensor name passes here: other kinds than LoRA are refused by their name below, and old layouts end otherwise.
LIMITS = replace(ADAPTER_LIMITS, names=BASE_LIMITS.names)
MAX_RANK = ADAPTER_LIMITS.rank or 128
COMPONENTS = ("unet", "text_encoder", "text_encoder_2")
OTHER_KINDS = {"dora_scale": "DoRA", "lora_magnitude_vector": "DoRA", ".lokr_": "LoKr", ".hada_": "LoHa"}
METADATA_KEY = "lora_adapter_metadata"  # where diffusers keeps a peft LoraConfig, as JSON
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
    metadata = _config(_checked(path).metadata)
    content = path.read_bytes()
    tensors = load(content)
    _check_kind(tensors)
    pairs = _scaled(_pairs(_one_layout(tensors, pipeline), pipeline), metadata)
    _check_fit(pairs, pipeline)
    return AdapterWeights(hashlib.sha256(content).hexdigest(), pairs)


def _checked(path: Path) -> SafetensorsReport:
    """What the weights room says of the file; for whoever asked for the adapter it is a mistake of input."""
    if not path.is_file():
        raise InputError("adapter_missing", f"There is no adapter at {path}.")
    try:
        return check_safetensors(path, LIMITS, finite=True)
    except WeightsError as error:
        raise InputError(error.code, error.message) from error


def _config(metadata: Mapping[str, str]) -> Mapping[str, Any]:
    try:
        config = json.loads(metadata.get(METADATA_KEY, "{}"))
    except (ValueError, RecursionError) as error:
        raise _unreadable() from error
    return config if isinstance(config, dict) else {}


def _unreadable() -> InputError:
    return InputError("adapter_metadata_unreadable", f"The adapter's {METADATA_KEY} makes no sense. Export it again.")


def _check_kind(tensors: Mapping[str, torch.Tensor]) -> None:
    for sign, kind in OTHER_KINDS.items():
        if any(sign in name for name in tensors):
            raise InputError("adapter_kind_unsupported", f"The adapter is a {kind}; only plain LoRA is taken.")


def _one_layout(tensors: Mapping[str, torch.Tensor], pipeline: Any) -> dict[str, torch.Tensor]:
    """Names as ``component.module...``, whatever the layout."""
    plain = {name.removeprefix("base_model.model."): tensor for name, tensor in tensors.items()}
    if any(name.startswith(("lora_unet_", "lora_te")) for name in plain):
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
    try:
        scales = {name: _peft_scale(name, config) for name in pairs}
    except (TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise _unreadable() from error
    if not all(math.isfinite(scale) for scale in scales.values()):
        raise _unreadable()
    return {name: Pair(pair.down, pair.up.float() * scales[name]) for name, pair in pairs.items()}


def _peft_scale(name: ModuleName, config: Mapping[str, Any]) -> float:
    """lora_alpha / r of the LoraConfig that diffusers saves beside the weights, prefixed by component; else 1."""
    component, module = name
    own = {key.removeprefix(f"{component}."): value for key, value in config.items() if key.startswith(f"{component}.")}
    own = own or dict(config)
    if "lora_alpha" not in own or "r" not in own:
        return 1.0
    alpha = _by_pattern(own.get("alpha_pattern"), module, float(own["lora_alpha"]))
    rank = _by_pattern(own.get("rank_pattern"), module, float(own["r"]))
    return alpha / (math.sqrt(rank) if own.get("use_rslora") else rank)


def _by_pattern(patterns: Mapping[str, float] | None, module: str, otherwise: float) -> float:
    """peft's rule: the pattern matches the end of the name, or the whole when it starts with ``^``."""
    for pattern, value in (patterns or {}).items():
        literal = re.escape(pattern.removeprefix("^"))  # names, not expressions: a file must not bring its own regex
        if re.fullmatch(literal if pattern.startswith("^") else rf"(.*\.)?{literal}", module):
            return float(value)
    return otherwise


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
