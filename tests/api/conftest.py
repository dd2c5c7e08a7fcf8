"""A shop with things in it, and a program of it that calls the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import ApiKey
from accounts.scoping import merchant_scope, unscoped
from accounts.services.api_keys import make_key
from tests.generation.conftest import (  # noqa: F401  # fixtures
    House,
    executor,
    house,
    library,
    neighbour,
)


@dataclass(frozen=True)
class Program:
    """Calls as a program with a key does."""

    key: str

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        client = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {self.key}", **headers})
        sent = {} if body is None else {"data": body, "content_type": "application/json"}
        return getattr(client, method)(path if path.startswith("/") else f"/api/v1/{path}", **sent)

    def get(self, path: str, **headers: str) -> Any:
        return self("get", path, **headers)

    def post(self, path: str, body: Any = None, once: str = "") -> Any:
        return self("post", path, body, **({"Idempotency-Key": once} if once else {}))


def program_of(merchant: Any, by: Any, scope: str = "write") -> Program:
    """With a new key, whose last use is not written any more."""
    with merchant_scope(merchant):
        made = make_key(merchant=merchant, by=by, name="shop", scope=scope, store="", live=True, lifetime=None)
        ApiKey.objects.filter(pk=made.row.pk).update(last_used_at="2999-01-01T00:00Z")
    return Program(made.text)


@pytest.fixture(autouse=True)
def _no_limits_left_over() -> None:
    cache.clear()


@pytest.fixture
def shop(house: House) -> Program:  # noqa: F811  # the fixture
    """A program of the house with a write key."""
    return program_of(house.merchant, house.actor.user)


@pytest.fixture
def foreign(neighbour: House) -> Program:  # noqa: F811  # the fixture
    """A program of the neighbour."""
    return program_of(neighbour.merchant, neighbour.actor.user)


def count(model: Any, **wanted: Any) -> int:
    """Rows of every merchant."""
    with unscoped("test"):
        return int(model.objects.filter(**wanted).count())


def error_of(answer: Any) -> dict[str, Any]:
    """The error of an answer, its shape checked."""
    found = answer.json()["error"]
    assert set(found) == {"code", "message", "field", "retryable", "request_id"}
    assert found["request_id"] == answer["X-Request-Id"]
    return dict(found)
