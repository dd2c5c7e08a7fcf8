"""``train``: a LoRA for a garment, from a folder of pictures to checkpoints, samples and a choice among them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from studio.dataset.folders import read_folder
from studio.dataset.types import DataSet, Entry
from studio.errors import Cancelled
from studio.files import write_atomically
from studio.lora.choosing import Choice, choose
from studio.lora.collapse import Garment, copied
from studio.lora.similarity import Mask
from studio.lora.types import Callbacks, Checkpoint, Plan, SampleReport, StepReport, Trained, ValidationReport
from studio.provenance import label
from studio.serve.fields import Fields
from studio.serve.jobs import Job
from studio.serve.outputs import make_folder
from studio.serve.protocol import Ask
from studio.serve.resident import Resident
from studio.shoot.finish import PRODUCER

STEP_SECONDS = 0.5  # between two ``step`` events


def train(job: Job, resident: Resident) -> Mapping[str, Any]:
    """Train, or go on with what lies in ``out``; its last checkpoint survives a cancel, a kill and the job itself."""
    fields = Fields("message", job.body)
    family, folder, out = fields.text("family"), fields.path("dataset"), fields.path("out")
    plan, start = Plan.from_json({**_object(fields, "plan"), "family": family}), fields.path("start", None)
    fields.finish()
    dataset = read_folder(folder)
    make_folder(out)
    job.stop_if_asked()
    files = resident.make_room(family)
    relay = _Relay(job, out, dataset)
    trained = _train(files, dataset, plan, out, start, relay, resident.device)
    if not trained.checkpoints or (trained.cancelled and not relay.stopped):
        raise Cancelled
    return told(trained, choose(trained.checkpoints, copied=relay.copies()), stopped=relay.stopped)


def _object(fields: Fields, name: str) -> dict[str, Any]:
    value = fields.any(name)
    return dict(value) if isinstance(value, Mapping) else fields.refuse(name, "must be an object")


def _train(
    files: Any, dataset: DataSet, plan: Plan, out: Path, start: Path | None, relay: _Relay, device: str | None
) -> Trained:
    from studio.lora.training import train as run

    return run(files, dataset, plan, out=out, start=start, callbacks=relay.callbacks(), device=device)


def told(trained: Trained, choice: Choice, *, stopped: bool) -> dict[str, Any]:
    """What ``done`` says."""
    return {
        "steps": trained.steps_done,
        "best": choice.best,
        "stopped": stopped,
        "choice": {**asdict(choice), "merits": [[step, merit] for step, merit in choice.merits.items()]},
        "checkpoints": [checkpoint_json(one) for one in trained.checkpoints],
        "validations": [[one.step, one.loss] for one in trained.validations],
    }


def checkpoint_json(one: Checkpoint) -> dict[str, Any]:
    """A checkpoint as events tell it."""
    return {
        "step": one.step,
        "folder": str(one.folder),
        "file": str(one.adapter),
        "sha256": one.sha256,
        "train_loss": one.train_loss,
        "smoothed": one.smoothed_loss,
        "validation": one.validation_loss,
        "similarity": one.similarity,
    }


@dataclass
class _Relay:
    """Between a training and its job: reports become events, asks and cancels become answers."""

    job: Job
    out: Path
    dataset: DataSet
    stopped: bool = False
    _losses: list[list[float]] = field(default_factory=list)
    _last: StepReport | None = None
    _next: float = 0.0
    _samples: dict[int, list[Garment]] = field(default_factory=dict)

    def callbacks(self) -> Callbacks:
        """For the trainer."""
        return Callbacks(
            on_step=self.step,
            on_validation=self.validated,
            on_sample=self.sampled,
            on_checkpoint=self.checkpoint,
            on_log=self.log,
            should_cancel=self.should_end,
            wants_save=lambda: self.job.asks.take(Ask.SAVE),
            wants_sample=lambda: self.job.asks.take(Ask.SAMPLE),
        )

    def should_end(self) -> bool:
        """Nobody wants it any more, or its owner has had enough."""
        self.stopped = self.stopped or self.job.asks.take(Ask.STOP)
        return self.stopped or self.job.cancelled.is_set()

    def step(self, report: StepReport) -> None:
        """Two events a second tell of all steps: a plot has a point for each."""
        self._losses.append([report.step, round(report.loss, 6)])
        self._last = report
        if time.monotonic() >= self._next or report.step == report.steps:
            self._tell_steps()

    def _tell_steps(self) -> None:
        report = self._last
        if report is None or not self._losses:
            return
        self._next = time.monotonic() + STEP_SECONDS
        values = {**asdict(report), "lr": report.learning_rate, "losses": self._losses}
        del values["learning_rate"]
        self.job.tell("step", **values)
        self.job.progress("training", report.step / max(report.steps, 1))
        self._losses = []

    def validated(self, report: ValidationReport) -> None:
        """Step 0 is the base alone."""
        self.job.tell("validated", step=report.step, loss=report.loss)

    def sampled(self, report: SampleReport) -> None:
        """A sample is written as a labelled picture, then told of."""
        entry = self.dataset.entries[report.entry]
        if report.step and entry.held_out and entry.mask is not None:
            self._samples.setdefault(report.step, []).append((report.image, _mask(entry, report.image.size)))
        path = self.out / "labelled" / f"{report.step:06d}-{report.n}.webp"
        make_folder(path.parent)
        name = hashlib.sha256(f"{self.job.id} {report.step} {report.n}".encode()).hexdigest()[:32]
        data = label(report.image, format="webp", composite=True, producer=PRODUCER, content_id=name, quality=90)
        write_atomically(path, data)
        self.job.tell(
            "sampled",
            step=report.step,
            n=report.n,
            seed=report.seed,
            prompt=report.prompt,
            entry=report.entry,
            file=str(path),
            similarity=report.similarity,
        )

    def checkpoint(self, one: Checkpoint) -> None:
        """It is on the disk, whole; a next try goes on behind it, so what led to it is told first."""
        self._tell_steps()
        self.job.tell("checkpoint", **checkpoint_json(one))

    def log(self, code: str, values: Mapping[str, object]) -> None:
        """A code for plain words elsewhere."""
        self.job.tell("log", code=code, **{f"log_{k}" if k in RESERVED else k: v for k, v in values.items()})

    def copies(self) -> dict[int, float]:
        """How much each step's samples copy training pictures, of this try's steps."""
        if not self._samples:
            return {}
        size = next(iter(self._samples.values()))[0][0].size
        training, held_out = (garments(part, size) for part in (self.dataset.trained, self.dataset.held_out))
        return {step: copied(samples, training, held_out) for step, samples in self._samples.items()}


def garments(entries: Sequence[Entry], size: tuple[int, int]) -> list[Garment]:
    """Those that say where their garment is, as a training at that size sees them."""
    from studio.lora.pictures import prepare

    seen = [prepare(entry, size, flip=False) for entry in entries if entry.mask is not None]
    return [(Image.fromarray(one.pixels), one.garment) for one in seen if one.garment is not None]


def _mask(entry: Entry, size: tuple[int, int]) -> Mask:
    """Where the garment is in a sample made from an entry."""
    ((_, mask),) = garments([entry], size)
    return mask


RESERVED = ("event", "id", "code")
