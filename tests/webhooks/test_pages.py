"""What an owner sees and does under Settings > Webhooks."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from standardwebhooks import Webhook

from accounts.models import WebhookDelivery, WebhookEndpoint
from accounts.scoping import merchant_scope
from tests.accounts.conftest import prove, sign_in
from tests.webhooks.conftest import carry, due_now, happened
from tests.webhooks.receiver import receiving, says

pytestmark = pytest.mark.django_db
LIST = "/settings/webhooks"
CLOSED = "http://127.0.0.1:9/hooks"


@pytest.fixture
def alice(cast: Any) -> Client:
    return prove(sign_in(cast.alice))


def add(client: Client, url: str, **fields: Any) -> Any:
    return client.post(f"{LIST}/new", {"url": url, **fields})


def only(cast: Any) -> WebhookEndpoint:
    with merchant_scope(cast.atelier):
        row: WebhookEndpoint = WebhookEndpoint.objects.get()
        return row


def test_a_webhook_is_added_its_secret_shown_once_and_stored_unreadable(cast: Any, alice: Client) -> None:
    answer = add(alice, CLOSED, events=["shoot.failed", "shoot.succeeded"], description="Orders")
    secret = answer.context["new"].text
    assert secret.startswith("whsec_") and secret in answer.content.decode()
    row = only(cast)
    assert (row.events, row.description, row.created_by) == (["shoot.succeeded", "shoot.failed"], "Orders", cast.alice)
    assert secret.removeprefix("whsec_") not in str(row.secrets)
    for page in (LIST, f"{LIST}/{row.pk}"):
        shown = alice.get(page).content.decode()
        assert secret not in shown and "127.0.0.1:9/hooks" in shown


def test_making_and_renewing_a_secret_asks_who_is_there(cast: Any, endpoint: Any) -> None:
    row = endpoint(CLOSED).row
    client = sign_in(cast.alice)
    session = client.session
    for entry in session["account_authentication_methods"]:
        entry["at"] = (timezone.now() - timedelta(hours=2)).timestamp()
    session.save()
    for answer in (add(client, CLOSED), client.post(f"{LIST}/{row.pk}/secret")):
        assert answer.status_code == 302 and "reauthenticate" in answer["Location"]
    assert only(cast).secrets == row.secrets


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1.example/", "https://10.0.0.1/", "https://192.168.1.1/hooks", "https://169.254.169.254/",
        "https://[fd00::1]/", "https://internal.invalid/", "ftp://shop.example/", "https://a:b@shop.example/",
        "nonsense",
    ],
)  # fmt: skip
def test_an_address_that_is_no_public_one_is_refused_beside_its_field(
    cast: Any, alice: Client, settings: Any, url: str
) -> None:
    settings.WEBHOOK_HTTP = False
    answer = add(alice, url)
    assert answer.status_code == 422 and answer.context["form"].errors["url"]
    with merchant_scope(cast.atelier):
        assert not WebhookEndpoint.objects.exists()


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/", "https://127.0.0.1/", "https://localhost:8443/"])
def test_this_machine_is_an_address_only_while_trying_out(cast: Any, alice: Client, settings: Any, url: str) -> None:
    assert add(alice, url).status_code == 200
    settings.WEBHOOK_HTTP = False
    assert add(alice, url).status_code == 422


def test_the_eleventh_is_refused(cast: Any, alice: Client, endpoint: Any) -> None:
    for number in range(10):
        endpoint(f"{CLOSED}/{number}")
    answer = add(alice, CLOSED)
    assert answer.status_code == 422 and "10 webhooks" in str(answer.context["form"].non_field_errors())


def test_a_new_secret_signs_and_for_a_day_the_old_one_too(cast: Any, alice: Client) -> None:
    with receiving() as shop:
        old = add(alice, shop.url).context["new"].text
        page = alice.post(f"{LIST}/{only(cast).pk}/secret")
        happened(cast.atelier)
        carry()
    assert page.context["old_secret_ends"] is not None
    for secret in (old, page.context["new"].text):
        Webhook(secret).verify(shop.came[0].body, shop.came[0].headers)


def test_a_test_event_is_sent_signed_and_seen_in_the_log(cast: Any, alice: Client, endpoint: Any) -> None:
    with receiving(says(500)) as shop:
        made = endpoint(shop.url, "shoot.failed")
        assert alice.post(f"{LIST}/{made.row.pk}/test").status_code == 302
        carry()
    assert Webhook(made.text).verify(shop.came[0].body, shop.came[0].headers)["type"] == "webhook.test"
    page = alice.get(f"{LIST}/{made.row.pk}")
    (row,) = page.context["deliveries"]
    assert (row.status, [one.status_code for one in row.log]) == ("failed", [500])  # tried once
    assert only(cast).enabled


def test_one_event_is_sent_again_under_the_same_id(cast: Any, alice: Client, endpoint: Any, deliveries: Any) -> None:
    with receiving(says(204)) as shop:
        made = endpoint(shop.url)
        happened(cast.atelier)
        carry()
        (row,) = deliveries()
        alice.post(f"{LIST}/{made.row.pk}/replay/{row.pk}")
        carry()
    assert shop.ids == [str(row.event_id)] * 2
    assert [one.number for one in alice.get(f"{LIST}/{made.row.pk}").context["deliveries"][0].log] == [1, 2]


def test_what_is_missing_is_what_failed_and_what_happened_while_it_was_off(
    cast: Any, alice: Client, endpoint: Any, deliveries: Any
) -> None:
    with receiving(says(204), says(410), says(204)) as shop:
        made = endpoint(shop.url, "shoot.succeeded")
        page = f"{LIST}/{made.row.pk}"
        happened(cast.atelier, note="arrives")
        carry()
        failed = happened(cast.atelier, note="410 switches it off")
        carry()
        missed = happened(cast.atelier, note="while it is off")
        happened(cast.atelier, "shoot.failed", note="it never asked for this")
        assert alice.post(f"{page}/replay", {"hours": 24}).status_code == 409
        alice.post(f"{page}/switch", {"on": "1"})
        alice.post(f"{page}/replay", {"hours": 24})
        del shop.came[:]
        carry()
        due_now()
        carry()
    assert sorted(json.loads(one.body)["data"]["id"] for one in shop.came) == sorted([failed, missed])
    assert {row.status for row in deliveries()} == {"delivered"}


def test_switched_off_what_waits_ends_as_failed_and_nothing_is_sent(
    cast: Any, alice: Client, endpoint: Any, deliveries: Any
) -> None:
    with receiving() as shop:
        made = endpoint(shop.url)
        happened(cast.atelier)
        alice.post(f"{LIST}/{made.row.pk}/switch", {"on": "0"})
        carry()
    assert (shop.came, [row.status for row in deliveries()]) == ([], ["failed"])
    assert "by hand" in alice.get(f"{LIST}/{made.row.pk}").content.decode()


def test_an_endpoint_goes_with_its_log(cast: Any, alice: Client, endpoint: Any, deliveries: Any) -> None:
    made = endpoint(CLOSED)
    happened(cast.atelier)
    carry()
    alice.post(f"{LIST}/{made.row.pk}/remove")
    assert deliveries() == []
    assert alice.get(f"{LIST}/{made.row.pk}").status_code == 404


def test_another_merchants_webhook_is_as_missing_as_none(cast: Any, endpoint: Any, deliveries: Any) -> None:
    row, own = endpoint(CLOSED).row, endpoint(CLOSED, merchant=cast.bazaar).row
    happened(cast.atelier)
    delivery = deliveries()[0].pk
    charlie = prove(sign_in(cast.charlie))
    for webhook in (row.pk, uuid4()):
        assert charlie.get(f"{LIST}/{webhook}").status_code == 404
        for action in ("change", "secret", "switch", "test", "remove", "replay", f"replay/{delivery}"):
            assert charlie.post(f"{LIST}/{webhook}/{action}", {"url": CLOSED}).status_code == 404, action
    assert charlie.post(f"{LIST}/{own.pk}/replay/{delivery}").status_code == 404
    assert only(cast).url == row.url


def test_the_log_is_paged_and_filtered(cast: Any, alice: Client, endpoint: Any) -> None:
    made = endpoint(CLOSED)
    for _ in range(31):
        happened(cast.atelier)
    with merchant_scope(cast.atelier):
        WebhookDelivery.objects.filter(pk=WebhookDelivery.objects.first().pk).update(status="failed")
    page = f"{LIST}/{made.row.pk}"
    first = alice.get(page).context
    second = alice.get(f"{page}?before={first['older']}").context
    assert [len(first["deliveries"]), len(second["deliveries"]), second["older"]] == [30, 1, None]
    assert [row.status for row in alice.get(f"{page}?show=failed").context["deliveries"]] == ["failed"]
    assert alice.get(f"{page}?before=nonsense&show=nonsense").status_code == 200


def test_the_setting_for_trying_out_is_warned_of_where_a_site_is_checked(settings: Any) -> None:
    from accounts.checks import webhooks_stay_outside

    assert [found.id for found in webhooks_stay_outside()] == ["accounts.W002"]
    settings.WEBHOOK_HTTP = False
    assert webhooks_stay_outside() == []
