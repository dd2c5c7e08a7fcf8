"""SIGKILL, for real, at steps that the test does not choose exactly; then another process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site
from django.db import connection
from django.utils import timezone

from accounts.models import DeletionReport, Merchant
from tests.exports.filling import Filled, ask, rows_of, traces
from tests.exports.test_an_archive_holds_everything import archive_of, manifest_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["disk"])
def files(request: Any, tmp_path: Path, settings: Any) -> Any:
    """A folder only: the processes find it through IMODEL_DATA."""
    from imodel_site.lib import storage

    place = {"BACKEND": "imodel_site.lib.storage.PrivateFiles", "OPTIONS": {"location": str(tmp_path / "media")}}
    settings.STORAGES = {**settings.STORAGES, "default": place}
    return storage.private()


def begin(what: str, data: Path) -> subprocess.Popen[bytes]:
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("IMODEL_", "DJANGO_"))},
        "DJANGO_SETTINGS_MODULE": "tests.jobs.site",
        "DATABASE_URL": _url(),
        "IMODEL_DATA": str(data),
        "EMAIL_URL": "",
    }
    command = [sys.executable, "-m", "tests.exports.drive", what]
    return subprocess.Popen(command, cwd=site.BASE_DIR, env=env, stdout=subprocess.PIPE)


def _url() -> str:
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{found['NAME']}"
    return f"postgres://{found['USER']}@{found['HOST']}:{found['PORT']}/{found['NAME']}"


def kill_after(steps: int, what: str, data: Path) -> None:
    child = begin(what, data)
    assert child.stdout
    for _step in range(steps):
        assert child.stdout.readline() == b"step\n"
    os.kill(child.pid, signal.SIGKILL)
    assert b"done\n" not in child.stdout.read() and child.wait() == -signal.SIGKILL


def let_run(what: str, data: Path) -> None:
    child = begin(what, data)
    assert child.stdout and child.stdout.read().endswith(b"done\n") and child.wait() == 0


def test_a_deletion(cast: Any, shop: Filled, tmp_path: Path) -> None:
    rows = sum(map(len, rows_of(cast.atelier.pk).values()))
    Merchant.objects.filter(pk=cast.atelier.pk).update(status="closing", delete_after=timezone.now())
    for steps in (7, 40, 20):
        kill_after(steps, "delete", tmp_path)
        assert Merchant.objects.filter(pk=cast.atelier.pk).exists()
    let_run("delete", tmp_path)
    assert traces(cast.atelier.pk, shop.canary) == []
    report = DeletionReport.objects.get(merchant_id=cast.atelier.pk)
    assert sum(report.removed["rows"].values()) == rows and report.removed["files"]["count"] == len(shop.files) + 1


def test_an_export(cast: Any, shop: Filled, tmp_path: Path) -> None:
    export = ask(cast.atelier, cast.alice)
    for steps in (2, 10, 20):
        kill_after(steps, "export", tmp_path)
        _lose(export)
    let_run("export", tmp_path)
    archive = archive_of(export)
    assert archive.testzip() is None
    keys = {entry["key"]: archive.read(entry["path"]) for entry in manifest_of(archive)["keys"]}
    assert {key: data for key, data in keys.items() if key in shop.files} == shop.files


def _lose(export: Any) -> None:
    """Its lease is over: what the sweep would wait for."""
    from datetime import timedelta

    from accounts.scoping import unscoped

    with unscoped("test"):
        type(export).objects.filter(pk=export.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
