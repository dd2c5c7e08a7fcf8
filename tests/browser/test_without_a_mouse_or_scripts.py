"""The keyboard alone is enough, and so is a browser without scripts."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DESK, Watch, tab
from tests.browser.house import House

FOCUSED = """() => {
  const el = document.activeElement;
  if (!el || el === document.body) return null;
  const box = el.closest("label") || el;
  const style = (one) => getComputedStyle(one);
  const seen = (one) => style(one).outlineStyle !== "none" && parseFloat(style(one).outlineWidth) > 0;
  const ring = seen(el) || seen(box) || [...box.children].some(seen) || style(el).boxShadow !== "none"
    || style(box).boxShadow !== "none";
  return { what: (el.getAttribute("aria-label") || el.textContent || el.name || el.tagName).trim().slice(0, 60), ring };
}"""


def tab_until(page: Page, wanted: str, most: int = 150) -> None:
    """Press Tab until what has the focus says ``wanted``; each stop on the way must be visible."""
    stops = []
    for _ in range(most):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUSED)
        if stop is None:
            continue
        stops.append(stop["what"])
        assert stop["ring"], f"the focus on {stop['what']!r} can not be seen"
        if wanted in stop["what"]:
            return
    raise AssertionError(f"{wanted!r} was not reached: {stops}")


def test_sign_in_and_start_a_shoot_with_the_keyboard_alone(visitor: Page, house: House) -> None:
    page = visitor
    email, password = house.credentials()
    page.goto("/account/login/")
    page.keyboard.press("Tab")
    assert "Skip" in page.evaluate(FOCUSED)["what"]
    page.keyboard.press("Enter")
    page.locator("[name=login]").focus()
    page.keyboard.type(email)
    page.keyboard.press("Tab")
    page.keyboard.type(password)
    page.keyboard.press("Enter")
    page.wait_for_url("**/shoot/**")
    tab_until(page, "Make")
    page.keyboard.press("Enter")
    page.wait_for_url("**/shoots/*/")
    tab_until(page, "Cancel")
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_contain_text("cancel", ignore_case=True, timeout=60_000)


def test_a_shoot_starts_and_its_progress_is_seen_without_scripts(
    browser: Browser, house: House, watch: Watch, demo_state: Any
) -> None:
    context = browser.new_context(
        base_url=house.url, viewport=DESK, java_script_enabled=False, storage_state=demo_state, locale="en-GB"
    )
    page = tab(context, watch)
    page.goto("/shoot/")
    page.locator("button[data-make]").click()
    page.wait_for_url("**/shoots/*/")
    assert page.locator("noscript meta[http-equiv=refresh]").count() or page.locator("meta[http-equiv=refresh]").count()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("main")).to_contain_text("cancel", ignore_case=True, timeout=60_000)
    context.close()
