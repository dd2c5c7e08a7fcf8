from __future__ import annotations

import io
import os
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studio import images, photo_decoder
from studio.errors import EngineError, InputError
from studio.images import open_photo
from tests.studio.images.making import encoded, four_corners, png_chunk, png_stating, webp_stating


def animated(format: str) -> bytes:
    frames = [Image.new("RGB", (80, 80), colour) for colour in ("red", "green", "blue")]
    return encoded(frames[0], format, save_all=True, append_images=frames[1:], duration=50)


def noisy(format: str) -> bytes:
    return encoded(Image.fromarray(np.random.default_rng(1).integers(0, 256, (200, 300, 3), np.uint8)), format)


def half(format: str) -> bytes:
    whole = noisy(format)
    return whole[: len(whole) // 2]


def text_bomb() -> bytes:
    """A PNG whose compressed text unfolds to 200 MB."""
    whole = encoded(four_corners())
    return whole[:33] + png_chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(200_000_000), 9)) + whole[33:]


HEIC = b"\x00\x00\x00\x18ftypheic" + bytes(400)
CASES: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "photo_empty"),
    "a text": (lambda: b"just a text, named .jpg\n" * 50, "photo_format_unsupported"),
    "one byte": (lambda: b"\xff", "photo_format_unsupported"),
    "GIF": (lambda: animated("GIF"), "photo_format_unsupported"),
    "TIFF": (lambda: encoded(four_corners(), "TIFF"), "photo_format_unsupported"),
    "SVG": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "photo_format_unsupported"),
    "HEIC": (lambda: HEIC, "photo_heic_unsupported"),
    "1x1": (lambda: encoded(Image.new("RGB", (1, 1))), "photo_too_small"),
    "one side too short": (lambda: encoded(Image.new("RGB", (500, 63))), "photo_too_small"),
    "30,000 x 30,000 PNG": (lambda: png_stating(30_000, 30_000), "photo_too_large"),
    "13,000 x 64 PNG": (lambda: png_stating(13_000, 64), "photo_too_large"),
    "41 megapixels": (lambda: png_stating(8_200, 5_000), "photo_too_large"),
    "16,000 x 16,000 WebP": (lambda: webp_stating(16_000, 16_000), "photo_too_large"),
    "animated PNG": (lambda: animated("PNG"), "photo_animated"),
    "animated WebP": (lambda: animated("WEBP"), "photo_animated"),
    "half a JPEG": (lambda: half("JPEG"), "photo_damaged"),
    "half a PNG": (lambda: half("PNG"), "photo_damaged"),
    "half a WebP": (lambda: half("WEBP"), "photo_damaged"),
    "a JPEG's first bytes": (lambda: noisy("JPEG")[:24], "photo_damaged"),
    "a PNG's first bytes": (lambda: noisy("PNG")[:24], "photo_damaged"),
    "a WebP's first bytes": (lambda: noisy("WEBP")[:20], "photo_damaged"),
    "PNG without pixels": (lambda: png_stating(100, 100), "photo_damaged"),
    "PNG with a text bomb": (text_bomb, "photo_damaged"),
    "25 MB and one byte": (lambda: bytes(25 * 1024 * 1024 + 1), "photo_file_too_large"),
}


@pytest.mark.parametrize("case", CASES)
def test_each_bad_photo_has_its_own_code(case: str) -> None:
    make, code = CASES[case]
    with pytest.raises(InputError) as refusal:
        open_photo(make())
    assert refusal.value.code == code
    assert refusal.value.message.endswith(".") and refusal.value.exit_status == 2


def test_half_a_jpeg_would_have_passed_verify() -> None:
    Image.open(io.BytesIO(half("JPEG"))).verify()


def test_the_largest_photo_allowed_is_taken() -> None:
    photo = open_photo(png_stating(8_000, 5_000, pixels=bytes((8_000 + 1) * 5_000)))
    assert photo.size == (8_000, 5_000)


def test_damage_anywhere_never_escapes_as_another_error() -> None:
    random = np.random.default_rng(3)
    for format in ("JPEG", "PNG", "WEBP"):
        whole = np.frombuffer(noisy(format), np.uint8)
        for _ in range(4):
            broken = whole.copy()
            broken[random.integers(12, len(broken), 40)] = random.integers(0, 256, 40)
            try:
                assert open_photo(broken.tobytes()).mode == "RGB"
            except InputError as refusal:
                assert refusal.code.startswith("photo_")


def test_paths_that_lead_nowhere_or_to_no_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.jpg"
    os.mkfifo(pipe)
    for path, code in (
        (tmp_path / "absent.jpg", "photo_not_found"),
        (tmp_path, "photo_unreadable"),
        (pipe, "photo_unreadable"),
        ("nul\0byte.jpg", "photo_unreadable"),
    ):
        with pytest.raises(InputError) as refusal:
            open_photo(path)
        assert refusal.value.code == code


def test_a_large_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "holes.jpg"
    with path.open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(InputError) as refusal:
        open_photo(path)
    assert refusal.value.code == "photo_file_too_large"


def test_the_child_lives_under_its_limits() -> None:
    program = (
        f"import sys, resource; sys.path.insert(0, {str(images.DECODER.parent)!r}); import photo_decoder\n"
        "photo_decoder.limit_self()\n"
        "print(resource.getrlimit(resource.RLIMIT_AS)[0], resource.getrlimit(resource.RLIMIT_CPU)[0])\n"
        "print(*(m for m in ('numpy', 'torch', 'studio', 'PIL') if m in sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    limits, modules = done.stdout.split("\n")[:2]
    assert limits == f"{photo_decoder.MEMORY_BYTES} {photo_decoder.CPU_SECONDS}"
    assert modules == ""


def test_a_decoder_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    slow = tmp_path / "slow.py"
    slow.write_text("import time; time.sleep(600)")
    monkeypatch.setattr(images, "DECODER", slow)
    monkeypatch.setattr(images, "WALL_SECONDS", 0.3)
    with pytest.raises(InputError) as refusal:
        open_photo(encoded(four_corners()))
    assert refusal.value.code == "photo_too_costly"


@pytest.mark.parametrize(
    ("program", "code"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", "photo_too_costly"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "photo_damaged"),
    ],
)
def test_a_decoder_that_dies_blames_the_photo(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: str, code: str
) -> None:
    dying = tmp_path / "dying.py"
    dying.write_text(f"import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); {program}")
    monkeypatch.setattr(images, "DECODER", dying)
    with pytest.raises(InputError) as refusal:
        open_photo(encoded(four_corners()))
    assert refusal.value.code == code


def test_the_child_does_not_inherit_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    telling = tmp_path / "telling.py"
    telling.write_text("import json, os; print(json.dumps({'error': 'x', 'message': ' '.join(os.environ)}))")
    monkeypatch.setattr(images, "DECODER", telling)
    with pytest.raises(InputError) as refusal:
        open_photo(encoded(four_corners()))
    assert "HF_TOKEN" not in refusal.value.message


def test_a_decoder_of_ours_that_fails_is_our_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(images, "DECODER", tmp_path / "missing.py")
    with pytest.raises(EngineError) as failure:
        open_photo(encoded(four_corners()))
    assert failure.value.code == "decoder_failed" and failure.value.retryable
