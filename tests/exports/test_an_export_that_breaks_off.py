"""Cancelled, killed, fenced out, out of room: the same archive in the end, or none and a clear word."""

from __future__ import annotations

import errno
import io
import json
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site
from django.utils import timezone

from accounts.exporting import packing
from accounts.models import Export
from accounts.scoping import merchant_scope
from accounts.services import exporting
from imodel_site.lib import archive, storage, workplace
from imodel_site.lib.archive import Archive
from imodel_site.lib.jobs import services as jobs
from imodel_site.lib.jobs.carrying import carry_out
from tests.exports.filling import Filled, ask, claim, work_it_off

pytestmark = pytest.mark.django_db(transaction=True)


def fresh(export: Export) -> Export:
    with merchant_scope(export.merchant_id):
        return Export.objects.get(pk=export.pk)


def contents(export: Export) -> dict[str, bytes]:
    """Everything but what tells of the export itself."""
    opened = zipfile.ZipFile(io.BytesIO(storage.read(fresh(export).key)))
    assert opened.testzip() is None
    apart = ("manifest.json", "rows/accounts_export.jsonl", "README.txt", "rows/accounts_webhookevent.jsonl")
    return {name: opened.read(name) for name in opened.namelist() if name not in apart}


def test_in_slices_it_comes_to_the_same_archive(cast: Any, shop: Filled) -> None:
    whole = ask(cast.atelier, cast.alice)
    work_it_off()
    expected = contents(whole)
    sliced = ask(cast.atelier, cast.alice)
    assert work_it_off(seconds=0.0) > len(shop.files), "each slice ends after one entry"
    assert contents(sliced) == expected


class Died(BaseException):
    """What stops a process without asking it: no handler of ours catches it."""


def die_after(monkeypatch: pytest.MonkeyPatch, entries: int) -> None:
    real = Archive.add
    left = [entries]

    def add(self: Archive, name: str, pieces: Any, *, pack: bool) -> None:
        if left[0] == 0:
            real(self, name, _dying(pieces), pack=pack)
        left[0] -= 1
        real(self, name, pieces, pack=pack)

    monkeypatch.setattr(Archive, "add", add)


