"""Everything the denoiser trains on, encoded once: latents of the pictures, and of the pictures with a part masked
out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from studio.mini.data import PARTS, Rendered
from studio.mini.train_vae import to_tensor

if TYPE_CHECKING:
    from diffusers import AutoencoderKL

# What is repainted, by kind of task: everything; all but a garment; a garment; the scene behind the wearer.
TASKS = ("all", "keep", "swap", "scene")


@dataclass(frozen=True)
class LatentSet:
    """The training set of the denoiser.

    Attributes:
        latents: (n, 4, h, w) float16, scaled by the autoencoder's factor.
        masked: (n, 4 tasks, 4, h, w) float16, latents of the masked pictures, scaled likewise.
        masks: (n, 4 tasks, h, w) bool, True is repainted.
        skeletons: (n, H, W, 3) uint8.
        tokens: (n, length) int64.
    """

    latents: NDArray[np.float16]
    masked: NDArray[np.float16]
    masks: NDArray[np.bool_]
    skeletons: NDArray[np.uint8]
    tokens: NDArray[np.int64]


def repaint_mask(task: str, parts: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.bool_]:
    """(H, W) True where the task repaints."""
    if task == "all":
        return np.ones(parts.shape, bool)
    if task == "scene":
        return np.asarray(parts == 0)
    codes = [code for code in (PARTS["full"], PARTS["upper"], PARTS["lower"]) if (parts == code).any()]
    pick = codes if rng.random() < 0.2 else [codes[0] if rng.random() < 0.75 else codes[-1]]
    garment = np.isin(parts, pick)
    size = int(rng.integers(0, 3))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * size + 1, 2 * size + 1))
    grow = task == "swap" or rng.random() < 0.3
    changed = np.asarray((cv2.dilate if grow else cv2.erode)(garment.astype(np.uint8), kernel), bool)
    return changed if task == "swap" else ~changed


@torch.no_grad()
def encode(
    vae: AutoencoderKL, pictures: NDArray[np.uint8], masks: NDArray[np.bool_] | None, *, device: str
) -> NDArray[np.float16]:
    """Scaled latent means of pictures; masked pixels are mid-grey (0 in -1..1), as diffusers' pipelines make them."""
    x = to_tensor(pictures, device).contiguous()
    if masks is not None:
        x = x * torch.from_numpy(~masks).to(device)[:, None]
    with torch.autocast(device, dtype=torch.bfloat16):
        mean = vae.encode(x).latent_dist.mean
    return np.asarray((mean.float() * vae.config.scaling_factor).half().cpu().numpy())


def build(
    vae: AutoencoderKL,
    data: Rendered,
    tokens: NDArray[np.int64],
    *,
    device: str,
    seed: int,
    say: Callable[[str], None],
    batch: int = 32,
) -> LatentSet:
    """Encode a rendered set under every task."""
    rng = np.random.default_rng(seed)
    count, (height, width) = len(data.pictures), data.parts.shape[1:]
    latents = np.zeros((count, 4, height // 8, width // 8), np.float16)
    masked = np.zeros((count, len(TASKS), *latents.shape[1:]), np.float16)
    small = np.ones((count, len(TASKS), height // 8, width // 8), bool)
    for start in range(0, count, batch):
        part = slice(start, min(count, start + batch))
        pictures = data.pictures[part]
        latents[part] = encode(vae, pictures, None, device=device)
        for k, task in enumerate(TASKS):
            big = np.stack([repaint_mask(task, parts, rng) for parts in data.parts[part]])
            # Nearest neighbour picks each 8x8 cell's first pixel, as torch's interpolate does in the pipelines.
            small[part, k] = big[:, ::8, ::8]
            if task == "all":
                blank = np.zeros_like(pictures[:1])
                masked[part, k] = encode(vae, blank, big[:1], device=device)
            else:
                masked[part, k] = encode(vae, pictures, big, device=device)
        if start % (batch * 40) == 0:
            say(f"encoded {start} of {count}")
    return LatentSet(latents, masked, small, data.skeletons, tokens)


def save(data: LatentSet, path: Path) -> None:
    """Write the set as one ``.npz``."""
    np.savez(
        path, latents=data.latents, masked=data.masked, masks=data.masks, skeletons=data.skeletons, tokens=data.tokens
    )


def load(path: Path) -> LatentSet:
    """Read what :func:`save` wrote."""
    with np.load(path, allow_pickle=False) as z:
        return LatentSet(z["latents"], z["masked"], z["masks"], z["skeletons"], z["tokens"])
