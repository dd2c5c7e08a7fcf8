"""The script "x/y/z plot": its arguments, its axes, and a request for each of its cells."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from generation.surfaces.a1111 import options
from generation.surfaces.a1111.asked import Asked, first_seed, sampler_of, schedule_of
from generation.surfaces.a1111.fields import as_flag, as_number, as_whole
from generation.surfaces.a1111.ordering import MOST_CELLS
from imodel_site.lib.errors import Refused
from studio.diffusion.checks import MAX_PROMPT

# A1111 numbers them by their place among those of the tab; names are taken too.
_HEAD = ("Nothing", "Seed", "Var. seed", "Var. strength", "Steps")
_TAIL = (
    "Negative Guidance minimum sigma", "Sigma Churn", "Sigma min", "Sigma max", "Sigma noise", "Schedule type",
    "Schedule min sigma", "Schedule max sigma", "Schedule rho", "Eta", "Clip skip", "Denoising",
)  # fmt: skip
TEXT_AXES = (
    *_HEAD, "Hires steps", "CFG Scale", "Prompt S/R", "Prompt order", "Sampler", "Hires sampler", "Checkpoint name",
    *_TAIL,
)  # fmt: skip
IMAGE_AXES = (
    *_HEAD, "CFG Scale", "Image CFG Scale", "Prompt S/R", "Prompt order", "Sampler", "Checkpoint name", *_TAIL,
)  # fmt: skip
# So few digits that no reckoning with them overflows.
DIGITS = r"\d{1,15}"
REAL = rf"{DIGITS}(?:\.\d{{0,15}})?"
RANGE = re.compile(rf"(-?{DIGITS})\s*-\s*(-?{DIGITS})(?:\s*\(\s*([+-]{DIGITS})\s*\))?")
COUNT = re.compile(rf"(-?{DIGITS})\s*-\s*(-?{DIGITS})\s*\[\s*({DIGITS})\s*\]")
REAL_RANGE = re.compile(rf"(-?{REAL})\s*-\s*(-?{REAL})(?:\s*\(\s*([+-]{REAL})\s*\))?")
REAL_COUNT = re.compile(rf"(-?{REAL})\s*-\s*(-?{REAL})\s*\[\s*({DIGITS})\s*\]")
MOST_TEXT = 64_000  # characters of an axis' values

Change = Callable[[Asked, Any], Asked]


@dataclass(frozen=True)
class Axis:
    """One direction: ``labels`` are what stands beside the cells, ``changes`` makes a cell's request."""

    name: str
    values: tuple[Any, ...]
    change: Change

    @property
    def labels(self) -> tuple[str, ...]:
        """As A1111 writes them."""
        if self.name == "Nothing":
            return ("",)
        if self.name == "Prompt S/R":
            return tuple(str(new) for _old, new in self.values)
        return tuple(f"{self.name}: {value}" for value in self.values)


@dataclass(frozen=True)
class Plot:
    """Three axes and what becomes of the cells; ``margin`` in pixels between them."""

    x: Axis
    y: Axis
    z: Axis
    legend: bool
    lone: bool
    subgrids: bool
    margin: int

    @property
    def cells(self) -> int:
        """How many."""
        return len(self.x.values) * len(self.y.values) * len(self.z.values)


def read(asked: Asked) -> tuple[Plot, list[Asked]]:
    """The plot, and each cell's request: x runs fastest, z slowest.

    Raises:
        Refused: ``script_args_invalid``, ``axis_unsupported``, ``axis_invalid`` (422).
    """
    args = _laid_out(asked["script_args"])
    x, y, z = (_axis(asked, kind, text, picked) for kind, text, picked in args["axes"])
    flags = args["flags"]
    plot = Plot(x, y, z, legend=flags[0], lone=flags[1], subgrids=flags[2], margin=args["margin"])
    if plot.cells > MOST_CELLS or plot.cells * asked.pictures > MOST_CELLS:
        raise _invalid("axis_invalid", f"The plot would make more than {MOST_CELLS} pictures.")
    fixed = asked if flags[3] else _with(asked, seed=first_seed(asked))
    return plot, list(_cells(fixed, plot, args["vary"]))


def _cells(asked: Asked, plot: Plot, vary: Sequence[bool]) -> Iterator[Asked]:
    for z, deep in enumerate(plot.z.values):
        for y, down in enumerate(plot.y.values):
            for x, across in enumerate(plot.x.values):
                cell = plot.z.change(plot.y.change(plot.x.change(asked, across), down), deep)
                yield _varied(cell, plot, (x, y, z), vary)


