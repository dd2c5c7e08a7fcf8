"""A LoRA from outside judged before a worker touches it: by its header, its names and shapes. No torch.

What passes here is what :mod:`studio.diffusion.adapter_files` takes: plain LoRA in diffusers', peft's or kohya's
layout, whose every module is one of the base's, of its size.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from studio.errors import InputError
from studio.lora.layouts import TEXT_PREFIXES, UNET_PREFIX, kohya_name, text_module
from studio.lora.module_table import ARCHITECTURES, Module, Shape, module_shapes
from studio.weights.disk import file_hash
from studio.weights.lora_files import COMPONENTS, check_kind, check_lora_file, is_kohya
from studio.weights.safety import ADAPTER_LIMITS, SafetensorsReport

DOWN = re.compile(r"(.+)\.(?:lora_A|lora_down|lora\.down)(?:\.default)?\.weight")
UP = re.compile(r"(.+)\.(?:lora_B|lora_up|lora\.up)(?:\.default)?\.weight")
OLD = re.compile(r"(.+)\.processor\.(to_[qkv]|to_out)_lora\.(down|up)\.weight")  # diffusers before peft


MOST_RANK = ADAPTER_LIMITS.rank or 128  # what studio.diffusion.adapter_files loads


@dataclass(frozen=True)
class Upload:
    """What an adapter file is.

    Attributes:
        sha256, size: of the file; size in bytes.
        layout: ``diffusers`` (or peft's) or ``kohya``.
        families: names of :data:`studio.lora.module_table.ARCHITECTURES` it fits, at least one.
        rank: the largest of its modules'.
        modules: how many of each component.
        trigger: the word its metadata names, None when none.
        base_sha256: of the base it says it was trained on, None when it does not say.
    """

    sha256: str
    size: int
    layout: str
    families: tuple[str, ...]
    rank: int
    modules: Mapping[str, int]
    trigger: str | None
    base_sha256: str | None


@dataclass(frozen=True)
class _Pair:
    down: Shape
    up: Shape


def check_upload(path: Path, *, family: str | None) -> Upload:
    """Judge a file; reads all of it (every value must be finite), at most 512 MB.

    Args:
        path: the file, whatever its name.
        family: the base it must fit, one of :data:`ARCHITECTURES`; None for any.

    Raises:
        InputError: ``pickle_refused``, ``safetensors_invalid``, ``safetensors_limit``, ``safetensors_not_finite``;
            ``adapter_kind_unsupported`` (DoRA, LoKr, LoHa), ``adapter_layout_unknown``, ``adapter_not_for_family``,
            ``adapter_base_unknown``, ``adapter_rank_too_large``.
    """
    report = check_lora_file(path)
    kohya = is_kohya(report.tensors)
    pairs = _pairs(report)
    fitting = tuple(name for name in ARCHITECTURES if _fits(pairs, name, kohya=kohya))
    _check_family(fitting, family)
    modules = Counter(_component(stem, kohya=kohya) for stem in pairs)
    return Upload(
        sha256=file_hash(path),
        size=report.size,
        layout="kohya" if kohya else "diffusers",
        families=fitting,
        rank=max(pair.down[0] for pair in pairs.values()),
        modules=dict(modules),
        trigger=report.metadata.get("imodel.trigger") or report.metadata.get("modelspec.trigger_phrase"),
        base_sha256=report.metadata.get("imodel.base_sha256"),
    )


def _pairs(report: SafetensorsReport) -> dict[str, _Pair]:
    """Both matrices' shapes by module, as the file calls it."""
    downs: dict[str, Shape] = {}
    ups: dict[str, Shape] = {}
    check_kind(report.tensors)
    for name, info in report.tensors.items():
        if name.endswith(".alpha") and info.shape in ((), (1,)):
            continue
        stem, down = matrix_of(name)
        (downs if down else ups)[stem] = info.shape
    if not downs or downs.keys() != ups.keys():
        raise _unknown("has a down matrix without its up matrix, or the reverse, or neither")
    _check_ranks(downs)
    return {stem: _Pair(shape, ups[stem]) for stem, shape in downs.items()}


def _check_ranks(downs: Mapping[str, Shape]) -> None:
    """Of every module, whatever it is called: the header's own check knows only names of today."""
    for stem, shape in downs.items():
        if not shape or shape[0] < 1:
            raise _unknown(f"has an empty matrix, of {stem[:60]!r}")
        if shape[0] > MOST_RANK:
            raise InputError("adapter_rank_too_large", f"The adapter's rank of {shape[0]} is more than {MOST_RANK}.")


def matrix_of(name: str) -> tuple[str, bool]:
    """The module a tensor belongs to, as the file calls it, and whether it is its down matrix.

    Raises:
        InputError: ``adapter_layout_unknown``.
    """
    name = name.removeprefix("base_model.model.")
    for pattern, down in ((DOWN, True), (UP, False)):
        found = pattern.fullmatch(name)
        if found:
            return found[1], down
    old = OLD.fullmatch(name)
    if not old:
        raise _unknown(f"has a tensor {name[:60]!r} that is neither a LoRA matrix nor an alpha")
    return f"{old[1]}.{'to_out.0' if old[2] == 'to_out' else old[2]}", old[3] == "down"


def _fits(pairs: Mapping[str, _Pair], family: str, *, kohya: bool) -> bool:
    table = module_shapes(family)
    names = _kohya_names(family) if kohya else None
    for stem, pair in pairs.items():
        module = names.get(stem) if names is not None else plain_module(stem)
        if module is None or not any(_fits_weight(pair, shape) for shape in table.get(module, ())):
            return False
    return True


def _fits_weight(pair: _Pair, weight: Shape) -> bool:
    if len(pair.down) != len(weight) or len(pair.up) != len(weight) or pair.down[0] != pair.up[1]:
        return False
    return (pair.up[0], *pair.down[1:]) == weight and all(side == 1 for side in pair.up[2:])


def plain_module(stem: str) -> Module:
    """Component and path of a module as diffusers or peft call it."""
    for component in COMPONENTS:
        if stem.startswith(f"{component}."):
            path = stem.removeprefix(f"{component}.")
            return component, path if component == "unet" else text_module(path)
    return "unet", stem  # peft saves the bare denoiser's names


@cache
def _kohya_names(family: str) -> Mapping[str, Module]:
    """kohya's name to module; SDXL's denoiser both as generative-models and as diffusers number its blocks."""
    found = ARCHITECTURES[family]
    names = {
        kohya_name(component, path, xl=found.xl, layers=found.layers): (component, path)
        for component, path in module_shapes(family)
    }
    plain = {
        UNET_PREFIX + path.replace(".", "_"): ("unet", path) for part, path in module_shapes(family) if part == "unet"
    }
    return plain | names


def _component(stem: str, *, kohya: bool) -> str:
    if not kohya:
        return plain_module(stem)[0]
    prefixes = [(prefix, component) for table in TEXT_PREFIXES.values() for component, prefix in table.items()]
    return next((component for prefix, component in prefixes if stem.startswith(prefix)), "unet")


def _check_family(fitting: Iterable[str], family: str | None) -> None:
    known = ", ".join(fitting)
    if not known:
        raise InputError(
            "adapter_base_unknown",
            "The adapter fits none of our base families "
            f"({', '.join(ARCHITECTURES)}): it was made for other weights, or changes parts that we do not have.",
        )
    if family is not None and family not in fitting:
        raise InputError("adapter_not_for_family", f"The adapter was made for {known}, not for {family}.")


def _unknown(what: str) -> InputError:
    return InputError("adapter_layout_unknown", f"The adapter {what}. Export it as a plain LoRA in safetensors.")
