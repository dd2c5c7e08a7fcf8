"""The diffusers pipelines, with the three things added that they lack.

1. A ControlNet is not run where its weight is 0: diffusers multiplies by 0 and runs it all the same.
2. The two fill modes that act on latents ("latent noise", "latent nothing").
3. The same picture is not encoded once per picture of the batch.

Their ``__call__`` is untouched: what comes out is what diffusers makes.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from diffusers.models.controlnets.controlnet import ControlNetModel
from diffusers.models.controlnets.multicontrolnet import MultiControlNetModel
from diffusers.utils.torch_utils import randn_tensor

# Importing the module alone is faster than asking diffusers' top level, and says what is used.
MODULES = {
    "StableDiffusionInpaintPipeline": "diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_inpaint",
    "StableDiffusionControlNetInpaintPipeline": "diffusers.pipelines.controlnet.pipeline_controlnet_inpaint",
    "StableDiffusionXLInpaintPipeline": "diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl_inpaint",
    "StableDiffusionXLControlNetInpaintPipeline": "diffusers.pipelines.controlnet.pipeline_controlnet_inpaint_sd_xl",
}
Residuals = tuple[list[torch.Tensor] | None, torch.Tensor | None]
NOTHING: Residuals = (None, None)  # what a UNet takes as "no ControlNet here"


class SkippingControlNet(ControlNetModel):  # type: ignore[misc]  # diffusers is untyped
    """A ControlNet that costs nothing while its weight is 0, as outside of its start and end."""

    def forward(self, *args: Any, conditioning_scale: float = 1.0, **kwargs: Any) -> Residuals:
        """As the parent's with ``return_dict=False``; (None, None) when the weight is 0."""
        if conditioning_scale == 0:
            return NOTHING
        result: Residuals = super().forward(*args, conditioning_scale=conditioning_scale, **kwargs)
        return result


class SkippingControlNets(MultiControlNetModel):  # type: ignore[misc]  # diffusers is untyped
    """Several ControlNets, of which only those with a weight run; their residuals are added up."""

    def forward(
        self, *args: Any, controlnet_cond: list[torch.Tensor], conditioning_scale: list[float], **kwargs: Any
    ) -> Residuals:
        """As the parent's; (None, None) when no weight is left."""
        total: Residuals = NOTHING
        for net, condition, scale in zip(self.nets, controlnet_cond, conditioning_scale, strict=True):
            if scale != 0:
                found = net(*args, controlnet_cond=condition, conditioning_scale=scale, **kwargs)
                total = found if total[0] is None else _added(total, found)
        return total


@dataclass(frozen=True)
class LatentFill:
    """What the masked latents start from: ``mask`` (1, 1, h, w) float 0..1 at latent size, noise or zeros."""

    mask: torch.Tensor
    noise: bool


class _Filling:
    """Lets the start of the masked latents be replaced; mixed into each pipeline."""

    latent_fill: LatentFill | None = None

    def prepare_latents(self, *args: Any, image: torch.Tensor, **kwargs: Any) -> Any:
        """As the pipeline's; with ``latent_fill`` the image is handed on as filled latents, which it takes as such."""
        if self.latent_fill is not None:
            dtype, device, generator = args[4:7]
            image = self._filled(image.to(device=device, dtype=dtype), generator, self.latent_fill)
        return super().prepare_latents(*args, image=image, **kwargs)  # type: ignore[misc]  # the pipeline's, mixed in

    def _filled(self, image: torch.Tensor, generator: Any, fill: LatentFill) -> torch.Tensor:
        latents: torch.Tensor = self._encode_vae_image(image=image, generator=generator)  # type: ignore[attr-defined]
        mask = fill.mask.to(latents)
        start: torch.Tensor = latents * (1 - mask)
        if not fill.noise:
            return start
        noise: torch.Tensor = randn_tensor(
            latents.shape, generator=generator, device=latents.device, dtype=latents.dtype
        )
        return start + noise * mask


@cache
def pipeline_class(name: str) -> Any:
    """The diffusers pipeline called ``name``, with the latent fill mixed in."""
    base = getattr(importlib.import_module(MODULES.get(name, "diffusers")), name)
    return type(name, (_Filling, base), {})


def build(name: str, parts: Mapping[str, Any], arguments: Mapping[str, Any], **extra: Any) -> Any:
    """A pipeline over modules that are already in memory; nothing is copied.

    Args:
        name: a diffusers class.
        parts: the family's modules by constructor argument; those the constructor lacks are left out.
        arguments: further constructor arguments, likewise.
        extra: modules that take precedence.
    """
    cls = pipeline_class(name)
    offered = {**arguments, **parts, **extra}
    taken = inspect.signature(cls.__init__).parameters
    pipeline = cls(**{key: value for key, value in offered.items() if key in taken})
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@contextmanager
def encode_once(vae: Any) -> Iterator[None]:
    """While open, the VAE encodes each distinct picture once.

    For a batch the pipeline is given as many copies of the image as pictures, because only then does it draw each
    one's latents from that picture's own generator; the encoder's part of the work is the same for all.
    """
    original = vae.encode
    seen: list[tuple[torch.Tensor, Any]] = []

    def encode(pixels: torch.Tensor, return_dict: bool = True) -> Any:
        for known, encoded in seen:
            if known.shape == pixels.shape and known.dtype == pixels.dtype and torch.equal(known, pixels):
                return encoded
        encoded = original(pixels, return_dict=return_dict)
        seen.append((pixels, encoded))
        return encoded

    vae.encode = encode
    try:
        yield
    finally:
        del vae.encode


def _added(one: Residuals, other: Residuals) -> Residuals:
    (down, mid), (more_down, more_mid) = one, other
    assert down is not None and mid is not None and more_down is not None and more_mid is not None
    return [a + b for a, b in zip(down, more_down, strict=True)], mid + more_mid
