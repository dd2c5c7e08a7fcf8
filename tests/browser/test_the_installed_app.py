"""The worker in the real stack: repeat visits, new versions, no connection, nothing left for the next person."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import DESK, Watch, keep, tab
from tests.browser.house import House

CANARY = "Demo Atelier"  # the first merchant's name: on each of its pages
ADDRESS, PASSWORD = "wipe@atelier.example", "a long enough password 7"
READY = "navigator.serviceWorker.ready.then(found => found.active.state)"
CONTROLLED = "document.querySelector('html') && navigator.serviceWorker.controller !== null"
# Everything that a page of ours could have left: each body in each cache, each row, each key.
LEFT = """async () => {
  const texts = [JSON.stringify({...localStorage}), JSON.stringify({...sessionStorage}), document.cookie];
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    texts.push(name);
    for (const request of await cache.keys()) {
      const kept = await cache.match(request);
      texts.push(request.url, JSON.stringify([...kept.headers]));
      if (/text|json|javascript/.test(kept.headers.get("Content-Type") ?? "")) texts.push(await kept.text());
    }
  }
  const open = (name) => new Promise((done, failed) => {
    const asked = indexedDB.open(name);
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => failed(asked.error);
  });
  const all = (store) => new Promise((done) => {
    const asked = store.getAll();
    asked.onsuccess = () => done(JSON.stringify(asked.result));
  });
  for (const {name} of await indexedDB.databases()) {
    const db = await open(name);
    for (const store of db.objectStoreNames) texts.push(await all(db.transaction(store).objectStore(store)));
    texts.push(name);
    db.close();
  }
  return texts.join("\\n");
}"""


@pytest.fixture
def line(browser: Browser, house: House, watch: Watch, demo_state: Any) -> Iterator[Page]:
    """The demo person's tab, with a worker that serves it already."""
    context = browser.new_context(base_url=house.url, viewport=DESK, locale="en-GB", storage_state=demo_state)
    page = tab(context, watch)
    page.goto("/catalog/")
    settle(page)
    yield page
    context.set_offline(False)
    context.close()


def settle(page: Page) -> None:
    """Until the worker is there and serves this tab."""
    assert page.evaluate(READY) in ("activating", "activated")
    for _ in range(600):  # it keeps 13 MB of weights first, on a machine that may do much else
        if page.evaluate(CONTROLLED):
            return
        page.wait_for_timeout(100)
    raise AssertionError("the worker did not take the tab")


def seen(page: Page, path: str) -> None:
    """Visit, and wait until the worker has kept it."""
    page.goto(path)
    for _ in range(100):
        if page.evaluate("path => caches.match(path).then(Boolean)", path):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{path} was not kept")


def is_kept(page: Page) -> bool:
    """Whether the page is the worker's copy."""
    return page.locator("meta[name=kept]").count() == 1


def test_a_second_visit_is_served_by_the_worker_and_is_the_same_page(line: Page) -> None:
    seen(line, "/catalog/")
    assert not is_kept(line)
    names = line.locator(".garment-card, .card").all_inner_texts()
    line.goto("/catalog/")
    assert is_kept(line)
    assert line.locator(".garment-card, .card").all_inner_texts() == names
    line.wait_for_timeout(1500)
    assert is_kept(line), "a page that did not change is not loaded again"


def test_kept_pages_hold_no_signed_address_and_their_pictures_come_all_the_same(line: Page) -> None:
    seen(line, "/catalog/")
    line.goto("/catalog/")
    assert is_kept(line)
    assert "/media/s." not in line.evaluate(LEFT)
    first = line.locator("main img[src*='/media/of/']").first
    expect(first).to_be_visible()
    assert first.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0


def test_a_form_on_a_kept_page_is_accepted_and_the_page_after_it_is_fresh(line: Page) -> None:
    seen(line, "/catalog/")
    line.goto("/catalog/")
    assert is_kept(line)
    line.locator("summary[aria-label='Language']").click()
    line.locator(".topbar button[value=zh-hans]").click()
    expect(line.locator("html")).to_have_attribute("lang", "zh-hans")
    assert not is_kept(line)


