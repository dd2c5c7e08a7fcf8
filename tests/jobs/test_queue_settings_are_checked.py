"""Values under which django-q2 loses or doubles are refused at start-up."""

from __future__ import annotations

from typing import Any

import pytest

from imodel_site.lib.jobs.checks import check_queue

BAD: list[tuple[str, Any, str]] = [
    ("queue_limit", 16, "jobs.E001"),
    ("bulk", 10, "jobs.E001"),
    ("save_limit", 250, "jobs.E001"),
    ("ack_failures", False, "jobs.E001"),
    ("guard_cycle", 0.3, "jobs.E001"),
    ("catch_up", True, "jobs.E001"),
    ("orm", None, "jobs.E001"),
    ("retry", 7229, "jobs.E002"),
    ("timeout", None, "jobs.E002"),
]


def test_what_ships_is_clean() -> None:
    assert check_queue(None) == []


@pytest.mark.parametrize(("name", "value", "code"), BAD)
def test_another_value_is_refused_in_any_lane(settings: Any, name: str, value: Any, code: str) -> None:
    good = settings.Q_CLUSTER
    alternative = {**good["ALT_CLUSTERS"]["generate"], name: value}
    settings.Q_CLUSTER = {**good, "ALT_CLUSTERS": {**good["ALT_CLUSTERS"], "generate": alternative}}
    (fault,) = check_queue(None)
    assert fault.id == code and "lane generate" in fault.msg
    assert name in fault.msg


def test_a_lane_without_a_cluster_is_told(settings: Any) -> None:
    settings.LANES = (*settings.LANES, "print")
    assert [fault.id for fault in check_queue(None)] == ["jobs.E003"]
