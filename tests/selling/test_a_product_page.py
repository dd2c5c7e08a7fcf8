"""The storefront kit in a real browser, on another origin than ours, against the real answers of the public views."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, Route, expect

from accounts.scoping import merchant_scope
from selling import services
from tests.generation.conftest import House
from tests.generation.scripted import Scripted
from tests.selling.browsing import chromium
from tests.selling.conftest import approved, publish
from tests.selling.test_pictures_stand_in_the_shop import large

pytestmark = pytest.mark.django_db(transaction=True)
KIT = Path(__file__).parents[2] / "kit" / "storefront"
SHOP = "http://shop.example"


class Answers:
    """What the site answers, taken beforehand: Django's database is not for the browser's loop."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.kept: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[str] = []

    def take(self, url: str) -> Any:
        answer = Client().get(url.removeprefix("http://testserver"))
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        self.kept[url] = (answer.status_code, dict(answer.headers), body)
        return answer

    def route(self, route: Route) -> None:
        url = route.request.url
        self.asked.append(url)
        if url.startswith(SHOP):
            name = urlsplit(url).path.lstrip("/")
            body = (KIT / name).read_text().replace("SHOP_ADDRESS", self.address)
            kind = "text/javascript" if name.endswith(".js") else "text/html"
            return route.fulfill(body=body, content_type=f"{kind}; charset=utf-8")
        status, headers, body = self.kept.get(url, (404, {}, b""))
        return route.fulfill(status=status, headers=headers, body=body)


def opened(browser: Browser, answers: Answers) -> Page:
    page = browser.new_context().new_page()
    page.set_default_timeout(20_000)
    page.route("**/*", answers.route)
    page.goto(f"{SHOP}/product.html")
    return page


def taken(found: House) -> Answers:
    answers = Answers(f"http://testserver/p/{found.merchant.pk}/pictures.json")
    told = answers.take(f"{answers.address}?sku=LS-1").json()
    for item in told["items"]:
        for picture in item["pictures"]:
            for size in picture["sizes"].values():
                answers.take(size["webp"]), answers.take(size["jpg"])
    return answers


def test_a_garments_pictures_come_onto_the_page_and_can_be_leafed_through(house: House, executor: Scripted) -> None:
    for picture in approved(house, 2):
        large(house, picture, 900)
        publish(house, picture)
    answers = taken(house)
    with chromium() as browser:
        page = opened(browser, answers)
        stage, row = page.locator(".imodel-stage img"), page.locator(".imodel-row button")
        expect(row).to_have_count(2)
        assert "Linen shirt, worn by" in (stage.get_attribute("alt") or "")
        page.wait_for_function("() => document.querySelector('.imodel-stage img').naturalWidth > 0")
        first = stage.evaluate("image => image.currentSrc")
        assert ".webp?v=" in first and "/1/" in first
        row.nth(1).click()
        expect(row.nth(1)).to_have_attribute("aria-pressed", "true")
        page.wait_for_function("() => document.querySelector('.imodel-stage img').currentSrc.includes('/2/')")


def test_without_a_picture_or_an_answer_the_page_keeps_what_it_had(house: House, executor: Scripted) -> None:
    made = publish(house, approved(house)[0])
    with merchant_scope(house.merchant):
        services.withdraw(actor=house.actor, publication=made)
    with_nothing, unanswered = taken(house), Answers("http://testserver/p/nothing/pictures.json")
    with chromium() as browser:
        for answers in (with_nothing, unanswered):
            page = opened(browser, answers)
            page.wait_for_load_state("networkidle")
            expect(page.locator("[data-imodel-sku]")).to_have_text("No picture yet.")
            assert any("pictures.json" in url for url in answers.asked)


def test_the_script_is_small_and_asks_nobody_else() -> None:
    text = (KIT / "imodel-pictures.js").read_text()
    assert len(text.encode()) < 6_000 and "import " not in text and "innerHTML" not in text
