"""The forward process of training: what is drawn, how pictures are noised, what is asked back, how errors weigh.

Letters as in Ho et al. 2020 (arXiv:2006.11239): x_t = sqrt(a_t) x_0 + sqrt(1 - a_t) eps with a_t the cumulative alpha.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

TRAIN, VALIDATE = 1, 2  # which stream of numbers is drawn from


@dataclass(frozen=True)
class Draw:
    """Everything random about one batch of n pictures, on the CPU.

    Attributes:
        posterior, noise: (n, 4, h, w) standard normal; ``noise`` with the offset added.
        timesteps: (n,) int64.
        chances: (n, 2) uniform 0..1: of the caption to be dropped, and of the task.
    """

    posterior: torch.Tensor
    noise: torch.Tensor
    timesteps: torch.Tensor
    chances: torch.Tensor


@dataclass(frozen=True)
class Schedule:
    """The family's noise: ``alphas`` (T,) float32 cumulative, on the device; whether v is predicted rather than eps."""

    alphas: torch.Tensor
    predicts_v: bool

    @classmethod
    def of(cls, config: Mapping[str, Any], *, device: torch.device) -> Schedule:
        """From the config of whatever scheduler came with the weights: betas and rescaling as diffusers' DDPM has."""
        from diffusers import DDPMScheduler

        alphas = DDPMScheduler.from_config(dict(config)).alphas_cumprod
        return cls(alphas.float().to(device), config.get("prediction_type", "epsilon") == "v_prediction")

    def noised(self, clean: torch.Tensor, noise: torch.Tensor, timesteps: torch.Tensor) -> torch.Tensor:
        """x_t, equation 4 of Ho et al.; all (n, 4, h, w)."""
        a, s = self._roots(timesteps)
        return a * clean + s * noise

    def target(self, clean: torch.Tensor, noise: torch.Tensor, timesteps: torch.Tensor) -> torch.Tensor:
        """eps, or v = sqrt(a) eps - sqrt(1 - a) x_0 (Salimans & Ho 2022, arXiv:2202.00512, appendix D)."""
        if not self.predicts_v:
            return noise
        a, s = self._roots(timesteps)
        return a * noise - s * clean

    def weights(self, timesteps: torch.Tensor, gamma: float | None) -> torch.Tensor:
        """(n,) Min-SNR weights (Hang et al. 2023, arXiv:2303.09556, equation 12 and section 4.2), ones without gamma.

        On x_0 the weight is min(SNR, gamma); the same error counted in eps is 1/SNR of it, in v 1/(SNR + 1).
        """
        if gamma is None:
            return torch.ones_like(self.alphas[timesteps])
        a = self.alphas[timesteps]
        snr = a / (1 - a)
        if self.predicts_v:
            return snr.clamp(max=gamma) / (snr + 1)
        return (gamma / snr).clamp(max=1.0)  # no 0/0 where the schedule ends at pure noise

    def _roots(self, timesteps: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        a = self.alphas[timesteps][:, None, None, None]
        return a.sqrt(), (1 - a).sqrt()


def draw(
    *, seed: int, stream: int, index: int, shape: tuple[int, ...], noise_offset: float, timesteps: int = 1000
) -> Draw:
    """The random part of batch ``index`` of a stream: a function of its arguments alone.

    A training that goes on after a kill therefore has the random state of one that was never killed, and neither a
    sample nor a validation in between moves it. Drawn on the CPU, so that a seed means the same on every device.

    Args:
        seed, stream, index: which numbers.
        shape: (n, 4, h, w) of the batch's latents.
        noise_offset: scale of the noise constant over a picture's channel (Guttenberg 2023, crosslabs.org,
            "Diffusion with Offset Noise").
        timesteps: of the schedule.
    """
    generator = torch.Generator("cpu").manual_seed(_mixed(seed, stream, index))
    posterior = torch.randn(shape, generator=generator)
    noise = torch.randn(shape, generator=generator)
    if noise_offset:
        noise = noise + noise_offset * torch.randn((*shape[:2], 1, 1), generator=generator)
    moments = torch.randint(0, timesteps, shape[:1], generator=generator)
    chances = torch.rand((shape[0], 2), generator=generator)
    return Draw(posterior, noise, moments, chances)


def _mixed(seed: int, stream: int, index: int) -> int:
    """One 64-bit number of three, neighbours far apart: numpy's SeedSequence (O'Neill's hash)."""
    import numpy as np

    state = np.random.SeedSequence((seed, stream, index)).generate_state(2, np.uint32)
    return int(state[0]) << 32 | int(state[1])
