"""Passwords, limits, resets, second factors and passkeys, through the pages."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.conf import settings
from django.core import mail
from django.test import Client, override_settings

from tests.accounts.authenticator import Passkey
from tests.accounts.conftest import long_ago, prove, sign_in
from tests.accounts.letters import code_for, last_to
from tests.cast import PASSWORD

pytestmark = pytest.mark.django_db
Browser = Callable[[str], Client]
LOGIN, RESET, CONFIRM = "/account/login/", "/account/password/reset/", "/account/password/reset/confirm/"


def inside(client: Client) -> bool:
    return client.get("/settings").status_code == 200


def totp(secret: str, step: int = 0) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 + step)))


def enrol(client: Client) -> str:
    """Set an authenticator app up; returns its secret."""
    page = prove(client).get("/account/2fa/totp/activate/")
    secret = page.context["form"].secret
    answer = client.post("/account/2fa/totp/activate/", {"code": totp(secret)})
    assert answer.status_code == 302, answer.content
    return str(secret)


def recovery_codes(client: Client) -> list[str]:
    return list(client.get("/account/2fa/recovery-codes/").context["unused_codes"])  # shown this once


def test_who_signed_in_a_moment_ago_is_not_asked_for_the_password_again(cast: Any, signed_in: Browser) -> None:
    form = {"name": "Shopify", "scope": "read", "days": "30"}
    client = signed_in("alice")
    assert client.post("/settings/keys/new", form).status_code == 200
    assert long_ago(client).post("/settings/keys/new", form).url.startswith("/account/reauthenticate/")


def test_the_right_password_opens_and_a_wrong_one_does_not(cast: Any) -> None:
    assert inside(sign_in(cast.alice))
    client = Client()
    assert client.post(LOGIN, {"login": "alice@example.com", "password": "wrong"}).status_code == 200
    assert not inside(client)


def test_after_five_wrong_passwords_the_right_one_is_refused_for_a_while_too(cast: Any) -> None:
    for _ in range(5):
        Client().post(LOGIN, {"login": "alice@example.com", "password": "wrong"})
    client = Client()
    client.post(LOGIN, {"login": "alice@example.com", "password": PASSWORD})
    assert not inside(client)
    assert inside(sign_in(cast.bob))  # somebody else is not locked out with her


@pytest.mark.parametrize("proxies, seen", [(0, "127.0.0.1"), (1, "203.0.113.7"), (2, "198.51.100.9")])
def test_the_address_that_limits_count_by_is_the_one_that_trusted_proxies_saw(
    cast: Any, proxies: int, seen: str
) -> None:
    """What the client itself writes into X-Forwarded-For stands to the left, and counts for nothing."""
    from allauth.usersessions.models import UserSession

    forwarded = "192.0.2.1, 198.51.100.9, 203.0.113.7"
    with override_settings(ALLAUTH_TRUSTED_PROXY_COUNT=proxies):
        Client().post(
            LOGIN,
            {"login": "alice@example.com", "password": PASSWORD},
            headers={"x-forwarded-for": forwarded},
        )
    assert [row.ip for row in UserSession.objects.all()] == [seen]


def test_a_forgotten_password_is_reset_by_a_mailed_code(cast: Any) -> None:
    client = Client()
    client.post(RESET, {"email": "alice@example.com"})
    client.post(CONFIRM, {"code": code_for("alice@example.com")})
    answer = client.post(
        "/account/password/reset/complete/", {"password1": "a fresh horse 9", "password2": "a fresh horse 9"}
    )
    assert answer.status_code == 302
    assert Client().post(LOGIN, {"login": "alice@example.com", "password": PASSWORD}).status_code == 200
    fresh = Client()
    fresh.post(LOGIN, {"login": "alice@example.com", "password": "a fresh horse 9"})
    assert inside(fresh)


def test_three_wrong_reset_codes_end_the_attempt(cast: Any) -> None:
    client = Client()
    client.post(RESET, {"email": "alice@example.com"})
    right = code_for("alice@example.com")
    for _ in range(3):
        client.post(CONFIRM, {"code": "WRONG1"})
    client.post(CONFIRM, {"code": right})
    assert client.get("/account/password/reset/complete/").status_code == 302  # back to the start


def test_an_unknown_address_looks_the_same_to_whoever_asks_for_a_reset(cast: Any) -> None:
    known = Client().post(RESET, {"email": "alice@example.com"})
    unknown = Client().post(RESET, {"email": "nobody@example.com"})
    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)


@pytest.mark.django_db(transaction=True)  # the mail goes out after the commit
def test_an_authenticator_app_is_asked_for_after_the_password(cast: Any, signed_in: Browser) -> None:
    secret = enrol(signed_in("alice"))
    assert "app" in str(last_to("alice@example.com").subject).lower()
    client = Client()
    answer = client.post(LOGIN, {"login": "alice@example.com", "password": PASSWORD})
    assert answer.url == "/account/2fa/authenticate/"
    assert not inside(client)
    client.post("/account/2fa/authenticate/", {"code": "000000" if totp(secret) != "000000" else "111111"})
    assert not inside(client)
    client.post("/account/2fa/authenticate/", {"code": totp(secret, 1)})
    assert inside(client)


def test_a_code_of_the_app_counts_once(cast: Any, signed_in: Browser) -> None:
    secret = enrol(signed_in("alice"))
    code = totp(secret, 1)
    outcomes = []
    for _ in range(2):
        client = Client()
        client.post(LOGIN, {"login": "alice@example.com", "password": PASSWORD})
        client.post("/account/2fa/authenticate/", {"code": code})
        outcomes.append(inside(client))
    assert outcomes == [True, False]


def test_a_recovery_code_opens_once(cast: Any, signed_in: Browser) -> None:
    client = signed_in("alice")
    enrol(client)
    code, *others = recovery_codes(client)
    assert len(others) == 9
    outcomes = []
    for _ in range(2):
        other = Client()
        other.post(LOGIN, {"login": "alice@example.com", "password": PASSWORD})
        other.post("/account/2fa/authenticate/", {"code": code})
        outcomes.append(inside(other))
    assert outcomes == [True, False]


def test_what_the_database_holds_of_a_second_factor_is_encrypted(cast: Any, signed_in: Browser) -> None:
    client = signed_in("alice")
    secret = enrol(client)
    stored = json.dumps(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in stored
    with override_settings(SECRET_KEY="another" * 10, SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
        from accounts.adapter import MFAAdapter

        row = Authenticator.objects.get(type=Authenticator.Type.TOTP)
        assert MFAAdapter().decrypt(row.data["secret"]) == secret


def add_passkey(client: Client, key: Passkey) -> Any:
    options = prove(client).get("/account/2fa/webauthn/add/").context["js_data"]["creation_options"]
    answer = {"name": "Phone", "credential": key.create(options), "passwordless": "on"}
    return client.post("/account/2fa/webauthn/add/", answer)


def passkey_login(client: Client, key: Passkey) -> None:
    options = client.get("/account/2fa/webauthn/login/", headers={"x-requested-with": "XMLHttpRequest"}).json()
    client.post("/account/2fa/webauthn/login/", {"credential": key.get(options["request_options"])})


def test_a_passkey_is_registered_and_then_opens_without_a_password(cast: Any, signed_in: Browser) -> None:
    key = Passkey()
    assert add_passkey(signed_in("alice"), key).status_code == 302
    client = Client()
    passkey_login(client, key)
    assert inside(client) and client.get("/settings").context["user"] == cast.alice


def test_a_passkey_of_somebody_unknown_or_without_a_finger_on_it_opens_nothing(cast: Any, signed_in: Browser) -> None:
    real = Passkey()
    add_passkey(signed_in("alice"), real)
    stranger = Passkey()
    stranger.user, stranger.id = real.user, real.id  # knows the ids, not the private key
    client = Client()
    passkey_login(client, stranger)
    assert not inside(client)
    real.flags = 0x01  # present, not verified
    passkey_login(client, real)
    assert not inside(client)


def test_a_passkey_is_a_second_factor_after_the_password_as_well(cast: Any, signed_in: Browser) -> None:
    key = Passkey()
    add_passkey(signed_in("alice"), key)
    client = Client()
    client.post(LOGIN, {"login": "alice@example.com", "password": PASSWORD})
    options = client.get("/account/2fa/authenticate/").context["js_data"]["request_options"]
    client.post("/account/2fa/authenticate/", {"credential": key.get(options)})
    assert inside(client)


def test_signing_out_clears_what_the_browser_keeps(signed_in: Browser) -> None:
    client = signed_in("alice")
    answer = client.post("/account/logout/")
    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    assert not inside(client)


def test_a_signed_in_page_is_kept_by_no_cache(signed_in: Browser) -> None:
    assert signed_in("alice").get("/settings")["Cache-Control"] == "private, no-store"


def test_staff_pages_need_staff_and_a_second_factor_given_in_this_session(cast: Any, signed_in: Browser) -> None:
    assert Client().get("/staff/").status_code == 302
    assert signed_in("bob").get("/staff/", follow=True).status_code == 404
    cast.alice.is_staff = cast.alice.is_superuser = True
    cast.alice.save()
    client = signed_in("alice")
    assert client.get("/staff/accounts/merchant/", follow=True).redirect_chain[-1][0] == "/account/2fa/"
    secret = enrol(client)
    again = Client()
    again.post(LOGIN, {"login": "alice@example.com", "password": PASSWORD})
    assert again.get("/staff/").status_code == 302
    again.post("/account/2fa/authenticate/", {"code": totp(secret, 1)})
    page = again.get("/staff/accounts/merchant/")
    assert page.status_code == 200 and b"Atelier" in page.content


def test_mail_goes_out_when_something_about_the_account_changes(cast: Any, signed_in: Browser) -> None:
    client = signed_in("alice")
    client.post(
        "/account/password/change/",
        {"oldpassword": PASSWORD, "password1": "a fresh horse 9", "password2": "a fresh horse 9"},
    )
    assert mail.outbox[-1].to == ["alice@example.com"]
