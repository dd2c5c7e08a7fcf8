"""Secrets: as receivers' libraries take them, sealed in the database, and moved along when SECRET_KEY changes."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as here
from django.test import override_settings
from django.utils import timezone
from standardwebhooks import Webhook

from accounts import webhook_secrets
from accounts.models import WebhookAttempt, WebhookEndpoint
from accounts.scoping import merchant_scope
from accounts.services.webhooks import endpoints
from imodel_site.lib.sealing import Unreadable
from tests.webhooks.conftest import carry, due_now, happened
from tests.webhooks.receiver import receiving

pytestmark = pytest.mark.django_db
NEW = "another-secret-key-" * 4


def stored() -> Any:
    return WebhookEndpoint.objects.get().secrets


def test_a_secret_has_the_prefix_and_as_many_random_bytes_as_the_standard_asks_for() -> None:
    one, other = webhook_secrets.mint(), webhook_secrets.mint()
    assert one.startswith("whsec_") and one != other
    assert 24 <= len(base64.b64decode(one.removeprefix("whsec_"), validate=True)) <= 64


def test_after_a_day_the_old_secret_signs_no_more_and_is_forgotten(cast: Any, endpoint: Any, everybody: None) -> None:
    made = endpoint("http://127.0.0.1:9/")
    with merchant_scope(cast.atelier):
        fresh = endpoints.rotate_secret(endpoint=made.row)
    assert webhook_secrets.live(stored()) == [fresh.text, made.text]
    entries = stored()
    entries[1]["until"] = (timezone.now() - timedelta(seconds=1)).isoformat()
    WebhookEndpoint.objects.update(secrets=entries)
    assert webhook_secrets.live(stored()) == [fresh.text]
    assert webhook_secrets.reseal_all() == 1
    assert len(stored()) == 1 and webhook_secrets.live(stored()) == [fresh.text]


def test_never_more_than_two_secrets_sign(cast: Any, endpoint: Any, everybody: None) -> None:
    row = endpoint("http://127.0.0.1:9/").row
    with merchant_scope(cast.atelier):
        texts = [endpoints.rotate_secret(endpoint=row).text for _ in range(3)]
    assert webhook_secrets.live(stored()) == [texts[2], texts[1]]


def test_a_new_secret_key_takes_the_secrets_along_and_the_old_one_can_go(
    cast: Any, endpoint: Any, everybody: None
) -> None:
    text = endpoint("http://127.0.0.1:9/").text
    with override_settings(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=[here.SECRET_KEY]):
        assert webhook_secrets.live(stored()) == [text]
        assert (webhook_secrets.reseal_all(), webhook_secrets.reseal_all()) == (1, 0)
    with override_settings(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=[]):
        assert webhook_secrets.live(stored()) == [text]
    with pytest.raises(Unreadable):
        webhook_secrets.live(stored())


def test_a_secret_that_nobody_can_read_fails_its_tries_and_a_new_one_heals(
    cast: Any, endpoint: Any, everybody: None
) -> None:
    with receiving() as shop:
        row = endpoint(shop.url).row
        with override_settings(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=[]):
            assert webhook_secrets.reseal_all() == 0  # left as it is: the old key may come back
            happened(cast.atelier)
            carry()
            assert (WebhookAttempt.objects.get().error_code, shop.came) == ("secret_unreadable", [])
            with merchant_scope(cast.atelier):
                fresh = endpoints.rotate_secret(endpoint=row)
            due_now()
            carry()
    assert Webhook(fresh.text).verify(shop.came[0].body, shop.came[0].headers)["type"] == "shoot.succeeded"