def _varied(cell: Asked, plot: Plot, place: tuple[int, int, int], vary: Sequence[bool]) -> Asked:
    """Seeds that count on along an axis, as ``vary_seeds_x`` asks."""
    step, more = 1, 0
    for varies, at, axis in zip(vary, place, (plot.x, plot.y, plot.z), strict=True):
        if varies:
            more, step = more + at * step, step * len(axis.values)
    seed = int(cell["seed"])
    return _with(cell, seed=(seed + more) % 2**32) if more and seed != -1 else cell


def _laid_out(args: Sequence[Any]) -> dict[str, Any]:
    """Both layouts: of today with a list of picked values behind each axis' text, and of before without."""
    given = list(args)
    wide = len(given) > 2 and (isinstance(given[2], list) or given[2] is None)
    each = 3 if wide else 2
    if len(given) < 3 * each:
        raise _invalid("script_args_invalid", "script_args: three axes with their values are wanted, then the flags.")
    axes = [(given[k * each], given[k * each + 1], given[k * each + 2] if wide else []) for k in range(3)]
    rest = given[3 * each :]
    flags = [_flag(rest, k, default) for k, default in enumerate((True, False, False, False))]
    vary = [_flag(rest, 4 + k, False) for k in range(3)] if wide else [False] * 3
    at = 7 if wide else 4
    margin = as_whole(rest[at]) if len(rest) > at else 0
    if margin is None or not 0 <= margin <= 500:
        raise _invalid("script_args_invalid", "script_args: the margin must be 0 to 500 px.")
    return {"axes": axes, "flags": flags, "vary": vary, "margin": margin}


def _flag(args: Sequence[Any], place: int, default: bool) -> bool:
    found = as_flag(args[place]) if len(args) > place else default
    if found is None:
        raise _invalid("script_args_invalid", f"script_args: {args[place]!r:.40} must be true or false.")
    return found


def _axis(asked: Asked, kind: Any, text: Any, picked: Any) -> Axis:
    name = _name(asked, kind)
    if name not in AXES:
        raise _invalid("axis_unsupported", f"The axis {name!r:.60} is not supported here: {', '.join(AXES)} are.")
    if name == "Nothing":
        return Axis(name, (None,), AXES[name][1])
    words = _picked(picked) if picked else _split(text)
    parse, change = AXES[name]
    values = tuple(islice(parse(asked, words), MOST_CELLS + 1))
    if not values:
        raise _invalid("axis_invalid", f"The axis {name} has no values.")
    if len(values) > MOST_CELLS:
        raise _invalid("axis_invalid", f"The axis {name} has more than {MOST_CELLS} values.")
    return Axis(name, values, change)


def _picked(values: Any) -> list[str]:
    """The values that were picked from a list."""
    if not isinstance(values, list) or not all(isinstance(one, str | int | float) for one in values):
        raise _invalid("script_args_invalid", "script_args: an axis' picked values must be a list of texts.")
    return [str(one).strip() for one in values[: MOST_CELLS + 1]]


def _name(asked: Asked, kind: Any) -> str:
    known = IMAGE_AXES if asked.image else TEXT_AXES
    number = as_whole(kind)
    if number is not None:
        return known[number] if 0 <= number < len(known) else f"number {number}"
    wanted = str(kind).strip().lower()
    return next((name for name in known if name.lower() == wanted), str(kind))


def _split(text: Any) -> list[str]:
    """By commas, a quoted one kept, as A1111 reads it."""
    if not isinstance(text, str):
        text = "" if text is None else str(text)
    if len(text) > MOST_TEXT:
        raise _invalid("axis_invalid", f"The values of an axis have more than {MOST_TEXT} characters.")
    try:
        rows = list(csv.reader([",".join(text.splitlines())], skipinitialspace=True))
    except csv.Error:
        raise _invalid("axis_invalid", f"The values {text!r:.40} can not be read.") from None
    return [word.strip() for word in (rows[0] if rows else []) if word.strip()]


# --- values -----------------------------------------------------------------------------------------------------------
def _wholes(asked: Asked, words: Sequence[str]) -> Iterator[int]:
    """Numbers and ranges: ``1, 2``, ``1-5``, ``1-5 (+2)``, ``1-10 [5]``."""
    for word in words:
        if found := RANGE.fullmatch(word):
            start, end = int(found[1]), int(found[2])
            step = int(found[3] or (1 if end >= start else -1))
            yield from _stepped(start, end, step)
        elif found := COUNT.fullmatch(word):
            yield from (round(value) for value in _spread(float(found[1]), float(found[2]), int(found[3])))
        else:
            value = as_whole(word)
            if value is None:
                raise _no_number(word)
            yield value


