"""World pictures for the segmenter, drawn once and mapped into memory: 341x512, with a part map each."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from studio.mini.data import HELD_OUT, PARTS
from studio.mini.world import draw, random_spec

SIZE = (341, 512)
SHARD = 100
# Far from the seeds that the family's own training and held-out sets use.
FIRST_SEED = 3_000_000
HELD_OUT_SEED = HELD_OUT + 3_000_000


@dataclass(frozen=True)
class Pictures:
    """A drawn set on disk, mapped into memory where it is read; any number of processes share the pages.

    Attributes:
        shards: files of pixels (n, 512, 341, 3) uint8 RGB and of parts (n, 512, 341) uint8: 0 scene, else a code of
            :data:`studio.mini.data.PARTS`, where ``person`` is what is bare. All but the last have the same n.
    """

    shards: tuple[tuple[Path, Path], ...]

    def __len__(self) -> int:
        return (len(self.shards) - 1) * len(_mapped(self.shards[0][0])) + len(_mapped(self.shards[-1][0]))

    def __getitem__(self, row: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Pixels (512, 341, 3) and parts (512, 341) of one picture."""
        shard, place = divmod(row, len(_mapped(self.shards[0][0])))
        pixels, parts = self.shards[shard]
        return _mapped(pixels)[place], _mapped(parts)[place]


@cache
def _mapped(path: Path) -> NDArray[np.uint8]:
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


def render(
    folder: Path, count: int, *, first_seed: int = FIRST_SEED, workers: int = 2, oversample: int = 1
) -> Pictures:
    """Draw ``count`` pictures; shards that are there already are kept.

    One sample a pixel costs a fifth of the world's usual four; the training set blurs and rescales them anyway.
    """
    folder.mkdir(parents=True, exist_ok=True)
    end = first_seed + count
    ranges = [(start, min(start + SHARD, end)) for start in range(first_seed, end, SHARD)]
    missing = [span for span in ranges if not all(path.exists() for path in _paths(folder, *span, oversample))]
    if missing:
        with ProcessPoolExecutor(max_workers=workers, mp_context=get_context("spawn")) as pool:
            for job in [pool.submit(_draw, folder, start, stop, oversample) for start, stop in missing]:
                job.result()
    return Pictures(tuple(_paths(folder, start, stop, oversample) for start, stop in ranges))


def _paths(folder: Path, start: int, stop: int, oversample: int) -> tuple[Path, Path]:
    stem = f"{start}-{stop - start}x{oversample}"
    return folder / f"{stem}-pixels.npy", folder / f"{stem}-parts.npy"


def _draw(folder: Path, start: int, stop: int, oversample: int) -> None:
    rows = [one(seed, oversample=oversample) for seed in range(start, stop)]
    for path, column in zip(_paths(folder, start, stop, oversample), zip(*rows, strict=True), strict=True):
        aside = path.with_suffix(".part.npy")
        np.save(aside, np.stack(column))
        aside.rename(path)


def one(seed: int, *, oversample: int = 2) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """(512, 341, 3) uint8 pixels and (512, 341) uint8 part codes of one spec of the world."""
    drawing = draw(random_spec(seed), SIZE, oversample=oversample)
    parts = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    for name, code in PARTS.items():
        if name in drawing.masks:
            parts[drawing.masks[name]] = code
    return np.asarray(drawing.picture), parts
