"""One try: what goes out, what counts as delivered, and what no receiver can do to us."""

from __future__ import annotations

import json
import socket
import threading
from datetime import datetime
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from accounts.models import WebhookAttempt
from accounts.scoping import merchant_scope
from accounts.services.webhooks import endpoints, sending
from imodel_site.lib import fetch
from imodel_site.lib.fetch import Fetcher, is_public
from tests.lib.https_server import ADDRESS, certificate
from tests.webhooks.conftest import carry, claim, due_now, happened
from tests.webhooks.receiver import Receiver, receiving, says

pytestmark = pytest.mark.django_db
HOST = "shop.example"


@pytest.fixture(scope="module")
def tls(tmp_path_factory: Any) -> Any:
    return certificate(tmp_path_factory.mktemp("tls"), HOST)


def attempts() -> list[tuple[int | None, str]]:
    rows = WebhookAttempt.objects.order_by("delivery_id", "number")
    return [(row.status_code, row.error_code) for row in rows]


def test_the_receivers_library_takes_what_is_sent(cast: Any, endpoint: Any, deliveries: Any) -> None:
    with receiving() as shop:
        secret = endpoint(shop.url).text
        subject = happened(cast.atelier, "shoot.succeeded", note="Mäntel")
        carry()
    (came,) = shop.came
    told = Webhook(secret).verify(came.body, came.headers)
    assert (told["type"], told["data"]) == ("shoot.succeeded", {"id": subject, "note": "Mäntel"})
    assert datetime.fromisoformat(told["timestamp"]) == deliveries()[0].event.created_at
    assert came.headers["webhook-id"] == str(deliveries()[0].event_id)
    assert came.headers["content-type"] == "application/json"
    assert came.path == "/hooks?shop=1"
    assert deliveries()[0].status == "delivered"


def test_a_body_or_a_time_that_was_changed_is_not_what_was_signed(cast: Any, endpoint: Any) -> None:
    with receiving() as shop:
        secret = endpoint(shop.url).text
        happened(cast.atelier)
        carry()
    (came,) = shop.came
    later = {**came.headers, "webhook-timestamp": str(int(came.headers["webhook-timestamp"]) + 1)}
    for body, headers in ((came.body + b" ", came.headers), (came.body, later)):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, headers)


def test_while_a_secret_is_replaced_both_sign(cast: Any, endpoint: Any) -> None:
    with receiving() as shop:
        made = endpoint(shop.url)
        with merchant_scope(cast.atelier):
            fresh = endpoints.rotate_secret(endpoint=made.row)
        happened(cast.atelier)
        carry()
    (came,) = shop.came
    assert len(came.headers["webhook-signature"].split(" ")) == 2
    for secret in (made.text, fresh.text):
        assert Webhook(secret).verify(came.body, came.headers)["type"] == "shoot.succeeded"


def test_over_https_the_name_stands_in_the_certificate_and_the_address_was_checked(
    cast: Any, endpoint: Any, tls: Any, deliveries: Any
) -> None:
    with receiving(pem=tls[0], to=ADDRESS, host=HOST) as shop:
        happened_at(cast, endpoint, shop)
        line = Fetcher((shop.port,), lambda host, port: [ADDRESS], lambda a: a == ADDRESS, tls[1])
        carry(line)
    assert shop.came[0].headers["host"] == f"{HOST}:{shop.port}"
    assert deliveries()[0].status == "delivered"


def happened_at(cast: Any, endpoint: Any, shop: Receiver) -> None:
    """An endpoint whose name the test's own resolver knows: put past the check at saving."""
    made = endpoint("http://127.0.0.1:9/").row
    with merchant_scope(cast.atelier):
        type(made).objects.filter(pk=made.pk).update(url=shop.url)
    happened(cast.atelier)


def test_a_certificate_of_somebody_else_is_refused(cast: Any, endpoint: Any, tls: Any, everybody: None) -> None:
    with receiving(pem=tls[0], to=ADDRESS, host=HOST) as shop:
        happened_at(cast, endpoint, shop)
        carry(Fetcher((shop.port,), lambda host, port: [ADDRESS], lambda a: a == ADDRESS))
    assert (shop.came, attempts()) == ([], [(None, "url_certificate")])


