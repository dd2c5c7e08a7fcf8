"""SIGKILL of the worker, and of the supervisor, in the middle of a feed: it goes on at its row and makes no twin."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.jobs.conftest import build, databases, kind
from tests.jobs.house import PATIENCE, House, gone, kill

__all__ = ["build", "databases", "kind"]  # fixtures
ROWS = 400


def until(house: House, run: str, holds: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
    """Its state, once it holds."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found: dict[str, Any] = house.ask("import_state", run=run)
        if holds(found):
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited {PATIENCE:g} s for {what}: {found}\n{house.log()}")


@pytest.mark.parametrize("victim", ["worker", "supervisor"])
def test_an_import_goes_on_at_its_row_after_the_death_of(build: Callable[..., House], victim: str) -> None:
    house = build()
    supervisor = house.start()
    run = house.ask("order_import", rows=ROWS)
    begun = until(house, run, lambda state: state["garments"] > 20, "the first garments")
    assert begun["status"] == "running" and begun["garments"] < ROWS
    members = house.members()
    if victim == "worker":
        kill(int(begun["worker"].rsplit(":", 1)[1]))
    else:
        kill(supervisor.pid)
        supervisor.wait()
        assert gone(members)
        house.start()
    ended = until(house, run, lambda state: state["status"] not in ("queued", "running"), "the end")
    assert (ended["status"], ended["done"]) == ("succeeded", ROWS)
    assert ended["token"] >= 2, "another one went on; a slow machine hands it back for a turn besides"
    assert (ended["garments"], ended["twins"], ended["rows"], ended["events"]) == (ROWS, 0, ROWS, 1)
