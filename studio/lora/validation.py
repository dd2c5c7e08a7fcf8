"""Validation loss: the same held-out pictures, timesteps, noise and tasks each time, so that two numbers compare."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from studio.dataset.types import DataSet
from studio.lora.cache import Encoded
from studio.lora.losses import Feeder, losses_of
from studio.lora.noise import VALIDATE, Draw, Schedule, draw

MOMENTS = (50, 250, 450, 650, 850)  # timesteps of a thousand: detail, pattern, cloth, colour, shape
ALL, LOOSE = 0, 3  # of studio.lora.pictures.repaint_masks: paint everything; paint the garment in another's place


def validation_loss(feeder: Feeder, schedule: Schedule, dataset: DataSet) -> float | None:
    """Mean loss over the held-out entries at each of :data:`MOMENTS`, weighed inside the garment's mask as the training
    is, but not by Min-SNR: every moment counts alike. None when nothing is held out.

    A family that inpaints is asked to paint everything in one half of the questions, the garment in the other.
    """
    entries = [index for index, entry in enumerate(dataset.entries) if entry.held_out]
    if not entries:
        return None
    with torch.no_grad():
        found = [_entry_loss(feeder, schedule, index) for index in entries]
    return float(torch.stack(found).double().mean())


def _entry_loss(feeder: Feeder, schedule: Schedule, index: int) -> torch.Tensor:
    """Mean loss of one entry, its moments together in one batch."""
    row = feeder.cache.pictures[index, False]
    variants = (ALL, LOOSE) if len(row.masks) > 1 else (ALL,)
    means = [_moments_loss(feeder, schedule, index, row, variant) for variant in variants]
    return torch.stack(means).mean()


def _moments_loss(feeder: Feeder, schedule: Schedule, index: int, row: Encoded, variant: int) -> torch.Tensor:
    # The entry's own noise whatever else the set holds and however it was trained.
    drawn = draw(seed=0, stream=VALIDATE, index=index, shape=(len(MOMENTS), *row.mean.shape), noise_offset=0.0)
    fixed = Draw(torch.zeros_like(drawn.posterior), drawn.noise, _moments(schedule), drawn.chances)
    losses: list[torch.Tensor] = []
    for start in range(0, len(MOMENTS), feeder.plan.batch_size):  # no more at once than the training itself holds
        part = slice(start, start + feeder.plan.batch_size)
        some = Draw(fixed.posterior[part], fixed.noise[part], fixed.timesteps[part], fixed.chances[part])
        count = len(some.timesteps)
        rows: Sequence[Encoded] = [row] * count
        batch = feeder.build(rows, some, [index] * count, [variant] * count, [1.0] * count)
        losses.append(losses_of(feeder.networks, schedule, batch, gamma=None))
    return torch.cat(losses).mean()


def _moments(schedule: Schedule) -> torch.Tensor:
    count = len(schedule.alphas)
    return torch.tensor([moment * count // 1000 for moment in MOMENTS])
