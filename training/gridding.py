"""A grid between its order and its rows: the executor's message, and the files that come back."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from imodel_site.lib import storage
from imodel_site.lib.jobs.work import Retry, Work
from studio.lora.grid import EQUAL
from training import datasets, grids
from training.models import Checkpoint, Comparison, ComparisonCell
from training.services import adapters

KIND = "grids"  # of storage keys
PAPERS = ("sheet", "csv")


@dataclass(frozen=True)
class Stored:
    """A finished grid whose files are stored and whose rows are not written yet."""

    cells: Sequence[Mapping[str, Any]]
    papers: Mapping[str, str]
    best: int | None
    setting: Mapping[str, Any]

    def keys(self) -> list[str]:
        """Every file of it."""
        return [cell["key"] for cell in self.cells] + list(self.papers.values())


@contextmanager
def message(row: Comparison, folder: Path) -> Iterator[dict[str, Any]]:
    """The op's fields, with files of this machine in the place of storage keys.

    Raises:
        InputError: ``input_gone``.
    """
    with ExitStack() as opened:
        files = {
            checkpoint.step: str(opened.enter_context(datasets.local(checkpoint.key)))
            for checkpoint in Checkpoint.objects.filter(training=row.training, step__in=grids.steps_of(row.order))
        }
        cells = [
            {
                **{name: value for name, value in cell.items() if name != "checkpoint"},
                "checkpoint": cell["checkpoint"],
                "adapter": None if cell["checkpoint"] is None else files[cell["checkpoint"]],
            }
            for cell in grids.cells(row.order)
        ]
        yield {
            "family": row.training.family,
            "axes": row.order["axes"],
            "cells": cells,
            "references": _references(row, folder),
        }


def _references(row: Comparison, folder: Path) -> list[dict[str, str]]:
    """The garment as it was held out, or, where nothing was, as it was learned."""
    garment = grids.references_of(row.training)
    chosen = [one for one in garment if one["held_out"]] or garment
    raw = folder / "references"
    raw.mkdir()
    return [_reference(one, raw / f"{number}") for number, one in enumerate(chosen)]


def _reference(entry: Mapping[str, Any], place: Path) -> dict[str, str]:
    mask = entry["mask"]
    image = datasets.cut(entry["key"], entry["crop"], place.with_suffix(".png"))
    cut = datasets.cut(mask["key"], entry["crop"] if mask["whole"] else None, place.with_suffix(".mask.png"))
    return {"image": str(image), "mask": str(cut)}


def store(
    work: Work, row: Comparison, told: Mapping[int, Mapping[str, Any]], done: Mapping[str, Any], *, out: Path
) -> Stored:
    """Put every file into storage; nothing stays of what could not be stored.

    Raises:
        Retry: cells are missing.
        StorageError: no room, or the storage does not answer.
    """
    if len(told) != row.cells_total:
        raise Retry(f"{len(told)} of {row.cells_total} cells came")
    keys: list[str] = []
    try:
        cells = [_cell(work, number, told[number], out, keys) for number in sorted(told)]
        papers = {name: _put(work, name, Path(file), out, keys) for name in PAPERS if (file := done.get(name))}
    except BaseException:
        storage.delete(*keys)
        raise
    return Stored(cells, papers, done.get("best"), done.get("setting") or {})


def _cell(work: Work, number: int, event: Mapping[str, Any], out: Path, keys: list[str]) -> dict[str, Any]:
    return {
        "number": number,
        "key": _put(work, f"cell-{number:03d}", Path(event["file"]), out, keys),
        "score": event.get("score"),
    }


def _put(work: Work, name: str, path: Path, out: Path, keys: list[str]) -> str:
    if not path.resolve().is_relative_to(out.resolve()):
        raise Retry(f"{path} is not in the folder of the job")
    folder = f"m/{work.job.merchant_id}/{KIND}/{work.job.pk}/{work.token}"
    keys.append(f"{folder}/{name}-{secrets.token_urlsafe(18)}{path.suffix}")
    return storage.put(keys[-1], path.read_bytes())


def write(row: Comparison, stored: Stored) -> None:
    """The cells' rows; versions of the checkpoints that were painted learn their weights."""
    planned = {cell["n"]: cell for cell in grids.cells(row.order)}
    ComparisonCell.objects.bulk_create(
        ComparisonCell(
            merchant_id=row.merchant_id,
            comparison=row,
            x=planned[cell["number"]]["x"],
            y=planned[cell["number"]]["y"],
            z=planned[cell["number"]]["z"],
            weight=planned[cell["number"]]["weight"],
            step=planned[cell["number"]]["checkpoint"],
            seed=planned[cell["number"]]["seed"],
            **cell,
        )
        for cell in stored.cells
    )
    scores = {cell["number"]: cell["score"] for cell in stored.cells if cell["score"] is not None}
    asked = {n: cell for n, cell in planned.items() if cell["prompt"] == grids.prompt_of(row.training)}
    for step, weight in _best_weights(asked, scores).items():
        adapters.learn_weight(training=row.training, step=step, weight=weight)


def _best_weights(asked: Mapping[int, Mapping[str, Any]], scores: Mapping[int, float]) -> dict[int, float]:
    """By checkpoint the weight that scores best over its cells, the lower one within ``EQUAL``; 0 is no weight.

    Nothing of a checkpoint that was painted with one weight alone: nothing was compared.
    """
    found: dict[int, dict[float, list[float]]] = {}
    for number, cell in asked.items():
        if number in scores and cell["checkpoint"] is not None and cell["weight"] > 0:
            found.setdefault(cell["checkpoint"], {}).setdefault(cell["weight"], []).append(scores[number])
    return {
        step: _best_weight({weight: mean(some) for weight, some in by.items()})
        for step, by in found.items()
        if len(by) > 1
    }


def _best_weight(means: Mapping[float, float]) -> float:
    top = max(means.values())
    return min(weight for weight, score in means.items() if score >= top - EQUAL)
