"""The layers over a result: blue where a pixel was kept, orange where a seam would show, nothing elsewhere."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from studio.serve.layers import KEPT, SEAM, flat, layers
from studio.shoot.types import Table


def table(*, kept: bool) -> Table:
    """A garment of 60 by 40 px, of which all but 6 px around is locked."""
    garment, locked = np.zeros((96, 64), bool), np.zeros((96, 64), bool)
    garment[20:80, 12:52] = True
    locked[26:74, 18:46] = kept
    blank = np.zeros((96, 64), bool)
    return Table(Image.new("RGB", (64, 96)), blank, garment, garment, locked, None, None)  # type: ignore[arg-type]


def read(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))


def test_the_kept_pixels_are_exactly_the_lock() -> None:
    drawn = read(layers(table(kept=True))["locked"])
    assert np.array_equal(drawn[..., 3] == 255, table(kept=True).locked)
    assert tuple(drawn[50, 30]) == (*KEPT, 255) and drawn[5, 5, 3] == 0


def test_the_ring_lies_between_the_lock_and_the_garments_edge() -> None:
    drawn = read(layers(table(kept=True))["seam"])
    assert tuple(drawn[24, 30]) == (*SEAM, 255)
    assert drawn[50, 30, 3] == 0 and drawn[10, 30, 3] == 0


def test_nothing_is_drawn_where_nothing_was_kept() -> None:
    assert layers(table(kept=False)) == {}


def test_a_layer_is_a_few_bytes_a_row() -> None:
    mask = np.zeros((1536, 1024), bool)
    mask[300:1200, 200:800] = True
    assert len(flat(mask, KEPT)) < 4_000
