"""Everything that does not change while a training runs, computed once: latents, masked latents, embeddings.

Of a picture's latents the posterior's mean and deviation are kept, not a sample: what is drawn from them at each step
has the distribution that encoding anew would have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from studio.dataset.types import DataSet, Entry
from studio.lora.networks import Networks
from studio.lora.pictures import Prepared, Size, prepare, repaint_masks
from studio.lora.types import Plan
from studio.lora.words import Words, encode_once

Pick = tuple[int, bool]
"""An entry's index, and whether it is mirrored."""


@dataclass(frozen=True)
class Encoded:
    """One picture, mirrored or not, on the CPU in float32.

    Attributes:
        mean, deviation: (4, h, w) of the posterior, scaled by the autoencoder's factor.
        weight: (h, w) how much an error counts at each place.
        masks: (k, h, w) 0 or 1, and
        masked: (k, 4, h, w) latents of the picture without what is repainted, for each of
            :func:`studio.lora.pictures.repaint_masks`; both empty where the family does not inpaint.
        time_ids: (6,).
    """

    mean: torch.Tensor
    deviation: torch.Tensor
    weight: torch.Tensor
    masks: torch.Tensor
    masked: torch.Tensor
    time_ids: torch.Tensor


@dataclass(frozen=True)
class Cache:
    """The set as the denoiser sees it: pictures by :data:`Pick`, captions by entry, the empty caption last."""

    pictures: Mapping[Pick, Encoded]
    captions: tuple[str, ...]
    words: Words | None


def build_cache(
    networks: Networks,
    dataset: DataSet,
    sizes: Sequence[Size],
    plan: Plan,
    *,
    on_picture: Callable[[int, int], object],
    should_cancel: Callable[[], bool],
) -> Cache | None:
    """Encode a set; None when it was cancelled on the way.

    Args:
        sizes: each entry's bucket.
        on_picture: told how many pictures of how many are done.
        should_cancel: asked before each picture.
    """
    picks = [(i, flip) for i, entry in enumerate(dataset.entries) for flip in _flips(entry, plan)]
    blanks: dict[Size, torch.Tensor] = {}
    pictures: dict[Pick, Encoded] = {}
    with networks.awake():
        for done, (index, flip) in enumerate(picks):
            if should_cancel():
                return None
            on_picture(done, len(picks))
            ready = prepare(dataset.entries[index], sizes[index], flip=flip)
            kind = dataset.entries[index].kind
            pictures[index, flip] = _encode(networks, ready, plan, blanks, prior=kind == "prior")
        captions = (*(entry.caption for entry in dataset.entries), "")
        words = None if plan.text_encoder else encode_once(networks, captions)
    on_picture(len(picks), len(picks))
    return Cache(pictures, captions, words)


def _flips(entry: Entry, plan: Plan) -> Iterator[bool]:
    yield False
    if plan.flip and entry.flip and not entry.held_out:
        yield True


def _encode(
    networks: Networks, ready: Prepared, plan: Plan, blanks: dict[Size, torch.Tensor], *, prior: bool
) -> Encoded:
    height, width = ready.pixels.shape[:2]
    garment = None if prior else ready.garment
    mean, deviation = _posterior(networks, ready.pixels[None])
    masks = masked = torch.zeros(0)
    if networks.inpaints:
        repaint = repaint_masks(garment, (width, height))
        if (width, height) not in blanks:
            blanks[width, height] = _masked(networks, ready.pixels, repaint[:1])
        masked = torch.cat([blanks[width, height], _masked(networks, ready.pixels, repaint[1:])])
        # Nearest neighbour picks each 8x8 cell's first pixel, as torch's interpolate does in the pipelines.
        masks = torch.from_numpy(repaint[:, ::8, ::8].astype(np.float32))
    weight = loss_weight(garment, (width, height), plan.masked_loss)
    return Encoded(mean[0], deviation[0], weight, masks, masked, torch.tensor(ready.time_ids, dtype=torch.float32))


def loss_weight(garment: NDArray[np.bool_] | None, size: Size, masked_loss: float) -> torch.Tensor:
    """(h, w): 1 on the garment, ``1 - masked_loss`` beside it, by area between; ones when nobody knows where it is."""
    if garment is None:
        return torch.ones(size[1] // 8, size[0] // 8)
    inside = torch.from_numpy(garment.astype(np.float32))[None]
    share = torch.nn.functional.avg_pool2d(inside, 8)[0]
    return 1 - masked_loss * (1 - share)


@torch.no_grad()
def _posterior(networks: Networks, pixels: NDArray[np.uint8]) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and deviation of pictures (n, H, W, 3), scaled."""
    vae = networks.parts["vae"]
    x = torch.tensor(pixels).permute(0, 3, 1, 2).contiguous().float() / 127.5 - 1
    found = vae.encode(x.to(networks.device)).latent_dist
    factor = vae.config.scaling_factor
    return (found.mean * factor).cpu(), (found.std * factor).cpu()


def _masked(networks: Networks, pixels: NDArray[np.uint8], repaint: NDArray[np.bool_]) -> torch.Tensor:
    """Latent means with each mask's part mid-grey (0 in -1..1), as diffusers' inpainting pipelines grey it."""
    vae = networks.parts["vae"]
    x = torch.tensor(pixels).permute(2, 0, 1).contiguous().float() / 127.5 - 1
    found = []
    with torch.no_grad():
        for mask in repaint:  # one at a time: a 1024 px batch of five would not fit beside the rest
            grey = (x * torch.from_numpy(~mask))[None].to(networks.device)
            found.append((vae.encode(grey).latent_dist.mean * vae.config.scaling_factor).cpu())
    return torch.cat(found) if found else torch.zeros(0, 4, pixels.shape[0] // 8, pixels.shape[1] // 8)
