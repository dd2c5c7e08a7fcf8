"""Real processes count into one folder: what a scrape says is their sum, and stays it when they die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import Metric

from imodel_site.metrics import sharing

ROOT = Path(__file__).resolve().parents[2]
COUNTS = """
import os, sys, time
sys.path.insert(0, {root!r})
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
from django.conf import settings
settings.RUN_DIR = {run!r}
from imodel_site.metrics import counting, sharing
sharing.share("worker")
for _ in range({times}):
    counting.webhook(204)
if {fork}:
    child = os.fork()
    if not child:
        counting.webhook(204)
        os._exit(0)
    os.waitpid(child, 0)
print("counted", flush=True)
if {stay}:
    time.sleep(60)
"""


def _count(run: Path, times: int, *, stay: bool = False, fork: bool = False) -> subprocess.Popen[str]:
    code = COUNTS.format(root=str(ROOT), run=str(run), times=times, stay=stay, fork=fork)
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None and process.stdout.readline() == "counted\n"
    if not stay:
        process.wait(30)
    return process


@pytest.fixture
def run(settings: Any, tmp_path: Path) -> Path:
    """An empty RUN_DIR."""
    settings.RUN_DIR = tmp_path
    return tmp_path


def _delivered() -> float:
    found: list[Metric] = [metric for metric in sharing.collect() if metric.name == "imodel_webhook_attempts"]  # type: ignore[misc]
    return sum(sample.value for metric in found for sample in metric.samples)


def test_two_processes_and_a_forked_child_are_added_up_and_the_dead_are_not_forgotten(run: Path) -> None:
    first = _count(run, 3, stay=True)
    try:
        _count(run, 4, fork=True)
        assert _delivered() == 8
        first.send_signal(signal.SIGKILL)
        first.wait(10)
        assert _delivered() == 8
    finally:
        first.kill()


def test_the_first_process_after_all_have_ended_begins_anew(run: Path) -> None:
    _count(run, 3)
    _count(run, 2)
    assert _delivered() == 2


def test_files_of_the_dead_are_folded_into_one_and_the_sum_stays(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = _count(run, 1, stay=True)
    try:
        for _ in range(3):
            _count(run, 2)
        monkeypatch.setattr(sharing, "FOLD_FROM", 4)
        assert _delivered() == 7 and _delivered() == 7
        names = {file.name for file in sharing.folder("worker").glob("*.db")}
        assert names == {f"{kind}_{who}.db" for kind in sharing.KINDS for who in (first.pid, "dead")}
    finally:
        first.kill()
        first.wait(10)


def test_a_full_disk_refuses_the_room_at_once_and_leaves_no_file(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found out later, inside the mapped file, it would kill the process."""

    def full(handle: int, start: int, length: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError):
        sharing.reserve(run / "counter_1.db")
    assert not (run / "counter_1.db").exists()
