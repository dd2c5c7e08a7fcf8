"""What a training has told so far: losses and their smoothed mean, in memory and in ``log.jsonl``."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from studio.files import write_atomically
from studio.lora.types import ValidationReport

LOG = "log.jsonl"
DECAY = 0.98


@dataclass
class History:
    """The losses of a training.

    Attributes:
        out: the training's folder.
        losses: by step, of this and earlier tries; those of a try whose log is lost are missing at the front.
        validations: in order.
        total, weight: sums of the exponential mean; ``total / weight`` has no bias towards the start (Kingma & Ba 2015,
            arXiv:1412.6980, section 3).
    """

    out: Path
    losses: list[float] = field(default_factory=list)
    validations: list[ValidationReport] = field(default_factory=list)
    total: float = 0.0
    weight: float = 0.0

    @property
    def smoothed(self) -> float:
        """The mean so far, 0 before the first step."""
        return self.total / self.weight if self.weight else 0.0

    @property
    def averages(self) -> Mapping[str, float]:
        """What a checkpoint keeps of it."""
        return {"total": self.total, "weight": self.weight}

    def stepped(self, step: int, loss: float, rate: float) -> None:
        """Add a step's loss."""
        self.total = DECAY * self.total + (1 - DECAY) * loss
        self.weight = DECAY * self.weight + (1 - DECAY)
        self.losses.append(loss)
        self._line({"step": step, "loss": loss, "smoothed": self.smoothed, "learning_rate": rate})

    def validated(self, report: ValidationReport) -> None:
        """Add a validation; a second one of the same step takes the first one's place."""
        self.validations = [one for one in self.validations if one.step != report.step] + [report]
        self._line({"step": report.step, "validation": report.loss})

    def restore(self, step: int, averages: Mapping[str, float], validations: tuple[tuple[int, float], ...]) -> None:
        """As it was after ``step``: what a killed try logged beyond is cut off, for it will come again."""
        lines = [line for line in _read(self.out / LOG) if int(line["step"]) <= step]
        write_atomically(self.out / LOG, "".join(json.dumps(line) + "\n" for line in lines).encode())
        self.losses = [line["loss"] for line in lines if "loss" in line]
        self.validations = [ValidationReport(*pair) for pair in validations]
        self.total, self.weight = averages["total"], averages["weight"]

    def begin(self) -> None:
        """Start from nothing: a try that left no checkpoint is forgotten."""
        (self.out / LOG).unlink(missing_ok=True)

    def _line(self, entry: Mapping[str, float]) -> None:
        # One write of one line: a reader, and a kill, find whole lines.
        descriptor = os.open(self.out / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        try:
            os.write(descriptor, (json.dumps(entry) + "\n").encode())
        finally:
            os.close(descriptor)


def _read(path: Path) -> list[dict[str, float]]:
    """The whole lines of a log; a torn last one is left out."""
    if not path.is_file():
        return []
    found = []
    for line in path.read_text().splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found
