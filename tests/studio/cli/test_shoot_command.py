"""``python -m studio shoot`` as a user meets it: whole files, or an error with a code and nothing at all."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studio.cli.main import main
from studio.mini.world import Garment, Person, Spec, draw
from studio.provenance import SourceType, read_labels

FAST = ["--steps", "2", "--size", "256x384", "--quiet"]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    spec = Spec(
        person=Person(hair="bob"), upper=Garment("sweater", "red", sleeve="long"), lower=Garment("trousers", "navy")
    )
    path = tmp_path / "photo.png"
    draw(spec, (320, 480)).picture.save(path)
    return path


def run(*arguments: object) -> int:
    return main(["shoot", *(str(a) for a in arguments)])


def left(folder: Path, photo: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {photo.name}


def test_the_photo_alone_is_enough(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(photo, "--out", tmp_path / "out.png", *FAST) == 0
    assert left(tmp_path, photo) == {"out.png", "out.json", "out-sheet.png"}
    papers = json.loads((tmp_path / "out.json").read_text())
    assert papers["report"]["garment"]["locked_ratio"] == 1.0
    assert papers["report"]["garment"]["max_difference"] == 0
    assert papers["report"]["verdict"] in ("good", "check", "reject")
    assert all({"code", "message"} <= reason.keys() for reason in papers["report"]["reasons"])
    assert "pck" in papers["report"]["pose"]
    assert papers["recipe"]["seed"] == 0
    with Image.open(tmp_path / "out.png") as picture:
        assert picture.size == (256, 384)
    with Image.open(tmp_path / "out-sheet.png") as sheet:
        assert sheet.width > 3 * 256
    labels = read_labels((tmp_path / "out.png").read_bytes())
    assert labels.source_type == SourceType.COMPOSITE
    assert "untouched" in capsys.readouterr().out


def test_several_pictures_are_numbered_and_replay_gives_the_same_bytes(photo: Path, tmp_path: Path) -> None:
    assert run(photo, "--out", tmp_path / "a.png", "--count", 2, "--seed", 5, "--scene", "park", *FAST) == 0
    assert {"a.png", "a-2.png", "a.json", "a-2.json", "a-sheet.png"} == left(tmp_path, photo)
    assert run(photo, "--out", tmp_path / "b.png", "--replay", tmp_path / "a-2.json", "--quiet") == 0
    assert (tmp_path / "b.png").read_bytes() == (tmp_path / "a-2.png").read_bytes()
    assert (tmp_path / "a.png").read_bytes() != (tmp_path / "a-2.png").read_bytes()


@pytest.mark.parametrize(("suffix", "name"), [(".jpg", "JPEG"), (".webp", "WEBP")])
def test_other_formats_are_written_by_their_ending(photo: Path, tmp_path: Path, suffix: str, name: str) -> None:
    assert run(photo, "--out", tmp_path / f"out{suffix}", *FAST) == 0
    with Image.open(tmp_path / f"out{suffix}") as picture:
        assert picture.format == name


def _png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def _jpeg() -> bytes:
    noise = np.random.default_rng(0).integers(0, 255, (300, 200, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "JPEG")
    return out.getvalue()


def _animated() -> bytes:
    out = io.BytesIO()
    frames = [Image.new("RGB", (100, 150), colour) for colour in ("red", "blue")]
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:])
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "photo_empty"),
        (_jpeg()[:4000], "photo_damaged"),
        (_png(1, 1), "photo_too_small"),
        (_png(30_000, 30_000), "photo_too_large"),
        (b"just words, no picture", "photo_format_unsupported"),
        (_animated(), "photo_animated"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 64, "photo_heic_unsupported"),
    ],
)
def test_a_bad_photo_is_refused_by_code_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, code: str
) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(content)
    assert run(bad, "--out", tmp_path / "out.png", "--json-errors") == 2
    assert json.loads(capsys.readouterr().err.splitlines()[-1])["code"] == code
    assert left(tmp_path, bad) == set()


@pytest.mark.parametrize("mode", ["CMYK", "I;16", "P", "RGBA", "L"])
def test_unusual_photos_are_taken(photo: Path, tmp_path: Path, mode: str) -> None:
    picture = Image.open(photo)
    if mode == "I;16":
        odd = Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)
    else:
        odd = picture.convert(mode)
    path = tmp_path / ("odd.jpg" if mode == "CMYK" else "odd.png")
    odd.save(path)
    assert run(path, "--out", tmp_path / "out.png", *FAST) == 0


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        (["--persona", "nobody"], 2, "persona_unknown"),
        (["--pose", "flying"], 2, "pose_unknown"),
        (["--engine", "sd15"], 3, "weights_missing"),
        (["--engine", "nonsense"], 2, "unknown_weights"),
        (["--size", "big"], 2, "size_unreadable"),
        (["--steps", "0"], 2, "steps_out_of_range"),
        (["--sampler", "Magic"], 2, "unknown_sampler"),
        (["--adapter", "missing.safetensors"], 2, "adapter_missing"),
    ],
)
def test_a_wrong_option_is_refused_by_code_and_leaves_nothing(
    photo: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    status: int,
    code: str,
) -> None:
    monkeypatch.setenv("IMODEL_WEIGHTS", str(tmp_path / "weights"))
    assert run(photo, "--out", tmp_path / "out.png", "--quiet", "--json-errors", *arguments) == status
    error = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert error["code"] == code
    if code == "weights_missing":
        assert "python -m studio weights fetch sd15" in error["message"]
    assert left(tmp_path, photo) == set()


def test_a_mask_of_another_size_is_refused(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mask = tmp_path / "mask.png"
    Image.new("L", (100, 100), 255).save(mask)
    assert run(photo, "--mask", mask, "--out", tmp_path / "out.png", "--json-errors") == 2
    assert json.loads(capsys.readouterr().err.splitlines()[-1])["code"] == "mask_wrong_size"


def test_an_ending_that_is_no_picture_is_refused_before_anything_runs(photo: Path, tmp_path: Path) -> None:
    assert run(photo, "--out", tmp_path / "out.gif") == 2
    assert run("--out", tmp_path / "out.png") == 2


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("mounting a small tmpfs needs root; tests/studio/files covers the limit by file size for everyone")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_leaves_nothing_half_written(
    photo: Path, tiny_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(photo, "--out", tiny_disk / "out.png", *FAST, "--json-errors") == 6
    error = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert error["code"] == "disk_full"
    assert error["retryable"] is True
    assert list(tiny_disk.iterdir()) == []
