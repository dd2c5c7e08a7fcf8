"""Shoots and pictures over the REST API."""

from __future__ import annotations

import pytest

from accounts.scoping import merchant_scope, unscoped
from accounts.services.api_keys import make_key
from generation.models import Picture, Shoot
from tests.generation import scripted
from tests.generation.conftest import House, carry_out_next, made

pytestmark = pytest.mark.django_db(transaction=True)
SHOOTS, PICTURES = "/api/v1/shoots", "/api/v1/pictures"


@pytest.fixture
def key(house: House) -> dict[str, str]:
    """The headers of a program with a write key of the house."""
    return headers(house, "write")


def headers(house: House, scope: str) -> dict[str, str]:
    with merchant_scope(house.merchant):
        made = make_key(
            merchant=house.merchant, by=house.actor.user, name="shop", scope=scope, store="", live=True, lifetime=None
        )
    return {"Authorization": f"Bearer {made.text}"}


def order(client, key, **body):
    return client.post(SHOOTS, body, content_type="application/json", headers=key)


def test_an_order_is_accepted_with_202_and_can_be_followed_to_its_pictures(client, house, key, executor):
    answer = order(client, key, photo=str(house.photo.pk), count=3, crop="knee-up")
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    assert answer.json()["progress"]["position"] == 1
    carry_out_next()

    shoot = client.get(answer["Location"], headers=key).json()
    assert (shoot["status"], shoot["error"]) == ("succeeded", None)
    pictures = client.get(PICTURES, {"shoot": shoot["id"]}, headers=key).json()["items"]
    assert [p["index"] for p in pictures] == [0, 1, 2]
    assert client.get(pictures[0]["urls"]["small"]).status_code == 200
    whole = client.get(f"{PICTURES}/{pictures[0]['id']}", headers=key).json()
    assert whole["report"]["garment"]["locked_ratio"] == 1.0
    assert "report" not in pictures[0]


def test_the_same_idempotency_key_gives_the_same_shoot(client, house, key):
    once = key | {"Idempotency-Key": "order-17"}
    first, second = (order(client, once, photo=str(house.photo.pk)).json()["id"] for _ in range(2))
    assert first == second
    assert order(client, once, photo=str(house.photo.pk), count=5).status_code == 422


def test_cancel_stops_what_waits(client, house, key):
    shoot = order(client, key, photo=str(house.photo.pk)).json()["id"]
    answer = client.post(f"{SHOOTS}/{shoot}/cancel", headers=key)
    assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")


def test_a_failure_has_its_code_and_the_merchants_words(client, house, key, executor):
    executor.script = scripted.fails("input", "garment_not_found", retryable=False)
    shoot = made(house)
    error = client.get(f"{SHOOTS}/{shoot.pk}", headers=key).json()["error"]
    assert error["code"] == "garment_not_found" and "No garment was found" in error["message"]


@pytest.mark.parametrize(("field", "value"), [("count", 9), ("crop", "ankle"), ("photo", "x"), ("kind", "pose")])
def test_a_mistake_names_its_field(client, house, key, field, value):
    answer = order(client, key, **{"photo": str(house.photo.pk), field: value})
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == ("pose" if value == "pose" else field)
    with unscoped("test"):
        assert Shoot.objects.count() == 0


def test_foreign_ids_are_not_there_and_a_read_key_orders_nothing(client, house, neighbour, key, executor):
    foreign = made(neighbour)
    with unscoped("test"):
        picture = Picture.objects.filter(shoot=foreign).first()
    assert order(client, key, photo=str(neighbour.photo.pk)).status_code == 404
    assert client.get(f"{SHOOTS}/{foreign.pk}", headers=key).status_code == 404
    assert client.post(f"{SHOOTS}/{foreign.pk}/cancel", headers=key).status_code == 404
    assert client.get(f"{PICTURES}/{picture.pk}", headers=key).status_code == 404
    assert client.get(PICTURES, headers=key).json()["items"] == []
    assert order(client, headers(house, "read"), photo=str(house.photo.pk)).status_code == 403
