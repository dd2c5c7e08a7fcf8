"""Which picture of a set shows another garment: its cloth is less alike the others' than they are among them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from studio.lora.similarity import Look, alike

LEAST = 4  # of three, one can not be told to be the stranger when two differ


def likenesses(looks: Sequence[Look | None]) -> list[float | None]:
    """For each look its median likeness to the others, over the set's median of these: 1 is usual.

    None for what has no look, and for all of them where fewer than four have one.
    """
    known = [i for i, one in enumerate(looks) if one is not None]
    if len(known) < LEAST:
        return [None] * len(looks)
    own = [looks[i] for i in known]
    table = np.asarray([[alike(a, b) for b in own if b is not None] for a in own if a is not None])
    medians = np.asarray([np.median(np.delete(row, i)) for i, row in enumerate(table)])
    usual = max(float(np.median(medians)), 1e-6)
    found: list[float | None] = [None] * len(looks)
    for i, value in zip(known, medians, strict=True):
        found[i] = float(value) / usual
    return found
