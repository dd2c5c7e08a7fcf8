"""LoRAs in a resident pipeline: injected once, then swapped by copying into the tensors that are there.

A slot holds one adapter at a time. What it can hold is settled when it is injected: a rank (a power of two, smaller
adapters are padded with zeros) and a set of modules (those an adapter leaves out get zeros). An adapter always gets
the same rank, whatever was loaded before, so its pictures do not depend on the engine's past, not even in rounding.
Its weight is a tensor as well, written in place: a compiled graph takes it as an input, where a plain number would be
a constant and every new weight a compilation. Files that were read lately stay in RAM (``adapter_cache``).

Never fuse the attention's projections (``fuse_qkv_projections``) in a pipeline with slots: diffusers concatenates the
base weights alone and the adapter is silently lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from studio.diffusion.adapter_cache import AdapterCache, Stamp
from studio.diffusion.adapter_files import AdapterWeights, ModuleName, Pair, read_adapter
from studio.diffusion.types import AdapterUse
from studio.errors import EngineError, InputError
from studio.weights.lora_files import COMPONENTS

LEAST_RANK = 4


@dataclass
class Slot:
    """One place for an adapter, and what is in it.

    Attributes:
        name: what peft calls it.
        rank, modules: what it can hold.
        stamp, sha256: the file in it, None and empty when nothing is.
        fingerprint: sum over its tensors after the last copy.
        scales: for each component the job's weight, a 0-dimensional float32 tensor that all its layers share.
    """

    name: str
    rank: int
    modules: frozenset[ModuleName]
    stamp: Stamp | None = None
    sha256: str = ""
    fingerprint: float = 0.0
    layers: dict[ModuleName, Any] = field(default_factory=dict)
    scales: dict[str, torch.Tensor] = field(default_factory=dict)


class AdapterSlots:
    """The adapters of one pipeline's modules."""

    def __init__(self, pipeline: Any, cache: AdapterCache | None = None) -> None:
        """``cache``: for what was read; None for one of the usual size."""
        self._pipeline = pipeline
        self._cache = AdapterCache() if cache is None else cache
        self._slots: list[Slot] = []

    def use(self, uses: Sequence[AdapterUse]) -> tuple[str, ...]:
        """Make exactly these adapters active, in this order; none is left from the job before.

        Returns:
            The SHA-256 of each one's file.

        Raises:
            InputError: what :func:`read_adapter` raises, or ``adapter_twice``.
            EngineError: ``adapter_state``, when what is loaded is not what was asked for.
        """
        if len({use.path.resolve() for use in uses}) != len(uses):
            raise InputError("adapter_twice", "The same adapter is named twice: name it once, with the summed weight.")
        try:
            chosen: list[Slot] = []
            for use in uses:
                kept = {Stamp.of(other.path) for other in uses if other != use}
                chosen.append(self._slot_with(use, chosen, kept=kept))
            self._activate(chosen, uses)
            self.check(chosen, uses)
        except BaseException:
            self.clear()  # half a copy must not meet the next job
            raise
        return tuple(slot.sha256 for slot in chosen)

    def check(self, chosen: Sequence[Slot], uses: Sequence[AdapterUse]) -> None:
        """Refuse to work unless the modules hold exactly the adapters of this job, with these weights."""
        names = [slot.name for slot in chosen]
        for component, _, layer in tuned(self._pipeline):
            if layer.disable_adapters != (not names) or (names and list(layer.active_adapters) != names):
                raise EngineError("adapter_state", "An adapter of another job is still active; start the engine again.")
            for slot in chosen:
                if slot.name in layer.scaling and layer.scaling[slot.name] is not slot.scales[component]:
                    raise _other_weight()
        for slot, use in zip(chosen, uses, strict=True):
            if any(float(scale) != _single(_weight_in(part, use)) for part, scale in slot.scales.items()):
                raise _other_weight()
            if slot.fingerprint != _fingerprint(slot):
                raise EngineError("adapter_state", "An adapter's tensors were changed; start the engine again.")

    def clear(self) -> None:
        """Take every adapter out; the layers answer as if there had never been one."""
        for name in {name for _, _, layer in tuned(self._pipeline) for name in layer.lora_A}:
            self._remove(name)
        self._slots.clear()
        self._activate([], [])

    def _slot_with(self, use: AdapterUse, taken: Sequence[Slot], kept: set[Stamp | None]) -> Slot:
        """The slot that holds this file: as it is, by copying, or newly injected."""
        stamp = Stamp.of(use.path)
        for slot in self._slots:
            if stamp is not None and slot.stamp == stamp:
                return slot
        weights = self._cache.get(use.path, stamp, lambda path: read_adapter(path, self._pipeline))
        same = next((slot for slot in self._slots if slot not in taken and slot.sha256 == weights.sha256), None)
        if same is not None and same.stamp not in kept:
            same.stamp = stamp  # another copy of the file that is in it
            return same
        free = [slot for slot in self._slots if slot not in taken and slot.stamp not in kept]
        fitting = [slot for slot in free if _holds(slot, weights)]
        if not fitting and free:
            self._remove(free[0].name)
        slot = fitting[0] if fitting else self._new_slot(weights)
        copy_into(slot, weights)
        slot.stamp, slot.sha256, slot.fingerprint = stamp, weights.sha256, _fingerprint(slot)
        return slot

    def _new_slot(self, weights: AdapterWeights) -> Slot:
        used = {slot.name for slot in self._slots}
        name = next(f"slot{i}" for i in range(len(used) + 1) if f"slot{i}" not in used)
        slot = inject(self._pipeline, weights, name=name)
        self._slots.append(slot)
        return slot

    def _remove(self, name: str) -> None:
        for _, _, layer in tuned(self._pipeline):
            if name in layer.lora_A:
                layer.delete_adapter(name)
        for component in COMPONENTS:
            getattr(getattr(self._pipeline, component, None), "peft_config", {}).pop(name, None)
        self._slots = [slot for slot in self._slots if slot.name != name]

    def _activate(self, chosen: Sequence[Slot], uses: Sequence[AdapterUse]) -> None:
        names = [slot.name for slot in chosen]
        for slot, use in zip(chosen, uses, strict=True):
            for component, scale in slot.scales.items():
                scale.fill_(_weight_in(component, use))
        for _, _, layer in tuned(self._pipeline):
            if names:
                layer.set_adapter(names, inference_mode=True)
            layer._disable_adapters = not names  # enable_adapters() would ask for gradients as well


