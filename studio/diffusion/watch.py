"""Watching one batch from outside: progress, previews, cancelling, and where the time goes.

Everything goes through what diffusers offers (the callback at each step's end), a forward hook on the denoiser, which
tells when encoding is over, and the scheduler's ``step``, which alone knows the clean picture the model has in mind.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image

from studio.diffusion.types import OnPreview, OnProgress, Preview, Progress, ShouldCancel, Stage
from studio.errors import Cancelled, EngineError

SPANS = {Stage.ENCODE: (0.0, 0.05), Stage.STEPS: (0.05, 0.9), Stage.DECODE: (0.9, 1.0)}  # of a batch's progress
RIDGE, OTHERS = 1e-3, 0.3  # of the previews' fit


@dataclass(frozen=True)
class Callbacks:
    """What the caller of ``generate`` gave."""

    on_progress: OnProgress | None = None
    on_preview: OnPreview | None = None
    should_cancel: ShouldCancel | None = None


@dataclass(frozen=True)
class PreviewMap:
    """Latents to RGB without the decoder: ``rgb = latents @ matrix + offset``, (channels, 3) and (3,), 0..1."""

    matrix: torch.Tensor
    offset: torch.Tensor

    def pictures(self, latents: torch.Tensor) -> tuple[Image.Image, ...]:
        """(n, channels, h, w) latents as n RGB pictures, four pixels to a latent."""
        rows = latents.to(self.matrix).permute(0, 2, 3, 1) @ self.matrix + self.offset
        values = (rows.clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()
        size = (latents.shape[3] * 4, latents.shape[2] * 4)
        return tuple(Image.fromarray(one).resize(size, Image.Resampling.BICUBIC) for one in values)


class BatchWatch:
    """Follows one call of a pipeline; ``timings`` holds seconds by stage afterwards."""

    def __init__(self, callbacks: Callbacks, *, batch: int, batches: int, preview: PreviewMap | None) -> None:
        self.callbacks, self.batch, self.batches, self.preview = callbacks, batch, batches, preview
        self.timings: dict[Stage, float] = {}
        self._stage, self._since = Stage.ENCODE, 0.0
        self._clean: torch.Tensor | None = None

    @contextmanager
    def over(self, pipeline: Any) -> Iterator[None]:
        """Hook into the pipeline and its scheduler, which is this batch's own, for the time of one call."""
        modules = [part for part in (pipeline.unet, getattr(pipeline, "controlnet", None)) if part is not None]
        hooks = [module.register_forward_pre_hook(self._denoising) for module in modules]
        if self.preview is not None:
            pipeline.scheduler.step = self._seeing(pipeline.scheduler)
        self._since = _now()
        try:
            self._check_cancel()
            self._tell(0, 1)
            yield
            self._enter(None)
            self._tell(1, 1)
        finally:
            for hook in hooks:
                hook.remove()

    def step_done(self, pipeline: Any, index: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        """diffusers' ``callback_on_step_end``."""
        step, steps = index + 1, pipeline.num_timesteps
        self._tell(step, steps)
        if self.preview is not None and self._clean is not None and self.callbacks.on_preview is not None:
            self.callbacks.on_preview(Preview(self.preview.pictures(self._clean), step, self.batch))
        self._check_cancel()  # after the callbacks: what they decide takes effect in this very step
        if step == steps:
            _check_finite(tensors["latents"])
            self._enter(Stage.DECODE)
        return {}

    def _denoising(self, module: Any, args: Any) -> None:
        if self._stage is Stage.ENCODE:
            self._check_cancel()
            self._enter(Stage.STEPS)

    def _enter(self, stage: Stage | None) -> None:
        now = _now()
        self.timings[self._stage] = now - self._since
        self._since = now
        self._stage = stage or self._stage

    def _check_cancel(self) -> None:
        if self.callbacks.should_cancel is not None and self.callbacks.should_cancel():
            raise Cancelled

    def _tell(self, step: int, steps: int) -> None:
        if self.callbacks.on_progress is None:
            return
        start, end = SPANS[self._stage]
        within = start + (end - start) * step / steps
        fraction = (self.batch - 1 + within) / self.batches
        self.callbacks.on_progress(Progress(self._stage, step, steps, self.batch, self.batches, fraction))

    def _seeing(self, scheduler: Any) -> Any:
        original = scheduler.step

        @functools.wraps(original)  # the pipeline reads the signature to see whether it takes a generator
        def step(model_output: torch.Tensor, timestep: Any, sample: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
            self._clean = clean_latents(scheduler, model_output, timestep, sample)
            return original(model_output, timestep, sample, *args, **kwargs)

        return step


def clean_latents(scheduler: Any, output: torch.Tensor, timestep: Any, sample: torch.Tensor) -> torch.Tensor:
    """The clean latents the model has in mind at this step, for any scheduler of discrete diffusion.

    x_t = sqrt(a) x_0 + sqrt(1 - a) eps, with a the cumulative alpha at t (Ho et al. 2020, eq. 4); v = sqrt(a) eps -
    sqrt(1 - a) x_0 (Salimans & Ho 2022, https://arxiv.org/abs/2202.00512). ``scale_model_input`` turns the samples of
    schedulers that count in sigmas into x_t, and leaves the others'.
    """
    noisy: torch.Tensor = scheduler.scale_model_input(sample, timestep).float()
    alpha = _alpha(scheduler.alphas_cumprod, float(timestep))
    signal, noise = math.sqrt(alpha), math.sqrt(1 - alpha)
    guess = output.float()
    if scheduler.config.prediction_type == "sample":
        return guess
    if scheduler.config.prediction_type == "v_prediction":
        return signal * noisy - noise * guess
    return (noisy - noise * guess) / max(signal, 1e-4)


def soft_colours() -> Image.Image:
    """64 squares of muted colours: small VAEs never saw saturated ones, and answer them with nonsense."""
    colours = torch.rand(64, 3, generator=torch.Generator("cpu").manual_seed(0))
    muted = (colours + colours.mean(dim=1, keepdim=True)) / 2
    values = (muted.reshape(8, 8, 3) * 255).round().to(torch.uint8).numpy()
    return Image.fromarray(values).resize((256, 256), Image.Resampling.NEAREST)


Samples = tuple[torch.Tensor, torch.Tensor]
"""Latents with a 1 behind them, (n, channels + 1), and the RGB they stand for, (n, 3) in 0..1."""


def preview_samples(pipeline: Any, picture: Image.Image, *, device: torch.device, dtype: torch.dtype) -> Samples:
    """What the VAE makes of one RGB picture; costs one encode of it."""
    generator = torch.Generator("cpu").manual_seed(0)
    pixels = torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1)[None].float() / 255
    with torch.no_grad():
        latents = pipeline._encode_vae_image(image=(pixels * 2 - 1).to(device, dtype), generator=generator)
    seen = latents.float().cpu()
    rgb = torch.nn.functional.interpolate(pixels, size=seen.shape[2:], mode="area")
    x = torch.nn.functional.pad(seen.permute(0, 2, 3, 1).reshape(-1, seen.shape[1]), (0, 1), value=1.0)
    return x, rgb.permute(0, 2, 3, 1).reshape(-1, 3)


def fit_preview(colours: Samples, own: Samples | None, *, device: torch.device) -> PreviewMap:
    """The map by weighted ridge regression; a picture's ``own`` samples outweigh the ``colours`` it may not hold."""
    parts = [(colours, 1.0)] if own is None else [(colours, OTHERS), (own, 1.0)]
    width = colours[0].shape[1]
    left, right = RIDGE * torch.eye(width), torch.zeros(width, 3)
    for (x, y), weight in parts:
        left, right = left + weight * (x.T @ x) / len(x), right + weight * (x.T @ y) / len(x)
    solution = torch.linalg.solve(left, right)
    return PreviewMap(solution[:-1].to(device), solution[-1].to(device))


def _alpha(table: torch.Tensor, timestep: float) -> float:
    """The cumulative alpha at a timestep that may lie between two."""
    low = min(max(int(timestep), 0), len(table) - 1)
    high = min(low + 1, len(table) - 1)
    return float(torch.lerp(table[low], table[high], timestep - low if high > low else 0.0))


def _check_finite(latents: torch.Tensor) -> None:
    if not bool(torch.isfinite(latents).all()):
        raise EngineError(
            "not_finite",
            "The numbers broke down (NaN). Try a lower guidance scale or adapter weight, or dtype float32.",
        )


def _now() -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()  # or the stages' times are those of queueing
    return time.perf_counter()
