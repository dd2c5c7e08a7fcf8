"""What is refused outside the views has the shape of its address as well: a rate, an address that leads nowhere."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.surfaces.conftest import Shop

pytestmark = pytest.mark.django_db
A1111 = {"error", "detail", "body", "errors"}
PREFIXES = ("/sdapi/v1/", "/sam/", "/controlnet/", "/internal/")


def client_of(shop: Shop) -> Client:
    return Client(headers={"authorization": f"Bearer {shop.key}"})


@pytest.mark.parametrize("prefix", PREFIXES)
def test_an_address_of_nothing_is_said_as_its_clients_read_it(atelier: Shop, prefix: str) -> None:
    for client in (client_of(atelier), Client()):
        for answer in (client.get(f"{prefix}nothing"), client.post(f"{prefix}nothing/", {}, "application/json")):
            assert answer.status_code == 404 and set(answer.json()) == A1111
            assert answer.json()["errors"] == "not_found"


def test_fashn_s_sdk_reads_its_own_shape_at_an_address_of_nothing(atelier: Shop) -> None:
    answer = client_of(atelier).get("/v1/nothing")
    assert answer.status_code == 404 and set(answer.json()) == {"error", "message"}
    assert answer.json()["error"] == "NotFound"


def test_the_rate_limit_is_said_in_the_shape_of_the_address(atelier: Shop, settings: Any) -> None:
    settings.API_CALLS_PER_MINUTE = 0
    atelier.merchant.plan = None
    atelier.merchant.save()
    client = client_of(atelier)
    for path in ("/sdapi/v1/samplers", "/sam/heartbeat", "/controlnet/version", "/internal/pending-tasks"):
        answer = client.get(path)
        assert answer.status_code == 429 and set(answer.json()) == A1111, path
        assert answer.json()["errors"] == "too_many_requests"
        assert answer.headers["RateLimit-Limit"] == "0" and int(answer.headers["Retry-After"]) > 0
    rest = client.get("/api/v1/shoots")
    assert rest.status_code == 429 and rest.json()["error"]["code"] == "too_many_requests"
    assert Client().get("/nothing").headers["Content-Type"].startswith("text/html")
