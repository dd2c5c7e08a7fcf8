"""The world rendered to arrays on disk: pictures, part maps, skeletons and captions, in shards a trainer maps into
memory.
"""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from studio.mini.world import draw, random_spec
from studio.pose.openpose import render_skeleton

NATIVE = (128, 192)
SHARD = 1000
HELD_OUT = 10_000_000
PARTS = {"person": 1, "lower": 2, "upper": 3, "full": 4}


@dataclass(frozen=True)
class Rendered:
    """A rendered set.

    Attributes:
        pictures: (n, H, W, 3) uint8.
        parts: (n, H, W) uint8: 0 scene, then the codes of :data:`PARTS`.
        skeletons: (n, H, W, 3) uint8, what ControlNet is shown.
        captions: n texts.
    """

    pictures: NDArray[np.uint8]
    parts: NDArray[np.uint8]
    skeletons: NDArray[np.uint8]
    captions: list[str]


def render_shard(folder: Path, first_seed: int, count: int, size: tuple[int, int]) -> Path:
    """Render ``count`` specs from ``first_seed`` on into one ``.npz`` and its captions; kept when already there."""
    path = folder / f"{first_seed:09d}-{size[0]}x{size[1]}.npz"
    if path.exists():
        return path
    rows = [_row(seed, size) for seed in range(first_seed, first_seed + count)]
    pictures, parts, skeletons, captions = (list(column) for column in zip(*rows, strict=True))
    path.with_suffix(".json").write_text(json.dumps(captions))
    aside = path.with_suffix(".part.npz")
    np.savez(aside, pictures=np.stack(pictures), parts=np.stack(parts), skeletons=np.stack(skeletons))
    aside.rename(path)
    return path


def _row(seed: int, size: tuple[int, int]) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8], str]:
    drawing = draw(random_spec(seed), size)
    parts = np.zeros((size[1], size[0]), np.uint8)
    for name, code in PARTS.items():
        if name in drawing.masks:
            parts[drawing.masks[name]] = code
    return np.asarray(drawing.picture), parts, np.asarray(render_skeleton(drawing.pose)), drawing.caption


def render(
    folder: Path, count: int, *, first_seed: int = 0, workers: int = 2, size: tuple[int, int] = NATIVE
) -> list[Path]:
    """Render ``count`` pictures (a multiple of 1,000 is best) with a few processes; returns the shards in order."""
    folder.mkdir(parents=True, exist_ok=True)
    starts = list(range(first_seed, first_seed + count, SHARD))
    with ProcessPoolExecutor(max_workers=workers) as pool:
        jobs = [
            pool.submit(render_shard, folder, start, min(SHARD, first_seed + count - start), size) for start in starts
        ]
        return [job.result() for job in jobs]


def load(shards: list[Path]) -> Rendered:
    """Read shards into memory: about 200 KB a picture at 128x192."""
    arrays = []
    captions: list[str] = []
    for shard in shards:
        with np.load(shard, allow_pickle=False) as data:
            arrays.append((data["pictures"], data["parts"], data["skeletons"]))
        captions += json.loads(shard.with_suffix(".json").read_text())
    pictures, parts, skeletons = (np.concatenate(column) for column in zip(*arrays, strict=True))
    return Rendered(pictures, parts, skeletons, captions)
