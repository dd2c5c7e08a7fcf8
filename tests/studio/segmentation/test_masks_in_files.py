from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studio.errors import InputError, StorageError
from studio.segmentation.mask_files import encode_mask, read_mask, write_mask


def _mask() -> np.ndarray:
    mask = np.zeros((80, 100), np.bool_)
    mask[10:60, 20:90] = True
    mask[30, 40] = False
    return mask


def test_a_written_mask_is_white_on_black_and_reads_back_bit_for_bit(tmp_path: Path) -> None:
    write_mask(_mask(), tmp_path / "mask.png")
    with Image.open(tmp_path / "mask.png") as picture:
        assert (picture.format, picture.mode, picture.size) == ("PNG", "L", (100, 80))
        assert picture.getpixel((50, 20)) == 255 and picture.getpixel((40, 30)) == 0
    assert np.array_equal(read_mask(tmp_path / "mask.png", size=(100, 80)), _mask())


def test_a_soft_mask_keeps_its_levels() -> None:
    soft = np.linspace(0, 1, 256, dtype=np.float32)[None].repeat(70, axis=0)
    levels = np.asarray(Image.open(io.BytesIO(encode_mask(soft))))
    assert levels[0].tolist() == list(range(256))


def test_a_mask_of_the_wrong_size_is_refused_with_both_sizes_named() -> None:
    with pytest.raises(InputError, match=r"100 x 80.*80 x 100") as caught:
        read_mask(encode_mask(_mask()), size=(80, 100))
    assert caught.value.code == "mask_wrong_size"


def test_a_black_mask_is_refused_as_empty() -> None:
    with pytest.raises(InputError) as caught:
        read_mask(encode_mask(np.zeros((80, 100), np.bool_)), size=(100, 80))
    assert caught.value.code == "mask_empty"


def test_a_mask_for_a_missing_folder_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        write_mask(_mask(), tmp_path / "missing" / "mask.png")
    assert list(tmp_path.iterdir()) == []
