"""Wake-ups: "there is work in this lane". They carry no truth, so one too many or too few does no harm."""

from __future__ import annotations

from django_q.tasks import async_task

from imodel_site.lib.jobs.registry import lane_index

TASK = "imodel_site.lib.wakeups.work"


def wake(lane: str, times: int = 1) -> None:
    """Write wake-ups: rows of django-q2's, in the caller's transaction."""
    for _ in range(times):
        async_task(TASK, lane_index(lane), cluster=lane)
