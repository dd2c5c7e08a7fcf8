"""What an executor tells of a training, written down as it comes: points, samples, checkpoints, the log.

Everything is written under the claim's token (``Work.keep``): a worker whose lease was lost writes nothing more, and a
step that is made again after a resume takes the place of the first.
"""

from __future__ import annotations

import hashlib
import math
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imodel_site.lib import storage
from imodel_site.lib.jobs.work import Retry, Work
from training import resuming
from training.models import Checkpoint, Training, TrainingNote, TrainingPoint, TrainingSample

KIND = "trainings"  # of storage keys
EVERY = 1.0  # seconds between two writes of points
MOST_POINTS = 2000  # of a curve; longer trainings keep every n-th step
MOST_NOTES = 400
TRAINED = 0.97  # of the bar; putting the rest away is what is left


@dataclass
class Heard:
    """Listens to one claim's events."""

    work: Work
    out: Path
    _points: dict[int, dict[str, Any]] = field(default_factory=dict)
    _facts: dict[str, Any] = field(default_factory=dict)
    _written: float = 0.0
    _notes: int = 0

    @property
    def training(self) -> Training:
        """The job's row as it was claimed."""
        found: Training = self.work.job
        return found

    def event(self, event: Mapping[str, Any]) -> None:
        """One event of the executor's."""
        kind = str(event.get("event"))
        handler = {
            "progress": self._progress,
            "step": self._step,
            "validated": self._validated,
            "sampled": self._sampled,
            "checkpoint": self._checkpoint,
            "log": self._log,
        }.get(kind)
        if handler is not None:
            handler(event)
        if kind != "step" or time.monotonic() - self._written >= EVERY:
            self.flush()

    def _progress(self, event: Mapping[str, Any]) -> None:
        self.work.progress(str(event["stage"]), TRAINED * float(event["fraction"]))

    def _step(self, event: Mapping[str, Any]) -> None:
        step = int(event["step"])
        for number, loss in event.get("losses") or [[step, event["loss"]]]:
            if int(number) % self._stride == 0 or int(number) == step:
                self._point(int(number), loss=float(loss))
        self._point(step, smoothed=float(event["smoothed"]))
        self._facts |= {"steps_done": step, "step_seconds": self._pace(float(event["seconds"]))}
        if event.get("memory"):
            self._facts["memory_bytes"] = int(event["memory"])

    @property
    def _stride(self) -> int:
        return max(1, math.ceil(self.training.steps_total / MOST_POINTS))

    def _pace(self, seconds: float) -> float:
        """Smoothed, so that one slow step does not shake the time that is left."""
        known = self._facts.get("step_seconds") or self.training.step_seconds
        return seconds if known is None else 0.8 * float(known) + 0.2 * seconds

    def _point(self, step: int, **values: float) -> None:
        self._points.setdefault(step, {}).update(values)

    def _validated(self, event: Mapping[str, Any]) -> None:
        self._point(int(event["step"]), validation=float(event["loss"]))

    def _log(self, event: Mapping[str, Any]) -> None:
        """A training that talks too much is cut short: the curves say the rest."""
        if event["code"] == "caching" and event.get("done") != event.get("of"):
            self.work.progress("caching", 0.0)
            return
        self._notes += 1
        if self._notes > MOST_NOTES:
            return
        params = {name: value for name, value in event.items() if name not in ("event", "id", "code")}
        row = TrainingNote(merchant_id=self.training.merchant_id, training=self.training, params=params)
        row.code = str(event["code"])[:64]
        self.work.keep(lambda: row.save(force_insert=True))
        if row.code == "resumed":
            self._resumed(int(event.get("step") or 0))

    def _resumed(self, step: int) -> None:
        """What was told of later steps by the lost run is void: they are made again."""
        training = self.training

        def write() -> None:
            Training.objects.filter(pk=training.pk).update(resumed=training.resumed + 1, steps_done=step)
            TrainingPoint.objects.filter(training=training, step__gt=step).delete()

        self.work.keep(write)

    # --- files: stored first, rows second ----------------------------------------------------------------------------
    def _sampled(self, event: Mapping[str, Any]) -> None:
        key = self._put(f"sample-{event['step']:06d}-{event['n']}", Path(event["file"]))
        row = TrainingSample(
            merchant_id=self.training.merchant_id,
            training=self.training,
            step=int(event["step"]),
            number=int(event["n"]),
            seed=int(event["seed"]),
            key=key,
            similarity=event.get("similarity"),
        )
        self._replace(TrainingSample, row, step=row.step, number=row.number)

    def _checkpoint(self, event: Mapping[str, Any]) -> None:
        """Adapter and state; the tensors of the one before go, for nobody goes on from there any more.

        The points up to it come first: whoever goes on from here does not make their steps again.
        """
        self.flush()
        self._store(event)
        self._forget_states(before=int(event["step"]))
        self.work.progress("training", self.work.job.fraction, kept=True)

    def missed(self, told: Sequence[Mapping[str, Any]]) -> None:
        """Store those of a training's checkpoints that no event told this or an earlier worker of.

        An executor may have written one just as its worker was lost, and the next try goes on behind it.
        """
        rows = Checkpoint.objects.filter(training=self.training)
        known = dict(rows.values_list("step", "sha256"))
        unheard = [event for event in told if known.get(int(event["step"])) != event["sha256"]]
        for event in unheard:
            self._store(event)
        if unheard:
            self._forget_states(before=resuming.newest_step(self.training))

    def _store(self, event: Mapping[str, Any]) -> None:
        folder, step = Path(event["folder"]), int(event["step"])
        files = resuming.files_of(self._inside(folder))
        sha256 = hashlib.sha256(files[resuming.ADAPTER].read_bytes()).hexdigest()
        if sha256 != event["sha256"]:
            raise Retry(f"{folder} is not what the executor wrote")
        keys = {name: self._put(f"step-{step:06d}-{path.stem}", path) for name, path in files.items()}
        row = Checkpoint(
            merchant_id=self.training.merchant_id,
            training=self.training,
            step=step,
            key=keys.pop(resuming.ADAPTER),
            sha256=sha256,
            bytes=files[resuming.ADAPTER].stat().st_size,
            state=keys,
            train_loss=event.get("train_loss"),
            smoothed_loss=event.get("smoothed"),
            validation_loss=event.get("validation"),
            similarity=event.get("similarity"),
        )
        self._replace(Checkpoint, row, step=step)

    def _replace(self, model: Any, row: Any, **at: Any) -> None:
        gone: list[str] = []

        def write() -> None:
            old = model.objects.filter(training=self.training, **at)
            gone[:] = [key for one in old for key in _keys(one)]
            old.delete()
            row.save(force_insert=True)

        self.work.keep(write)
        storage.delete(*gone)

    def _forget_states(self, *, before: int) -> None:
        """The large part of them alone: the record is what a checkpoint is chosen by, on whichever machine."""
        rows = list(Checkpoint.objects.filter(training=self.training, step__lt=before, state__has_key=resuming.TENSORS))
        keys = [row.state.pop(resuming.TENSORS) for row in rows]
        if keys:
            self.work.keep(lambda: Checkpoint.objects.bulk_update(rows, ["state"]))
            storage.delete(*keys)

    def _put(self, name: str, path: Path) -> str:
        """Under the job and the token, so that a stale worker can not write over a newer one's; random, not guessed."""
        folder = f"m/{self.training.merchant_id}/{KIND}/{self.training.pk}/{self.work.token}"
        key = f"{folder}/{name}-{secrets.token_urlsafe(18)}{path.suffix}"
        return storage.put(key, self._inside(path).read_bytes())

    def _inside(self, path: Path) -> Path:
        """Only what lies in the job's own folder is taken, whatever a message names."""
        if not path.resolve().is_relative_to(self.out.resolve()):
            raise Retry(f"{path} is not in the folder of the job")
        return path

    # --- rows --------------------------------------------------------------------------------------------------------
    def flush(self) -> None:
        """Write the points and figures that have gathered."""
        points, facts = self._points, self._facts
        self._written = time.monotonic()
        if not points and not facts:
            return
        self._points, self._facts = {}, {}
        if "step_seconds" in facts:
            self.training.step_seconds = facts["step_seconds"]
        self.work.keep(lambda: self._write(points, facts))

    def _write(self, points: Mapping[int, Mapping[str, Any]], facts: Mapping[str, Any]) -> None:
        if facts:
            Training.objects.filter(pk=self.training.pk).update(**facts)
        for fields in (("loss",), ("smoothed",), ("validation",)):
            rows = [
                TrainingPoint(
                    merchant_id=self.training.merchant_id,
                    training=self.training,
                    step=step,
                    **{name: values[name] for name in fields},
                )
                for step, values in sorted(points.items())
                if fields[0] in values
            ]
            TrainingPoint.objects.bulk_create(
                rows, update_conflicts=True, unique_fields=["training", "step"], update_fields=list(fields)
            )


def _keys(row: Any) -> list[str]:
    return list(resuming.keys_of(row)) if isinstance(row, Checkpoint) else [row.key]


@dataclass
class Asks:
    """Passes on what the merchant asked of a running training, each wish once."""

    work: Work
    _looked: float = 0.0
    _stopped: bool = False

    def __call__(self) -> str | None:
        """``save``, ``sample``, ``stop``, or None."""
        now = time.monotonic()
        if now - self._looked < 0.5:
            return None
        self._looked = now
        row = Training.objects.filter(pk=self.work.job.pk).values("save_asked", "sample_asked", "stop_asked_at").first()
        if row is None:
            return None
        if row["stop_asked_at"] is not None and not self._stopped:
            self._stopped = True
            return "stop"
        return self._take("save") if row["save_asked"] else self._take("sample") if row["sample_asked"] else None

    def _take(self, wish: str) -> str | None:
        """Two that look at once: one takes it."""
        asked = Training.objects.filter(pk=self.work.job.pk, **{f"{wish}_asked": True})
        return wish if asked.update(**{f"{wish}_asked": False}) else None
