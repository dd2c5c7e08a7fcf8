"""In a browser: a board is judged with keys, a rejected picture is made again, what is approved stands in the shop."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import expect

from accounts.scoping import merchant_scope
from generation.models import Shoot
from selling.models import Publication
from tests.batches.conftest import garments, ids, looks, order, pictures
from tests.generation.conftest import House, carry_out_next
from tests.generation.scripted import Scripted
from tests.selling.browsing import SITE, Line, chromium, keep
from tests.selling.conftest import seen
from tests.selling.test_pictures_stand_in_the_shop import large

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def beside_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Playwright keeps an event loop in this thread; Django takes that for a danger to its connections."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


def reviews(batch: Any) -> list[tuple[str, str]]:
    return [(row.review, row.review_reason) for row in pictures(batch)]


def test_a_batch_is_judged_with_keys_and_what_is_approved_goes_into_the_shop_and_back_out(
    alice: Client, house: House, executor: Scripted
) -> None:
    batch = order(house, name="Spring", garments=ids(garments(house, 2)), **looks(2))
    while carry_out_next() is not None:
        pass
    for picture in pictures(batch):
        large(house, picture, 480)
    line = Line(alice)
    with chromium() as browser:
        page = line.open(browser, viewport={"width": 1280, "height": 900})
        page.goto(f"{SITE}/batches/{batch.pk}/")
        tiles = page.locator("[data-tile]")
        expect(tiles).to_have_count(4)
        expect(page.locator(".batch-why")).to_be_hidden()

        page.keyboard.press("j"), page.keyboard.press("a")
        expect(tiles.nth(0)).to_have_class("tile batch-tile here approved")
        page.keyboard.press("j"), page.keyboard.press("r")
        expect(page.locator("#batch-reasons")).to_be_visible()
        keep(page, "selling-reasons")
        page.keyboard.press("3")
        expect(tiles.nth(1)).to_have_class("tile batch-tile here rejected")
        expect(tiles.nth(1).locator("[data-reason]")).to_have_text("Hands, arms or legs look wrong")
        page.keyboard.press("u")
        expect(tiles.nth(1)).to_have_class("tile batch-tile here")
        page.keyboard.press("r"), page.keyboard.press("3")
        expect(tiles.nth(1).locator("button[name=redo]")).to_be_visible()
        assert reviews(batch) == [("approved", ""), ("rejected", "body"), ("", ""), ("", "")]
        keep(page, "selling-board")

        page.keyboard.press("f")
        expect(page.get_by_text("Being made again, free.", exact=True)).to_be_visible()
        with merchant_scope(house.merchant):
            assert Shoot.objects.get(made_as="redo").of_picture_id == pictures(batch)[1].pk

        page.get_by_role("button", name="Publish the approved").click()
        expect(page.get_by_text("1 picture is in the shop now.")).to_be_visible()
        assert seen(house)
        page.goto(f"{SITE}/shop/")
        expect(page.locator(".shop-tile")).to_have_count(1)
        page.wait_for_function("() => document.querySelector('.shop-tile img').naturalWidth > 0")
        keep(page, "selling-shop")
        page.get_by_role("button", name="Withdraw").click()
        page.locator("dialog#confirm").get_by_role("button", name="Withdraw").click()
        expect(page.get_by_text("Out of the shop.")).to_be_visible()
        assert seen(house) is None
        page.get_by_role("button", name="Put back").click()
        expect(page.get_by_text("The earlier picture is back.")).to_be_visible()
        keep(page, "selling-garment")
        page.context.close()
        _looks_right(line, browser, house)
    assert seen(house) and line.wrong == []
    with merchant_scope(house.merchant):
        assert [row.ended_as for row in Publication.objects.order_by("id")] == ["withdrawn", ""]


def _looks_right(line: Line, browser: Any, house: House) -> None:
    """On a phone, in the dark, in Chinese: nothing scrolls sideways."""
    line.client.cookies[settings.LANGUAGE_COOKIE_NAME] = "zh-hans"
    for name, options in {
        "phone": {"viewport": {"width": 320, "height": 700}},
        "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    }.items():
        page = line.open(browser, **options)
        for place, address in {
            "shop": "/shop/",
            "garment": f"/shop/garments/{house.garment.pk}/",
            "feeds": "/shop/feeds",
        }.items():
            page.goto(SITE + address)
            expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, place)
            keep(page, f"selling-{place}-{name}")
        page.context.close()
