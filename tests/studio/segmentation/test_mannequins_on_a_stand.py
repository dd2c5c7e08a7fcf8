"""A headless mannequin: the pole that it stands on is no garment, and white stripes of the garment are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from studio.segmentation.proposals import propose

PHOTOS = Path(__file__).parents[3] / "catalog" / "sample_photos"


def garment(name: str) -> NDArray[np.bool_]:
    """The proposal with no pose, a third of the photo's size."""
    with Image.open(PHOTOS / f"{name}.jpg") as photo:
        small = photo.convert("RGB").resize((400, 600))
    return propose(small, pose=None).best().mask


@pytest.mark.parametrize("name", ["poppy-dress", "polka-tee", "harbour-tee", "camel-coat"])
def test_nothing_thin_hangs_below_the_garment(name: str) -> None:
    widths = garment(name).sum(axis=1)
    worn = np.flatnonzero(widths)
    assert widths[worn[-24:]].max() > 0.3 * widths.max()
    assert worn[-1] < 0.8 * 600


def test_white_stripes_on_a_white_mannequin_belong_to_the_garment() -> None:
    mask = garment("harbour-tee")
    rows = np.flatnonzero(mask.any(axis=1))
    middle = mask[rows[0] + 30 : rows[-1] - 10, 200]
    assert middle.all()


def test_the_neckline_stays_open() -> None:
    mask = garment("camel-coat")
    rows = np.flatnonzero(mask.any(axis=1))
    assert not mask[rows[0] : rows[0] + 20, 200].any()
