"""How the worker stops: within its grace, or against its will. Nothing of it survives."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from tests.jobs.house import House, gone, kill

Build = Callable[..., House]


def test_sigterm_lets_short_jobs_end_and_hands_long_ones_back(build: Build) -> None:
    house = build(IMODEL_GRACE="2", IMODEL_LIGHT_WORKERS="2")
    worker = house.start()
    short, long = house.order(["sleep", 1.2]), house.order(["sleep", 60])
    house.until_running(short), house.until_running(long)
    waiting = house.order(["sleep", 0.1], merchants=2)
    members = house.members()
    worker.terminate()
    assert worker.wait(timeout=20) == 0
    assert gone(members, within=1.0) and not house.members()
    (ended,), (back,) = house.until_ended(short), house.until(long, lambda jobs: True, "a look")
    assert (ended["status"], ended["token"]) == ("succeeded", 1)
    assert (back["status"], back["token"], back["losses"], back["worker"]) == ("queued", 1, 0, "")
    assert {job["status"] for job in house.until(waiting, lambda jobs: True, "a look")} == {"queued"}


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)  # the database plays no part
def test_a_job_that_does_not_listen_is_killed_and_handed_back_without_blame(build: Build) -> None:
    house = build(IMODEL_GRACE="0")
    worker = house.start()
    jobs = house.order(["stubborn", 60])
    house.until_running(jobs)
    worker.send_signal(signal.SIGINT)
    assert worker.wait(timeout=20) == 0
    assert not house.members()
    (job,) = house.until(jobs, lambda jobs: True, "a look")
    assert (job["status"], job["losses"], job["worker"]) == ("queued", 0, "")


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)  # the database plays no part
def test_a_second_signal_hurries(build: Build) -> None:
    house = build(IMODEL_GRACE="3000")
    worker = house.start()
    jobs = house.order(["sleep", 3000])
    house.until_running(jobs)
    worker.terminate()
    house.until_draining()
    worker.terminate()
    assert worker.wait(timeout=20) == 0
    (job,) = house.until(jobs, lambda jobs: True, "a look")
    assert (job["status"], job["losses"]) == ("queued", 0) and not house.members()


def test_when_the_supervisor_is_killed_everything_ends_and_the_next_one_goes_on(build: Build) -> None:
    house = build()
    worker = house.start()
    jobs = house.order(["sleep", 1.5])
    house.until_running(jobs)
    members = house.members()
    kill(worker.pid)
    worker.wait()
    assert gone(members, within=5.0)
    house.start()
    (job,) = house.until_ended(jobs)
    assert (job["status"], job["token"], job["losses"]) == ("succeeded", 2, 1)
    assert job["lines"] == {"started": 2, "result": 1, "ended succeeded": 1}


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)  # the database plays no part
def test_a_second_worker_of_a_lane_is_refused_and_the_first_goes_on(build: Build) -> None:
    house = build()
    first = house.start()
    house.cluster()
    second = house.start()
    assert second.wait(timeout=20) == 1
    assert f"The lane light is already worked by process {first.pid}" in house.log()
    (job,) = house.until_ended(house.order(["sleep", 0.1]))
    assert job["status"] == "succeeded"
