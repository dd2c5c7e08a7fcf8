"""Whether a training's plan makes sense: types, ranges, and what goes together. No torch."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from studio.errors import InputError

WORD = re.compile(r"[^\s,()\[\]<>:|]{1,64}")


@dataclass(frozen=True)
class Number:
    """A field that is a number between two bounds, both allowed."""

    least: float
    most: float
    whole: bool = False
    optional: bool = False

    def fault(self, value: object) -> str | None:
        """What is wrong with a value, None when nothing is."""
        if value is None and self.optional:
            return None
        # bool is an int to Python.
        kind = type(value) is int if self.whole else type(value) in (int, float)
        if kind and math.isfinite(float(value)) and self.least <= float(value) <= self.most:  # type: ignore[arg-type]
            return None
        noun = "a whole number" if self.whole else "a number"
        return f"must be {noun} from {self.least:g} to {self.most:g}{' or null' if self.optional else ''}"


@dataclass(frozen=True)
class Choice:
    """A field that is one of a few words."""

    words: tuple[str, ...]

    def fault(self, value: object) -> str | None:
        """What is wrong with a value, None when nothing is."""
        return None if value in self.words else f"must be one of {', '.join(self.words)}"


@dataclass(frozen=True)
class Flag:
    """A field that is true or false."""

    def fault(self, value: object) -> str | None:
        """What is wrong with a value, None when nothing is."""
        return None if isinstance(value, bool) else "must be true or false"


def _whole(least: int, most: int) -> Number:
    return Number(least, most, whole=True)


RULES: Mapping[str, Number | Choice | Flag] = {
    "rank": _whole(1, 128),
    "alpha": Number(0.001, 1024),
    "modules": Choice(("attention", "attention+conv")),
    "text_encoder": Flag(),
    "steps": _whole(1, 100_000),
    "batch_size": _whole(1, 256),
    "accumulation": _whole(1, 256),
    "learning_rate": Number(1e-8, 10),
    "text_learning_rate": Number(1e-8, 10),
    "optimizer": Choice(("adamw", "prodigy")),
    "weight_decay": Number(0, 1),
    "clip": Number(1e-6, 1e6, optional=True),
    "schedule": Choice(("constant", "cosine")),
    "warmup_steps": _whole(0, 100_000),
    "min_snr_gamma": Number(0.1, 100, optional=True),
    "noise_offset": Number(0, 1),
    "caption_dropout": Number(0, 1),
    "masked_loss": Number(0, 1),
    "prior_weight": Number(0, 10),
    "width": _whole(64, 2048),
    "height": _whole(64, 2048),
    "bucket_step": _whole(8, 256),
    "flip": Flag(),
    "precision": Choice(("fp32", "bf16", "fp16")),
    "gradient_checkpointing": Choice(("auto", "on", "off")),
    "compile": Flag(),
    "seed": _whole(0, 2**32 - 1),
    "save_every": _whole(0, 100_000),
    "validate_every": _whole(0, 100_000),
    "sample_every": _whole(0, 100_000),
    "samples": _whole(0, 16),
    "sample_steps": _whole(1, 150),
    "keep_checkpoints": _whole(0, 1000),
}
NEEDED = ("family", "trigger")


def plan_fields(text: str | Mapping[str, object], *, names: tuple[str, ...]) -> dict[str, Any]:
    """The constructor's arguments in a JSON object or its text; the values are judged by :func:`check_plan`.

    Raises:
        InputError: ``plan_unreadable``, ``plan_field_unknown``, ``plan_field_missing``.
    """
    given = _object(text)
    for name in given:
        if name not in names:
            raise InputError("plan_field_unknown", f"A training plan has no field {str(name)[:40]!r}. Leave it out.")
    for name in NEEDED:
        if name not in given:
            raise InputError("plan_field_missing", f"The training plan lacks {name!r}. Name it.")
    return {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}


def check_plan(plan: Mapping[str, Any]) -> None:
    """Refuse values that can not be trained with.

    Raises:
        InputError: ``plan_field_invalid``, naming field and range.
    """
    for name in NEEDED:
        if not isinstance(plan[name], str) or not WORD.fullmatch(plan[name]):
            raise _invalid(name, "must be one word without commas, brackets or colons")
    for name, rule in RULES.items():
        fault = rule.fault(plan[name])
        if fault:
            raise _invalid(name, fault)
    _check_sizes(plan)
    _check_tasks(plan)
    if plan["warmup_steps"] > plan["steps"]:
        raise _invalid("warmup_steps", "must not be more than steps")


def _check_sizes(plan: Mapping[str, Any]) -> None:
    for name in ("width", "height", "bucket_step"):
        if plan[name] % 8:
            raise _invalid(name, "must be a multiple of 8")
    for name in ("width", "height"):
        if plan[name] % plan["bucket_step"]:
            raise _invalid(name, "must be a multiple of bucket_step")


def _check_tasks(plan: Mapping[str, Any]) -> None:
    tasks, odds = plan["tasks"], Number(0, 1000)
    if not isinstance(tasks, tuple) or len(tasks) != 4 or any(odds.fault(one) for one in tasks) or not sum(tasks):
        raise _invalid("tasks", "must be four odds from 0 to 1000, not all 0")


def _object(text: str | Mapping[str, object]) -> Mapping[str, object]:
    if isinstance(text, Mapping):
        return text
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError("plan_unreadable", "The training plan is no JSON. Send an object of its fields.") from error
    if not isinstance(found, dict):
        raise InputError("plan_unreadable", "The training plan must be a JSON object of its fields.")
    return found


def _invalid(name: str, what: str) -> InputError:
    return InputError("plan_field_invalid", f"The plan's {name} {what}.")
