"""When a delivery is tried again."""

from __future__ import annotations

import random
from bisect import bisect_left

MINUTE, HOUR = 60.0, 3600.0
# Seconds after the first try, as Standard Webhooks recommends; the last one is a day later.
TRIES = (
    0.0, 5.0, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR,
)  # fmt: skip
JITTER = 0.1  # a shop that comes back is not met by everything at the same moment


def following(place: int, *, retry_after: float | None, chance: float | None = None) -> tuple[int, float] | None:
    """The next place in ``TRIES`` and the seconds until then, after the try at ``place`` failed.

    Args:
        place: of the try that failed, from 0.
        retry_after: what the receiver asked for; places before it are skipped, and the last one is never put off.
        chance: 0 to 1, for the jitter; None draws it.

    Returns:
        None after the last place.
    """
    if place + 1 >= len(TRIES):
        return None
    here = TRIES[place]
    then = max(TRIES[place + 1], min(here + (retry_after or 0.0), TRIES[-1]))
    share = random.random() if chance is None else chance
    return bisect_left(TRIES, then), (then - here) * (1 + JITTER * share)
