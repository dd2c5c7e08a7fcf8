"""The curves of a training as an SVG's shapes: worked out here, so that the page needs no script to draw them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from training.models import Checkpoint, Training, TrainingPoint

WIDTH, HEIGHT = 720.0, 260.0
LEFT, RIGHT, TOP, BOTTOM = 44.0, 12.0, 12.0, 26.0
LOSS_LINE = 0.07  # where the article that this product comes from stopped; shown, and no judge
MOST_DRAWN = 400  # points of a line; more can not be told apart


@dataclass(frozen=True)
class Mark:
    """A labelled place on an axis or in the plot."""

    x: float
    y: float
    words: str


@dataclass(frozen=True)
class Plot:
    """What templates/training/plot.html draws: lines as ``points`` of a polyline, in a viewBox of 720 x 260."""

    width: float
    height: float
    loss: str
    smoothed: str
    validation: str
    dots: Sequence[Mark]
    checkpoints: Sequence[Mark]
    chosen: Mark | None
    line: Mark | None
    rows: Sequence[Mark]
    columns: Sequence[Mark]
    left: float = LEFT
    right: float = WIDTH - RIGHT
    bottom: float = HEIGHT - BOTTOM


def losses(training: Training) -> Plot | None:
    """Loss, its mean, and validation; None while nothing was told."""
    points = list(TrainingPoint.objects.filter(training=training).order_by("step"))
    values = [value for point in points for value in (point.smoothed, point.validation) if value is not None]
    if not values:
        return None
    scale = _Scale(max(training.steps_total, points[-1].step), max(*values, LOSS_LINE) * 1.15)
    steps = Checkpoint.objects.filter(training=training).order_by("step").values_list("step", flat=True)
    return Plot(
        WIDTH,
        HEIGHT,
        loss=scale.line((point.step, point.loss) for point in points),
        smoothed=scale.line((point.step, point.smoothed) for point in points),
        validation=scale.line((point.step, point.validation) for point in points),
        dots=[
            Mark(scale.x(point.step), scale.y(point.validation), f"{point.step}: {point.validation:.4f}")
            for point in points
            if point.validation is not None
        ],
        checkpoints=[Mark(scale.x(step), HEIGHT - BOTTOM, str(step)) for step in steps],
        chosen=Mark(scale.x(training.chosen_step), TOP, str(training.chosen_step)) if training.chosen_step else None,
        line=Mark(LEFT, scale.y(LOSS_LINE), f"{LOSS_LINE}"),
        rows=scale.rows(),
        columns=scale.columns(),
    )


@dataclass(frozen=True)
class _Scale:
    """From steps and losses to the viewBox."""

    steps: int
    top: float

    def x(self, step: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * step / max(1, self.steps), 1)

    def y(self, loss: float) -> float:
        share = min(1.0, max(0.0, loss / self.top))
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share, 1)

    def line(self, values: Iterable[tuple[int, float | None]]) -> str:
        """Points of a polyline, thinned out."""
        there = [(step, loss) for step, loss in values if loss is not None]
        every = max(1, len(there) // MOST_DRAWN)
        return " ".join(f"{self.x(step)},{self.y(loss)}" for step, loss in there[::every])

    def rows(self) -> list[Mark]:
        """Four lines across, at round numbers."""
        step = _round(self.top / 4)
        count = int(self.top / step)
        return [Mark(LEFT, self.y(step * n), f"{step * n:.3g}") for n in range(count + 1)]

    def columns(self) -> list[Mark]:
        """Steps along the bottom."""
        step = max(1, int(_round(self.steps / 5)))
        return [Mark(self.x(n), HEIGHT - BOTTOM, str(n)) for n in range(0, self.steps + 1, step)]


def _round(value: float) -> float:
    """The nearest of 1, 2, 5 times a power of ten."""
    from math import floor, log10

    power = 10.0 ** floor(log10(value)) if value > 0 else 1.0
    return min((1 * power, 2 * power, 5 * power, 10 * power), key=lambda found: abs(found - value))


def merits(training: Training) -> list[dict[str, Any]]:
    """The checkpoints as a table: what each measured, and which was chosen."""
    return [
        {
            "checkpoint": row,
            "best": row.step == training.choice.get("best"),
            "chosen": row.step == training.chosen_step,
        }
        for row in Checkpoint.objects.filter(training=training).select_related("training").order_by("step")
    ]
