"""`manage.py doctor` finds what is wrong and says what to do; its exit status is for scripts."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from imodel_site.doctor import database, machine, queue, stores
from imodel_site.doctor.findings import Finding, examine, worst
from imodel_site.lib.jobs import rundir
from imodel_site.lib.scope import unscoped


def doctor(*arguments: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("doctor", *arguments, stdout=out)
    except SystemExit as stop:
        return int(str(stop.code)), out.getvalue()
    return 0, out.getvalue()


@pytest.fixture
def alive(settings: Any, tmp_path: Path) -> None:
    """Every lane of this machine beat a moment ago."""
    settings.RUN_DIR = tmp_path
    for lane, count in settings.WORKERS.items():
        if count:
            rundir.beat(lane)


def the(findings: Any, name: str) -> Finding:
    (found,) = [finding for finding in findings if finding.name == name]
    return found  # type: ignore[no-any-return]


@pytest.mark.django_db
def test_a_sound_installation_is_ok_line_by_line(alive: None) -> None:
    status, text = doctor()
    report = {line[6:].split(":")[0]: line[:4].strip() for line in text.splitlines() if line[:4].strip()}
    assert status == 0, text
    assert {"database", "migrations", "clock", "storage", "cache", "queue", "workers", "weights"} <= set(report)
    assert "bad" not in report.values()


@pytest.mark.django_db
def test_json_holds_the_same_and_the_worst_level(alive: None) -> None:
    status, text = doctor("--json")
    found = json.loads(text)
    assert status == 0 and found["status"] in ("ok", "warn")
    assert {"name", "level", "says", "todo"} == set(found["findings"][0])


@pytest.mark.django_db
def test_a_machine_whose_workers_are_silent_is_bad_and_exits_1(settings: Any, tmp_path: Path) -> None:
    settings.RUN_DIR = tmp_path
    status, text = doctor()
    assert status == 1
    assert "bad   workers: no sign of life from light, generate" in text and "manage.py worker" in text


@pytest.mark.django_db
def test_a_machine_that_is_meant_for_pages_only_needs_no_workers(settings: Any, tmp_path: Path) -> None:
    settings.RUN_DIR, settings.WORKERS = tmp_path, dict.fromkeys(settings.LANES, 0)
    assert the(queue.workers(), "workers").level == "ok"


def test_weights_that_are_not_there_are_named_with_the_command_that_fetches_them(settings: Any) -> None:
    assert the(machine.weights(), "weights").level == "ok"
    settings.ENGINE = "sdxl"
    found = the(machine.weights(), "weights")
    assert found.level == "bad" and "weights fetch sdxl" in found.todo


@pytest.mark.django_db
def test_a_missing_migration_is_bad() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'generation'")
    found = the(database.migrated(), "migrations")
    assert found.level == "bad" and "generation.0001_start" in found.says


@pytest.mark.parametrize(
    ("ahead", "level"), [(0.0, "ok"), (5.0, "warn"), (-5.0, "warn"), (60.0, "bad"), (-60.0, "bad")]
)
@pytest.mark.django_db
def test_clocks_that_differ_are_told_by_how_much(ahead: float, level: str) -> None:
    there = database._database_time
    with mock.patch.object(database, "_database_time", lambda: there() + timedelta(seconds=ahead)):
        found = the(database.clock(), "clock")
    assert found.level == level
    assert float(found.says.split(" s")[0]) == pytest.approx(abs(ahead), abs=0.5)


def test_a_storage_that_gives_back_other_bytes_is_bad(settings: Any, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    options = {"location": str(blocked), "base_url": None}
    settings.STORAGES = {**settings.STORAGES, "default": {**settings.STORAGES["default"], "OPTIONS": options}}
    found = the(stores.storage(), "storage")
    assert found.level == "bad" and str(blocked) in found.todo


def test_the_storage_is_left_as_it_was(settings: Any, tmp_path: Path) -> None:
    options = {"location": str(tmp_path), "base_url": None}
    settings.STORAGES = {**settings.STORAGES, "default": {**settings.STORAGES["default"], "OPTIONS": options}}
    assert the(stores.storage(), "storage").level == "ok"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(("free", "level"), [(50 * 2**30, "ok"), (3 * 2**30, "warn"), (100 * 2**20, "bad")])
def test_a_disk_that_fills_up_is_told_in_time(free: int, level: str) -> None:
    usage = mock.Mock(free=free)
    with mock.patch.object(stores.shutil, "disk_usage", return_value=usage):
        assert the(stores.disk(), "disk").level == level


def test_a_job_that_waits_too_long_and_one_whose_worker_is_gone_are_found(cast: Any) -> None:
    from generation.models import Shoot

    with unscoped("test"):
        ago = timezone.now() - timedelta(hours=2)
        waiting = Shoot.objects.create(merchant=cast.atelier, queued_at=ago)
        assert the(queue.jobs(), "queue").level == "warn"
        Shoot.objects.filter(pk=waiting.pk).update(status="running", lease_until=ago)
    found = the(queue.jobs(), "queue")
    assert found.level == "bad" and "1 jobs lost" in found.says


def test_a_secret_that_others_can_read_is_bad(settings: Any, tmp_path: Path) -> None:
    settings.RUN_DIR = tmp_path
    secret = tmp_path / "secret"
    secret.touch(mode=0o600)
    assert the(machine.secret(), "secret key").level == "ok"
    secret.chmod(0o644)
    assert the(machine.secret(), "secret key").todo == f"Run: chmod 600 {secret}"


def test_a_public_host_without_https_and_https_without_a_proxy_are_warned_about(settings: Any) -> None:
    settings.ALLOWED_HOSTS, settings.HTTPS = ["shop.example.com"], False
    assert the(machine.wire(), "HTTPS").level == "warn"
    settings.HTTPS, settings.TRUSTED_PROXIES = True, 0
    assert the(machine.wire(), "proxies").level == "warn"


def test_an_examination_that_fails_itself_is_a_finding_without_secrets() -> None:
    def fails() -> Any:
        raise OSError("could not connect to postgres://app:hunter2xyz@db\nmore")
        yield

    (found,) = examine({"database": fails})
    assert (found.level, "hunter2xyz" in found.says, "more" in found.says) == ("bad", False, False)
    assert worst([found]) == "bad"


@pytest.mark.django_db
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no roles")
def test_the_tests_role_is_bound_by_row_security_and_its_owner_is_not() -> None:
    assert the(database.role(), "row security").level == "ok"
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
    assert the(database.role(), "row security").level == "bad"
