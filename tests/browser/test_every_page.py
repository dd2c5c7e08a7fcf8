"""Each page at a desk, on a phone and on the narrowest one, light and dark, in English and Chinese.

Looked for: labels, names, alternatives, no sideways scroll, and what axe-core finds.
A picture of each is kept in var/screenshots/ for people to look at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, TimeoutError, expect

from tests.browser.conftest import Watch, keep, tab
from tests.browser.cutting import READY
from tests.browser.house import ROOT, House

BASICS = Path(__file__).with_name("basics.js").read_text(encoding="utf-8")
AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
VIOLATIONS = """async () => (await axe.run(document, { resultTypes: ["violations"] })).violations.flatMap(
  (rule) => rule.nodes.map((node) => `${rule.id}: ${node.target.join(" ")}`))"""


@dataclass(frozen=True)
class Way:
    """How somebody looks at the pages."""

    width: int
    height: int
    language: str = "en"
    theme: str = "light"


WAYS = {
    "desk": Way(1280, 900),
    "phone": Way(390, 844),
    "narrow": Way(320, 640),
    "desk-dark": Way(1280, 900, theme="dark"),
    "phone-dark-chinese": Way(390, 844, "zh-hans", "dark"),
    "desk-chinese": Way(1280, 900, "zh-hans"),
}
STRANGER = ["/", "/account/login/", "/account/signup/", "/account/password/reset/", "/nothing-here"]
MEMBER = [
    "/shoot/", "/shoot/expert/", "/shoots/", "/pictures/", "/batches/", "/catalog/", "/catalog/new",
    "/catalog/import",
    "/catalog/library", "/settings", "/settings/people", "/settings/keys", "/account/email/",
    "/account/password/change/", "/account/2fa/", "/account/sessions/", "/nothing-here",
]  # fmt: skip
# Pages of one thing: where a link to one stands, and what it looks like.
ONE = {
    "one-shoot": ("/shoots/", "main td a[href^='/shoots/']"),
    "garment": ("/catalog/", "main a[href*='/catalog/garments/']"),
    "picture": ("/pictures/", "main a[href*='/pictures/']:not([href*='?'])"),
    "cut": ("garment", "main a[href$='/cut'], main a[href*='/cut?']"),
    "skeleton": ("garment", "main a[href$='/skeleton'], main a[href*='/skeleton?']"),
}


@pytest.fixture(params=sorted(WAYS))
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def pages(browser: Browser, house: House, watch: Watch, way: str, state: Any) -> Page:
    """A tab that looks that way; language and theme are the cookies that the site's own forms would set."""
    how = WAYS[way]
    context = browser.new_context(
        base_url=house.url,
        viewport={"width": how.width, "height": how.height},
        locale="en-GB" if how.language == "en" else "zh-CN",
        storage_state=state,
    )
    for name, value in (("language", how.language), ("theme", how.theme)):
        context.add_cookies([{"name": name, "value": value, "url": house.url}])
    return tab(context, watch)


def quiet(page: Page) -> None:
    """Until nothing more comes in; a page that follows a job never comes to that."""
    try:
        page.wait_for_load_state("networkidle", timeout=5_000)
    except TimeoutError:
        page.wait_for_load_state("load")


def look(page: Page, path: str, name: str, way: str) -> list[str]:
    answer = page.goto(path)
    assert answer is not None and (answer.status == 200 or "nothing" in path), f"{path}: {answer and answer.status}"
    quiet(page)
    if name == "cut":
        expect(page.locator(".cutter")).to_have_attribute("data-stage", "ready", timeout=READY)
    keep(page, f"{way}/{name}")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    return [f"{path}: {line}" for script in (BASICS, VIOLATIONS) for line in page.evaluate(script)]


def named(path: str) -> str:
    return path.strip("/").replace("/", "-") or "front"


def test_pages_for_strangers(browser: Browser, house: House, watch: Watch, way: str) -> None:
    watch.allowed = {404}
    page = pages(browser, house, watch, way, None)
    wrong = [line for path in STRANGER for line in look(page, path, f"stranger-{named(path)}", way)]
    page.context.close()
    assert wrong == []


@pytest.fixture(scope="module")
def pictured(browser: Browser, house: House, demo_state: Any) -> None:
    """Once the demo shop's first shoot, which runs by itself, has its picture."""
    context = browser.new_context(base_url=house.url, storage_state=demo_state)
    page = context.new_page()
    for _try in range(75):
        page.goto("/pictures/")
        if page.locator(".tile").count():
            break
        page.wait_for_timeout(4000)
    context.close()


@pytest.mark.usefixtures("pictured")
def test_pages_for_members(browser: Browser, house: House, watch: Watch, way: str, demo_state: Any) -> None:
    watch.allowed = {404}
    page = pages(browser, house, watch, way, demo_state)
    wrong = [line for path in MEMBER for line in look(page, path, named(path), way)]
    seen: dict[str, str] = {}
    for name, (where, link) in ONE.items():
        page.goto(seen.get(where, where))
        address = page.locator(link).first.get_attribute("href")
        assert address, f"no {name} to look at"
        seen[name] = address
        wrong += look(page, address, name, way)
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
