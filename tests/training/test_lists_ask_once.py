"""Lists of samples, cells and versions ask the database as often for many as for few."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.scoping import merchant_scope
from tests.api.conftest import program_of
from tests.training.conftest import all_of, carry_out_next, trained
from tests.training.test_pages import address
from training.models import AdapterVersion, Checkpoint, Comparison, ComparisonCell, TrainingSample

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 12


def queries(ask: Callable[[], Any]) -> int:
    ask()  # whatever is asked only once
    with CaptureQueriesContext(connection) as asked:
        assert ask().status_code == 200
    return len(asked)


def copies(row: Any, **fields: Any) -> None:
    """The row once more, differing in these."""
    for n in range(MANY):
        row.pk, row._state.adding = None, True
        row.pk = type(row)._meta.pk.get_default()
        for name, first in fields.items():
            setattr(row, name, first + n)
        row.save(force_insert=True)


def test_many_cost_as_many_queries_as_few(alice, atelier, executor):
    training = trained(atelier)
    carry_out_next("generate")
    cache.clear()
    shop = program_of(atelier.merchant, atelier.actor.user)
    grid, version = all_of(Comparison)[0], all_of(AdapterVersion)[0]
    asks: dict[str, Callable[[], Any]] = {
        "live": lambda: alice.get(address("live", training.pk)),
        "list": lambda: alice.get(address("trainings")),
        "grid": lambda: alice.get(address("comparison", grid.pk)),
        "adapter": lambda: alice.get(address("adapter", version.adapter_id)),
        "curves": lambda: shop.get(f"trainings/{training.pk}/curves"),
        "checkpoints": lambda: shop.get(f"trainings/{training.pk}/checkpoints"),
        "cells": lambda: shop.get(f"comparisons/{grid.pk}"),
        "versions": lambda: shop.get("adapter-versions"),
    }
    few = {name: queries(ask) for name, ask in asks.items()}
    with merchant_scope(atelier.merchant):
        copies(TrainingSample.objects.all()[0], step=100)
        copies(Checkpoint.objects.all()[0], step=100)
        copies(ComparisonCell.objects.all()[0], number=100, x=100)
        version.promoted = False
        copies(version, number=100)
    assert {name: queries(ask) for name, ask in asks.items()} == few
