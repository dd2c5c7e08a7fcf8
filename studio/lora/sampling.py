"""Sample pictures while a training runs: the garment of held-out pictures repainted with the adapter as it is."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image

from studio.dataset.types import DataSet
from studio.diffusion.pipelines import build
from studio.diffusion.samplers import make_scheduler, resolve
from studio.diffusion.shown import as_shown
from studio.lora.networks import Networks
from studio.lora.pictures import Mask, Prepared, Size, prepare, repaint_masks
from studio.lora.similarity import LEAST_PIXELS, References, references_of, similarity
from studio.lora.types import Plan, SampleReport

Sampler = Callable[[Networks, int], Iterable[SampleReport]]
"""Makes the samples of a step; the networks are in eval mode, their adapter is active."""

WHOLE, TIGHT = 0, 2  # of studio.lora.pictures.repaint_masks


@dataclass(frozen=True)
class HeldOutSampler:
    """Repaints the garment of held-out pictures, or of trained ones where none is held out, from their captions.

    Picture n has seed ``plan.seed + n`` at every step, so that a row of samples differs by the training alone. Its
    similarity is measured inside the picture's garment mask to all held-out pictures with one.
    """

    dataset: DataSet
    sizes: Sequence[Size]
    plan: Plan

    def __call__(self, networks: Networks, step: int) -> Iterator[SampleReport]:
        """The samples one after another, each made when it is asked for."""
        entries = self.dataset.entries
        chosen = [i for i, entry in enumerate(entries) if entry.held_out]
        references = self._references(networks, chosen)
        chosen = chosen or [i for i, entry in enumerate(entries) if entry.kind == "garment"]
        for n in range(self.plan.samples):
            index, seed = chosen[n % len(chosen)], (self.plan.seed + n) % 2**32
            ready = prepare(entries[index], self.sizes[index], flip=False)
            image = paint(networks, ready, entries[index].caption, seed=seed, steps=self.plan.sample_steps)
            yield SampleReport(
                step, n, seed, entries[index].caption, index, image, similarity=_similar(image, ready, references)
            )

    def _references(self, networks: Networks, chosen: Sequence[int]) -> References | None:
        """The held-out photos through the family's autoencoder: what it can not show, no sample is to be blamed for."""
        ready = [prepare(self.dataset.entries[i], self.sizes[i], flip=False) for i in chosen]
        with networks.awake():
            photos = [
                (as_shown(networks, Image.fromarray(one.pixels)), one.garment)
                for one in ready
                if one.garment is not None and _measurable(one.garment)
            ]
        return references_of(photos) if photos else None


def paint(networks: Networks, ready: Prepared, prompt: str, *, seed: int, steps: int) -> Image.Image:
    """The picture with its garment repainted from the prompt (all of it where no mask is known), RGB, its size."""
    files, picture = networks.files, Image.fromarray(ready.pixels)
    masks = repaint_masks(ready.garment, picture.size)
    mask = Image.fromarray(masks[WHOLE if ready.garment is None else TIGHT])
    scheduler = make_scheduler(networks.noise, *resolve(files.defaults.sampler), seeds=(seed,))
    pipeline = build(files.inpaint, networks.parts, files.arguments, scheduler=scheduler)
    with networks.awake(), networks.autocast(), full_precision(networks.parts["vae"]):
        output = pipeline(
            prompt=prompt,
            image=picture,
            mask_image=mask.convert("L"),
            width=picture.width,
            height=picture.height,
            strength=1.0,
            num_inference_steps=steps,
            guidance_scale=files.defaults.guidance_scale,
            generator=torch.Generator("cpu").manual_seed(seed),
        )
    painted: Image.Image = output.images[0]
    return painted


@contextlib.contextmanager
def full_precision(vae: Any) -> Iterator[None]:
    """While open, the VAE works in float32 whatever is around it: SDXL's overflows in half precision.

    It stays where and what it is, too: SDXL's pipelines would leave it in the precision of the latents.
    """
    encode, decode, device = vae.encode, vae.decode, vae.device.type

    def exactly(work: Callable[..., Any]) -> Callable[..., Any]:
        def inner(x: torch.Tensor, *arguments: Any, **named: Any) -> Any:
            with torch.autocast(device, enabled=False):
                return work(x.float(), *arguments, **named)

        return inner

    vae.encode, vae.decode, vae.to = exactly(encode), exactly(decode), lambda *a, **named: vae
    try:
        yield
    finally:
        del vae.encode, vae.decode, vae.to


def _similar(image: Image.Image, ready: Prepared, references: References | None) -> float | None:
    if references is None or ready.garment is None or not _measurable(ready.garment):
        return None
    return similarity(image, ready.garment, references)


def _measurable(garment: Mask | None) -> bool:
    return garment is not None and int(np.count_nonzero(garment)) >= LEAST_PIXELS
