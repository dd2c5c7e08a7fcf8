"""What a grid compares: up to three settings, every combination of their values a cell (studio.lora.grid)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from imodel_site.lib.errors import Refused, from_studio
from studio.diffusion.samplers import resolve
from studio.errors import InputError
from studio.lora import grid
from studio.lora.grid import Setting
from training.models import Checkpoint, Training

MOST_CELLS = grid.MOST_CELLS
WEIGHTS = (0.6, 0.8, 1.0)  # of the first grid
SEEDS = (1, 2)
LONGEST_PROMPT = 300
KEPT = ("prompt", "weight", "seed", "steps", "guidance", "sampler", "checkpoint")


def order_of(training: Training, *, axes: Sequence[Mapping[str, Any]], base: Mapping[str, Any]) -> dict[str, Any]:
    """A grid's order, checked: ``{"axes": [{"name", "values"}], "base": {...}}``.

    Raises:
        Refused: the codes of ``studio.lora.grid.plan``; ``prompt_invalid``, ``unknown_sampler``,
            ``sampler_schedule_mismatch``, ``<setting>_out_of_range``.
    """
    steps = list(Checkpoint.objects.filter(training=training).order_by("step").values_list("step", flat=True))
    chosen = training.chosen_step if training.chosen_step in steps else steps[-1] if steps else None
    start = {"prompt": prompt_of(training), "weight": 1.0, "seed": SEEDS[0], "checkpoint": chosen}
    order = {
        "axes": [{"name": str(axis["name"]), "values": list(axis["values"])} for axis in axes],
        "base": {**start, **{name: base[name] for name in KEPT if base.get(name) is not None}},
        "steps": steps,
    }
    _refuse(order)
    return order


def prompt_of(training: Training) -> str:
    """What the garment is called in a prompt."""
    return f"{training.trigger} {training.order.get('noun', 'garment')}"


def references_of(training: Training) -> list[dict[str, Any]]:
    """The pictures that a cell's garment can be compared with: those that say where it is."""
    return [one for one in training.order["entries"] if one["kind"] == "garment" and one.get("mask")]


NUMBERS = {"weight": (0, 2), "seed": (0, 2**32 - 1), "steps": (1, 150), "guidance": (0, 30)}
WHOLE = ("seed", "steps")
WITHOUT = ("checkpoint", "steps", "guidance", "sampler")  # may be None: the base alone, or what the weights came with


def _refuse(order: Mapping[str, Any]) -> None:
    """Each value before the plan, for what JSON may hold is not all to be compared and counted."""
    values = [(axis["name"], value) for axis in order["axes"] for value in axis["values"]]
    try:
        for name, value in [*values, *order["base"].items()]:
            if value is not None or name not in WITHOUT:
                _check(name, value)
        _plan(order)
    except InputError as error:
        raise from_studio(error, field="sampler" if "sampler" in error.code else "axes") from error


def _check(name: str, value: Any) -> None:
    """One value of one setting; a setting that there is not is for the plan to refuse."""
    if name in NUMBERS:
        _check_number(name, value)
    elif name == "prompt":
        _check_prompt(value)
    elif name == "sampler":
        resolve(value if isinstance(value, str) else repr(value))
    elif name == "checkpoint" and type(value) is not int:
        raise InputError("grid_checkpoint_unknown", f"There is no checkpoint {value!r} in this training.")


def _check_number(name: str, value: Any) -> None:
    least, most = NUMBERS[name]
    number = type(value) is int or (type(value) is float and name not in WHOLE)
    if not (number and least <= value <= most):
        words = _("Give a number from %(least)d to %(most)d.") % {"least": least, "most": most}
        raise Refused(f"{name}_out_of_range", words, field=name)


def _check_prompt(value: Any) -> None:
    if not (isinstance(value, str) and 0 < len(value) <= LONGEST_PROMPT and value.isprintable()):
        words = _("A prompt is one line of text of at most %(most)d characters.") % {"most": LONGEST_PROMPT}
        raise Refused("prompt_invalid", words, field="prompt")


def _plan(order: Mapping[str, Any]) -> tuple[grid.Cell, ...]:
    axes = [grid.Axis(axis["name"], tuple(axis["values"])) for axis in order["axes"]]
    known = {step: Path(f"/{step}") for step in order["steps"]}  # the plan wants a file for each; the worker has it
    base = order["base"]
    if base.get("checkpoint") is not None and base["checkpoint"] not in known:
        raise InputError("grid_checkpoint_unknown", f"There is no checkpoint {base['checkpoint']!r} in this training.")
    return grid.plan(axes, Setting(**base), adapters=known)


def cells(order: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each cell with its place and everything that it is painted with, as the executor's op takes it."""
    return [
        {"n": cell.n, "x": cell.x, "y": cell.y, "z": cell.z, **{name: getattr(cell.setting, name) for name in KEPT}}
        for cell in _plan(order)
    ]


def steps_of(order: Mapping[str, Any]) -> set[int]:
    """The checkpoints that a grid needs."""
    return {cell["checkpoint"] for cell in cells(order) if cell["checkpoint"] is not None}


def first_axes(training: Training, *, best: int) -> list[dict[str, Any]]:
    """What is compared without being asked: the chosen checkpoint and its neighbours, at some weights and seeds."""
    steps = list(Checkpoint.objects.filter(training=training).order_by("step").values_list("step", flat=True))
    place = steps.index(best)
    near = sorted({steps[max(0, place - 1)], best, steps[-1]})
    return [
        {"name": "weight", "values": list(WEIGHTS)},
        {"name": "checkpoint", "values": near},
        {"name": "seed", "values": list(SEEDS)},
    ]