def inject(pipeline: Any, weights: AdapterWeights, *, name: str) -> Slot:
    """A new slot in the pipeline's modules, wide enough for these weights; its tensors are not theirs yet."""
    from peft import LoraConfig, inject_adapter_in_model

    rank, modules = padded_rank(weights.rank), frozenset(weights.pairs)
    for component in COMPONENTS:
        target = "|".join(re.escape(module) for part, module in sorted(modules) if part == component)
        if target:
            config = LoraConfig(r=rank, lora_alpha=rank, target_modules=f"^({target})$")
            inject_adapter_in_model(config, getattr(pipeline, component), adapter_name=name)
    layers = {(part, module): layer for part, module, layer in tuned(pipeline) if name in layer.lora_A}
    for layer in layers.values():
        for matrix in (layer.lora_A[name], layer.lora_B[name]):
            matrix.to(layer.get_base_layer().weight).requires_grad_(False)
    if layers.keys() != modules:
        raise EngineError("adapter_state", "Not every module of the adapter could be reached.")
    return Slot(name, rank, modules, layers=layers, scales=_shared_scales(layers, name))


def _shared_scales(layers: Mapping[ModuleName, Any], name: str) -> dict[str, torch.Tensor]:
    """One tensor for each component, put in the place of every layer's own number."""
    scales: dict[str, torch.Tensor] = {}
    for (component, _), layer in layers.items():
        device = layer.get_base_layer().weight.device
        layer.scaling[name] = scales.setdefault(component, torch.ones((), dtype=torch.float32, device=device))
    return scales


def tuned(pipeline: Any) -> Iterator[tuple[str, str, Any]]:
    """(component, module name, layer) of every layer that peft wrapped."""
    from peft.tuners.lora import LoraLayer

    for component in COMPONENTS:
        module = getattr(pipeline, component, None)
        for name, layer in module.named_modules() if module is not None else ():
            if isinstance(layer, LoraLayer):
                yield component, name, layer


def padded_rank(rank: int) -> int:
    """The rank of the slot an adapter goes to: the next power of two, at least 4; of the adapter alone."""
    return max(LEAST_RANK, 1 << (rank - 1).bit_length())


def _holds(slot: Slot, weights: AdapterWeights) -> bool:
    return slot.rank == padded_rank(weights.rank) and weights.pairs.keys() <= slot.modules


def _weight_in(component: str, use: AdapterUse) -> float:
    own = use.text_encoder_weight if component != "unet" else None
    return float(use.weight if own is None else own)


def _single(value: float) -> float:
    """As float32 has it."""
    return float(torch.tensor(value, dtype=torch.float32))


def _other_weight() -> EngineError:
    return EngineError("adapter_state", "An adapter has another weight than asked; start the engine again.")


@torch.no_grad()
def copy_into(slot: Slot, weights: AdapterWeights) -> None:
    """Write an adapter into a slot's own tensors: no allocation, no new graph."""
    slot.stamp, slot.sha256 = None, ""
    pairs: Mapping[ModuleName, Pair] = weights.pairs
    for name, layer in slot.layers.items():
        down, up = layer.lora_A[slot.name].weight, layer.lora_B[slot.name].weight
        pair = pairs.get(name)
        if pair is None:
            up.zero_()
            continue
        down[: pair.rank].copy_(pair.down)
        up[:, : pair.rank].copy_(pair.up)
        down[pair.rank :].zero_()
        up[:, pair.rank :].zero_()


def _fingerprint(slot: Slot) -> float:
    """One number over all of the slot's tensors, to see that nobody wrote to them."""
    sums = [
        matrix[slot.name].weight.detach().float().abs().sum()
        for layer in slot.layers.values()
        for matrix in (layer.lora_A, layer.lora_B)
    ]
    return float(torch.stack(sums).double().sum())
