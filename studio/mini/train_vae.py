"""Training of the autoencoder: reconstruct the world's pictures through 4 x H/8 x W/8 latents."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import avg_pool2d as avg

from studio.mini.family import Recipe, build_vae

if TYPE_CHECKING:
    from diffusers import AutoencoderKL

Say = Callable[[str], None]


def schedule(step: int, total: int, *, warm_up: int = 100) -> float:
    """Learning-rate factor: linear warm-up, then a cosine to zero (Loshchilov & Hutter 2017, arXiv:1608.03983)."""
    if step < warm_up:
        return (step + 1) / warm_up
    return 0.5 * (1 + math.cos(math.pi * (step - warm_up) / max(1, total - warm_up)))


class Average:
    """Exponential moving average of a module's parameters, warmed up so that early steps do not linger."""

    def __init__(self, modules: list[torch.nn.Module], decay: float = 0.999) -> None:
        self.live = [p for m in modules for p in m.parameters()]
        self.kept = [p.detach().clone() for p in self.live]
        self.decay, self.count = decay, 0

    @torch.no_grad()
    def update(self) -> None:
        self.count += 1
        decay = min(self.decay, (1 + self.count) / (10 + self.count))
        torch._foreach_lerp_(self.kept, [p.detach() for p in self.live], 1 - decay)

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange the live parameters with the averages (call twice to get back)."""
        for live, kept in zip(self.live, self.kept, strict=True):
            held = live.detach().clone()
            live.copy_(kept)
            kept.copy_(held)


def to_tensor(pictures: NDArray[np.uint8], device: str) -> torch.Tensor:
    """(n, H, W, 3) uint8 -> (n, 3, H, W) float32 in -1..1."""
    return torch.from_numpy(np.ascontiguousarray(pictures)).to(device).permute(0, 3, 1, 2).float().div(127.5).sub(1)


def train_vae(
    recipe: Recipe,
    pictures: Callable[[], NDArray[np.uint8]],
    out: Path,
    *,
    device: str,
    seed: int,
    say: Say,
    start: Path | None = None,
) -> None:
    """Train (on from the weights in ``start``, if given), then save in diffusers' format to ``out`` with the scaling
    factor measured on the pictures.

    ``pictures`` is asked again every 100 steps, so that a render still under way may hand over more.
    """
    torch.manual_seed(seed)
    vae = build_vae(recipe)
    if start is not None:
        vae = type(vae).from_pretrained(start)
    vae = vae.to(device)
    average = Average([vae])
    optimiser = torch.optim.AdamW(vae.parameters(), lr=recipe.vae_rate, betas=(0.9, 0.95), weight_decay=0.0, fused=True)
    rng = np.random.default_rng(seed)
    began, data = time.monotonic(), pictures()
    for step in range(recipe.vae_steps):
        if step % 100 == 0:
            data = pictures()
        for group in optimiser.param_groups:
            group["lr"] = recipe.vae_rate * schedule(step, recipe.vae_steps)
        x = to_tensor(data[np.sort(rng.integers(len(data), size=recipe.vae_batch))], device).contiguous()
        loss, mse = _loss(vae, x, device)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimiser.step()
        average.update()
        if step % 50 == 0 or step == recipe.vae_steps - 1:
            say(f"vae step {step} loss {loss.item():.4f} psnr {psnr(mse):.2f} dB {time.monotonic() - began:.0f} s")
        if step % 500 == 499:
            _save(vae, average, data, out, device)
    _save(vae, average, data, out, device)


def psnr(mse: float) -> float:
    """Peak signal-to-noise ratio in dB of a mean squared error on pictures in -1..1."""
    return 10 * math.log10(4 / max(mse, 1e-9))


def _loss(vae: AutoencoderKL, x: torch.Tensor, device: str) -> tuple[torch.Tensor, float]:
    """L1 + L1 of the gradients (edges) + colour of each latent cell + a light KL; no adversary.

    Without the third term a short training spends its four channels on light and dark and loses hues: it compares the
    means of 8x8 and 4x4 cells, chroma (differences to the mean of the three channels) counted three times.
    """
    with torch.autocast(device, dtype=torch.bfloat16):
        posterior = vae.encode(x).latent_dist
        y = vae.decode(posterior.sample()).sample
    y = y.float()
    error = (y - x).abs().mean()
    dx = (y.diff(dim=3) - x.diff(dim=3)).abs().mean() + (y.diff(dim=2) - x.diff(dim=2)).abs().mean()
    cells = sum((_hued(avg(y, k)) - _hued(avg(x, k))).abs().mean() for k in (8, 4))
    kl = posterior.kl().mean() / x[0].numel()
    return error + 0.5 * dx + cells + 2e-4 * kl, float((y - x).square().mean().item())


def _hued(x: torch.Tensor) -> torch.Tensor:
    """(n, 6, h, w): a picture's channels, and its chroma three times as strong."""
    return torch.cat([x, 3 * (x - x.mean(dim=1, keepdim=True))], dim=1)


def _save(vae: AutoencoderKL, average: Average, data: NDArray[np.uint8], out: Path, device: str) -> None:
    average.swap()
    with torch.no_grad():
        sample = vae.encode(to_tensor(data[:64], device)).latent_dist.mean
    vae.register_to_config(scaling_factor=round(float(1 / sample.std()), 5))
    vae.save_pretrained(out)
    average.swap()
