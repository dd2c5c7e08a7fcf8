"""The pictures around a repaint: blur, invert, fill, only-masked with padding, resize modes, pasting back."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from studio.diffusion.canvas import finish, fit, masked_box, prepare, smear, soften
from studio.diffusion.types import Control, Fill, Generate, Resize
from studio.errors import InputError


def square(size: tuple[int, int], box: tuple[int, int, int, int]) -> Image.Image:
    mask = Image.new("L", size)
    mask.paste(255, box)
    return mask


def noise(size: tuple[int, int], seed: int = 0) -> Image.Image:
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))


def test_text_to_image_is_all_white() -> None:
    canvas = prepare(Generate("", width=64, height=96))
    assert canvas.mask.getextrema() == (255, 255)
    assert (canvas.image.size, canvas.under) == ((64, 96), None)


def test_blur_softens_symmetrically_and_none_changes_nothing() -> None:
    mask = square((64, 64), (0, 0, 32, 64))
    assert soften(mask, blur=0, invert=False).tobytes() == mask.tobytes()
    row = np.asarray(soften(mask, blur=4, invert=False))[32]
    assert row[0] == 255 and row[63] == 0
    assert 0 < row[36] < row[31] < 255
    assert abs(int(row[31]) + int(row[32]) - 255) <= 1


def test_invert_swaps_before_blurring() -> None:
    mask = square((32, 32), (0, 0, 16, 32))
    inverted = np.asarray(soften(mask, blur=0, invert=True))
    assert (inverted[:, :16] == 0).all() and (inverted[:, 16:] == 255).all()


def test_nothing_to_repaint_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        soften(Image.new("L", (32, 32)), blur=4, invert=False)
    assert caught.value.code == "mask_empty"


def test_pasting_back_keeps_the_black_pixels_and_mixes_the_grey() -> None:
    image, mask = noise((64, 64)), square((64, 64), (16, 16, 48, 48))
    request = Generate("", image=image, mask=mask, mask_blur=3, width=64, height=64)
    canvas = prepare(request)
    made = noise((64, 64), 1)
    result = np.asarray(finish(canvas, made, paste_back=True), np.int16)
    soft = np.asarray(soften(mask, blur=3, invert=False), np.float64)[..., None] / 255
    original, new = np.asarray(image, np.int16), np.asarray(made, np.int16)
    outside, inside = soft[..., 0] == 0, soft[..., 0] == 1
    assert outside.sum() > 1000 and inside.sum() > 200
    assert (result[outside] == original[outside]).all() and (result[inside] == new[inside]).all()
    assert np.abs(result - (new * soft + original * (1 - soft))).max() <= 1
    assert finish(canvas, made, paste_back=False).tobytes() == made.tobytes()


def test_only_masked_repaints_a_box_of_the_right_shape_and_leaves_the_rest() -> None:
    image, mask = noise((400, 300)), square((400, 300), (300, 200, 340, 220))
    request = Generate("", image=image, mask=mask, mask_blur=0, only_masked=True, only_masked_padding=10,
                       width=64, height=96)  # fmt: skip
    canvas = prepare(request)
    left, top, right, bottom = canvas.box
    assert (right - left, bottom - top) == (60, 90)  # 40 + 2 * 10 wide, and as high as 2:3 asks
    assert left <= 290 and right >= 350 and top <= 190 and bottom >= 230
    assert canvas.image.tobytes() == image.crop(canvas.box).resize((64, 96), Image.Resampling.LANCZOS).tobytes()
    result = finish(canvas, Image.new("RGB", (64, 96), (9, 9, 9)), paste_back=True)
    assert result.size == (400, 300)
    assert result.getpixel((320, 210)) == (9, 9, 9)
    assert result.getpixel((299, 210)) == image.getpixel((299, 210))


@pytest.mark.parametrize("box", [(0, 0, 20, 20), (380, 280, 400, 300), (0, 100, 400, 110), (190, 0, 200, 300)])
def test_the_box_stays_inside_and_holds_the_mask(box: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = masked_box(square((400, 300), box), padding=32, size=(64, 96))
    assert 0 <= left <= box[0] and 0 <= top <= box[1] and box[2] <= right <= 400 and box[3] <= bottom <= 300


def test_a_control_drawn_over_the_image_is_cut_along() -> None:
    image, mask = noise((400, 300)), square((400, 300), (300, 200, 340, 220))
    drawn, own = noise((400, 300), 2), noise((64, 96), 3)
    request = Generate("", image=image, mask=mask, only_masked=True, width=64, height=96,
                       controls=(Control(drawn), Control(own)))  # fmt: skip
    canvas = prepare(request)
    assert canvas.controls[0].tobytes() == drawn.crop(canvas.box).resize((64, 96), Image.Resampling.LANCZOS).tobytes()
    assert canvas.controls[1].tobytes() == own.tobytes()


def test_fill_takes_the_surroundings_and_leaves_them() -> None:
    image = Image.new("RGB", (96, 64), (200, 30, 30))
    image.paste((20, 20, 220), (48, 0, 96, 64))
    image.paste((0, 255, 0), (30, 20, 66, 44))
    mask = square((96, 64), (30, 20, 66, 44))
    filled = np.asarray(smear(image, mask), np.int16)
    inside = np.asarray(mask) > 0
    assert filled[inside][:, 1].max() < 80  # the green is gone
    assert filled[32, 31, 0] > filled[32, 31, 2] + 60 and filled[32, 64, 2] > filled[32, 64, 0] + 60
    assert (filled[~inside] == np.asarray(image, np.int16)[~inside]).all()
    start = prepare(Generate("", image=image, mask=mask, mask_blur=0, fill=Fill.FILL, width=96, height=64)).image
    assert start.tobytes() == Image.fromarray(filled.astype(np.uint8)).tobytes()


def test_fill_of_everything_is_grey() -> None:
    assert smear(noise((16, 16)), Image.new("L", (16, 16), 255)).getextrema() == ((128, 128),) * 3


def test_resize_modes() -> None:
    wide = Image.new("RGB", (200, 100), (255, 0, 0))
    wide.paste((0, 0, 255), (0, 0, 50, 100))
    wide.paste((0, 255, 0), (150, 0, 200, 100))
    assert fit(wide, (64, 64), Resize.STRETCH).getpixel((2, 32)) == (0, 0, 255)
    assert fit(wide, (64, 64), Resize.CROP).getpixel((5, 32)) == (255, 0, 0)
    padded = fit(wide, (64, 64), Resize.PAD)
    assert padded.getpixel((2, 2)) == (0, 0, 255) and padded.getpixel((32, 62)) == (255, 0, 0)
    assert fit(Image.new("L", (200, 100), 7), (64, 64), Resize.PAD).getextrema() == (7, 7)
