"""Staff decide with the keyboard alone, on a phone by touch, and every staff page keeps to the content policy."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DESK, Watch, keep, tab
from tests.browser.house import CONFIGURED, ROOT, House

PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def desk(house: House) -> dict[str, Any]:
    """A member of staff, and four uploads that wait."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(CONFIGURED)}
    clean |= {"IMODEL_DATA": str(house.data), "DJANGO_SETTINGS_MODULE": "imodel_site.settings"}
    command = [sys.executable, "-m", "tests.browser.staffing"]
    done = subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


@pytest.fixture
def staff(browser: Browser, house: House, watch: Watch, desk: dict[str, Any]) -> Iterator[Page]:
    """Their browser."""
    context = browser.new_context(base_url=house.url, viewport=DESK, locale="en-GB")
    context.add_cookies([{"name": "session", "value": desk["session"], "url": house.url}])
    yield tab(context, watch)
    context.close()


def test_the_keyboard_decides_takes_back_and_goes_on(staff: Page, desk: dict[str, Any]) -> None:
    page, (first, second, third, fourth) = staff, desk["cases"]
    page.goto("/staff/moderation/")
    keep(page, "staff-queue")
    here = page.locator(".case.here")
    expect(here).to_have_id(f"case-{first}")
    page.keyboard.press("a")
    expect(page.locator(f"#case-{first} [data-said]")).to_have_text("1 approved.")
    expect(here).to_have_id(f"case-{second}")
    page.keyboard.press("2")  # without r before it, a number does nothing
    page.keyboard.press("r")
    page.keyboard.press("2")
    expect(page.locator(f"#case-{second} [data-said]")).to_have_text("1 rejected: A child or a teenager.")
    expect(here).to_have_id(f"case-{third}")
    page.keyboard.press("u")
    expect(page.locator(f"#case-{second} [data-decide]")).to_be_visible()
    expect(here).to_have_id(f"case-{second}")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    expect(here).to_have_id(f"case-{fourth}")
    page.keyboard.press("x")
    expect(page.locator("[data-bulk] [data-count]")).to_have_text("2")
    page.locator("[data-bulk] select").select_option("violence")
    page.locator("[data-bulk] [value=rejected]").click()
    expect(page.locator("[data-case]")).to_have_count(1)
    expect(page.locator("[data-case]")).to_have_id(f"case-{second}")
    page.goto("/staff/moderation/?state=decided")
    expect(page.locator("[data-case]")).to_have_count(3)


def test_a_note_that_is_missing_is_asked_for_where_it_belongs(staff: Page, desk: dict[str, Any], watch: Watch) -> None:
    watch.allowed.add(400)
    page, case = staff, desk["cases"][0]
    page.goto(f"/staff/moderation/{case}/")
    page.keyboard.press("r")
    page.keyboard.press("8")
    expect(page.locator("[data-trouble]")).to_contain_text("Say what the reason is")
    page.locator("[name=note]").fill("ar")  # letters that would decide, typed into a field
    expect(page.locator("[data-decide]")).to_be_visible()


def test_no_staff_page_breaks_the_policy_or_scrolls_sideways(staff: Page, desk: dict[str, Any]) -> None:
    page = staff
    page.goto(f"/staff/moderation/{desk['cases'][0]}/")
    shop = page.locator(".case-shop h2 a").get_attribute("href") or ""
    admin = ["/staff/", *(f"/staff/accounts/{name}/" for name in ("merchant", "user", "plan", "auditentry"))]
    for address in ("/staff/moderation/?state=all", shop, *admin, "/staff/accounts/plan/studio/change/"):
        page.goto(address)
        page.set_viewport_size(PHONE)
        wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert not wide or address in admin, address  # Django's own lists scroll inside of theirs
        page.set_viewport_size(DESK)