def test_a_theme_that_was_chosen_shows_on_pages_that_were_kept_before(line: Page) -> None:
    seen(line, "/shoots/")
    seen(line, "/catalog/")
    line.locator("summary[aria-label='Light or dark']").click()
    line.locator(".topbar button[value=dark]").click()
    expect(line.locator("html")).to_have_attribute("data-theme", "dark")
    line.goto("/shoots/")
    expect(line.locator("html")).to_have_attribute("data-theme", "dark")


def test_a_new_version_is_loaded_only_when_the_person_agrees(line: Page, house: House) -> None:
    code = house.data / "static" / "dist" / "sw.js"
    before = line.evaluate("navigator.serviceWorker.controller.scriptURL")
    code.write_text(code.read_text() + "\n// another version\n")
    seen(line, "/catalog/")
    line.evaluate("navigator.serviceWorker.ready.then(found => found.update())")
    offer = line.locator("[data-offer=version]")
    expect(offer).to_be_visible()
    assert line.evaluate("navigator.serviceWorker.ready.then(found => found.waiting !== null)")
    line.goto("/shoots/")
    expect(line.locator("[data-offer=version]")).to_be_visible()
    old = [name for name in line.evaluate("caches.keys()") if name.startswith("imodel:pages:")]
    keep(line, "new-version")
    with line.expect_navigation():
        line.locator("[data-offer=version] .primary").click()
    settle(line)
    assert line.evaluate("navigator.serviceWorker.ready.then(found => found.waiting)") is None
    assert not set(old) & set(line.evaluate("caches.keys()")), "the old version's pages are gone"
    assert before


def test_without_a_connection_seen_pages_open_and_the_others_are_told_of(line: Page) -> None:
    for path in ("/shoots/", "/pictures/", "/catalog/"):
        seen(line, path)
    line.wait_for_timeout(500)
    line.context.set_offline(True)
    line.goto("/catalog/")
    expect(line.locator(".offline-bar")).to_contain_text("No connection")
    photo = line.locator("main img").first
    assert photo.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    touch(line)
    line.goto("/pictures/")
    expect(line.locator("h1")).to_contain_text("Pictures")
    touch(line)
    line.goto("/catalog/new")
    expect(line.get_by_role("heading", name="No connection")).to_be_visible()
    expect(line.locator("[data-kept-pages] a[href$='/shoots/']")).to_be_visible()
    keep(line, "offline")
    line.set_viewport_size({"width": 390, "height": 800})
    keep(line, "offline-phone")
    assert line.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_signing_out_without_a_connection_forgets_nothing_and_says_so(line: Page) -> None:
    seen(line, "/catalog/")
    line.context.set_offline(True)
    line.goto("/catalog/")
    line.locator("summary[aria-label=Account]").click()
    line.get_by_role("button", name="Sign out").click()
    expect(line.get_by_role("heading", name="You are still signed in")).to_be_visible()
    expect(line.locator("[data-kept-pages] a[href$='/catalog/']")).to_be_visible()
    keep(line, "still-signed-in")
    line.get_by_role("button", name="Go back").click()
    line.wait_for_url("**/catalog/")
    assert is_kept(line)


def test_a_page_that_belongs_to_no_worker_is_taken_when_it_says_hello(line: Page) -> None:
    with line.expect_navigation():  # past the worker, as a page that was on its way while the worker took the others
        line.context.new_cdp_session(line).send("Page.reload", {"ignoreCache": True})
    settle(line)


def touch(page: Page) -> None:
    """As a finger would before it goes on: a page that learns of a newer one then asks instead of loading it."""
    page.locator("h1").click()


def shoots(page: Page) -> int:
    """How many the merchant has, asked of the server."""
    found = page.request.get("/api/v1/shoots?limit=100")
    assert found.ok, found.status
    return len(json.loads(found.text())["items"])


