"""SIGKILL of the worker, of the whole cluster and of the supervisor in mid-training: it goes on by itself from its last
checkpoint, ends once and is paid once. Real workers on a real installation; the executor plays a script.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.generation import scripted as playing
from tests.jobs.conftest import build, databases, kind
from tests.jobs.house import PATIENCE, House, gone, kill
from tests.training import scripted

__all__ = ["build", "databases", "kind"]  # fixtures
TRAIN = ("--lanes", "train", "--no-executors")
Build = Callable[..., House]


@pytest.fixture
def house(build: Build) -> Iterator[House]:
    """An installation whose trainings stop for good after ten steps, the first time; then they go well."""
    made = build()
    with playing.listening(made.folder / "run" / "train-0.sock", waits_at_ten):
        yield made


def waits_at_ten(link: Any, message: dict[str, Any]) -> None:
    """A first try makes one checkpoint and is still at work when its worker dies; the next one goes on from there."""
    if scripted.first_step(message):
        scripted.trains(link, message)
        return
    scripted.step_event(link, 10)
    scripted.checkpoint(link, Path(message["out"]), 10)
    while link.request() is not None:
        pass
    raise playing.Gone


def until(house: House, training: str, holds: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
    """Its state, once it holds."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found: dict[str, Any] = house.ask("training_state", training=training)
        if holds(found):
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited {PATIENCE:g} s for {what}: {found}\n{house.log()}")


@pytest.mark.parametrize("victim", ["worker", "cluster", "supervisor"])
def test_a_training_goes_on_by_itself_after_the_death_of(house: House, victim: str) -> None:
    supervisor = house.start(*TRAIN)
    cluster = house.cluster("train")
    training = house.ask("order_training")
    begun = until(house, training, lambda state: state["checkpoints"] == [10], "the first checkpoint")
    worker = int(begun["worker"].rsplit(":", 1)[1])
    members = house.members()
    if victim == "worker":
        kill(worker)
    elif victim == "cluster":
        kill(*cluster["main"], *cluster["sentinel"], *cluster["rest"])
    else:
        kill(supervisor.pid)
        supervisor.wait()
        assert gone(members)
        house.start(*TRAIN)
    ended = until(house, training, lambda state: state["status"] not in ("queued", "running"), "the end")
    assert (ended["status"], ended["error"], ended["token"]) == ("succeeded", "", 2)
    assert (ended["resumed"], ended["steps"], ended["checkpoints"]) == (1, 30, [10, 20, 30])
    assert ended["notes"] == ["resumed"]
    once = {name: ended[name] for name in ("captures", "events", "versions", "grids")}
    assert once == {"captures": 1, "events": 1, "versions": 1, "grids": 1}
    assert worker not in house.members()
