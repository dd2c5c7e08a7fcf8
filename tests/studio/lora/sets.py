"""Small sets of pictures for the tiny families: a striped square on grey, its mask, a caption."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from studio.dataset.types import DataSet, Entry

SIZE = (64, 96)


def picture(seed: int, size: tuple[int, int] = SIZE) -> tuple[Image.Image, Image.Image]:
    """RGB with a striped rectangle on a seeded background, and its mask."""
    rng = np.random.default_rng(seed)
    width, height = size
    pixels = np.full((height, width, 3), rng.integers(60, 200, 3), np.uint8)
    top, left = int(rng.integers(8, height // 3)), int(rng.integers(4, width // 3))
    box = np.s_[top : top + height // 2, left : left + width // 2]
    stripes = (np.arange(height // 2) // 4 % 2)[:, None, None]
    pixels[box] = np.where(stripes, (220, 40, 40), (250, 250, 250))
    mask = np.zeros((height, width), np.uint8)
    mask[box] = 255
    return Image.fromarray(pixels), Image.fromarray(mask)


def entry(folder: Path, seed: int, *, size: tuple[int, int] = SIZE, masked: bool = True, **fields: object) -> Entry:
    """One entry with its files below ``folder``."""
    image, mask = picture(seed, size)
    path, over = folder / f"{seed}.png", folder / f"{seed}-mask.png"
    image.save(path)
    mask.save(over)
    caption = str(fields.pop("caption", f"zkx coat, photo {seed}"))
    return Entry(path, over if masked else None, caption, **fields)  # type: ignore[arg-type]


def small_set(folder: Path, *, trained: int = 3, held_out: int = 1, prior: int = 0) -> DataSet:
    """A set of entries with masks; regularisation pictures have none."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = [entry(folder, seed) for seed in range(trained)]
    entries += [entry(folder, 100 + seed, held_out=True) for seed in range(held_out)]
    entries += [entry(folder, 200 + n, kind="prior", masked=False, caption="a coat") for n in range(prior)]
    return DataSet("zkx", tuple(entries))