def _dying(pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield next(iter(pieces), b"")
    raise Died


@pytest.mark.parametrize("entries", [0, 3, 30, 40])
def test_a_worker_that_dies_in_the_middle_of_an_entry_leaves_nothing_half(
    cast: Any, shop: Filled, monkeypatch: pytest.MonkeyPatch, entries: int
) -> None:
    monkeypatch.setattr(archive, "COMMIT_SECONDS", 0.0)
    expected = contents(_made(cast))
    export = ask(cast.atelier, cast.alice)
    with monkeypatch.context() as broken:
        die_after(broken, entries)
        with pytest.raises(Died), merchant_scope(cast.atelier):
            packing.pack(claim())
    with merchant_scope(cast.atelier):
        Export.objects.filter(pk=export.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    work_it_off()
    assert contents(export) == expected
    assert fresh(export).losses == 0, "it went on, which forgives the loss"


def _made(cast: Any) -> Export:
    export = ask(cast.atelier, cast.alice)
    work_it_off()
    return export


def test_a_killed_process_is_gone_on_from(cast: Any, shop: Filled, tmp_path: Path) -> None:
    """A real SIGKILL while an archive is written, and what it had kept is not written again."""
    place = tmp_path / "place"
    place.mkdir()
    program = (
        "import sys, time, pathlib, datetime\n"
        "from imodel_site.lib import archive\n"
        "with archive.opened(pathlib.Path(sys.argv[1]), when=datetime.datetime(2026, 1, 1)) as made:\n"
        "    for number in range(20):\n"
        "        made.add(f'{number:03}.txt', [b'x' * 100_000], pack=False)\n"
        "    made.keep()\n"
        "    made.add('lost.txt', [b'y' * 5_000_000], pack=False)\n"
        "    print('kept', flush=True)\n"
        "    time.sleep(600)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", program, str(place)], stdout=subprocess.PIPE, cwd=site.BASE_DIR)
    assert child.stdout and child.stdout.readline() == b"kept\n"
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    with archive.opened(place, when=timezone.now()) as made:
        assert "019.txt" in made and "lost.txt" not in made
        made.add("020.txt", [b"z"], pack=True)
        path = made.finish()
    with zipfile.ZipFile(path) as opened:
        assert opened.testzip() is None and len(opened.namelist()) == 21
        assert opened.read("000.txt") == b"x" * 100_000 and opened.read("020.txt") == b"z"


def test_beyond_the_old_formats_limits_it_is_zip64(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits are lowered: 65,535 entries and 4 GB would take minutes."""
    with monkeypatch.context() as lower, archive.opened(tmp_path, when=timezone.now()) as made:
        lower.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 10)
        lower.setattr(zipfile, "ZIP64_LIMIT", 5_000)
        for number in range(30):
            made.add(f"{number:03}.bin", [bytes([number]) * 1_000], pack=False)
        path = made.finish()
    assert b"PK\x06\x06" in path.read_bytes(), "the end record of ZIP64"
    with zipfile.ZipFile(path) as opened:
        assert opened.testzip() is None and opened.namelist() == [f"{number:03}.bin" for number in range(30)]
        assert all(opened.read(f"{number:03}.bin") == bytes([number]) * 1_000 for number in range(30))


def test_two_processes_never_write_one_archive(cast: Any, shop: Filled) -> None:
    export = ask(cast.atelier, cast.alice)
    folder = workplace.kept(cast.atelier.pk, packing.place_of(export.pk))
    with archive.opened(folder, when=timezone.now()), merchant_scope(cast.atelier):
        carry_out(claim(), exporting.carry_out)
    assert fresh(export).status == "queued"


def test_cancelled_while_it_runs_leaves_no_archive(
    cast: Any, shop: Filled, neighbour: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = ask(cast.atelier, cast.alice)
    work = claim()
    with merchant_scope(cast.atelier):
        jobs.cancel(export)
        monkeypatch.setattr("imodel_site.lib.jobs.work.pace", lambda: _impatient())
        carry_out(work, exporting.carry_out)
    assert fresh(export).status == "cancelled" and not fresh(export).key
    assert workplace.tidy() == 1 and not list(Path(site.WORK_DIR).rglob("archive.zip"))


def _impatient() -> Any:
    from dataclasses import replace

    from imodel_site.lib.jobs.pace import pace

    return replace(pace(), look=0.0)


def test_one_that_was_fenced_out_takes_its_file_back(cast: Any, shop: Filled) -> None:
    export = ask(cast.atelier, cast.alice)
    work = claim()
    with merchant_scope(cast.atelier):
        before = {file.key for file in storage.private().listed(f"m/{cast.atelier.pk}/export/")}
        Export.objects.filter(pk=export.pk).update(token=9)
        carry_out(work, exporting.carry_out)
    assert {file.key for file in storage.private().listed(f"m/{cast.atelier.pk}/export/")} == before
    assert fresh(export).status == "running"


@pytest.mark.parametrize("where", ["planned", "written"])
def test_no_room_is_said_and_the_room_is_given_back(
    cast: Any, shop: Filled, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    if where == "planned":
        monkeypatch.setattr(packing, "SPARE_BYTES", 2**60)
    else:
        monkeypatch.setattr(Archive, "keep", _full)
    export = ask(cast.atelier, cast.alice)
    work_it_off()
    ended = fresh(export)
    assert (ended.status, ended.error_code, ended.error_retryable) == ("failed", "disk_full", True)
    assert "no room" in ended.error_message and not list(Path(site.WORK_DIR).rglob("archive.zip"))


def _full(self: Archive) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_rows_that_change_while_it_is_made_do_not_stop_it(cast: Any, shop: Filled) -> None:
    export = ask(cast.atelier, cast.alice)
    for _slice in range(3):
        with merchant_scope(cast.atelier):
            carry_out(claim(), lambda work: exporting.carry_out(work, seconds=0.0))
    for key in shop.files:
        storage.delete(key)
    with merchant_scope(cast.atelier):
        shop.rows["catalog.GarmentTag"].delete()
    work_it_off()
    opened = zipfile.ZipFile(io.BytesIO(storage.read(fresh(export).key)))
    missing = {entry["path"].split("/")[0] for entry in json.loads(opened.read("manifest.json"))["missing"]}
    assert {"garments", "pictures"} <= missing and opened.testzip() is None
