"""``/api/v1/webhooks``: what a shop's program does, and who may not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core import serializers
from django.test import Client
from standardwebhooks import Webhook

from accounts.models import IdempotentAnswer, WebhookEndpoint
from accounts.scoping import merchant_scope
from accounts.services import api_keys
from tests.accounts.conftest import sign_in
from tests.webhooks.conftest import carry, happened
from tests.webhooks.receiver import receiving, says

pytestmark = pytest.mark.django_db
PLACE = "/api/v1/webhooks"
CLOSED = "http://127.0.0.1:9/hooks"
Call = Callable[..., Any]


@pytest.fixture
def program(cast: Any) -> Callable[..., Call]:
    """``program()("post", "/api/v1/webhooks", {...})``: with a write key of Atelier's unless said otherwise."""

    def make(scope: str = "write", merchant: Any = None) -> Call:
        shop = merchant or cast.atelier
        with merchant_scope(shop):
            key = api_keys.make_key(
                merchant=shop, by=cast.alice, name="k", scope=scope, store="", live=True, lifetime=None
            ).text

        def call(method: str, path: str, body: Any = None, **headers: str) -> Any:
            client = Client(headers={"authorization": f"Bearer {key}", **headers})
            sent = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
            return getattr(client, method)(path, **sent)

        return call

    return make


def test_a_program_adds_reads_changes_and_removes(program: Any) -> None:
    call = program()
    made = call("post", PLACE, {"url": CLOSED, "events": ["shoot.failed"], "description": "Sync"})
    assert made.status_code == 201 and made.json()["secret"].startswith("whsec_")
    place = f"{PLACE}/{made.json()['id']}"
    shown = call("get", place).json()
    assert (shown["events"], shown["enabled"], shown["disabled_reason"]) == (["shoot.failed"], True, None)
    assert "secret" not in shown and "secrets" not in shown
    off = call("patch", place, {"enabled": False}).json()
    assert (off["enabled"], off["disabled_reason"], off["url"]) == (False, "by_hand", CLOSED)
    assert call("patch", place, {"enabled": True, "events": []}).json()["events"] == []
    assert [one["id"] for one in call("get", PLACE).json()["items"]] == [made.json()["id"]]
    assert call("delete", place).status_code == 204
    assert call("get", place).status_code == 404


def test_the_log_tells_each_try_and_one_event_is_sent_again(cast: Any, program: Any) -> None:
    call = program()
    with receiving(says(500), says(204)) as shop:
        made = call("post", PLACE, {"url": shop.url}).json()
        place = f"{PLACE}/{made['id']}"
        subject = happened(cast.atelier)
        carry()
        (row,) = call("get", f"{place}/deliveries?status=waiting").json()["items"]
        assert (row["type"], row["data"], row["next_try_at"] is None) == ("shoot.succeeded", {"id": subject}, False)
        assert [(one["number"], one["status"], one["error"]) for one in row["attempts"]] == [(1, 500, "")]
        assert call("post", f"{place}/deliveries/{row['id']}/replay").json()["error"]["code"] == "delivery_waiting"
        call("patch", place, {"enabled": False})
        call("patch", place, {"enabled": True})
        again = call("post", f"{place}/deliveries/{row['id']}/replay")
        assert again.status_code == 202 and again.headers["Location"].endswith(f"{place}/deliveries")
        carry()
    assert shop.ids == [row["webhook_id"]] * 2
    assert [one["status"] for one in call("get", f"{place}/deliveries").json()["items"]] == ["delivered"]


