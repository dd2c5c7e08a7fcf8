"""From nothing to a small SAM: pictures, a feeder, and three phases at 128, 256 and 512 pixels.

Training as in Kirillov et al. 2023 (arXiv:2304.02643, appendix A), with cross entropy in the place of the focal loss:
the smallest of three candidates' losses counts for a first click, the score learns the mask's true IoU, later clicks
fall into the largest region of error and the mask so far is fed back. Beside that the embedding learns to name the
parts of drawn figures, which costs little and teaches the encoder early. Phases go up in size because a prompt costs
sixteen times as much at 512 as at 128.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from studio.mini.data import PARTS
from studio.mini.segmenter import clicks
from studio.mini.segmenter.network import Segmenter
from studio.mini.segmenter.pictures import FIRST_SEED, Pictures, render
from studio.mini.segmenter.samples import UNKNOWN, Sample, samples
from studio.segmentation.small_encoder import STRIDE

Say = Callable[[str], None]
SQUARE = 1024
CLASSES = len(PARTS) + 1
TARGETS = 2  # asked for in each picture
NAMING = 1.0  # how much naming the parts weighs beside the masks
SCORING = 3.0  # and the score: it picks the candidate that a first click shows
THIRD = 0.5  # how often a third prompt follows the second


@dataclass(frozen=True)
class Phase:
    """One size: ``steps`` optimiser steps of ``batch`` pictures, two targets each, or a ``share`` of given minutes."""

    side: int
    steps: int
    batch: int
    rate: float
    share: float


@dataclass(frozen=True)
class Recipe:
    """A whole training: how many world pictures, and the phases.

    ``last_rate`` is where each phase's cosine ends, as a part of its peak.
    """

    pictures: int
    phases: tuple[Phase, ...]
    last_rate: float = 0.15


RECIPES = {
    "cpu": Recipe(
        2_400,
        (Phase(128, 3_000, 10, 8e-4, 0.35), Phase(256, 1_500, 4, 4e-4, 0.4), Phase(512, 600, 2, 1.5e-4, 0.25)),
    ),
    "large": Recipe(
        20_000,
        (Phase(128, 20_000, 64, 1.2e-3, 0.3), Phase(256, 15_000, 32, 6e-4, 0.35), Phase(512, 10_000, 16, 3e-4, 0.35)),
    ),
    "smoke": Recipe(2, (Phase(64, 2, 2, 1e-3, 0.5), Phase(128, 1, 1, 1e-3, 0.5))),
}


@dataclass(frozen=True)
class Plan:
    """One training.

    Attributes:
        recipe: sizes and lengths.
        work: folder for drawn pictures and checkpoints.
        device: "cpu" or "cuda".
        seed: of weights, samples and clicks.
        workers: processes that draw and compose.
        minutes: wall time of the phases together, instead of their steps.
        start: a checkpoint to go on from.
        phases: which of the recipe's phases to run, by number.
    """

    recipe: Recipe
    work: Path
    device: str
    seed: int = 7
    workers: int = 1
    minutes: float | None = None
    start: Path | None = None
    phases: tuple[int, ...] | None = None


@dataclass
class Trained:
    """The network, the part namer beside it, and their running averages, which are what is kept."""

    network: Segmenter
    namer: nn.Module
    average: Segmenter
    seen: int = 0
    history: list[dict[str, float]] = field(default_factory=list)

    @classmethod
    def fresh(cls, plan: Plan) -> Trained:
        """Random weights, or those of ``plan.start``."""
        torch.manual_seed(plan.seed)
        network, namer = Segmenter(), nn.Conv2d(256, CLASSES, 1)
        if plan.start is not None:
            state = torch.load(plan.start, weights_only=True)
            network.load_state_dict(state["network"])
            namer.load_state_dict(state["namer"])
        network.to(plan.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch has it
        return cls(network, namer.to(plan.device), copy.deepcopy(network).requires_grad_(False))

    def follow(self, updates: int) -> None:
        """Move the average towards the network; slower the longer it has gone on."""
        keep = min(0.998, (1 + updates) / (10 + updates))
        with torch.no_grad():
            for mine, new in zip(self.average.parameters(), self.network.parameters(), strict=True):
                mine.lerp_(new, 1 - keep)
            for old, now in zip(self.average.buffers(), self.network.buffers(), strict=True):
                old.copy_(now)

    def save(self, path: Path) -> None:
        """The averages, whole or not at all."""
        aside = path.with_suffix(".part")
        torch.save({"network": self.average.state_dict(), "namer": self.namer.state_dict()}, aside)
        aside.rename(path)


def train(plan: Plan, say: Say) -> Trained:
    """Draw what is not drawn yet, then run the phases; the averaged weights lie in ``work/segmenter.pt`` after each."""
    say(f"drawing {plan.recipe.pictures} pictures")
    plan.work.mkdir(parents=True, exist_ok=True)
    world = render(plan.work / "data", plan.recipe.pictures, workers=plan.workers)
    torch.set_flush_denormal(True)
    trained = Trained.fresh(plan)
    for number, phase in enumerate(plan.recipe.phases):
        if plan.phases is None or number in plan.phases:
            _run(plan, trained, world, phase, number, say)
    return trained


def _run(plan: Plan, trained: Trained, world: Pictures, phase: Phase, number: int, say: Say) -> None:
    seconds = None if plan.minutes is None else plan.minutes * 60 * phase.share
    optimiser = torch.optim.AdamW(
        [*trained.network.parameters(), *trained.namer.parameters()],
        lr=phase.rate,
        weight_decay=0.02,
        betas=(0.9, 0.98),
    )
    rng, began = np.random.default_rng(plan.seed + 97 * number), time.monotonic()
    trained.network.at(phase.side)
    trained.average.at(phase.side)
    trained.network.train()
    with feeding(plan, world, phase, number) as batches:
        step, done = 0, 0.0
        while done < 1:
            for group in optimiser.param_groups:
                group["lr"] = _rate(phase.rate, plan.recipe.last_rate, done, step)
            told = _step(trained, optimiser, next(batches), phase.side, plan.device, rng)
            step += 1
            trained.seen += phase.batch
            trained.follow(step if number == 0 else step + 1000)
            done = step / phase.steps if seconds is None else (time.monotonic() - began) / seconds
            trained.history.append(told)
            if step % 50 == 0 or done >= 1:
                say(f"{phase.side} px, step {step}, {done:.0%}, {_recent(trained.history)}")
            if step % 250 == 0 or done >= 1:
                trained.save(plan.work / "segmenter.pt")


def _recent(history: list[dict[str, float]]) -> str:
    rows = history[-50:]
    return ", ".join(f"{key} {np.mean([row[key] for row in rows]):.3f}" for key in rows[-1])


def _rate(peak: float, last: float, done: float, step: int) -> float:
    warm = min(1.0, (step + 1) / 60)
    return peak * warm * (last + (1 - last) * 0.5 * (1 + float(np.cos(np.pi * min(done, 1)))))


# --- batches -------------------------------------------------------------------------------------------------------
class feeding:  # used as a word in a with statement
    """Processes that compose samples while the network learns; samples come out in a fixed order for a seed."""

    def __init__(self, plan: Plan, world: Pictures, phase: Phase, number: int) -> None:
        self._plan, self._world, self._phase, self._number = plan, world, phase, number

    def __enter__(self) -> Iterator[list[Sample]]:
        # Not forked: what OpenCV and OpenMP hold locked at that moment would stay so in the child for ever.
        context = get_context("spawn")
        self._queues = [context.Queue(maxsize=6) for _ in range(max(1, self._plan.workers))]
        self._feeders = [
            context.Process(target=_feed, args=(self._world, self._phase, self._seed(k), queue), daemon=True)
            for k, queue in enumerate(self._queues)
        ]
        for feeder in self._feeders:
            feeder.start()
        return self._batches()

    def __exit__(self, *_: object) -> None:
        for feeder in self._feeders:
            feeder.kill()
            feeder.join()

    def _seed(self, k: int) -> int:
        return 1000 * self._plan.seed + 100 * self._number + k + FIRST_SEED

    def _batches(self) -> Iterator[list[Sample]]:
        while True:
            for queue in self._queues:
                yield queue.get()


def _feed(world: Pictures, phase: Phase, seed: int, queue: Any) -> None:
    import cv2

    cv2.setNumThreads(1)
    source = samples(world, side=phase.side, seed=seed)
    while True:
        queue.put([next(source) for _ in range(phase.batch)])


# --- a step --------------------------------------------------------------------------------------------------------
def _step(
    trained: Trained, optimiser: Any, batch: list[Sample], side: int, device: str, rng: np.random.Generator
) -> dict[str, float]:
    network = trained.network
    pixels = torch.from_numpy(np.stack([sample.pixels for sample in batch])).to(device).permute(0, 3, 1, 2).float()
    wanted = np.stack([mask for sample in batch for mask in _two(sample, rng)])
    with torch.autocast(device, dtype=torch.bfloat16):
        embeddings = network.image_encoder(pixels.contiguous(memory_format=torch.channels_last))
        loss = NAMING * _naming(trained.namer, embeddings, batch, device)
        told = {"parts": float(loss.detach()) / NAMING}
        more, figures = _rounds(network, embeddings.repeat_interleave(TARGETS, dim=0), wanted, side, rng)
    loss = loss + more
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimiser.step()
    return told | figures


def _two(sample: Sample, rng: np.random.Generator) -> list[NDArray[np.bool_]]:
    """Two things of one picture, different ones where there are: it is the click that must decide."""
    count = len(sample.targets)
    rows = rng.permutation(count)[:TARGETS] if count >= TARGETS else rng.integers(count, size=TARGETS)
    return [sample.targets[row] for row in rows]


def _naming(namer: nn.Module, embeddings: torch.Tensor, batch: list[Sample], device: str) -> torch.Tensor:
    half = STRIDE // 2
    parts = torch.from_numpy(np.stack([sample.parts[half::STRIDE, half::STRIDE] for sample in batch])).to(device).long()
    if bool((parts == UNKNOWN).all()):
        return embeddings.float().mean() * 0
    return functional.cross_entropy(namer(embeddings).float(), parts, ignore_index=UNKNOWN)


def _rounds(
    network: Segmenter, embeddings: torch.Tensor, wanted: NDArray[np.bool_], side: int, rng: np.random.Generator
) -> tuple[torch.Tensor, dict[str, float]]:
    """A first prompt and one or two corrections; the loss of all of them, and the mean IoU after the first and last."""
    device = embeddings.device
    truth = torch.from_numpy(wanted).to(device).float()[:, None]
    soft = functional.avg_pool2d(truth, side // (4 * embeddings.shape[-1]))
    prompts = [_first_prompt(rng, mask, side) for mask in wanted]
    masks: torch.Tensor | None = None
    total, told = torch.zeros((), device=device), {}
    rounds = 2 + int(rng.random() < THIRD)
    for number in range(rounds):
        points, labels = _padded(prompts, side, device)
        kept = torch.from_numpy(rng.random(len(wanted)) < 0.85).to(device)
        logits, scores = network.decode(embeddings, points, labels, masks, kept)
        logits, scores = logits.float(), scores.float()
        loss, ious, best = judge(logits, scores, soft, first=number == 0)
        total = total + loss
        chosen = logits[torch.arange(len(best)), best][:, None]
        told["iou1" if number == 0 else "iouN"] = float(ious[torch.arange(len(best)), best].mean())
        if number + 1 < rounds:
            masks = chosen.detach()
            _correct(prompts, masks, wanted, side, rng)
    return total, told


def _first_prompt(rng: np.random.Generator, mask: NDArray[np.bool_], side: int) -> list[tuple[float, float, int]]:
    """Points with labels: a click, or the two corners of a box."""
    if rng.random() < 0.15:
        x0, y0, x1, y1 = clicks.box(rng, mask)
        return [(x0, y0, 2), (x1, y1, 3)]
    x, y = clicks.middle(mask) if rng.random() < 0.4 else clicks.anywhere(rng, mask)
    return [(x + 0.5, y + 0.5, 1)]


def _padded(
    prompts: list[list[tuple[float, float, int]]], side: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """(n, k, 2) points on the 1024 square and (n, k) labels; the rows are filled up with the padding point.

    A prompt without a box has at least one, as SAM's own exporter and predictor give it.
    """
    longest = max(len(rows) + (rows[0][2] != 2) for rows in prompts)
    points, labels = np.zeros((len(prompts), longest, 2), np.float32), np.full((len(prompts), longest), -1, np.int64)
    for row, rows in enumerate(prompts):
        for k, (x, y, label) in enumerate(rows):
            points[row, k], labels[row, k] = (x * SQUARE / side, y * SQUARE / side), label
    return torch.from_numpy(points).to(device), torch.from_numpy(labels).to(device)


def _correct(
    prompts: list[list[tuple[float, float, int]]],
    masks: torch.Tensor,
    wanted: NDArray[np.bool_],
    side: int,
    rng: np.random.Generator,
) -> None:
    """Add to each prompt the click that its mask calls for."""
    large = functional.interpolate(masks, size=(side, side), mode="bilinear", align_corners=False)
    found = (large[:, 0] > 0).cpu().numpy()
    for rows, mask, truth in zip(prompts, found, wanted, strict=True):
        click = clicks.correction(mask, truth, rng)
        if click is not None:
            rows.append((click[0] + 0.5, click[1] + 0.5, click[2]))


def judge(
    logits: torch.Tensor, scores: torch.Tensor, truth: torch.Tensor, *, first: bool
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(loss, (n, 4) true IoUs, (n,) which mask an editor would show).

    Args:
        logits: (n, 4, h, w), scores: (n, 4), truth: (n, 1, h, w) in 0..1.
        first: a first prompt: the best of the three candidates learns, beside the single answer; afterwards the single
            answer alone.
    """
    each = 2 * _cross_entropy(logits, truth) + _dice(logits, truth)
    loss = each[:, 0].mean()
    if first:
        loss = loss + each[:, 1:].min(dim=1).values.mean() + 0.05 * each[:, 1:].mean()
    with torch.no_grad():
        found, wanted = logits > 0, truth > 0.5
        ious = (found & wanted).flatten(2).sum(2) / (found | wanted).flatten(2).sum(2).clamp(min=1)
        best = (
            1 + scores[:, 1:].argmax(dim=1)
            if first
            else torch.zeros(len(scores), dtype=torch.long, device=logits.device)
        )
    return loss + SCORING * functional.mse_loss(scores, ious.float()), ious, best


def _cross_entropy(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """(n, k) mean binary cross entropy. SAM's focal loss weighs negatives so much that a fresh decoder stays empty."""
    each = functional.binary_cross_entropy_with_logits(logits, truth.expand_as(logits), reduction="none")
    return each.flatten(2).mean(2)


def _dice(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """(n, k) 1 - dice (Milletari et al. 2016, arXiv:1606.04797)."""
    chance, wanted = torch.sigmoid(logits).flatten(2), truth.expand_as(logits).flatten(2)
    return 1 - (2 * (chance * wanted).sum(2) + 1) / (chance.sum(2) + wanted.sum(2) + 1)
