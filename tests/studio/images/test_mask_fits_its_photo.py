from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from studio.errors import InputError
from studio.images import open_mask
from tests.studio.images.making import encoded


def left_half() -> Image.Image:
    image = Image.new("L", (100, 70))
    image.paste(255, (0, 0, 50, 70))
    return image


def test_light_is_garment_in_an_array_of_height_by_width() -> None:
    mask = open_mask(encoded(left_half()), size=(100, 70))
    assert mask.shape == (70, 100) and mask.dtype == np.bool_
    assert mask[:, :50].all() and not mask[:, 50:].any()


def test_transparent_is_not_garment_even_where_it_hides_white() -> None:
    image = Image.new("RGBA", (100, 70), (255, 255, 255, 0))
    image.paste((255, 255, 255, 255), (0, 0, 50, 70))
    mask = open_mask(encoded(image), size=(100, 70))
    assert mask[:, :50].all() and not mask[:, 50:].any()


def test_another_size_than_the_photos_is_refused() -> None:
    with pytest.raises(InputError) as refusal:
        open_mask(encoded(left_half()), size=(70, 100))
    assert refusal.value.code == "mask_wrong_size"
    assert "100 x 70" in refusal.value.message and "70 x 100" in refusal.value.message


def test_refusals_speak_of_the_mask() -> None:
    with pytest.raises(InputError) as refusal:
        open_mask(b"text", size=(100, 70))
    assert refusal.value.code == "mask_format_unsupported"
