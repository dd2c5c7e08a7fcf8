"""What was proved, to lay over the result: the pixels that were kept, and the ring where a seam would show."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
from PIL import Image

from studio.fidelity.seam import ring_of
from studio.segmentation.masks import Mask
from studio.shoot.types import Table

# Far from skin and from one another, also for eyes that mix up red and green; pages show the same two (generation.css).
KEPT, SEAM = (41, 82, 227), (224, 127, 0)


def layers(table: Table) -> Mapping[str, bytes]:
    """``locked`` and ``seam`` as PNG, one flat colour where it is so; nothing where no pixel was kept."""
    if not table.locked.any():
        return {}
    return {"locked": flat(table.locked, KEPT), "seam": flat(ring_of(table.garment, table.locked), SEAM)}


def flat(mask: Mask, colour: tuple[int, int, int]) -> bytes:
    """One colour, opaque where ``mask``; two entries in the palette, so a few kilobytes."""
    picture = Image.fromarray(mask.astype(np.uint8))
    picture.putpalette([0, 0, 0, *colour])
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", transparency=0, bits=1, optimize=True)
    return buffer.getvalue()
