"""Each test starts with empty limits, and signs people in as allauth would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from tests.cast import PASSWORD


@pytest.fixture(autouse=True)
def _no_limits_left_over() -> None:
    cache.clear()


def sign_in(person: Any) -> Client:
    """A browser in which this person typed their password a moment ago."""
    client = Client()
    answer = client.post("/account/login/", {"login": person.email, "password": PASSWORD})
    assert answer.status_code == 302, answer.content
    return client


def long_ago(client: Client) -> Client:
    """The same browser hours after it was signed in: sensitive pages ask again."""
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 2 * 3600
    session.save()
    return client


def prove(client: Client) -> Client:
    """Type the password once more, as sensitive pages ask for."""
    assert client.post("/account/reauthenticate/", {"password": PASSWORD}).status_code == 302
    return client


@pytest.fixture
def signed_in(cast: Any) -> Callable[[str], Client]:
    """``signed_in("alice")``: signed in by password."""
    return lambda name: sign_in(getattr(cast, name))
