"""Each page at a desk, on a phone and on the narrowest one: labels, names, alternatives, no sideways scroll."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Watch, keep, tab
from tests.browser.house import House

BASICS = Path(__file__).with_name("basics.js").read_text(encoding="utf-8")
SIZES = {"desk": (1280, 900), "phone": (390, 844), "narrow": (320, 640)}
STRANGER = ["/", "/account/login/", "/account/signup/", "/account/password/reset/", "/nothing-here"]
MEMBER = [
    "/shoot/", "/shoot/expert/", "/shoots/", "/pictures/", "/catalog/", "/catalog/new", "/catalog/import",
    "/catalog/library", "/settings", "/settings/people", "/settings/keys", "/account/email/",
    "/account/password/change/", "/account/2fa/", "/account/sessions/", "/nothing-here",
]  # fmt: skip
# Pages of one thing: where a link to one stands, and what it looks like.
ONE = {
    "shoot": ("/shoots/", "main a[href*='/shoots/']"),
    "garment": ("/catalog/", "main a[href*='/catalog/garments/']"),
}


@pytest.fixture(params=sorted(SIZES))
def size(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def pages(browser: Browser, house: House, watch: Watch, size: str, state: Any) -> Page:
    width, height = SIZES[size]
    context = browser.new_context(
        base_url=house.url, viewport={"width": width, "height": height}, locale="en-GB", storage_state=state
    )
    return tab(context, watch)


def look(page: Page, path: str, name: str, size: str) -> list[str]:
    answer = page.goto(path)
    assert answer is not None and (answer.status == 200 or "nothing" in path), f"{path}: {answer and answer.status}"
    page.wait_for_load_state("networkidle")
    keep(page, f"{size}/{name}")
    return [f"{path}: {line}" for line in page.evaluate(BASICS)]


def named(path: str) -> str:
    return path.strip("/").replace("/", "-") or "front"


def test_pages_for_strangers(browser: Browser, house: House, watch: Watch, size: str) -> None:
    watch.allowed = {404}
    page = pages(browser, house, watch, size, None)
    wrong = [line for path in STRANGER for line in look(page, path, f"stranger-{named(path)}", size)]
    page.context.close()
    assert wrong == []


def test_pages_for_members(browser: Browser, house: House, watch: Watch, size: str, demo_state: Any) -> None:
    watch.allowed = {404}
    page = pages(browser, house, watch, size, demo_state)
    wrong = [line for path in MEMBER for line in look(page, path, named(path), size)]
    for name, (where, link) in ONE.items():
        page.goto(where)
        address = page.locator(link).first.get_attribute("href")
        assert address, f"no {name} to look at"
        wrong += look(page, address, name, size)
    page.context.close()
    assert wrong == []


def test_the_language_changes_and_stays(merchant: Page) -> None:
    page = merchant
    page.goto("/catalog/")
    page.get_by_label("Language").click()
    page.get_by_role("button", name="简体中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    page.goto("/shoot/")
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    expect(page.get_by_role("navigation").first).to_contain_text(re.compile("[\u4e00-\u9fff]"))
    keep(page, "chinese")
    page.locator("summary[aria-label]").first.click()
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_dark_is_dark_and_stays(merchant: Page) -> None:
    page = merchant
    page.goto("/pictures/")
    page.get_by_label("Light or dark").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.goto("/catalog/")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    ground = page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    assert ground == "rgb(20, 22, 26)"
    keep(page, "dark")


def test_the_shop_menu_lies_over_the_rail(merchant: Page) -> None:
    page = merchant
    page.goto("/catalog/")
    page.locator("details.merchant > summary").click()
    item = page.locator("details.merchant .menu-item").first
    item.click(trial=True, position={"x": 8, "y": 8})  # its left end; fails when something else would be hit
