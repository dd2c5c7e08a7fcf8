"""How fast the machinery beats: one place, so that tests may hurry it and operators can read it."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True)
class Pace:
    """Seconds, unless said otherwise. ``settings.JOB_PACE`` replaces single values."""

    lease: float = 30.0  # a worker that has not been heard of for so long is lost
    heartbeat: float = 8.0
    sweep: float = 5.0
    shift: float = 180.0  # a wake-up claims no further job after so long: django-q2 may recycle its worker then
    look: float = 1.0  # how often should_stop() asks the database at most
    write: float = 0.5  # how often progress is written at most
    hold_on: float = 20.0  # how long finish() goes on trying while the database is away; less than the lease
    delays: tuple[float, ...] = (2.0, 30.0)  # before a job starts again after the first, the second trouble
    no_room: float = 30.0  # before a job starts again that met a full disk, however often
    poison: int = 3  # losses without progress that put a job aside
    poison_hours: float = 72.0
    probe: float = 3.0  # a lane that nothing was heard of for so long is sent a wake-up
    deaf: float = 12.0  # and is restarted when it has not answered after so long
    start: float = 60.0  # what a cluster or an executor may take until it first answers
    longest_wait: float = 20.0  # between two starts of what keeps dying
    ping: float = 10.0  # between two pings of an executor; three unanswered ones, and it is restarted


def pace() -> Pace:
    """The pace that is set."""
    return Pace(**getattr(settings, "JOB_PACE", {}))
