"""An id made later sorts later, also within a millisecond, and is a version 7 UUID."""

from __future__ import annotations

import time

from imodel_site.lib.ids import uuid7


def test_ids_made_a_microsecond_apart_are_in_order() -> None:
    ids = []
    for _ in range(2000):
        ids.append(uuid7())
        until = time.time_ns() + 1000
        while time.time_ns() < until:
            pass
    assert ids == sorted(ids)
    assert len(set(ids)) == 2000


def test_the_id_says_when_and_which_version() -> None:
    before, made, after = time.time_ns() // 1_000_000, uuid7(), time.time_ns() // 1_000_000
    assert before <= made.int >> 80 <= after
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
