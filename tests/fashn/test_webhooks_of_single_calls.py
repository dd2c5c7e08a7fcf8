"""``webhook_url``: told of that run's end and of nothing else, by the product's own courier, with fresh addresses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from accounts.models import WebhookEndpoint
from accounts.scoping import merchant_scope
from accounts.services.webhooks import endpoints, replays
from generation.models import FashnRun
from generation.services import cancel_shoot
from generation.surfaces.fashn import services
from tests.api.conftest import Program, count
from tests.fashn.conftest import carry_out_next, fetch_next, uri
from tests.webhooks.conftest import carry, due_now, endpoint, happened  # noqa: F401  # the fixture
from tests.webhooks.receiver import receiving, says

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _receivers_on_this_machine(settings: Any) -> None:
    settings.WEBHOOK_HTTP = True


def run(shop: Program, url: str, model_name: str = "model-create", **inputs: Any) -> str:
    sent = {"model_name": model_name, "inputs": inputs or {"prompt": "a coat"}}
    answer = shop.post(f"/v1/run?webhook_url={url.replace('?', '%3F')}", sent)
    assert answer.status_code == 200, answer.content
    return str(answer.json()["id"])


def test_the_status_object_comes_once_the_pictures_are_there(shop, executor, house, endpoint) -> None:  # noqa: F811
    with receiving() as theirs, receiving() as others:
        endpoint(others.url)
        identity = run(shop, theirs.url)
        fetch_next()
        carry()
        assert not theirs.came, "it has become a shoot, which waits"
        carry_out_next()
        carry()
        (came,) = theirs.came
        told = json.loads(came.body)
        assert (told["id"], told["status"], told["error"]) == (identity, "completed", None)
        assert shop.get(told["output"][0].removeprefix("http://testserver")).status_code == 200
        assert "webhook-signature" not in {name.lower() for name in came.headers}
        assert [json.loads(one.body)["type"] for one in others.came] == ["shoot.succeeded"]


def test_a_failure_is_told_too_and_tried_again(shop, house) -> None:
    with receiving(says(503), says(204)) as theirs:
        identity = run(shop, theirs.url, prompt="x", colour="red")
        fetch_next()
        carry()
        due_now()
        carry()
        assert [json.loads(one.body)["error"]["name"] for one in theirs.came] == ["InputValidationError"] * 2
        assert {json.loads(one.body)["id"] for one in theirs.came} == {identity}


def test_a_shoot_that_is_cancelled_is_canceled(shop, house) -> None:
    with receiving() as theirs:
        run(shop, theirs.url)
        fetch_next()
        with merchant_scope(house.merchant):
            cancel_shoot(actor=house.actor, shoot=FashnRun.objects.get().shoot)
        carry()
        assert [json.loads(one.body)["status"] for one in theirs.came] == ["canceled"]


def test_its_address_is_no_webhook_of_the_shops(shop, house, cast, endpoint) -> None:  # noqa: F811
    with receiving() as theirs, receiving() as own:
        for _twice in range(2):
            run(shop, theirs.url, "edit", image=uri(), prompt="x", lora_url="y")
        assert count(WebhookEndpoint, of_calls=True) == 1
        assert shop.get("webhooks").json()["items"] == []
        with merchant_scope(house.merchant):
            hidden = WebhookEndpoint.objects.get()
        assert shop.get(f"webhooks/{hidden.pk}").status_code == 404
        made = endpoint(own.url).row
        happened(cast.atelier)
        fetch_next()
        with merchant_scope(house.merchant):
            replays.replay_missed(endpoint=made, since=made.created_at)
        carry()
        assert len(theirs.came) == 1 and len(own.came) == 1, "each its own"


def test_an_address_that_may_not_be_posted_to_is_refused(shop, settings) -> None:
    settings.WEBHOOK_HTTP = False
    body = {"model_name": "model-create", "inputs": {"prompt": "x"}}
    answer = shop.post("/v1/run?webhook_url=http://127.0.0.1/x", body)
    assert (answer.status_code, answer.json()["error"]) == (400, "BadRequest") and count(FashnRun) == 0


def test_an_address_is_forgotten_with_its_runs(shop, house) -> None:
    """Shops write an order's number into each; without an end every one of them would stay a row for ever."""
    with receiving() as theirs:
        for number in (1, 2):
            run(shop, f"{theirs.url}?order={number}")
        assert count(WebhookEndpoint, of_calls=True) == 2
        services.purge()
        assert count(WebhookEndpoint, of_calls=True) == 2, "their runs are still there"
        with merchant_scope(house.merchant):
            FashnRun.objects.filter(webhook__url__endswith="1").delete()
        services.purge()
        with merchant_scope(house.merchant):
            assert WebhookEndpoint.objects.get(of_calls=True).url.endswith("2")


def test_a_run_that_names_an_address_forgotten_a_moment_ago_is_told_all_the_same(shop, house) -> None:
    with receiving() as theirs, merchant_scope(house.merchant):
        row = endpoints.endpoint_of_calls(merchant=house.merchant, url=theirs.url)
        WebhookEndpoint.objects.filter(pk=row.pk).delete()
        endpoints.keep_endpoint(row)
        assert WebhookEndpoint.objects.get().pk == row.pk
