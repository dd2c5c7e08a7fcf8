"""A worker that stands still for longer than its lease and then goes on: the one danger that a kill does not show."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from tests.jobs.house import House, pid_of


def test_a_worker_that_wakes_up_too_late_changes_nothing(build: Callable[..., House]) -> None:
    """Its runner does not look whether to stop, so only the token keeps its result and its charge out."""
    house = build(IMODEL_LIGHT_WORKERS="2")
    house.start()
    (job,) = jobs = house.order(["stubborn", 0.5])
    pid = pid_of(house.until_running(jobs))
    os.kill(pid, signal.SIGSTOP)
    (ended,) = house.until_ended(jobs)
    assert (ended["status"], ended["token"]) == ("succeeded", 2)
    os.kill(pid, signal.SIGCONT)
    house.until_logged("fenced out")
    (after,) = house.until_ended(jobs)
    assert after == ended and after["lines"] == {"started": 2, "result": 1, "ended succeeded": 1}, job
