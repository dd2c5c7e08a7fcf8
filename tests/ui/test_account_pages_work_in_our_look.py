"""allauth's pages through our layouts and elements: each renders whole, in the frame, and its forms lead somewhere."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.test import Client
from django.urls import resolve

from tests.cast import PASSWORD

pytestmark = pytest.mark.django_db
OPEN = ["/account/login/", "/account/signup/", "/account/password/reset/"]
OWN = [
    "/account/email/",
    "/account/password/change/",
    "/account/2fa/",
    "/account/2fa/totp/activate/",
    "/account/2fa/webauthn/",
    "/account/2fa/webauthn/add/",
    "/account/sessions/",
    "/account/logout/",
]


def whole(client: Client, address: str) -> str:
    answer = client.get(address, follow=True)
    html = answer.content.decode()
    assert answer.status_code == 200
    assert "{{" not in html and "{%" not in html
    assert html.count("<h1") == 1 and 'id="main"' in html
    here = answer.redirect_chain[-1][0] if answer.redirect_chain else address
    for action in re.findall(r'<form\b[^>]*\baction="([^"]*)"', html):
        resolve(urljoin(here, action).split("?")[0])
    return html


def signed_in(client: Client) -> None:
    client.post("/account/login/", {"login": "alice@example.com", "password": PASSWORD})
    client.post("/account/reauthenticate/", {"password": PASSWORD})


@pytest.mark.parametrize("address", OPEN)
def test_a_stranger_s_page_is_whole(client: Client, address: str) -> None:
    html = whole(client, address)
    assert 'class="sheet"' in html
    assert re.search(r'<button class="button primary[^"]*"[^>]* type="submit"', html)


@pytest.mark.parametrize("address", OWN)
def test_one_s_own_page_is_whole(client: Client, cast: Any, address: str) -> None:
    signed_in(client)
    assert 'class="frame"' in whole(client, address)


def test_a_wrong_password_is_said_on_the_page(client: Client, cast: Any) -> None:
    answer = client.post("/account/login/", {"login": "alice@example.com", "password": "not this one"})
    assert 'class="notice bad" role="alert"' in answer.content.decode()


def test_an_authenticator_app_is_activated_and_gives_recovery_codes(client: Client, cast: Any) -> None:
    signed_in(client)
    html = whole(client, "/account/2fa/totp/activate/")
    assert 'class="qr"><img src="data:image/svg+xml' in html
    secret = re.search(r'id="authenticator_secret"[^>]* value="([A-Z2-7]+)"', html)
    assert secret is not None
    code = format_hotp_value(hotp_value(secret[1], next(iter(yield_hotp_counters_from_time()))))
    assert client.post("/account/2fa/totp/activate/", {"code": code}).status_code == 302
    assert "readonly" in whole(client, "/account/2fa/recovery-codes/")
    assert "danger" in whole(client, "/account/2fa/totp/deactivate/")
    client.logout()
    client.post("/account/login/", {"login": "alice@example.com", "password": PASSWORD})
    assert 'name="code"' in whole(client, "/account/2fa/authenticate/")


def test_signing_up_leads_to_a_page_that_asks_for_the_code(client: Client) -> None:
    who = {"shop": "Probe", "email": "probe@example.com", "password1": PASSWORD}
    answer = client.post("/account/signup/", who)
    assert answer.status_code == 302
    assert 'name="code"' in whole(client, answer.url)
