"""An adapter's weights as where another training begins; an optimiser's past belongs to its own training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file

from studio.errors import InputError
from studio.lora.layouts import kohya_name
from studio.lora.networks import Networks, bare_name
from studio.lora.types import Plan
from studio.lora.uploads import matrix_of, plain_module
from studio.weights.lora_files import check_kind, check_lora_file, config_of, is_kohya, scale_of

Module = tuple[str, str]
Pairs = dict[Module, dict[bool, torch.Tensor]]
"""By component and path: the down matrix under True, the up matrix under False."""


def begin_with(networks: Networks, plan: Plan, path: Path) -> None:
    """Copy an adapter into the fresh one, so that the first step starts where that one is.

    A smaller rank fills the first of ours; the others, and modules that it leaves out, start at nothing, as all do in a
    training begun anew. Scales are multiplied in: the change is the same whatever alpha either has.

    Args:
        networks: fresh from :func:`studio.lora.networks.load_networks`.
        plan: what they were made by.
        path: an adapter in diffusers', peft's or kohya's layout.

    Raises:
        InputError: ``start_not_for_plan``: it changes what the plan does not, or has a larger rank;
            ``adapter_layout_unknown``; and as :func:`studio.weights.lora_files.check_lora_file`.
    """
    own = _own(networks)
    theirs = _read(path, networks, own)
    strange = next((name for name in theirs if name not in own), None)
    if strange is not None:
        raise _not_for_plan(f"it changes {'.'.join(filter(None, strange))}, which this plan does not")
    for name, pair in theirs.items():
        _copy(own[name], pair, plan, ".".join(name))


def _own(networks: Networks) -> Pairs:
    """The fresh adapter's own matrices."""
    found: Pairs = {}
    for name, parameter in networks.trainable().items():
        stem, down = matrix_of(bare_name(name))
        found.setdefault(plain_module(stem), {})[down] = parameter.data
    return found


def _read(path: Path, networks: Networks, own: Pairs) -> Pairs:
    report = check_lora_file(path)
    check_kind(report.tensors)
    tensors = load_file(path)
    named = _kohya_names(networks, own) if is_kohya(tensors) else {}
    alphas = {name.removesuffix(".alpha"): float(value) for name, value in tensors.items() if name.endswith(".alpha")}
    config = config_of(report.metadata)
    found: Pairs = {}
    for name, tensor in tensors.items():
        if name.endswith(".alpha"):
            continue
        stem, down = matrix_of(name)
        module = named.get(stem, ("", stem)) if is_kohya([stem]) else plain_module(stem)
        scale = 1.0 if down else alphas[stem] / tensor.shape[1] if stem in alphas else scale_of(*module, config)
        found.setdefault(module, {})[down] = tensor.float() * scale
    if any(len(pair) != 2 for pair in found.values()):
        raise InputError(
            "adapter_layout_unknown", "The adapter has a down matrix without its up matrix, or the reverse."
        )
    return found


def _kohya_names(networks: Networks, own: Pairs) -> Mapping[str, Module]:
    layers = int(networks.unet.config.layers_per_block)
    ours = {kohya_name(part, path, xl=networks.xl, layers=layers): (part, path) for part, path in own}
    if not networks.xl:
        return ours
    # SDXL's denoiser is also seen with its blocks numbered as diffusers does.
    return {kohya_name(part, path, xl=part != "unet", layers=layers): (part, path) for part, path in own} | ours


def _copy(own: Mapping[bool, torch.Tensor], pair: Mapping[bool, torch.Tensor], plan: Plan, name: str) -> None:
    down, up, rank = own[True], own[False], pair[True].shape[0]
    fits = pair[True].shape[1:] == down.shape[1:] and pair[False].shape[0] == up.shape[0]
    if not fits or pair[False].shape[1] != rank:
        raise _not_for_plan(f"{name} has another shape")
    if rank > plan.rank:
        raise _not_for_plan(f"its rank is {rank}, the plan's is {plan.rank}")
    down[:rank] = pair[True]
    up[:, :rank] = pair[False] * (plan.rank / plan.alpha)


def _not_for_plan(why: str) -> InputError:
    said = f"The training can not begin with this adapter: {why}. Choose its rank and modules, or begin anew."
    return InputError("start_not_for_plan", said)
