"""The loop itself: steps, and what is due after each."""

from __future__ import annotations

import io
import itertools
import math
import resource
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from studio.dataset.types import DataSet
from studio.diffusion.memory import free, is_out_of_memory
from studio.errors import EngineError
from studio.files import write_atomically
from studio.lora.adapter_out import adapter_bytes
from studio.lora.cache import Pick
from studio.lora.checkpoints import (
    Measured,
    State,
    group_numbers,
    pack,
    read_checkpoints,
    thin_out,
    unpack,
    write_checkpoint,
)
from studio.lora.history import History
from studio.lora.identity import Identity
from studio.lora.losses import Feeder, losses_of
from studio.lora.networks import Networks
from studio.lora.noise import TRAIN, Schedule, draw
from studio.lora.optimizers import Groups, rate_factor
from studio.lora.order import batches
from studio.lora.pictures import Size
from studio.lora.sampling import Sampler
from studio.lora.types import Callbacks, Checkpoint, Plan, SampleReport, StepReport, Trained, ValidationReport
from studio.lora.validation import validation_loss


@dataclass
class Run:
    """One training under way; what it holds is said in :mod:`studio.lora.training`, which puts it together."""

    plan: Plan
    dataset: DataSet
    sizes: Sequence[Size]
    identity: Identity
    record: Mapping[str, Any]
    out: Path
    callbacks: Callbacks
    feeder: Feeder
    schedule: Schedule
    optimizer: torch.optim.Optimizer
    sampler: Sampler
    history: History
    step: int = 0
    scaler: torch.amp.GradScaler = field(init=False)

    def __post_init__(self) -> None:
        half = self.plan.precision == "fp16"
        self.scaler = torch.amp.GradScaler(self.networks.device.type, enabled=half)
        if self.plan.gradient_checkpointing == "on":
            self._checkpoint_gradients()

    @property
    def networks(self) -> Networks:
        """The modules that are trained."""
        return self.feeder.networks

    def go(self, state: State | None) -> Trained:
        """Run to the end, from the start or from where another try stopped."""
        if state is None:
            self.history.begin()
            self._validate()
            if self.plan.sample_every:
                self._sample()
        else:
            self._restore(state)
        cancelled = self.step < self.plan.steps and not self._steps()
        checkpoints = read_checkpoints(self.out)
        return Trained(checkpoints, self.step, cancelled, tuple(self.history.losses), tuple(self.history.validations))

    def _steps(self) -> bool:
        """Step to the end; False when cancelled before it."""
        order = itertools.islice(batches(self.dataset, self.sizes, self.plan), self.step * self.plan.accumulation, None)
        self.networks.modes(training=True)
        while self.step < self.plan.steps:
            self._one_step([next(order) for _ in range(self.plan.accumulation)])
            if self._after_step():
                self.callbacks.on_log("cancelled", {"step": self.step})
                return self.step == self.plan.steps
        return True

    def _one_step(self, picks: Sequence[Sequence[Pick]]) -> None:
        started = time.perf_counter()
        rate = rate_factor(self.step, self.plan)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * rate
        loss = self._gradients(picks)
        if not math.isfinite(loss):
            words = f"The training became unstable at step {self.step + 1}. Start it anew with a smaller learning rate."
            raise EngineError("not_finite", words)
        self._apply()
        self.step += 1
        now = self.optimizer.param_groups[0]["lr"]
        self.history.stepped(self.step, loss, now)
        seconds = time.perf_counter() - started
        memory = peak_memory(self.networks.device)
        self.callbacks.on_step(
            StepReport(self.step, self.plan.steps, loss, self.history.smoothed, now, seconds, memory)
        )

    def _gradients(self, picks: Sequence[Sequence[Pick]]) -> float:
        """The step's loss, its gradients in place; once more with checkpointing when they do not fit into memory."""
        try:
            return self._backward(picks)
        except (RuntimeError, MemoryError) as error:
            if not self._may_checkpoint or not is_out_of_memory(error):
                raise
        # Outside of the except block, whose error would keep every tensor of the failed pass alive.
        self.optimizer.zero_grad(set_to_none=True)
        free()
        self._checkpoint_gradients()
        self.callbacks.on_log("gradient_checkpointing", {"step": self.step + 1})
        return self._backward(picks)

    def _backward(self, picks: Sequence[Sequence[Pick]]) -> float:
        total = torch.zeros((), device=self.networks.device)
        for micro, batch_picks in enumerate(picks):
            drawn = draw(
                seed=self.plan.seed,
                stream=TRAIN,
                index=self.step * self.plan.accumulation + micro,
                shape=self.feeder.shape(batch_picks),
                noise_offset=self.plan.noise_offset,
                timesteps=len(self.schedule.alphas),
            )
            batch = self.feeder.batch(batch_picks, drawn)
            losses = losses_of(self.networks, self.schedule, batch, gamma=self.plan.min_snr_gamma)
            loss = losses.mean() / self.plan.accumulation
            self.scaler.scale(loss).backward()
            total += loss.detach()
        return float(total)

    def _apply(self) -> None:
        self.scaler.unscale_(self.optimizer)
        if self.plan.clip is not None:
            torch.nn.utils.clip_grad_norm_(self.networks.trainable().values(), self.plan.clip)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)

    @property
    def _may_checkpoint(self) -> bool:
        return self.plan.gradient_checkpointing == "auto" and not self.networks.unet.is_gradient_checkpointing

    def _checkpoint_gradients(self) -> None:
        self.networks.unet.enable_gradient_checkpointing()

    def _after_step(self) -> bool:
        """Save, validate, sample as is due or asked for; True when the training is to end here."""
        plan, ask = self.plan, self.callbacks
        cancel, last = ask.should_cancel(), self.step == plan.steps
        save = ask.wants_save() or _due(self.step, plan.save_every) or cancel or last
        loss = self._validate() if save or _due(self.step, plan.validate_every) else None
        shown = ask.wants_sample() or _due(self.step, plan.sample_every) or (last and plan.sample_every > 0)
        similarity = self._sample() if shown and not cancel else None
        if save:
            self._save(loss, similarity)
        return cancel

    def _validate(self) -> float | None:
        self.networks.modes(training=False)
        loss = validation_loss(self.feeder, self.schedule, self.dataset)
        self.networks.modes(training=True)
        if loss is not None:
            report = ValidationReport(self.step, loss)
            self.history.validated(report)
            self.callbacks.on_validation(report)
        return loss

    def _sample(self) -> float | None:
        """Make and store the samples; the mean of their similarities where there are any."""
        self.networks.modes(training=False)
        found = []
        for report in self.sampler(self.networks, self.step):
            stored = self._stored(report)
            self.callbacks.on_sample(stored)
            found += [] if stored.similarity is None else [stored.similarity]
        self.networks.modes(training=True)
        return sum(found) / len(found) if found else None

    def _stored(self, report: SampleReport) -> SampleReport:
        folder = self.out / "samples"
        folder.mkdir(exist_ok=True)
        file = folder / f"step-{report.step:06d}-{report.n}.png"
        buffer = io.BytesIO()
        report.image.save(buffer, "PNG")
        write_atomically(file, buffer.getvalue())
        return replace(report, file=file)

    def _save(self, validation: float | None, similarity: float | None) -> Checkpoint:
        adapter = adapter_bytes(self.networks, self.plan, self.identity, step=self.step)
        measured = Measured(self.history.losses[-1], self.history.smoothed, validation, similarity)
        checkpoint = write_checkpoint(self.out, self._state(), adapter, measured)
        thin_out(self.out, keep=self.plan.keep_checkpoints)
        self.callbacks.on_checkpoint(checkpoint)
        return checkpoint

    def _state(self) -> State:
        return State(
            step=self.step,
            identity=self.record,
            tensors=pack(self.networks.trainable(), self.optimizer),
            groups=group_numbers(self.optimizer),
            scaler=self.scaler.state_dict(),
            averages=self.history.averages,
            validations=tuple((one.step, one.loss) for one in self.history.validations),
        )

    def _restore(self, state: State) -> None:
        unpack(state, self.networks.trainable(), self.optimizer)
        if state.scaler:
            self.scaler.load_state_dict(dict(state.scaler))
        self.history.restore(state.step, state.averages, state.validations)
        self.step = state.step
        self.callbacks.on_log("resumed", {"step": state.step})


def parameter_groups(networks: Networks, plan: Plan) -> Groups:
    """The optimiser's groups: the denoiser's parameters, and the text encoders' with their own peak rate."""
    named = networks.trainable()
    words = [value for name, value in named.items() if name.startswith("text_encoder")]
    unet = [value for name, value in named.items() if not name.startswith("text_encoder")]
    groups: Groups = [{"params": unet, "lr": plan.learning_rate, "peak": plan.learning_rate}]
    if words:
        groups.append({"params": words, "lr": plan.text_learning_rate, "peak": plan.text_learning_rate})
    return groups


def peak_memory(device: torch.device) -> int:
    """Bytes: of the GPU as torch allocated them at most, or of this process on a CPU."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _due(step: int, every: int) -> bool:
    return every > 0 and step % every == 0