def test_a_test_event_and_all_that_is_missing(cast: Any, program: Any) -> None:
    call = program()
    with receiving() as shop:
        made = call("post", PLACE, {"url": shop.url}).json()
        place = f"{PLACE}/{made['id']}"
        assert call("post", f"{place}/test").status_code == 202
        assert call("post", f"{place}/test").json()["error"]["code"] == "test_under_way"
        carry()
        call("patch", place, {"enabled": False})
        missed = happened(cast.atelier)
        call("patch", place, {"enabled": True})
        answer = call("post", f"{place}/replay", {"since": "2020-01-01T00:00:00Z"})
        assert (answer.status_code, answer.json()) == (202, {"count": 1})
        carry()
    told = [Webhook(made["secret"]).verify(one.body, one.headers) for one in shop.came]
    assert [one["type"] for one in told] == ["webhook.test", "shoot.succeeded"]
    assert told[1]["data"] == {"id": missed}


def test_a_secret_is_renewed_and_kept_nowhere_in_the_clear(program: Any, everybody: None) -> None:
    call = program()
    first = call("post", PLACE, {"url": CLOSED}, **{"idempotency-key": "one"}).json()
    again = call("post", PLACE, {"url": CLOSED}, **{"idempotency-key": "one"})
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (again.json()["id"], again.json()["secret"]) == (first["id"], None)
    second = call("post", f"{PLACE}/{first['id']}/secret", {}, **{"idempotency-key": "two"}).json()
    assert second["secret"] not in (None, first["secret"])
    stored = serializers.serialize("json", [*IdempotentAnswer.objects.all(), *WebhookEndpoint.objects.all()])
    for secret in (first["secret"], second["secret"]):
        assert secret.removeprefix("whsec_") not in stored
    assert IdempotentAnswer.objects.count() == 2


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "invalid", "url"),
        ({"url": "ftp://shop.example/"}, "url_invalid", "url"),
        ({"url": "https://10.0.0.1/"}, "url_not_public", "url"),
        ({"url": CLOSED, "events": ["shoot.begun"]}, "invalid", "events.0"),
        ({"url": CLOSED, "description": "x" * 121}, "invalid", "description"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(program: Any, body: Any, code: str, field: str) -> None:
    answer = program()("post", PLACE, body)
    assert (answer.status_code, answer.json()["error"]["code"], answer.json()["error"]["field"]) == (400, code, field)


def test_the_same_address_twice_is_refused(program: Any) -> None:
    call = program()
    call("post", PLACE, {"url": CLOSED})
    answer = call("post", PLACE, {"url": CLOSED})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "webhook_exists")


def test_a_read_key_an_editor_and_a_viewer_may_not_even_look(cast: Any, program: Any, endpoint: Any) -> None:
    place = f"{PLACE}/{endpoint(CLOSED).row.pk}"
    for path in (PLACE, place, f"{place}/deliveries"):
        assert program("read")("get", path).status_code == 403
        for person in (cast.bob, cast.vera):
            assert sign_in(person).get(path).status_code == 403
        assert sign_in(cast.alice).get(path).status_code == 200


def test_another_merchants_webhook_is_as_missing_as_none(
    cast: Any, program: Any, endpoint: Any, deliveries: Any
) -> None:
    theirs, own = endpoint(CLOSED).row, endpoint(CLOSED, merchant=cast.bazaar).row
    happened(cast.atelier)
    delivery = deliveries()[0].pk
    call = program(merchant=cast.bazaar)
    bodies = set()
    for place in (f"{PLACE}/{theirs.pk}", f"{PLACE}/{uuid4()}"):
        answers = [call("get", place), call("patch", place, {"enabled": False}), call("delete", place)]
        answers += [call("post", f"{place}/{what}") for what in ("secret", "test")]
        answers += [call("post", f"{place}/replay", {"since": "2026-01-01T00:00:00Z"})]
        answers += [call("get", f"{place}/deliveries"), call("post", f"{place}/deliveries/{delivery}/replay")]
        assert {answer.status_code for answer in answers} == {404}
        bodies |= {answer.json()["error"]["message"] for answer in answers}
    assert call("post", f"{PLACE}/{own.pk}/deliveries/{delivery}/replay").status_code == 404
    assert len(bodies) == 1
