from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from studio.errors import StorageError
from studio.files import write_all, write_atomically

IS_ROOT = os.geteuid() == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A filesystem of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting a small tmpfs needs root; the file-size limit's tests cover the rest")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def contents(folder: Path) -> dict[str, bytes]:
    return {entry.name: entry.read_bytes() for entry in folder.iterdir()}


def test_a_file_appears_whole_and_alone(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a.bin", b"\x00one\xff")
    write_atomically(tmp_path / "b.bin", lambda file: file.write(b"two"))
    assert contents(tmp_path) == {"a.bin": b"\x00one\xff", "b.bin": b"two"}


def test_a_set_replaces_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    write_all({tmp_path / "a": b"new", tmp_path / "b": b"also"})
    assert contents(tmp_path) == {"a": b"new", "b": b"also"}


def test_the_umask_decides_who_may_read(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "a", b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_a_full_disk_leaves_the_old_file_and_nothing_else(small_disk: Path) -> None:
    write_atomically(small_disk / "out.png", b"old picture")
    with pytest.raises(StorageError) as failure:
        write_atomically(small_disk / "out.png", bytes(3_000_000))
    assert (failure.value.code, failure.value.retryable) == ("disk_full", True)
    assert contents(small_disk) == {"out.png": b"old picture"}


def test_a_disk_that_fills_up_within_a_set_keeps_every_old_file(small_disk: Path) -> None:
    (small_disk / "out.png").write_bytes(b"old picture")
    with pytest.raises(StorageError) as failure:
        write_all(
            {small_disk / "out.png": b"new", small_disk / "out.json": b"{}", small_disk / "sheet": bytes(2_000_000)}
        )
    assert failure.value.code == "disk_full"
    assert contents(small_disk) == {"out.png": b"old picture"}


def test_a_disk_that_fills_up_under_a_writing_function_is_told_the_same_way(small_disk: Path) -> None:
    def write_in_pieces(file: BinaryIO) -> None:
        for _ in range(100):
            file.write(bytes(50_000))

    with pytest.raises(StorageError) as failure:
        write_atomically(small_disk / "out.png", write_in_pieces)
    assert failure.value.code == "disk_full" and contents(small_disk) == {}


def test_a_file_size_limit_counts_as_a_full_disk(tmp_path: Path) -> None:
    program = (
        "import resource, sys\n"
        "from studio.errors import StorageError\nfrom studio.files import write_all\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try: write_all({sys.argv[1] + '/a': b'small', sys.argv[1] + '/b': bytes(300_000)})\n"
        "except StorageError as error: print(error.code)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout == "disk_full\n" and contents(tmp_path) == {}


def test_a_rename_that_fails_takes_the_earlier_ones_back(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"old")

    def make_the_last_name_a_folder(file: BinaryIO) -> None:
        file.write(b"c")
        (tmp_path / "last").mkdir()

    with pytest.raises(StorageError) as failure:
        write_all(
            {tmp_path / "old": b"new", tmp_path / "fresh": b"fresh", tmp_path / "last": make_the_last_name_a_folder}
        )
    assert failure.value.code == "not_written"
    (tmp_path / "last").rmdir()
    assert contents(tmp_path) == {"old": b"old"}


def test_a_writing_function_that_gives_up_leaves_nothing(tmp_path: Path) -> None:
    def give_up(file: BinaryIO) -> None:
        file.write(b"half of it")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_all({tmp_path / "a": b"a", tmp_path / "b": give_up})
    assert contents(tmp_path) == {}


def test_a_reader_sees_the_old_file_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    path.write_bytes(b"old")
    seen = []

    def write(file: BinaryIO) -> None:
        file.write(b"new ")
        file.flush()
        seen.append(path.read_bytes())
        file.write(b"file")

    write_atomically(path, write)
    assert seen == [b"old"] and path.read_bytes() == b"new file"


def test_a_symbolic_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_bytes() == b"new"


@pytest.mark.parametrize("place", ["folder", "device"])
def test_what_is_no_file_is_never_replaced(tmp_path: Path, place: str) -> None:
    target = tmp_path if place == "folder" else Path(os.devnull)
    with pytest.raises(StorageError) as failure:
        write_all({tmp_path / "other": b"x", target: b"y"})
    assert failure.value.code == "not_a_file" and contents(tmp_path) == {}
    assert Path(os.devnull).is_char_device()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as failure:
        write_atomically(tmp_path / "absent" / "out.png", b"x")
    assert failure.value.code == "folder_missing" and str(tmp_path / "absent") in failure.value.message


@pytest.mark.skipif(IS_ROOT, reason="root may write anywhere")
def test_a_folder_without_permission_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError) as failure:
        write_atomically(tmp_path / "out.png", b"x")
    tmp_path.chmod(0o700)
    assert failure.value.code == "not_writable"
