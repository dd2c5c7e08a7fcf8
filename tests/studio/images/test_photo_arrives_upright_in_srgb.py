from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from studio.images import open_photo
from tests.studio.images.making import CORNERS, HEIGHT, WIDTH, corner, encoded, four_corners, near

TO_STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", TO_STORED)
def test_every_exif_orientation_comes_out_upright(orientation: int, format: str) -> None:
    turn = TO_STORED[orientation]
    stored = four_corners() if turn is None else four_corners().transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = open_photo(encoded(stored, format, exif=exif))
    assert photo.size == (WIDTH, HEIGHT)
    for name, colour in CORNERS.items():
        assert near(corner(photo, name), colour), name


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_the_formats_are_told_by_content_and_not_by_name(tmp_path: Path, format: str) -> None:
    path = tmp_path / "picture.txt"
    path.write_bytes(encoded(four_corners(), format))
    assert near(corner(open_photo(path), "bottom right"), CORNERS["bottom right"])


def test_lossless_pixels_arrive_exactly() -> None:
    noise = np.random.default_rng(5).integers(0, 256, (70, 90, 3), np.uint8)
    assert np.array_equal(np.asarray(open_photo(encoded(Image.fromarray(noise)))), noise)


def test_nothing_but_pixels_survives() -> None:
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    plain = encoded(four_corners(), "JPEG", exif=exif, comment=b"where it was taken")
    photo = open_photo(plain + b"PK\x03\x04 a ZIP archive hangs on at the end")
    assert near(corner(photo, "top left"), CORNERS["top left"])
    assert photo.info == {} and not photo.getexif()
    again = encoded(photo, "JPEG")
    assert not any(secret in again for secret in (b"SecretCamera", b"where it was", b"PK\x03\x04"))


def test_cmyk_becomes_the_colours_it_shows() -> None:
    photo = open_photo(encoded(four_corners().convert("CMYK"), "JPEG", quality=95))
    assert photo.mode == "RGB"
    for name, colour in CORNERS.items():
        assert near(corner(photo, name), colour), name


def test_sixteen_bit_grey_keeps_its_tones_instead_of_clipping_to_white() -> None:
    ramp = np.tile(np.linspace(0, 65535, 128).astype(np.uint16), (80, 1))
    photo = np.asarray(open_photo(encoded(Image.fromarray(ramp))))
    expected = np.round(ramp / 257).astype(int)
    assert np.abs(photo[..., 0].astype(int) - expected).max() <= 1
    assert photo[0, 64, 0] < 140 and photo[0, -1, 0] == 255


def test_palette_with_transparency_lies_on_white() -> None:
    image = four_corners().quantize(8)
    clear = image.getpixel((5, 5))
    photo = open_photo(encoded(image, "PNG", transparency=clear))
    assert corner(photo, "top left") == (255, 255, 255)
    assert near(corner(photo, "bottom left"), CORNERS["bottom left"])


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_half_transparent_pixels_mix_with_white(format: str) -> None:
    image = Image.new("RGBA", (80, 80), (200, 0, 0, 128))
    photo = open_photo(encoded(image, format, **({"lossless": True} if format == "WEBP" else {})))
    assert near(corner(photo, "top left"), (227, 127, 127), 2)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P"])
def test_small_modes_become_rgb(mode: str) -> None:
    image = Image.new("L", (80, 80), 255)
    image.paste(0, (0, 0, 40, 80))
    photo = open_photo(encoded(image.convert(mode)))
    assert (corner(photo, "top left"), corner(photo, "top right")) == ((0, 0, 0), (255, 255, 255))


def test_another_colour_space_is_brought_to_srgb_by_its_profile() -> None:
    profile = linear_rgb_profile()
    photo = open_photo(encoded(Image.new("RGB", (80, 80), (55, 55, 55)), "PNG", icc_profile=profile))
    assert near(corner(photo, "top left"), (128, 128, 128), 3)  # 0.216 linear is 0.5 in sRGB


def test_a_broken_profile_leaves_the_pixels_as_they_are() -> None:
    photo = open_photo(encoded(four_corners(), "PNG", icc_profile=b"not a profile at all"))
    assert corner(photo, "top right") == CORNERS["top right"]


def test_a_phones_second_hidden_frame_does_not_matter() -> None:
    buffer = io.BytesIO()
    four_corners().save(buffer, "MPO", save_all=True, append_images=[Image.new("RGB", (64, 64))])
    assert near(corner(open_photo(buffer.getvalue()), "bottom left"), CORNERS["bottom left"])


def linear_rgb_profile() -> bytes:
    """sRGB's own profile with its three tone curves replaced by gamma 1.0 (ICC.1:2010, curveType with no entries)."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = int.from_bytes(data[128:132], "big")
    for entry in range(132, 132 + 12 * count, 12):
        if bytes(data[entry : entry + 4]) in (b"rTRC", b"gTRC", b"bTRC"):
            offset = int.from_bytes(data[entry + 4 : entry + 8], "big")
            data[offset : offset + 12] = b"curv" + bytes(8)
            data[entry + 8 : entry + 12] = (12).to_bytes(4, "big")
    # Its name must not begin with sRGB, or it would be believed and skipped.
    for name in ("sRGB".encode("utf-16-be"), b"sRGB"):
        data = data.replace(name, b"X" * len(name))
    return bytes(data)
