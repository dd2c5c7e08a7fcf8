"""Prints that ``mini`` was never shown and no caption names: what a LoRA has to teach it.

Each is a function of cloth coordinates in statures (x round the body from the middle of the front, y down from the
shoulder) and answers how much of the second and of the third colour lies there, 0..1 each. They are large, because what
an autoencoder of an eighth of the resolution can not show can not be learned either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

F = NDArray[np.floating[Any]]
Print = Callable[[F, F], tuple[F, F]]
EDGE = 0.006


def _soft(distance: F) -> F:
    return np.asarray(np.clip(0.5 - distance / EDGE, 0, 1))


def _wave(value: F, period: float) -> F:
    """A triangle of that period, 0 at its foot, ``period / 2`` at its top."""
    return np.asarray(np.abs(np.mod(value, period) - period / 2))


def halved(x: F, y: F) -> tuple[F, F]:
    """Two halves, left and right, with a seam of the third colour."""
    return _soft(-x), _soft(np.abs(x) - 0.012)


def yoked(x: F, y: F) -> tuple[F, F]:
    """Shoulders of the second colour, edged by the third."""
    return _soft(y - 0.13), _soft(np.abs(y - 0.14) - 0.012)


def banded(x: F, y: F) -> tuple[F, F]:
    """One broad band about the chest between two narrow ones."""
    return _soft(np.abs(y - 0.18) - 0.045), _soft(np.abs(np.abs(y - 0.18) - 0.075) - 0.012)


def diagonal(x: F, y: F) -> tuple[F, F]:
    """Broad diagonal stripes."""
    return _soft(_wave(x + y, 0.13) - 0.033), np.zeros_like(x)


def zigzag(x: F, y: F) -> tuple[F, F]:
    """Chevrons in two colours over the first."""
    along = y + _wave(x, 0.14)
    return _soft(_wave(along, 0.15) - 0.022), _soft(_wave(along + 0.075, 0.15) - 0.018)


def harlequin(x: F, y: F) -> tuple[F, F]:
    """Lozenges."""
    return _soft(_wave(x, 0.15) + 0.7 * _wave(y, 0.21) - 0.075), np.zeros_like(x)


def emblem(x: F, y: F) -> tuple[F, F]:
    """A disc with a core of the third colour on the chest; nothing on the back."""
    away = np.hypot(x, y - 0.18)
    return _soft(away - 0.075), _soft(away - 0.035)


def blocks(x: F, y: F) -> tuple[F, F]:
    """A coarse chequerboard."""
    return _soft(np.sin(np.pi * x / 0.085) * np.sin(np.pi * y / 0.085) * 0.03), np.zeros_like(x)


def sash(x: F, y: F) -> tuple[F, F]:
    """One broad sash from shoulder to hip, and its thin companion."""
    across = (x + 0.06) * 0.85 - (y - 0.12) * 0.5
    return _soft(np.abs(across) - 0.035), _soft(np.abs(across - 0.062) - 0.011)


def faded(x: F, y: F) -> tuple[F, F]:
    """The first colour fades into the second from top to bottom."""
    return np.asarray(np.clip((y - 0.08) / 0.3, 0, 1)), np.zeros_like(x)


PRINTS: Mapping[str, Print] = {
    one.__name__: one for one in (halved, yoked, banded, diagonal, zigzag, harlequin, emblem, blocks, sash, faded)
}
