"""What every reader of a LoRA file has to know, whichever layout it is in: limits, kinds, scales. No torch."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from studio.errors import InputError, WeightsError
from studio.weights.safety import ADAPTER_LIMITS, BASE_LIMITS, SafetensorsReport, check_safetensors

# Any tensor name passes here: other kinds than LoRA are refused by their name below, and unknown layouts end otherwise.
LIMITS = replace(ADAPTER_LIMITS, names=BASE_LIMITS.names)
COMPONENTS = ("unet", "text_encoder", "text_encoder_2")
OTHER_KINDS = {"dora_scale": "DoRA", "magnitude_vector": "DoRA", ".lokr_": "LoKr", ".hada_": "LoHa"}
METADATA_KEY = "lora_adapter_metadata"  # where diffusers keeps a peft LoraConfig, as JSON
KOHYA = ("lora_unet_", "lora_te")  # what its names begin with


def check_lora_file(path: Path) -> SafetensorsReport:
    """What :func:`check_safetensors` says of a file, its values included; for whoever asked for it a mistake of input.

    Raises:
        InputError: ``adapter_missing``, ``pickle_refused``, ``safetensors_invalid``, ``safetensors_limit``,
            ``safetensors_not_finite``.
    """
    if not path.is_file():
        raise InputError("adapter_missing", f"There is no adapter at {path}.")
    try:
        return check_safetensors(path, LIMITS, finite=True)
    except WeightsError as error:
        raise InputError(error.code, error.message) from error


def check_kind(names: Iterable[str]) -> None:
    """Refuse what is no plain LoRA, by its tensors' names: InputError ``adapter_kind_unsupported``."""
    for name in names:
        for sign, kind in OTHER_KINDS.items():
            if sign in name:
                raise InputError("adapter_kind_unsupported", f"The adapter is a {kind}; only plain LoRA is taken.")


def is_kohya(names: Iterable[str]) -> bool:
    """Whether the tensors are named in kohya's layout."""
    return any(name.startswith(KOHYA) for name in names)


def config_of(metadata: Mapping[str, str]) -> Mapping[str, Any]:
    """The LoraConfig in a file's metadata; empty where there is none.

    Raises:
        InputError: ``adapter_metadata_unreadable``.
    """
    try:
        config = json.loads(metadata.get(METADATA_KEY, "{}"))
    except (ValueError, RecursionError) as error:
        raise _unreadable() from error
    return config if isinstance(config, dict) else {}


def scale_of(component: str, module: str, config: Mapping[str, Any]) -> float:
    """lora_alpha / r of a module, by the LoraConfig that diffusers saves, prefixed by component; 1 where it is silent.

    Raises:
        InputError: ``adapter_metadata_unreadable``.
    """
    try:
        scale = _scale(component, module, config)
    except (TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise _unreadable() from error
    if not math.isfinite(scale):
        raise _unreadable()
    return scale


def _scale(component: str, module: str, config: Mapping[str, Any]) -> float:
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


def _unreadable() -> InputError:
    return InputError("adapter_metadata_unreadable", f"The adapter's {METADATA_KEY} makes no sense. Export it again.")
