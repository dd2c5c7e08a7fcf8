"""The same promises on disk and on S3."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from imodel_site.lib import collecting, storage
from studio.errors import StorageError

ONE, TWO = UUID(int=1), UUID(int=2)


def keep(merchant: UUID, kind: str = "asset", data: bytes = b"bytes") -> str:
    return storage.put(storage.new_key(merchant, kind, "jpg"), data)


def test_bytes_come_back_and_a_missing_file_is_missing(files):
    key = keep(ONE, data=b"x" * 700_000)
    assert storage.read(key) == b"x" * 700_000
    assert files.stat(key).bytes == 700_000
    storage.put(key, b"shorter")
    assert storage.read(key) == b"shorter"
    storage.delete(key, "m/nobody/nothing.jpg")
    for call in (lambda: storage.read(key), lambda: files.stat(key), lambda: list(files.stream(key, 0, 5))):
        with pytest.raises(FileNotFoundError):
            call()


def test_a_part_is_streamed(files):
    key = keep(ONE, data=bytes(range(256)) * 3000)
    assert b"".join(files.stream(key, 256 * 2000 + 10, 300_000 - 256)) == (bytes(range(256)) * 3000)[512010:811754]
    assert list(files.stream(key, 5, 0)) == []


def test_a_local_path_holds_the_bytes_while_the_block_runs(files):
    key = keep(ONE, data=b"for the executor")
    with storage.local_path(key) as path:
        assert path.read_bytes() == b"for the executor" and path.suffix == ".jpg"
    assert storage.read(key) == b"for the executor"
    with pytest.raises(FileNotFoundError):
        with storage.local_path(f"m/{ONE}/asset/00/none.jpg"):
            pass


def test_a_merchants_files_go_together_and_the_others_stay(files):
    for size in (10, 20, 30):
        keep(ONE, data=b"x" * size)
    other = keep(TWO)
    assert storage.delete_tree(ONE) == (3, 60)
    assert storage.delete_tree(ONE) == (0, 0)
    assert [file.key for file in files.listed("m/")] == [other]
    assert list(files.folders("m/")) == [str(TWO)]


@pytest.fixture
def kinds(monkeypatch):
    """Nobody has registered yet."""
    monkeypatch.setattr(storage, "_owners", {})


def test_only_old_files_of_registered_kinds_that_no_row_names_are_collected(files, kinds):
    named, lost, foreign = keep(ONE), keep(TWO, data=b"12345678"), keep(ONE, kind="picture")
    asked: list[UUID] = []

    def refers(merchant: UUID) -> list[str]:
        from imodel_site.lib.scope import current

        assert current().merchant_id == merchant
        asked.append(merchant)
        return [named]

    storage.register_kind("asset", refers)
    now = datetime.now(UTC)
    assert collecting.collect(now=now, delete_them=True).files == 0, "all are younger than a day"
    later = now + timedelta(days=1, minutes=1)
    assert collecting.collect(now=later, delete_them=False).by_kind == {"asset": 1}
    found = collecting.collect(now=later, delete_them=True)
    assert (found.files, found.bytes) == (1, 8)
    assert sorted(file.key for file in files.listed("m/")) == sorted([named, foreign])
    assert lost not in {file.key for file in files.listed("m/")} and set(asked) == {ONE, TWO}


def test_a_full_disk_leaves_the_old_file_and_nothing_half_written(tmp_path, settings, monkeypatch):
    entry = {"BACKEND": "imodel_site.lib.storage.PrivateFiles", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "default": entry}
    key = keep(ONE, data=b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError) as caught:
        storage.put(key, b"new")
    assert (caught.value.code, caught.value.retryable) == ("disk_full", True)
    assert [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()] == [b"old"]


def test_an_s3_that_does_not_answer_may_be_tried_again(settings, monkeypatch):
    from imodel_site import env

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    entry = env.storage("s3://bucket?endpoint=http://127.0.0.1:9", None)  # type: ignore[arg-type]
    settings.STORAGES = {**settings.STORAGES, "default": entry}
    with pytest.raises(StorageError) as caught:
        storage.read("m/1/asset/00/none.jpg")
    assert (caught.value.code, caught.value.retryable) == ("storage_unavailable", True)


@pytest.mark.parametrize("name", ["../outside.jpg", "m/../../outside.jpg", "/etc/passwd"])
def test_no_key_leads_out_of_the_folder(tmp_path, settings, name):
    from django.core.exceptions import SuspiciousFileOperation

    entry = {"BACKEND": "imodel_site.lib.storage.PrivateFiles", "OPTIONS": {"location": str(tmp_path / "media")}}
    settings.STORAGES = {**settings.STORAGES, "default": entry}
    with pytest.raises(SuspiciousFileOperation):
        storage.put(name, b"x")
    with pytest.raises(SuspiciousFileOperation):
        storage.read(name)
