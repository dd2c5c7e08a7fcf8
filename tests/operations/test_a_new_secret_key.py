"""The secret key is changed while work waits: all goes on with the old one among the fallbacks, later without it."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.core.management import call_command
from django.db.models.functions import Now
from django.test import Client

from accounts import webhook_secrets
from accounts.adapter import MFAAdapter
from accounts.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from accounts.scoping import merchant_scope
from accounts.services.api_keys import make_key
from catalog.models import Look
from imodel_site.lib.jobs.claims import claim_next
from imodel_site.lib.sealing import Unreadable
from imodel_site.lib.signing import media_url
from tests.cast import Cast
from tests.generation.conftest import actor_of, add_photo, sign_in

pytestmark = pytest.mark.django_db
OLD, NEW = "the-old-key-" + "o" * 40, "the-new-key-" + "n" * 40


@pytest.fixture
def old(settings: Any) -> None:
    """Everything is made under the old key."""
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = OLD, []


def rotate(settings: Any) -> None:
    """The operator's first step."""
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [OLD]


def drop_the_old(settings: Any) -> None:
    """The operator's last step."""
    settings.SECRET_KEY_FALLBACKS = []


def reencrypt() -> tuple[int, str]:
    """Status and words of the command."""
    out = StringIO()
    try:
        call_command("reencrypt", stdout=out)
    except SystemExit as stop:
        return int(str(stop.code)), out.getvalue()
    return 0, out.getvalue()


def code_of(secret: str) -> str:
    """What the authenticator app shows now."""
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def test_a_job_that_waits_is_claimed_under_the_new_key(old: None, settings: Any, cast: Cast) -> None:
    asset = add_photo(actor_of(cast.alice), looked=False).asset
    with merchant_scope(cast.atelier):
        look = Look.objects.create(asset=asset, queued_at=Now())
    rotate(settings)
    drop_the_old(settings)
    work = claim_next("light", "test", models=[Look])
    assert work is not None and work.job.pk == look.pk


def test_a_webhook_that_waits_is_signed_with_the_shop_s_secret_all_along(old: None, settings: Any, cast: Cast) -> None:
    text = webhook_secrets.mint()
    with merchant_scope(cast.atelier):
        endpoint = WebhookEndpoint.objects.create(url="https://shop.example/", secrets=webhook_secrets.first(text))
        event = WebhookEvent.objects.create(type="shoot.succeeded", subject_id=endpoint.pk)
        WebhookDelivery.objects.create(event=event, endpoint=endpoint, due_at=Now())

    def secret_of_the_delivery() -> list[str]:
        with merchant_scope(cast.atelier):
            waiting = WebhookDelivery.objects.select_related("endpoint").get(event_id=event.pk)
            return webhook_secrets.live(waiting.endpoint.secrets)

    rotate(settings)
    assert secret_of_the_delivery() == [text]
    assert reencrypt()[0] == 0
    drop_the_old(settings)
    assert secret_of_the_delivery() == [text]
    assert "0 webhook addresses were brought" in reencrypt()[1]


def test_whoever_is_signed_in_stays_so(old: None, settings: Any, cast: Cast) -> None:
    seen, unseen = sign_in(cast.alice), sign_in(cast.bob)
    rotate(settings)
    assert seen.get("/settings").status_code == 200
    drop_the_old(settings)
    assert seen.get("/settings").status_code == 200
    assert unseen.get("/settings").status_code == 302  # did not come by meanwhile: signs in again


def test_an_api_key_that_is_used_meanwhile_moves_to_the_new_key(old: None, settings: Any, cast: Cast) -> None:
    def new_key() -> dict[str, str]:
        made = {"name": "shop", "scope": "read", "store": "", "live": True, "lifetime": None}
        with merchant_scope(cast.atelier):
            return {"Authorization": f"Bearer {make_key(merchant=cast.atelier, by=cast.alice, **made).text}"}

    used, unused = new_key(), new_key()
    rotate(settings)
    assert Client().get("/api/v1/me", headers=used).status_code == 200
    drop_the_old(settings)
    assert Client().get("/api/v1/me", headers=used).status_code == 200
    assert Client().get("/api/v1/me", headers=unused).status_code == 401


def test_an_address_of_a_picture_opens_until_the_old_key_is_gone(old: None, settings: Any, cast: Cast) -> None:
    actor = actor_of(cast.alice)
    asset = add_photo(actor).asset
    with merchant_scope(cast.atelier):
        address = media_url(asset, "original", bearer=True)
    rotate(settings)
    assert Client().get(address).status_code == 200
    drop_the_old(settings)
    assert Client().get(address).status_code == 404


def test_second_factors_and_recovery_codes_outlive_the_old_key(old: None, settings: Any, cast: Cast) -> None:
    secret = generate_totp_secret()
    totp, codes = TOTP.activate(cast.alice, secret), RecoveryCodes.activate(cast.alice)
    wanted = codes.get_unused_codes()
    rotate(settings)
    assert totp.validate_code(code_of(secret)) and codes.get_unused_codes() == wanted
    status, said = reencrypt()
    assert status == 0 and "2 second factors" in said
    drop_the_old(settings)
    rows = {row.type: row for row in Authenticator.objects.filter(user=cast.alice)}
    assert RecoveryCodes(rows["recovery_codes"]).get_unused_codes() == wanted
    assert MFAAdapter().decrypt(rows["totp"].data["secret"]) == secret  # a code is good for one time only


def test_what_needs_a_lost_key_is_told_and_left_alone(old: None, settings: Any, cast: Cast) -> None:
    TOTP.activate(cast.alice, generate_totp_secret())
    (before,) = Authenticator.objects.values_list("data", flat=True)
    rotate(settings)
    drop_the_old(settings)
    status, said = reencrypt()
    assert status == 1 and "1 second factors need a key" in said and "take them out" not in said
    assert list(Authenticator.objects.values_list("data", flat=True)) == [before]
    with pytest.raises(Unreadable):
        TOTP(Authenticator.objects.get()).validate_code("123456")