def test_a_name_that_leads_to_a_private_address_by_now_is_not_posted_to(
    cast: Any, endpoint: Any, tls: Any, everybody: None
) -> None:
    """DNS rebinding: what was public when it was saved is asked anew at every try."""
    answers = [ADDRESS, "10.0.0.7"]
    with receiving(says(500), pem=tls[0], to=ADDRESS, host=HOST) as shop:
        happened_at(cast, endpoint, shop)
        line = Fetcher(
            (shop.port,), lambda host, port: [answers.pop(0)], lambda a: a == ADDRESS or is_public(a), tls[1]
        )
        carry(line)
        due_now()
        carry(line)
    assert (len(shop.came), attempts()) == (1, [(500, ""), (None, "url_not_public")])


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_a_yes(cast: Any, endpoint: Any, deliveries: Any, status: int) -> None:
    with receiving(says(status)) as shop:
        endpoint(shop.url)
        happened(cast.atelier)
        carry()
    assert (deliveries()[0].status, len(shop.came)) == ("delivered", 1)


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 404, 500, 503])
def test_anything_else_is_a_no_and_a_redirect_leads_nowhere(
    cast: Any, endpoint: Any, deliveries: Any, everybody: None, status: int
) -> None:
    with receiving() as elsewhere, receiving(says(status, b"secret words", Location=elsewhere.url)) as shop:
        endpoint(shop.url)
        happened(cast.atelier)
        carry()
    assert (deliveries()[0].status, attempts(), elsewhere.came) == ("waiting", [(status, "")], [])


def test_a_giant_answer_is_not_read_to_its_end(cast: Any, endpoint: Any, deliveries: Any) -> None:
    """The receiver that sends without end notices that nobody listens."""
    gave_up = threading.Event()

    def endless(handler: Any) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"x" * 65536)
        except OSError:
            gave_up.set()
            raise

    with receiving(endless) as shop:
        endpoint(shop.url)
        happened(cast.atelier)
        carry()
        assert gave_up.wait(20)
    assert deliveries()[0].status == "delivered"


def line_of(seconds: float) -> Fetcher:
    whole = sending.line()
    return Fetcher(whole.ports, allowed=whole.allowed, seconds=seconds, schemes=whole.schemes)


def test_one_that_answers_after_the_time_is_over_has_not_answered(cast: Any, endpoint: Any, everybody: None) -> None:
    release = threading.Event()
    with receiving(lambda handler: release.wait(20) and says(200)(handler)) as shop:
        endpoint(shop.url)
        happened(cast.atelier)
        carry(line_of(0.3))
        release.set()
    assert attempts() == [(None, "url_too_slow")]


def test_one_that_thinks_for_longer_than_connecting_may_take_has_answered(
    cast: Any, endpoint: Any, everybody: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "CONNECT_SECONDS", 0.3)
    never = threading.Event()
    with receiving(lambda handler: never.wait(0.9) or says(200)(handler)) as shop:
        endpoint(shop.url)
        happened(cast.atelier)
        carry(line_of(20.0))
    assert attempts() == [(200, "")]


def test_one_that_drips_its_headers_is_cut_off(cast: Any, endpoint: Any, everybody: None) -> None:
    stop = threading.Event()

    def drip(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while not stop.wait(0.02):
            handler.wfile.write(b".")

    with receiving(drip) as shop:
        endpoint(shop.url)
        happened(cast.atelier)
        carry(line_of(0.3))
        stop.set()
    assert attempts() == [(None, "url_too_slow")]


def test_a_line_that_is_dropped_and_a_port_that_is_closed_are_tried_again(
    cast: Any, endpoint: Any, everybody: None, deliveries: Any
) -> None:
    def drop(handler: Any) -> None:
        handler.connection.shutdown(socket.SHUT_RDWR)

    with receiving(drop) as shop:
        endpoint(shop.url)
        happened(cast.atelier)
        carry()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    endpoint(f"http://127.0.0.1:{port}/", "shoot.failed")
    happened(cast.atelier, "shoot.failed")
    carry()
    assert set(attempts()) == {(None, "url_unreachable")}
    assert {row.status for row in deliveries()} == {"waiting"}


def test_nothing_of_an_answers_words_is_kept(cast: Any, endpoint: Any, everybody: None) -> None:
    from django.core import serializers

    with receiving(says(500, b"canary-of-the-shop", X_Words="canary-of-the-shop")) as shop:
        endpoint(shop.url)
        happened(cast.atelier)
        carry()
    assert "canary" not in serializers.serialize("json", WebhookAttempt.objects.all())


def test_a_url_that_holds_a_secret_is_in_no_repr(cast: Any, endpoint: Any) -> None:
    made = endpoint("http://127.0.0.1:9/hush-hush")
    happened(cast.atelier)
    (parcel,) = claim()
    assert "hush" not in repr(parcel)
    assert made.text not in repr(made)
    assert json.loads(parcel.body)["type"] == "shoot.succeeded"
