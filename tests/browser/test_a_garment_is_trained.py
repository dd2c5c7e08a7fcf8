"""A garment is learned on the pages: chosen, checked, started, watched, stopped, and offered at the Shoot page."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DESK, Watch, keep, tab
from tests.browser.house import House
from tests.browser.test_the_pictures_of_a_shop import PHONE

GARMENT = "Zigzag dress"  # the sample shop's, with nine photos
A_CHECK, A_START, AN_END = 480_000, 300_000, 300_000  # ms; only what fails waits that long, and machines are shared


def test_from_photos_to_an_adapter_that_the_shoot_page_offers(
    merchant: Page, browser: Browser, house: House, watch: Watch, demo_state: Any
) -> None:
    page = merchant
    choose(page)
    check(page)
    start_and_watch(page)
    stop(page)
    versions = use(page)
    for name in LOOKS:
        see(browser, house, watch, demo_state, name, versions)


# viewport, theme, language
LOOKS = {"phone": (PHONE, "light", "en"), "dark": (DESK, "dark", "en"), "chinese": (PHONE, "dark", "zh-hans")}


def choose(page: Page) -> None:
    """Which garment."""
    page.goto("/training/")
    page.get_by_role("main").get_by_role("link", name="Train a garment").first.click()
    page.locator("label", has_text=GARMENT).first.click()
    keep(page, "training-garment")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(re.compile(r"/training/sets/[0-9a-f-]{36}/"))


def check(page: Page) -> None:
    """The check runs by itself and writes captions; then it may start."""
    begin = page.get_by_role("button", name="Start the training")
    expect(begin).to_be_enabled(timeout=A_CHECK)
    captions = page.locator("textarea[name^=caption-]")
    assert captions.count() >= 7
    trigger = page.get_by_label("Trigger word").input_value()
    assert f"wearing {trigger} dress" in captions.first.input_value()
    keep(page, "training-set")


def start_and_watch(page: Page) -> None:
    """Quick; the page draws curves as it goes, and the top bar counts it."""
    page.get_by_text("Quick", exact=True).click()
    page.get_by_role("button", name="Start the training").click()
    page.wait_for_url(re.compile(r"/training/[0-9a-f-]{36}/"))
    expect(page.get_by_role("button", name="Stop and keep it")).to_be_visible(timeout=A_START)  # it waited at first
    steps = page.locator(".facts dd").first
    expect(steps).to_contain_text(re.compile(r"^[1-9]\d* /"), timeout=A_START)
    expect(page.locator("[data-live] svg").first).to_be_visible()
    expect(page.locator("a[data-running] .num")).to_have_text(re.compile(r"[1-9]"))
    keep(page, "training-live")


def stop(page: Page) -> None:
    """What was learned so far is kept and chosen."""
    page.get_by_role("button", name="Stop and keep it").click()
    page.locator("dialog#confirm [data-yes]").click()
    expect(page.get_by_role("heading", name=re.compile(r"Step \d+ was chosen"))).to_be_visible(timeout=AN_END)
    expect(page.get_by_text("It was stopped before its last step.")).to_be_visible()
    keep(page, "training-result")


def use(page: Page) -> str:
    """Its first version is in use, can be had in both layouts, and is chosen where the adapter leads; their address."""
    page.get_by_role("link", name="Versions").click()
    page.wait_for_url("**/training/adapters/**")
    expect(page.locator(".in-use")).to_contain_text("Version 1")
    for link in ("safetensors", "kohya"):
        with page.expect_download() as download:
            page.get_by_role("link", name=link).click()
        assert download.value.suggested_filename.endswith(".safetensors")
    keep(page, "training-versions")
    address = page.url
    page.get_by_role("link", name="Use it in a shoot").click()
    chosen = page.locator("[name=adapter]:checked")
    assert chosen.get_attribute("value") == address.rstrip("/").rsplit("/", 1)[1]
    keep(page, "training-shoot")
    return address


def see(browser: Browser, house: House, watch: Watch, state: Any, name: str, versions: str) -> None:
    """The same pages on a phone, in the dark, in Chinese: nothing is wider than the screen."""
    viewport, theme, language = LOOKS[name]
    context = browser.new_context(base_url=house.url, storage_state=state, viewport=viewport)
    for cookie, value in (("theme", theme), ("language", language)):
        context.add_cookies([{"name": cookie, "value": value, "url": house.url}])
    page = tab(context, watch)
    pages = {
        "list": "/training/",
        "versions": versions,
        "delete": f"{versions}delete",
        "bring": "/training/sets/import",
    }
    for part, address in pages.items():
        page.goto(address)
        fits(page, f"training-{name}-{part}")
    page.goto("/training/")
    page.locator("section[aria-labelledby=runs] a").first.click()
    page.wait_for_url(re.compile(r"/training/[0-9a-f-]{36}/"))
    fits(page, f"training-{name}-result")
    page.locator("a[href*='/training/sets/']").first.click()
    page.wait_for_url("**/training/sets/**")
    fits(page, f"training-{name}-set")
    context.close()


def fits(page: Page, name: str) -> None:
    """No sideways scroll; a picture is kept."""
    spare = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    keep(page, name)
    assert spare <= 0, name