def arrived(page: Page, count: int) -> None:
    """Until the server has so many."""
    for _ in range(200):
        if shoots(page) >= count:
            break
        page.wait_for_timeout(100)
    assert shoots(page) == count


def test_a_shoot_started_without_a_connection_goes_once_when_there_is_one(line: Page) -> None:
    seen(line, "/shoot/")
    before = shoots(line)
    line.context.set_offline(True)
    line.goto("/shoot/")
    assert is_kept(line)
    line.get_by_role("button", name=re.compile("^Make ")).click()
    line.wait_for_url("**/offline/waiting")
    expect(line.locator("[data-waiting-item=shoot]")).to_have_count(1)
    keep(line, "waiting")
    line.goto("/shoot/")
    expect(line.locator("[data-waiting-count]").first).to_have_text("1")
    line.context.set_offline(False)
    arrived(line, before + 1)
    expect(line.locator("[data-waiting]").first).to_be_hidden()
    line.evaluate(
        "navigator.serviceWorker.controller.postMessage({type: 'send'}); window.dispatchEvent(new Event('online'))"
    )
    line.goto("/shoots/")
    assert shoots(line) == before + 1, "once"


def test_what_waits_can_be_cancelled(line: Page) -> None:
    seen(line, "/shoot/")
    before = shoots(line)
    line.context.set_offline(True)
    line.goto("/shoot/")
    line.get_by_role("button", name=re.compile("^Make ")).click()
    line.wait_for_url("**/offline/waiting")
    line.locator("[data-waiting-item]").get_by_role("button").click()
    expect(line.locator("[data-waiting-item]")).to_have_count(0)
    line.context.set_offline(False)
    line.goto("/shoots/")
    assert shoots(line) == before


def sign_out(page: Page) -> None:
    page.locator("summary[aria-label=Account]").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()


def sign_up(page: Page, house: House, address: str = ADDRESS, shop: str = "Second shop") -> None:
    page.goto("/account/signup/")
    page.get_by_label("Name of your shop").fill(shop)
    page.locator("[name=email]").fill(address)
    page.locator("[name=password1]").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    page.locator("[name=code]").fill(house.code_for(address))
    page.get_by_role("main").locator("button[type=submit]").first.click()
    page.wait_for_url("**/shoot/**")


def sign_in(context: BrowserContext, house: House, watch: Watch) -> Page:
    email, password = house.credentials()
    page = tab(context, watch)
    page.goto("/account/login/")
    page.locator("[name=login]").fill(email)
    page.locator("[name=password]").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/shoot/**")
    return page


def test_signing_out_leaves_nothing_and_the_next_merchant_finds_nothing(
    browser: Browser, house: House, watch: Watch
) -> None:
    """A session of its own: signing out ends it."""
    context = browser.new_context(base_url=house.url, viewport=DESK, locale="en-GB")
    page = sign_in(context, house, watch)
    settle(page)
    seen(page, "/catalog/")
    seen(page, "/shoots/")
    assert CANARY in page.evaluate(LEFT), "there is something to forget"
    other = tab(context, watch)
    other.goto("/catalog/")
    expect(other.get_by_text(CANARY).first).to_be_visible()
    sign_out(page)
    expect(other.get_by_text(CANARY)).to_have_count(0)
    other.close()
    page.goto("/account/login/")
    assert CANARY not in page.evaluate(LEFT)

    sign_up(page, house)
    settle(page)
    page.goto("/catalog/")
    expect(page.get_by_text("Second shop").first).to_be_visible()
    expect(page.get_by_text(CANARY)).to_have_count(0)
    left = page.evaluate(LEFT)
    assert CANARY not in left
    assert len(set(re.findall(r"imodel:(?:files:|pages:\w+:)?([0-9a-f]{32}\.[0-9a-f]{32})", left))) == 1
    context.close()
