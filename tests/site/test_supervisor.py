"""The supervisor with real processes: it restarts who dies, gives up on the hopeless, and leaves nobody behind."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imodel_site.up import supervisor as module
from imodel_site.up.children import Spec
from imodel_site.up.supervisor import Supervisor
from tests.site import children

PROGRAM = children.__file__
PATIENCE = 60.0  # seconds until a test gives up waiting for something that should be there at once


@pytest.fixture(autouse=True)
def hands_off_signals() -> Iterator[None]:
    """The supervisor listens to signals; pytest gets its own handlers back."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSES", (0.01, 0.01, 0.01))


class Stage:
    """One supervisor, what it said, and who was started."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.said, self.lines = folder, [], []  # type: ignore[var-annotated]

    def spec(self, name: str, *arguments: str, grace: float = 10.0) -> Spec:
        command = [sys.executable, PROGRAM, str(self.folder / name), *arguments]
        return Spec(name, command, self.folder, dict(os.environ), grace)

    def pids(self, name: str) -> list[int]:
        path = self.folder / name
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def run(self, *specs: Spec, each_tick: Callable[[Supervisor], None]) -> int:
        """Runs until the tick stops it; the tick is called by the supervisor itself, so that nothing here sleeps."""
        deadline = time.monotonic() + PATIENCE

        def tick() -> None:
            each_tick(boss)
            if time.monotonic() > deadline:
                boss.stopping.set()

        boss = Supervisor(specs, lambda name, line: self.lines.append((name, line)), self.said.append, tick)
        status = boss.run()
        assert time.monotonic() < deadline, f"nothing happened; said {self.said}"
        return status


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def gone(pid: int) -> bool:
    """Dead, or a zombie that somebody else has to bury."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_both_run_until_a_signal_and_stop_cleanly(stage: Stage) -> None:
    def tick(boss: Supervisor) -> None:
        if stage.pids("web") and stage.pids("worker") and len(stage.lines) == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    assert stage.run(stage.spec("web"), stage.spec("worker"), each_tick=tick) == 0
    assert sorted(stage.lines) == [("web", "here"), ("worker", "here")]
    assert all(gone(pid) for pid in stage.pids("web") + stage.pids("worker"))
    assert stage.said == []


def test_each_child_has_a_process_group_of_its_own_so_that_ctrl_c_reaches_the_supervisor_alone(stage: Stage) -> None:
    groups: set[int] = set()

    def tick(boss: Supervisor) -> None:
        groups.update(os.getpgid(pid) for pid in stage.pids("web") + stage.pids("worker"))
        if len(groups) == 2:
            boss.stopping.set()

    stage.run(stage.spec("web"), stage.spec("worker"), each_tick=tick)
    assert os.getpgid(0) not in groups


def test_one_that_is_killed_is_started_again_while_the_other_goes_on(stage: Stage, quick: None) -> None:
    killed: list[int] = []

    def tick(boss: Supervisor) -> None:
        if not killed and len(stage.lines) == 2:
            killed.extend(stage.pids("web"))
            os.kill(killed[0], signal.SIGKILL)
        if len(stage.pids("web")) >= 2:
            boss.stopping.set()

    assert stage.run(stage.spec("web"), stage.spec("worker"), each_tick=tick) == 0
    assert len(stage.pids("worker")) == 1
    assert stage.said == ["web was killed by SIGKILL; starting it again in 0.01 s."]


def test_one_that_dies_again_and_again_ends_everything_with_its_last_words(stage: Stage, quick: None) -> None:
    assert stage.run(stage.spec("web", "--dies", "3"), stage.spec("worker"), each_tick=lambda boss: None) == 1
    assert len(stage.pids("web")) == 4
    assert "web ended with status 3 4 times in a row. Giving up. Its last words:" in stage.said
    assert stage.said[-1] == "    last words"
    assert all(gone(pid) for pid in stage.pids("worker"))


def test_one_that_does_not_listen_is_killed_after_its_grace(stage: Stage) -> None:
    def tick(boss: Supervisor) -> None:
        if stage.lines:
            boss.stopping.set()

    assert stage.run(stage.spec("web", "--stubborn", grace=0.2), each_tick=tick) == 0
    assert stage.said == ["web did not stop in time and was killed."]
    assert all(gone(pid) for pid in stage.pids("web"))


def test_grandchildren_do_not_outlive_it(stage: Stage) -> None:
    def tick(boss: Supervisor) -> None:
        if len(stage.pids("web")) == 2:
            boss.stopping.set()

    stage.run(stage.spec("web", "--family"), each_tick=tick)
    assert len(stage.pids("web")) == 2 and all(gone(pid) for pid in stage.pids("web"))


def test_a_second_ctrl_c_ends_the_grace(stage: Stage) -> None:
    def tick(boss: Supervisor) -> None:
        if stage.lines:
            os.kill(os.getpid(), signal.SIGINT)
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()

    began = time.monotonic()
    stage.run(stage.spec("web", "--stubborn", grace=3600.0), each_tick=tick)
    assert time.monotonic() - began < PATIENCE and all(gone(pid) for pid in stage.pids("web"))
