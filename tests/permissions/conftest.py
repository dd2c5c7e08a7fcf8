"""The world is committed once for all cells; each cell's own changes are rolled back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from tests.permissions import world as worlds


@pytest.fixture(scope="module")
def world(django_db_setup: Any, django_db_blocker: Any) -> Iterator[worlds.World]:
    with django_db_blocker.unblock():
        worlds.tear_down()
        made = worlds.build()
    yield made
    with django_db_blocker.unblock():
        worlds.tear_down()


@pytest.fixture(autouse=True)
def _no_limits_left_over() -> None:
    cache.clear()
