"""schemathesis calls every operation with what its schema allows, and with what it does not allow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import hypothesis
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck
from schemathesis.specs.openapi.checks import positive_data_acceptance

from accounts.once import HEADER, KEY
from imodel_site.schema import schema_text
from imodel_site.wsgi import application
from tests.api.conftest import Program
from tests.api.stocked import stock
from tests.generation.conftest import House

EXAMPLES = 15
api = schemathesis.openapi.from_dict(json.loads(schema_text("json")))
api.app = application
# What these refuse no schema can say: of two fields one, bytes that are a picture, an address that is public, the limit
# of a plan. Everywhere else a body that the schema allows is taken.
DEPENDS = {f"POST /api/v1/{name}" for name in ("photos", "poses", "scenes", "shoots", "batches", "webhooks")}
DEPENDS |= {"PATCH /api/v1/webhooks/{id}", "PUT /api/v1/photos/{id}/mask"}
# A word that makes a trigger, a set that was checked, values that make a grid, bytes that are an adapter or a feed.
DEPENDS |= {
    f"POST /api/v1/{name}" for name in ("training-sets", "trainings", "comparisons", "adapters/upload", "imports")
}
DEPENDS |= {"PATCH /api/v1/training-sets/{id}"}
DEPENDS |= {f"POST /api/v1/training-sets/{{id}}/{name}" for name in ("pictures", "upload", "preflight", "crops")}


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """As Django's own client: the end of a request does not end the test's connection."""
    ends = (request_started, request_finished)
    for signal in ends:
        signal.disconnect(close_old_connections)
    yield
    for signal in ends:
        signal.connect(close_old_connections)


@pytest.fixture
def ids(house: House) -> dict[str, list[str]]:
    return stock(house)


@pytest.mark.django_db
@api.parametrize()
@hypothesis.settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_no_answer_breaks_and_each_is_as_documented(case: Any, shop: Program, ids: dict[str, list[str]]) -> None:
    _aim(case, ids)
    headers = {"Authorization": f"Bearer {shop.key}"}
    depends = f"{case.method} {case.operation.path}" in DEPENDS
    case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance] if depends else [])


def _aim(case: Any, ids: dict[str, list[str]]) -> None:
    """Half of the ids drawn lead somewhere, or all that would be tested is the 404.

    A key is for one call only, and a cursor comes from a page.
    """
    if KEY.fullmatch(str((case.headers or {}).get(HEADER, ""))):
        case.headers[HEADER] = f"{case.headers[HEADER][:90]}-{uuid4()}"
    if case.query:
        case.query.pop("cursor", None)
    path = case.operation.path.split("/")[3]
    for name, value in dict(case.path_parameters or {}).items():
        case.path_parameters[name] = _real(value, ids.get(path, []))
    if isinstance(case.body, dict):
        for name, value in case.body.items():
            case.body[name] = _visible(_real(value, ids.get(f"{name}s", [])))


def _visible(value: Any) -> Any:
    """A name must show something, which no pattern can say in the same words as Unicode."""
    hidden = isinstance(value, str) and value and not any(mark.isprintable() and mark != " " for mark in value)
    return "x" if hidden else value


def _real(value: Any, known: list[str]) -> Any:
    try:
        drawn = UUID(value).int
    except (ValueError, TypeError, AttributeError):
        return value
    return known[drawn // 2 % len(known)] if known and drawn % 2 else value
