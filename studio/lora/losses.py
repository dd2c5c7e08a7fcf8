"""From a batch of picks to its loss: inputs put together, the denoiser asked, the errors weighed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from studio.lora.cache import Cache, Encoded, Pick
from studio.lora.networks import Networks
from studio.lora.noise import Draw, Schedule
from studio.lora.pictures import task_odds
from studio.lora.types import Plan
from studio.lora.words import Words, encode


@dataclass(frozen=True)
class Batch:
    """n pictures of one size, on the device.

    Attributes:
        clean, noise: (n, 4, h, w) float32.
        timesteps: (n,) int64.
        seen: (n, 5, h, w) mask and masked latents for a family that inpaints, else (n, 0, h, w).
        weight: (n, 1, h, w) how much errors count.
        share: (n,) how much each picture's loss counts.
        words: the captions.
        time_ids: (n, 6).
    """

    clean: torch.Tensor
    noise: torch.Tensor
    timesteps: torch.Tensor
    seen: torch.Tensor
    weight: torch.Tensor
    share: torch.Tensor
    words: Words
    time_ids: torch.Tensor


@dataclass(frozen=True)
class Feeder:
    """Puts batches together from the cache."""

    networks: Networks
    cache: Cache
    plan: Plan
    priors: frozenset[int]

    def shape(self, picks: Sequence[Pick]) -> tuple[int, ...]:
        """(n, 4, h, w) of a batch's latents."""
        return (len(picks), *self.cache.pictures[picks[0]].mean.shape)

    def batch(self, picks: Sequence[Pick], draw: Draw) -> Batch:
        """A training batch: the draw decides noise, captions left out, and repaint tasks."""
        rows = [self.cache.pictures[pick] for pick in picks]
        dropped = draw.chances[:, 0] < self.plan.caption_dropout
        empty = len(self.cache.captions) - 1
        captions = [empty if gone else index for (index, _), gone in zip(picks, dropped.tolist(), strict=True)]
        variants = [self._variant(row, chance) for row, chance in zip(rows, draw.chances[:, 1].tolist(), strict=True)]
        share = [self.plan.prior_weight if index in self.priors else 1.0 for index, _ in picks]
        return self.build(rows, draw, captions, variants, share)

    def build(
        self, rows: Sequence[Encoded], draw: Draw, captions: Sequence[int], variants: Sequence[int],
        share: Sequence[float],
    ) -> Batch:  # fmt: skip
        """A batch with everything settled."""
        device = self.networks.device

        def up(tensors: Sequence[torch.Tensor]) -> torch.Tensor:
            return torch.stack(list(tensors)).to(device, non_blocking=True)

        mean, deviation = up([row.mean for row in rows]), up([row.deviation for row in rows])
        clean = mean + deviation * draw.posterior.to(device)
        seen = clean.new_zeros((len(rows), 0, *clean.shape[2:]))
        if self.networks.inpaints:
            pairs = list(zip(rows, variants, strict=True))
            seen = up([torch.cat([row.masks[k][None], row.masked[k]]) for row, k in pairs])
        return Batch(
            clean, draw.noise.to(device), draw.timesteps.to(device), seen, up([row.weight[None] for row in rows]),
            torch.tensor(list(share), device=device), self._words(captions), up([row.time_ids for row in rows]),
        )  # fmt: skip

    def _words(self, captions: Sequence[int]) -> Words:
        if self.cache.words is not None:
            return self.cache.words.rows(captions)
        with self.networks.autocast():  # the text encoders are being tuned: nothing of theirs can be kept
            return encode(self.networks, [self.cache.captions[index] for index in captions])

    def _variant(self, row: Encoded, chance: float) -> int:
        odds: NDArray[np.float64] = task_odds(self.plan.tasks, masked=len(row.masks) > 1)
        return int(np.searchsorted(odds, chance, side="right"))


def losses_of(networks: Networks, schedule: Schedule, batch: Batch, *, gamma: float | None) -> torch.Tensor:
    """(n,) float32, each picture's loss: weighted mean square of the error, times its Min-SNR weight and its share."""
    noisy = schedule.noised(batch.clean, batch.noise, batch.timesteps)
    target = schedule.target(batch.clean, batch.noise, batch.timesteps)
    guess = ask(networks, torch.cat([noisy, batch.seen], dim=1), batch)
    error = (guess.float() - target).square().mean(dim=1, keepdim=True)
    each = (error * batch.weight).sum(dim=(1, 2, 3)) / batch.weight.sum(dim=(1, 2, 3))
    return each * schedule.weights(batch.timesteps, gamma) * batch.share


def ask(networks: Networks, x: torch.Tensor, batch: Batch) -> torch.Tensor:
    """The denoiser's answer, (n, 4, h, w)."""
    extra: dict[str, Any] = {}
    if networks.xl:
        extra["added_cond_kwargs"] = {"text_embeds": batch.words.pooled, "time_ids": batch.time_ids}
    dtype = networks.dtype
    with networks.autocast():
        found = networks.unet(x.to(dtype), batch.timesteps, batch.words.states.to(dtype), return_dict=False, **extra)[0]
    return torch.as_tensor(found)
