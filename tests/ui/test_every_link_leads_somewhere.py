"""Each link, form and picture of each page leads to a route of ours or to a file that is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import resolve

from tests.cast import PASSWORD

pytestmark = pytest.mark.django_db
STRANGER = ["/", "/account/login/", "/account/signup/", "/account/password/reset/", "/nothing-here"]
MEMBER = [
    "/shoot/", "/shoot/expert/", "/shoots/", "/pictures/", "/pictures/?bin=1", "/catalog/", "/catalog/new",
    "/catalog/import", "/catalog/library", "/catalog/library/scenes", "/catalog/library/poses", "/settings",
    "/settings/people", "/settings/keys", "/account/email/", "/account/password/change/", "/account/2fa/",
    "/account/sessions/", "/nothing-here",
]  # fmt: skip
ADDRESS = re.compile(r'(?:href|src|action|formaction)="([^"]*)"')


def leads(html: str) -> list[str]:
    """What does not lead anywhere; a fragment must be an id of the page, another site is not ours to check."""
    lost = []
    for address in {found.replace("&amp;", "&") for found in ADDRESS.findall(html)}:
        place, _, fragment = address.partition("#")
        if fragment and not place and f'id="{fragment}"' not in html or address == "#":
            lost.append(address)
        path = place.partition("?")[0]
        if path.startswith("/") and not _is_there(path):
            lost.append(address)
    return lost


def _is_there(path: str) -> bool:
    if path.startswith(settings.STATIC_URL):
        return finders.find(path.removeprefix(settings.STATIC_URL)) is not None
    try:
        resolve(path)
    except Exception:  # noqa: BLE001  # Resolver404 and a converter's refusal alike
        return False
    return True


@pytest.mark.parametrize("address", STRANGER)
def test_every_link_of_a_stranger_s_page(client: Client, address: str) -> None:
    html = client.get(address).content.decode()
    assert len(ADDRESS.findall(html)) > 5
    assert leads(html) == []


@pytest.mark.parametrize("address", MEMBER)
def test_every_link_of_a_member_s_page(client: Client, cast: Any, address: str) -> None:
    client.post("/account/login/", {"login": "alice@example.com", "password": PASSWORD})
    html = client.get(address).content.decode()
    assert 'class="frame"' in html
    assert leads(html) == []


def test_a_link_that_leads_nowhere_is_found() -> None:
    html = '<a href="/no/such/page">x</a><a href="#">y</a><a href="/settings?a=1">z</a>'
    assert set(leads(html)) == {"/no/such/page", "#"}


def test_no_template_has_a_link_to_nowhere() -> None:
    pages = set(Path(settings.BASE_DIR, "templates").rglob("*.html"))
    for path in pages - {Path(settings.BASE_DIR, "templates/ui/gallery.html")}:  # ours only, while DEBUG is on
        assert 'href="#"' not in path.read_text(encoding="utf-8"), path
