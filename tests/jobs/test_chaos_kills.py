"""SIGKILL of every kind of process in the middle of a job: it starts again, and ends once. Real processes, no mocks."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jobs.house import House, gone, kill, pid_of

ONCE = {"result": 1, "ended succeeded": 1}
SHORT = ["sleep", 0.8]


def _ended_once(job: dict[str, Any], *, starts: int) -> None:
    assert {**job["lines"], "started": 0} == {**ONCE, "started": 0}
    assert (job["status"], job["token"], job["lines"]["started"]) == ("succeeded", starts, starts)


@pytest.mark.parametrize("victim", ["worker", "sentinel", "main", "everybody"])
def test_a_job_survives_the_death_of(house: House, victim: str) -> None:
    cluster = house.cluster()
    jobs = house.order(["sleep", 2.5])  # not done before the supervisor of a busy machine has seen it
    pid = pid_of(house.until_running(jobs))
    everybody = [*cluster["main"], *cluster["sentinel"], *cluster["rest"]]
    kill(*{"worker": [pid], "everybody": everybody}.get(victim) or cluster[victim])
    (job,) = house.until_ended(jobs)
    _ended_once(job, starts=2)
    assert job["losses"] == 1
    assert gone([pid] if victim == "worker" else everybody)  # nobody goes on in the dark


def test_a_cluster_whose_idle_workers_were_killed_works_again(house: House) -> None:
    """On SQLite, django-q2 never runs another task after this, though all its processes seem alive."""
    kill(*house.cluster()["rest"])
    jobs = house.order(SHORT, merchants=2)
    for job in house.until_ended(jobs):
        _ended_once(job, starts=1)


def test_a_duplicate_message_starts_nothing_twice(house: House) -> None:
    jobs = house.order(["sleep", 0.1], merchants=3)
    house.ask("wake", lane="light", times=30)
    for job in house.until_ended(jobs):
        _ended_once(job, starts=1)


def test_a_lost_message_is_repaired(house: House) -> None:
    blocker = house.order(["sleep", 1.0])
    house.until_running(blocker)
    jobs = house.order(["sleep", 0.1], merchants=3)
    assert house.ask("lose_wake_ups") >= 1
    for job in house.until_ended(jobs):
        _ended_once(job, starts=1)


def test_a_job_that_kills_every_worker_is_put_aside_once(house: House) -> None:
    poison, healthy = house.order(["die", 99]), house.order(SHORT)
    (job,) = house.until_ended(poison)
    assert (job["status"], job["error_code"], job["token"], job["losses"]) == ("failed", "gave_up", 3, 3)
    assert job["lines"] == {"started": 3, "ended failed": 1}
    _ended_once(house.until_ended(healthy)[0], starts=1)
