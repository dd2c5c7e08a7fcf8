"""A real executor in a process of its own, over a real socket; brought up once for all tests that leave it running."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import studio.mini
from studio.mini.world import Garment, Person, Spec, draw
from studio.serve.client import Executor, ExecutorGone, ping
from studio.weights.store import RECORD

Message = dict[str, Any]
PATIENCE = 60.0


@dataclass
class Running:
    """An executor at work, and everything one client was told."""

    process: subprocess.Popen[bytes]
    socket: Path
    log: Path
    events: list[Message] = field(default_factory=list)

    def run(self, message: Message, **how: Any) -> Message:
        """One job to its end; its events are in ``events`` afterwards."""
        self.events = []
        settings: dict[str, Any] = {"on_event": self.events.append, "should_cancel": lambda: False, **how}
        return Executor(self.socket).run(message, **settings)

    def told(self, event: str) -> list[Message]:
        """The events of that name of the last run."""
        return [one for one in self.events if one["event"] == event]


def start(folder: Path, *options: str, command: list[str] | None = None) -> Running:
    """Start an executor and wait until it answers."""
    socket, log = folder / "s", folder / "log"
    command = command or [sys.executable, "-m", "studio", "serve", "--socket", str(socket), "--threads", "1", *options]
    with log.open("wb") as stderr:
        process = subprocess.Popen(command, stderr=stderr, stdin=subprocess.DEVNULL)
    running = Running(process, socket, log)
    wait_until(lambda: answers(running))
    return running


def answers(running: Running) -> bool:
    if running.process.poll() is not None:
        pytest.fail(f"the executor ended: {running.log.read_text()}")
    try:
        return ping(running.socket, 5)["event"] == "pong"
    except ExecutorGone:
        return False


def wait_until(true: Callable[[], bool]) -> None:
    """Until something outside this process has come about."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def twin_of_mini(root: Path) -> Path:
    """A store whose sd15 is the bundled engine over again: a second family small enough for a test."""
    twin = root / "sd15"
    twin.mkdir(parents=True)
    for part in (Path(studio.mini.__file__).parent / "weights").iterdir():
        (twin / part.name).symlink_to(part)
    (twin / RECORD).write_text('{"origin": "import", "files": {}}')
    return root


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """pytest's own folders are too deep for the path of a socket."""
    with tempfile.TemporaryDirectory(prefix="im") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def executor() -> Iterator[Running]:
    """The one with an engine."""
    with tempfile.TemporaryDirectory(prefix="im") as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMODEL_WEIGHTS", str(twin_of_mini(Path(folder) / "weights")))
        running = start(Path(folder), "--device", "cpu", "--parent", str(os.getpid()))
        yield running
        running.process.kill()
        running.process.wait()


@pytest.fixture(scope="session")
def light() -> Iterator[Running]:
    """The one without."""
    with tempfile.TemporaryDirectory(prefix="im") as folder:
        running = start(Path(folder), "--light", "--parent", str(os.getpid()))
        yield running
        running.process.kill()
        running.process.wait()


@pytest.fixture(scope="session")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A headless mannequin in a red coat, drawn."""
    spec = Spec(
        person=Person(skin="white", mannequin=True, stand=True),
        upper=Garment("coat", "red", sleeve="long"),
        lower=Garment("trousers", "navy"),
        scene="grey studio",
    )
    path = tmp_path_factory.mktemp("photo") / "mannequin.png"
    draw(spec, (400, 600)).picture.save(path)
    return path


def shoot(photo: Path | None, out: Path, /, *, id: str = "job", **order: Any) -> Message:
    """A small, quick shoot."""
    asked = {"photo": None if photo is None else str(photo), "steps": 2, "size": [256, 384], **order}
    return {"op": "shoot", "id": id, "order": asked, "out": str(out)}
