"""The XYZ grid: one picture for each combination of up to three settings, and which combination does best.

Standard library only: the web plans grids with this, too.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from studio.errors import InputError

AXES = ("weight", "checkpoint", "seed", "prompt", "steps", "guidance", "sampler")
MOST_CELLS = 120
EQUAL = 0.005  # similarity within which the gentler setting wins
COLUMNS = ("n", "x", "y", "z", *AXES, "score", "file")


@dataclass(frozen=True)
class Axis:
    """One setting and the values it takes, in the order in which they are shown."""

    name: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Setting:
    """What one cell is painted with; ``checkpoint`` is a step or another label, None for the bare base."""

    prompt: str
    checkpoint: int | str | None = None
    adapter: Path | None = None
    weight: float = 1.0
    seed: int = 0
    steps: int | None = None
    guidance: float | None = None
    sampler: str | None = None


@dataclass(frozen=True)
class Cell:
    """One picture of a grid: its place on each axis (0 where there is none) and its setting."""

    n: int
    x: int
    y: int
    z: int
    setting: Setting


@dataclass(frozen=True)
class Winner:
    """The best setting, by its mean score over seeds (and prompts), and its best single picture.

    Attributes:
        n: of the cell.
        score: of the cell, 0..1.
        setting: of the cell.
        mean: over the cells that differ from it in seed or prompt only.
        base: mean score of the cells without adapter or of weight 0, None when there is none.
    """

    n: int
    score: float
    setting: Setting
    mean: float
    base: float | None


def plan(axes: Sequence[Axis], base: Setting, *, adapters: Mapping[int | str, Path] | None = None) -> tuple[Cell, ...]:
    """The cells of a grid, x fastest.

    Args:
        axes: one to three, each of another setting.
        base: what the axes do not say.
        adapters: the file of each checkpoint that an axis names; None is the bare base.

    Raises:
        InputError: ``grid_axes_invalid``, ``grid_axis_unknown``, ``grid_axis_empty``, ``grid_too_large``,
            ``grid_checkpoint_unknown``.
    """
    check_axes(axes)
    runs = [range(len(axis.values)) for axis in axes]
    cells: list[Cell] = []
    for places in product(*reversed(runs)):
        at = tuple(reversed(places))
        setting = base
        for axis, k in zip(axes, at, strict=True):
            setting = _set(setting, axis.name, axis.values[k], adapters or {})
        x, y, z = (*at, 0, 0)[:3]
        cells.append(Cell(len(cells), x, y, z, setting))
    return tuple(cells)


def check_axes(axes: Sequence[Axis]) -> None:
    """Refuse axes that make no grid; the codes of :func:`plan`."""
    if not 1 <= len(axes) <= 3 or len({axis.name for axis in axes}) != len(axes):
        raise InputError("grid_axes_invalid", "A grid has one to three axes, each of another setting.")
    for axis in axes:
        if axis.name not in AXES:
            raise InputError("grid_axis_unknown", f"There is no axis {axis.name!r}. Choose among: {', '.join(AXES)}.")
        if not axis.values or len(set(axis.values)) != len(axis.values):
            raise InputError("grid_axis_empty", f"The axis {axis.name} needs values, each of them once.")
    count = math.prod(len(axis.values) for axis in axes)
    if count > MOST_CELLS:
        raise InputError("grid_too_large", f"{count} pictures are more than {MOST_CELLS}: take fewer values.")


def _set(setting: Setting, name: str, value: Any, adapters: Mapping[int | str, Path]) -> Setting:
    if name != "checkpoint":
        return replace(setting, **{name: value})
    if value is not None and value not in adapters:
        raise InputError("grid_checkpoint_unknown", f"There is no checkpoint {value!r} in this training.")
    return replace(setting, checkpoint=value, adapter=None if value is None else adapters[value])


def winner(cells: Sequence[Cell], scores: Mapping[int, float]) -> Winner | None:
    """The best of the scored cells; None when none was.

    Settings are compared by their mean over seeds and prompts, for one lucky seed says nothing about a setting. Within
    ``EQUAL`` the lower weight wins, then the earlier checkpoint. Only cells with an adapter can win, unless there are
    none.
    """
    scored = [cell for cell in cells if cell.n in scores]
    trained = [cell for cell in scored if not _bare(cell)]
    groups: dict[Setting, list[Cell]] = {}
    for cell in trained or scored:
        groups.setdefault(replace(cell.setting, seed=0, prompt=""), []).append(cell)
    if not groups:
        return None
    means = {key: sum(scores[cell.n] for cell in group) / len(group) for key, group in groups.items()}
    top = max(means.values())
    key = min((key for key, mean in means.items() if mean >= top - EQUAL), key=_gentleness)
    best = max(groups[key], key=lambda cell: (scores[cell.n], -cell.n))
    bare = [scores[cell.n] for cell in scored if _bare(cell)]
    return Winner(best.n, scores[best.n], best.setting, means[key], sum(bare) / len(bare) if bare else None)


def _bare(cell: Cell) -> bool:
    return cell.setting.adapter is None or cell.setting.weight == 0


def _gentleness(setting: Setting) -> tuple[float, float, int]:
    step = setting.checkpoint if isinstance(setting.checkpoint, int) else math.inf
    return abs(setting.weight), step, setting.steps or 0


def table(axes: Sequence[Axis], cells: Sequence[Cell], scores: Mapping[int, float], files: Mapping[int, str]) -> str:
    """The grid as CSV (RFC 4180), a line for each cell; x, y and z are the axes' values.

    Text that a spreadsheet would take for a formula gets an apostrophe in front (OWASP, "CSV Injection").
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for cell in cells:
        places = [axis.values[k] for axis, k in zip(axes, (cell.x, cell.y, cell.z), strict=False)]
        own = [getattr(cell.setting, name) for name in AXES]
        score = scores.get(cell.n)
        row = [cell.n, *places, *[None] * (3 - len(places)), *own, None if score is None else round(score, 4)]
        writer.writerow([_plain(value) for value in (*row, files.get(cell.n))])
    return out.getvalue()


def _plain(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