def _reals(asked: Asked, words: Sequence[str]) -> Iterator[float]:
    for word in words:
        if found := REAL_RANGE.fullmatch(word):
            start, end = float(found[1]), float(found[2])
            step = float(found[3] or (1 if end >= start else -1))
            yield from _stepped(start, end, step)
        elif found := REAL_COUNT.fullmatch(word):
            yield from (round(value, 6) for value in _spread(float(found[1]), float(found[2]), int(found[3])))
        else:
            value = as_number(word)
            if value is None:
                raise _no_number(word)
            yield value


def _stepped(start: Any, end: Any, step: Any) -> Iterator[Any]:
    if not step or (end - start) / step > MOST_CELLS:
        raise _invalid("axis_invalid", f"A range has more than {MOST_CELLS} values.")
    count = max(0, int((end - start) / step + 1e-9)) + 1 if (end - start) * step >= 0 else 0
    for k in range(count):
        yield start + k * step if isinstance(start, int) else round(start + k * step, 6)


def _spread(start: float, end: float, count: int) -> Iterator[float]:
    if not 1 <= count <= MOST_CELLS:
        raise _invalid("axis_invalid", f"A range has 1 to {MOST_CELLS} values.")
    for k in range(count):
        yield start if count == 1 else start + (end - start) * k / (count - 1)


def _replacements(asked: Asked, words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The first word is looked for, each of them stands in its place in turn."""
    old, prompts = words[0] if words else "", (asked["prompt"], asked["negative_prompt"])
    if not old or not any(old in prompt for prompt in prompts):
        raise _invalid("axis_invalid", f"Prompt S/R did not find {old!r:.60} in prompt or negative prompt.")
    for word in words:
        if any(len(prompt) + prompt.count(old) * (len(word) - len(old)) > MAX_PROMPT for prompt in prompts):
            raise _invalid("axis_invalid", f"Prompt S/R makes a prompt of more than {MAX_PROMPT} characters.")
        yield old, word


def _samplers(asked: Asked, words: Sequence[str]) -> Iterator[str]:
    for word in words:
        sampler_of(word, asked["scheduler"])
        yield word


def _schedules(asked: Asked, words: Sequence[str]) -> Iterator[str]:
    yield from (schedule_of(word) for word in words)


def _families(asked: Asked, words: Sequence[str]) -> Iterator[str]:
    yield from (options.family_of(word) for word in words)


def _nothing(asked: Asked, words: Sequence[str]) -> Iterator[Any]:
    yield from ()


# --- what a value changes ---------------------------------------------------------------------------------------------
def _with(asked: Asked, **changed: Any) -> Asked:
    return replace(asked, values={**asked.values, **changed})


def _sets(name: str) -> Change:
    return lambda asked, value: _with(asked, **{name: value})


def _option(name: str) -> Change:
    return lambda asked, value: replace(asked, options={**asked.options, **options.checked({name: value})})


def _replaced(asked: Asked, pair: tuple[str, str]) -> Asked:
    return _with(asked, prompt=asked["prompt"].replace(*pair), negative_prompt=asked["negative_prompt"].replace(*pair))


def _sampled(asked: Asked, name: str) -> Asked:
    sampler, schedule = sampler_of(name, asked["scheduler"])
    return _with(asked, sampler_name=sampler, scheduler=schedule)


def _scheduled(asked: Asked, name: str) -> Asked:
    sampler, schedule = sampler_of(asked["sampler_name"], name)
    return _with(asked, sampler_name=sampler, scheduler=schedule)


AXES: Mapping[str, tuple[Callable[[Asked, Sequence[str]], Iterator[Any]], Change]] = {
    "Nothing": (_nothing, lambda asked, value: asked),
    "Seed": (_wholes, _sets("seed")),
    "Steps": (_wholes, _sets("steps")),
    "Hires steps": (_wholes, _sets("hr_second_pass_steps")),
    "CFG Scale": (_reals, _sets("cfg_scale")),
    "Prompt S/R": (_replacements, _replaced),
    "Sampler": (_samplers, _sampled),
    "Checkpoint name": (_families, _option(options.CHECKPOINT)),
    "Schedule type": (_schedules, _scheduled),
    "Clip skip": (_wholes, _option(options.CLIP_SKIP)),
    "Denoising": (_reals, _sets("denoising_strength")),
}


def _no_number(word: str) -> Refused:
    return _invalid("axis_invalid", f"{word!r:.40} is no number and no range.")


def _invalid(code: str, words: str) -> Refused:
    return Refused(code, words, field="script_args", status=422)
