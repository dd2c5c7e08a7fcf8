"""The documentation is made from the code, is valid without a warning, and opens for everybody."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import get_resolver

from imodel_site.schema import schema_text

ROOT = Path(__file__).resolve().parents[2]
SCHEMA: dict[str, Any] = json.loads(schema_text("json"))
OPERATIONS = [
    (f"{method.upper()} {path}", operation)
    for path, methods in SCHEMA["paths"].items()
    for method, operation in methods.items()
]
CHANGING = ("POST", "PUT", "PATCH", "DELETE")


def test_the_schema_is_valid_and_nothing_in_it_had_to_be_guessed(tmp_path: Path) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema.yaml"))


def test_every_route_of_the_api_is_documented() -> None:
    api = next(found for found in get_resolver().url_patterns if str(found.pattern) == "api/v1/")
    routes = {re.sub(r"\(\?P<(\w+)>[^)]*\)|<(?:\w+:)?(\w+)>", "{}", str(p.pattern)) for p in api.url_patterns}
    shown = {re.sub(r"{\w+}", "{}", path.removeprefix("/api/v1/")) for path in SCHEMA["paths"]}
    assert {route.strip("^$").removesuffix("\\Z") for route in routes} == shown


@pytest.mark.parametrize("name, operation", OPERATIONS, ids=[name for name, _ in OPERATIONS])
def test_each_call_says_what_a_developer_needs(name: str, operation: dict[str, Any]) -> None:
    assert operation["summary"] and not operation["summary"].endswith(".")
    assert operation["tags"] and {"apiKey": []} in operation["security"] and {"session": []} in operation["security"]
    statuses = set(operation["responses"])
    assert {"401", "403", "429"} <= statuses
    assert ("404" in statuses) or "{" not in name
    keys = [parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "header"]
    assert keys == (["Idempotency-Key"] if name.startswith(CHANGING) else [])
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            assert {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "X-Request-Id"} <= set(
                answer["headers"]
            )


@pytest.mark.parametrize("name, operation", [each for each in OPERATIONS if each[1].get("parameters")])
def test_each_parameter_says_what_it_is_for(name: str, operation: dict[str, Any]) -> None:
    for parameter in operation["parameters"]:
        assert parameter["in"] == "path" or parameter.get("description"), (name, parameter["name"])


def test_operation_ids_are_unique() -> None:
    ids = [operation["operationId"] for _name, operation in OPERATIONS]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    "address, accept, kind",
    [
        ("/api/schema", "*/*", "application/vnd.oai.openapi"),
        ("/api/schema", "application/json", "application/vnd.oai.openapi+json"),
        ("/api/schema?format=json", "*/*", "application/vnd.oai.openapi+json"),
    ],
)
@pytest.mark.django_db
def test_the_schema_opens_for_everybody_as_yaml_and_json(address: str, accept: str, kind: str) -> None:
    answer = Client().get(address, headers={"Accept": accept})
    assert (answer.status_code, answer["Content-Type"]) == (200, kind)
    text = answer.content.decode()
    assert "/api/v1/shoots" in text and (json.loads(text) if "json" in kind else text.startswith("openapi: 3."))


@pytest.mark.django_db
def test_the_reference_opens_without_a_login_and_loads_nothing_from_elsewhere() -> None:
    answer = Client().get("/api/docs")
    page = answer.content.decode()
    assert answer.status_code == 200 and "swagger-ui-bundle" in page and 'data-schema="/api/schema?format=json"' in page
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
    assert "data-csrf" not in page


def test_the_guide_stands_before_the_calls_without_links_that_lead_nowhere() -> None:
    guide = SCHEMA["info"]["description"]
    assert "in five minutes" in guide and "](" not in guide
