"""Many jobs of many merchants while processes are killed at random: each ends once, with one result and one charge."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable

import pytest

from tests.jobs.house import House, kill

JOBS = int(os.environ.get("IMODEL_CHAOS_JOBS", "200"))
KILLS = int(os.environ.get("IMODEL_CHAOS_KILLS", "10"))  # a cluster takes seconds to start: more only take longer
MERCHANTS = 20


@pytest.mark.parametrize("seed", [7])
def test_every_job_ends_exactly_once(build: Callable[..., House], seed: int) -> None:
    house, dice = build(IMODEL_LIGHT_WORKERS="2"), random.Random(seed)
    house.start()
    shops = house.ask("merchants", count=MERCHANTS)
    plans = [
        {"merchant_id": shops[n % MERCHANTS], "plan": [["sleep", dice.choice([0.0, 0.05, 0.2])]]} for n in range(JOBS)
    ]
    jobs = house.ask("enqueue", jobs=plans)
    kills, pause = Counter[str](), time.monotonic()
    while not _all_ended(found := house.until(jobs, lambda _: True, "a look")):
        if time.monotonic() >= pause and sum(kills.values()) < KILLS:
            kills[_kill_somebody(house, dice)] += 1
            pause = time.monotonic() + dice.uniform(0.5, 2.5)
        time.sleep(0.1)
    started = sum(job["lines"]["started"] for job in found)
    print(f"\n{JOBS} jobs, {sum(kills.values())} kills {dict(kills)}, {started - JOBS} starts more than jobs")
    assert sum(kills.values()) >= 3
    for job in found:
        assert job["status"] == "succeeded" or (job["error_code"], job["losses"]) == ("gave_up", 3), job
        done = job["status"] == "succeeded"
        wanted = {"result": 1, "ended succeeded": 1} if done else {"ended failed": 1}
        assert {kind: count for kind, count in job["lines"].items() if kind != "started"} == wanted


def _all_ended(found: list[dict[str, object]]) -> bool:
    return all(job["status"] not in ("queued", "running") for job in found)


def _kill_somebody(house: House, dice: random.Random) -> str:
    cluster = house.cluster()
    victim = dice.choice(["rest", "rest", "rest", "sentinel", "main"])
    kill(dice.choice(cluster[victim]))
    return victim
