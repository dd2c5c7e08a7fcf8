"""On disk and on S3: what comes, goes or is damaged around a backup is in it, or is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from imodel_site.backup import databases, making, restoring, stamp, vault
from imodel_site.backup.vault import Vault
from imodel_site.lib import storage
from tests.lib.conftest import _bucket, files, s3_server  # noqa: F401  fixtures

pytestmark = pytest.mark.django_db
KEYS = [f"m/01a2061d-a04d-7f31-8c4f-9c33d09bc064/asset/a{n}/{n}.png" for n in range(3)]


def quiet(line: str) -> None:
    """Nobody listens."""


@pytest.fixture
def stored(files: Any) -> Any:  # noqa: F811
    """Three files, two of them alike."""
    for key, body in zip(KEYS, (b"one", b"two", b"one"), strict=True):
        storage.put(key, body)
    return files


def _kept(place: Path) -> dict[str, bytes]:
    store = Vault(place.parents[1])
    return {kept.key: b"".join(store.read(kept)) for kept in vault.read_files(place)}


def test_files_are_kept_once_by_content_and_come_back_into_another_storage(
    stored: Any, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    place = making.back_up(tmp_path / "b", say=quiet)
    assert _kept(place) == {KEYS[0]: b"one", KEYS[1]: b"two", KEYS[2]: b"one"}
    assert len(list((tmp_path / "b" / "objects").glob("*/*"))) == 2
    assert stamp.last() is not None
    if isinstance(stored, storage.PrivateFiles):
        entry = {**settings.STORAGES["default"], "OPTIONS": {"location": str(tmp_path / "elsewhere")}}
    else:
        entry = _bucket(request.getfixturevalue("s3_server"), monkeypatch)
    settings.STORAGES = {**settings.STORAGES, "default": entry}
    assert restoring.bring_files(place) == 3
    assert [storage.read(key) for key in KEYS] == [b"one", b"two", b"one"]


def test_a_file_that_comes_while_the_rows_are_copied_is_in_it(
    stored: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late, dump = KEYS[0].replace("a0", "zz"), databases.dump

    def dump_and_more(place: Path) -> Any:
        storage.put(late, b"late")
        storage.delete(KEYS[1])  # what goes meanwhile is in the first copy
        return dump(place)

    monkeypatch.setattr(databases, "dump", dump_and_more)
    kept = _kept(making.back_up(tmp_path / "b", say=quiet))
    assert kept[late] == b"late" and kept[KEYS[1]] == b"two"


def test_a_file_that_vanishes_between_listing_and_reading_is_noted(
    stored: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = stored.__class__.listed

    def listed_then_gone(self: Any, prefix: str) -> Any:
        found = list(listed(self, prefix))
        storage.delete(KEYS[1])
        return iter(found)

    monkeypatch.setattr(stored.__class__, "listed", listed_then_gone)
    place = making.back_up(tmp_path / "b", say=quiet)
    assert vault.read_manifest(place).gone == [KEYS[1]] and set(_kept(place)) == {KEYS[0], KEYS[2]}


@pytest.mark.parametrize("name", ["object", "database", "files.jsonl"])
def test_whatever_is_damaged_is_found_before_anything_is_written(stored: Any, tmp_path: Path, name: str) -> None:
    place = making.back_up(tmp_path / "b", say=quiet)
    call_command("restore", str(tmp_path / "b"), "--check")
    (first, *_rest) = sorted((tmp_path / "b" / "objects").glob("*/*"))
    victim = {"object": first, "database": place / vault.read_manifest(place).database}.get(name, place / name)
    body = bytearray(victim.read_bytes())
    body[len(body) // 2] ^= 1
    victim.write_bytes(bytes(body))
    with pytest.raises(CommandError, match="damaged"):
        call_command("restore", str(tmp_path / "b"), "--check")


def test_a_backup_that_broke_off_is_none_and_the_last_whole_one_counts(
    stored: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CommandError, match="no whole backup"):
        restoring.find(tmp_path)
    whole = making.back_up(tmp_path / "b", say=quiet)

    def broken(place: Path) -> Any:
        raise CommandError("pg_dump failed: away")

    monkeypatch.setattr(databases, "dump", broken)
    monkeypatch.setattr(making, "datetime", _Later)
    with pytest.raises(CommandError, match="away"):
        making.back_up(tmp_path / "b", say=quiet)
    assert len(list((tmp_path / "b" / "snapshots").iterdir())) == 2
    assert restoring.find(tmp_path / "b") == whole


class _Later:
    """A clock a day on: names of snapshots are times."""

    @staticmethod
    def now(zone: Any) -> Any:
        from datetime import datetime, timedelta

        return datetime.now(zone) + timedelta(days=1)


def test_a_database_of_the_other_kind_and_a_later_format_are_refused(stored: Any, tmp_path: Path) -> None:
    place = making.back_up(tmp_path / "b", say=quiet)
    facts = json.loads((place / vault.MANIFEST).read_text())
    (place / vault.MANIFEST).write_text(json.dumps({**facts, "vendor": "oracle"}))
    with pytest.raises(CommandError, match="of oracle"):
        restoring.restore(place, say=quiet)
    (place / vault.MANIFEST).write_text(json.dumps({**facts, "format": 9}))
    with pytest.raises(CommandError, match="another release"):
        restoring.restore(place, say=quiet)


def test_a_place_that_is_not_empty_is_refused(stored: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = making.back_up(tmp_path / "b", say=quiet)
    with pytest.raises(CommandError, match="database is not empty"):
        restoring.restore(place, say=quiet)
    monkeypatch.setattr(databases, "empty", lambda: True)
    with pytest.raises(CommandError, match="storage is not empty"):
        restoring.restore(place, say=quiet)


def test_backups_do_not_go_into_the_storage_itself(tmp_path: Path, settings: Any) -> None:
    entry = {"BACKEND": "imodel_site.lib.storage.PrivateFiles", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "default": entry}
    with pytest.raises(CommandError, match="in the storage itself"):
        making.back_up(tmp_path / "b", say=quiet)
