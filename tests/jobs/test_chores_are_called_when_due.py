"""What apps registered is called by the worker, once a period over all machines, and a failure stops nothing else."""

from __future__ import annotations

import threading

import pytest
from django.core.cache import cache

from imodel_site.lib import periodic
from imodel_site.worker.chores import run_due

CALLS: list[str] = []
HERE = __name__


def sweep_the_floor() -> int:
    CALLS.append("floor")
    return 3


def break_the_broom() -> None:
    CALLS.append("broom")
    raise RuntimeError("broken")


@pytest.fixture
def chores(monkeypatch):  # type: ignore[no-untyped-def]
    CALLS.clear()
    cache.clear()
    monkeypatch.setattr(periodic, "_registered", {})
    monkeypatch.setattr(periodic, "import_string", lambda path: globals()[path.rpartition(".")[2]])
    periodic.register("a broom", 60, f"{HERE}.break_the_broom")
    periodic.register("the floor", 60, f"{HERE}.sweep_the_floor")


def test_what_is_due_is_called_and_one_failure_stops_no_other(chores: None) -> None:
    assert run_due(threading.Event()) == ["a broom", "the floor"]
    assert CALLS == ["broom", "floor"]


def test_what_another_machine_took_is_not_called_again_before_its_time(chores: None) -> None:
    run_due(threading.Event())
    assert run_due(threading.Event()) == []
    cache.delete(f"periodic:{HERE}.sweep_the_floor")
    assert run_due(threading.Event()) == ["the floor"]


def test_a_worker_that_stops_starts_nothing_new(chores: None) -> None:
    stop = threading.Event()
    stop.set()
    assert run_due(stop) == []
    assert CALLS == []


@pytest.mark.django_db
def test_all_that_the_apps_registered_can_be_loaded_and_run_on_an_empty_site() -> None:
    entries = periodic.registered()
    assert {"files nobody refers to", "delete merchants that are due", "pictures-bin"} <= {e.name for e in entries}
    for entry in entries:
        entry.load()()
