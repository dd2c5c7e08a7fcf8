"""Train a LoRA for a garment: load, encode once, step, and keep what is needed to go on after a kill."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch

from studio.dataset.types import DataSet
from studio.diffusion.machine import pick_device, quiet, settled
from studio.diffusion.memory import free, guarded
from studio.diffusion.types import FamilyFiles
from studio.errors import StorageError
from studio.lora.cache import Cache, build_cache
from studio.lora.checkpoints import last_state, read_checkpoints, sweep
from studio.lora.history import History
from studio.lora.identity import Identity, identity_of
from studio.lora.losses import Feeder
from studio.lora.networks import Networks, load_networks
from studio.lora.noise import Schedule
from studio.lora.optimizers import make_optimizer
from studio.lora.order import bucket_sizes
from studio.lora.pictures import Size
from studio.lora.run import Run, parameter_groups
from studio.lora.sampling import HeldOutSampler, Sampler
from studio.lora.starting import begin_with
from studio.lora.types import Callbacks, Plan, Trained
from studio.lora.words import cut_off

ADVICE = "Train with a smaller batch_size (and more accumulation), smaller pictures, or precision bf16."


class HasFiles(Protocol):
    """An engine, as far as a training looks at it."""

    @property
    def files(self) -> FamilyFiles:
        """What it was made from."""


def train(
    source: FamilyFiles | HasFiles,
    dataset: DataSet,
    plan: Plan,
    *,
    out: Path,
    start: Path | None = None,
    callbacks: Callbacks = Callbacks(),  # noqa: B008  frozen
    sampler: Sampler | None = None,
    device: str | None = None,
    threads: int | None = None,
) -> Trained:
    """Train an adapter, or go on with the one in ``out``.

    Equal plans, pictures and bases give equal losses on one machine, whether or not the training was killed on the way:
    it goes on from its last whole checkpoint. A finished training returns what it left.

    Args:
        source: the base family, or an engine of it, whose own modules are not touched.
        dataset: the pictures; those held out are validated and sampled on, never trained on.
        plan: everything else.
        out: the training's folder: made if need be, and this training's alone.
        start: an adapter whose weights it begins with, of the same base; None: from the base itself. The optimiser
            starts anew either way.
        callbacks: what to tell and to ask.
        sampler: makes the samples; None: :class:`studio.lora.sampling.HeldOutSampler`.
        device: ``cpu``, ``cuda``, ``cuda:1``; None takes CUDA when there is some.
        threads: torch's CPU threads meanwhile; None: the process's. Another number may round otherwise.

    Raises:
        InputError: the plan, a picture or a mask can not be used; ``training_differs`` when ``out`` holds another;
            and as :func:`studio.lora.starting.begin_with`.
        WeightsError: the base is missing or damaged.
        OutOfMemory: it does not fit, gradient checkpointing included; the checkpoints so far stay.
        EngineError: ``not_finite`` when the loss breaks down.
        StorageError: a checkpoint could not be written.
    """
    files = source if isinstance(source, FamilyFiles) else source.files
    place = pick_device(device)
    with settled(place, threads), repeatable(place), quiet():
        job = _Job(files, dataset, plan, out, start, callbacks, place)
        return guarded(lambda: _train(job, sampler), advice=ADVICE)


def training_identity(plan: Plan, identity: Identity) -> dict[str, object]:
    """What must agree for a training to be the same one; a start is told only where there is one."""
    start = {"start": identity.start} if identity.start else {}
    return {"plan": json.loads(plan.to_json()), "base": identity.base, "data": identity.data, **start}


@contextlib.contextmanager
def repeatable(device: torch.device) -> Iterator[None]:
    """While open, CUDA takes the kernels that add up in a fixed order where it has them."""
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    if device.type == "cuda":
        torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])


@dataclass(frozen=True)
class _Job:
    """What :func:`train` was given."""

    files: FamilyFiles
    dataset: DataSet
    plan: Plan
    out: Path
    start: Path | None
    callbacks: Callbacks
    device: torch.device


def _train(job: _Job, sampler: Sampler | None) -> Trained:
    _make_folder(job.out)
    sizes = bucket_sizes(job.dataset, job.plan)
    identity = identity_of(job.files, job.dataset, job.start)
    record = training_identity(job.plan, identity)
    state = last_state(job.out, identity=record)
    networks = _loaded(job)
    if state is None and job.start is not None:
        begin_with(networks, job.plan, job.start)
        job.callbacks.on_log("begun", {"sha256": identity.start})
    cache = _encoded(job, networks, sizes)
    if cache is None:
        return Trained(read_checkpoints(job.out), state.step if state else 0, cancelled=True)
    priors = frozenset(i for i, entry in enumerate(job.dataset.entries) if entry.kind == "prior")
    run = Run(
        plan=job.plan,
        dataset=job.dataset,
        sizes=sizes,
        identity=identity,
        record=record,
        out=job.out,
        callbacks=job.callbacks,
        feeder=Feeder(networks, cache, job.plan, priors),
        schedule=Schedule.of(networks.noise, device=job.device),
        optimizer=make_optimizer(parameter_groups(networks, job.plan), job.plan),
        sampler=sampler or HeldOutSampler(job.dataset, sizes, job.plan),
        history=History(job.out),
    )
    try:
        return run.go(state)
    finally:
        free()


def _loaded(job: _Job) -> Networks:
    job.callbacks.on_log("loading", {"family": job.files.name, "device": str(job.device)})
    networks = load_networks(job.files, job.plan, device=job.device)
    cut = cut_off(networks, [one.caption for one in job.dataset.entries])
    if cut:
        job.callbacks.on_log("caption_cut", {"pictures": cut})
    return networks


def _encoded(job: _Job, networks: Networks, sizes: Sequence[Size]) -> Cache | None:
    def told(done: int, of: int) -> None:
        job.callbacks.on_log("caching", {"done": done, "of": of})

    stop = job.callbacks.should_cancel
    return build_cache(networks, job.dataset, sizes, job.plan, on_picture=told, should_cancel=stop)


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        sweep(out)
    except OSError as error:
        raise StorageError("not_writable", f"{out} can not be written to ({error.strerror}).") from error
