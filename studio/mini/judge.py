"""A small segmenter that only evaluation uses: where in a picture is the figure, and where its main garment.

Trained in a minute on the world's own pictures and their blurred copies, it sees neither prompts nor skeletons, so it
cannot
favour what was asked. Its own score on true held-out pictures is the ceiling of what it can measure, and is printed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from studio.mini.data import PARTS, Rendered

SCENE, BODY, GARMENT = 0, 1, 2


def _block(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1),
        nn.GroupNorm(8, outputs),
        nn.SiLU(),
        nn.Conv2d(outputs, outputs, 3, padding=1),
        nn.SiLU(),
    )


class Judge(nn.Module):
    """A three-level U-Net (Ronneberger et al. 2015, arXiv:1505.04597) at half the picture's size, three classes."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList([_block(3, 16), _block(16, 32), _block(32, 64), _block(64, 64)])
        self.up = nn.ModuleList([_block(128, 32), _block(64, 16), _block(32, 16)])
        self.out = nn.Conv2d(16, 3, 1)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """(n, 3, H, W) in -1..1 -> (n, 3 classes, H/2, W/2) logits."""
        x, kept = functional.avg_pool2d(pictures, 2), []
        for level, block in enumerate(self.down):
            x = block(x if level == 0 else functional.avg_pool2d(x, 2))
            kept.append(x)
        for block, skip in zip(self.up, reversed(kept[:-1]), strict=True):
            x = block(torch.cat([functional.interpolate(x, scale_factor=2.0), skip], dim=1))
        return torch.as_tensor(self.out(x))


def classes(parts: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(n, H, W) part codes to scene, body (anything but the main garment), main garment."""
    has_full = (parts == PARTS["full"]).any(axis=(1, 2))[:, None, None]
    main = np.where(has_full, parts == PARTS["full"], parts == PARTS["upper"])
    return np.where(main, GARMENT, np.where(parts > 0, BODY, SCENE)).astype(np.int64)


def train_judge(data: Rendered, *, steps: int, seed: int, say: Callable[[str], None], device: str = "cpu") -> Judge:
    """Train on true pictures, half of each batch blurred as an autoencoder would."""
    torch.manual_seed(seed)
    judge, rng = Judge().to(device), np.random.default_rng(seed)
    optimiser = torch.optim.AdamW(judge.parameters(), lr=3e-3)
    truth = classes(data.parts)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 3e-3 * (1 - step / steps)
        rows = rng.integers(len(truth), size=16)
        x = torch.from_numpy(data.pictures[rows]).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1
        x[::2] = functional.interpolate(functional.avg_pool2d(x[::2], 4), scale_factor=4.0, mode="bilinear")
        y = torch.from_numpy(truth[rows][:, ::2, ::2]).to(device)
        loss = functional.cross_entropy(judge(x.contiguous()), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % 100 == 0:
            say(f"judge step {step} loss {loss.item():.3f}")
    return judge.eval()


@torch.no_grad()
def look(judge: Judge, pictures: NDArray[np.uint8], *, device: str = "cpu") -> NDArray[np.uint8]:
    """(n, H/2, W/2) classes of (n, H, W, 3) pictures."""
    x = torch.from_numpy(np.ascontiguousarray(pictures)).to(device).permute(0, 3, 1, 2).float().contiguous() / 127.5 - 1
    return np.asarray(judge(x).argmax(dim=1).cpu().numpy().astype(np.uint8))
