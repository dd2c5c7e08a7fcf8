"""The frame around every page: who sees which part of it, and what it costs."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings

pytestmark = pytest.mark.django_db


def page(client: Client, address: str = "/nothing-is-here", **headers: str) -> str:
    return client.get(address, headers={"accept": "text/html", **headers}).content.decode()


def test_a_stranger_sees_no_rail_and_the_two_ways_in(client: Client) -> None:
    html = page(client, "/")
    assert 'class="bare"' in html and 'class="rail"' not in html
    assert 'href="/account/login/"' in html and 'href="/account/signup/"' in html


def test_a_member_sees_the_shop_in_the_switcher_and_no_other_shop(client: Client, cast: Any) -> None:
    client.force_login(cast.bob)
    html = page(client)
    assert 'class="frame"' in html and "Atelier" in html
    assert "Bazaar" not in html


def test_every_place_of_the_rail_leads_somewhere(client: Client, cast: Any) -> None:
    client.force_login(cast.alice)
    rail = page(client).split('<nav class="rail"', 1)[1].split("</nav>", 1)[0]
    places = set(re.findall(r'href="([^"]+)"', rail))
    assert len(places) >= 4
    for place in places:
        assert client.get(place).status_code == 200, place


def test_the_page_one_is_on_is_marked_once_in_the_rail(client: Client, cast: Any) -> None:
    client.force_login(cast.alice)
    rail = page(client, "/settings").split('<nav class="rail"', 1)[1].split("</nav>", 1)[0]
    desk = rail.split("phone-only", 1)[0]
    assert desk.count('aria-current="page"') == 1
    assert 'href="/settings" aria-current="page"' in desk


def test_the_theme_is_remembered_and_nonsense_is_not(client: Client) -> None:
    assert "data-theme" not in page(client, "/").split("<head>")[0]
    answer = client.post("/theme", {"theme": "dark", "next": "/account/login/"})
    assert answer.url == "/account/login/"
    assert 'data-theme="dark"' in page(client, "/")
    client.post("/theme", {"theme": '"><script>'})
    assert 'data-theme="dark"' in page(client, "/")


def test_the_theme_does_not_send_people_to_other_sites(client: Client) -> None:
    for away in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        assert client.post("/theme", {"theme": "dark", "next": away}).url == "/"


def test_the_language_of_the_page_is_said_and_can_be_changed(client: Client) -> None:
    assert '<html lang="en"' in page(client, "/")
    client.post("/i18n/setlang/", {"language": "zh-hans", "next": "/"})
    assert '<html lang="zh-hans"' in page(client, "/")


def test_an_unknown_address_gets_the_house_s_own_page(client: Client) -> None:
    answer = client.get("/nothing-is-here", headers={"accept": "text/html"})
    assert answer.status_code == 404
    assert "There is nothing here" in answer.content.decode()


def test_a_form_that_was_open_too_long_says_so(cast: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/theme", {"theme": "dark"}, headers={"accept": "text/html"})
    assert answer.status_code == 403
    assert "This page was too old" in answer.content.decode()


def test_the_page_for_our_own_faults_asks_nobody_anything(django_assert_num_queries: Any) -> None:
    from django.template.loader import render_to_string

    with django_assert_num_queries(0):
        html = render_to_string("500.html", {"request_id": "0192abc"})
    assert "0192abc" in html and "pages.css" in html


def test_the_sample_button_is_there_only_where_there_is_a_sample(client: Client) -> None:
    with override_settings(IMODEL_DEMO=False):
        assert "Try with the sample catalog" not in page(client, "/")
    with override_settings(IMODEL_DEMO=True):
        assert "Try with the sample catalog" in page(client, "/")


def test_the_sample_shop_is_entered_with_one_button_and_only_where_it_is_offered(client: Client) -> None:
    from accounts.models import User
    from imodel_site.demo.account import EMAIL

    person = User.objects.create_user(EMAIL, "whatever it is")
    with override_settings(IMODEL_DEMO=False):
        assert client.post("/demo").status_code == 404
    with override_settings(IMODEL_DEMO=True):
        assert client.get("/demo").status_code == 405
        assert client.post("/demo").status_code == 302
        assert client.session["_auth_user_id"] == str(person.pk)


def test_a_member_of_staff_is_never_entered_by_the_button(client: Client) -> None:
    from accounts.models import User
    from imodel_site.demo.account import EMAIL

    User.objects.create_superuser(EMAIL, "whatever it is")
    with override_settings(IMODEL_DEMO=True):
        assert client.post("/demo").status_code == 404


def test_the_components_page_is_not_served_outside_debugging(client: Client) -> None:
    assert not settings.DEBUG
    assert client.get("/ui/").status_code == 404
