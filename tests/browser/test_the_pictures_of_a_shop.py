"""The Shoot page's steps and sketch, progress by events and without, the grid at some hundred pictures, keys, drops."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Watch, keep, tab
from tests.browser.house import ROOT, House

PHONE = {"width": 390, "height": 844}
DROP = """(files) => {
  const carried = new DataTransfer();
  for (const [name, data] of files) {
    carried.items.add(new File([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], name, { type: "image/png" }));
  }
  const say = (kind) => {
    document.body.dispatchEvent(new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true }));
  };
  say("dragover");
  const veil = document.querySelector(".drop-veil")?.textContent;
  say("drop");
  return veil;
}"""
# In the folder of the house that is running: rows of finished pictures that share one file.
FILL = """
import os
from imodel_site import embedded
embedded.apply(os.environ, create=False)
import django
django.setup()
from accounts.models import Merchant
from accounts.scoping import merchant_scope, unscoped
from bench.web_rows import _pictures
from catalog.models import Garment
from generation.models import Picture
with unscoped("test"):
    merchant = Merchant.objects.order_by("id").first()
with merchant_scope(merchant):
    real = Picture.objects.order_by("id").first()
    coats = (Garment(name=f"Coat {n}", sku=f"GRID-{n}", search=f"coat {n}") for n in range(200))
    rows = Garment.objects.bulk_create(coats)
    _pictures(list(rows))
    if real is not None:  # so that the pages of later tests show pictures that are there
        Picture.objects.filter(garment__sku__startswith="GRID-").update(files=real.files)
"""


@pytest.fixture(scope="session")
def filled(house: House) -> None:
    """The demo shop with 400 pictures more."""
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("IMODEL_", "DATABASE_", "REDIS_"))
    }
    environment = clean | {"IMODEL_DATA": str(house.data), "DJANGO_SETTINGS_MODULE": "imodel_site.settings"}
    command = [sys.executable, "-c", FILL]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)


@pytest.fixture
def phone(browser: Browser, house: House, watch: Watch, demo_state: Any) -> Iterator[Page]:
    """The demo person on a phone."""
    context = browser.new_context(
        base_url=house.url, viewport=PHONE, locale="en-GB", storage_state=demo_state, has_touch=True, is_mobile=True
    )
    yield tab(context, watch)
    context.close()


# --- the Shoot page ---------------------------------------------------------------------------------------------------
def test_on_a_phone_the_choices_are_three_steps_and_the_button_is_always_there(phone: Page) -> None:
    phone.goto("/shoot/")
    photo, look = phone.locator("[data-step='1']"), phone.locator("[data-step='2']")
    expect(photo).to_be_visible()
    expect(look).to_be_hidden()
    expect(phone.get_by_role("button", name="Make 2 pictures")).to_be_in_viewport()
    phone.get_by_role("button", name="Next step").click()
    expect(look).to_be_visible()
    expect(photo).to_be_hidden()
    expect(phone.get_by_role("button", name="Make 2 pictures")).to_be_in_viewport()
    expect(phone.locator(".sketch")).to_be_visible()
    phone.get_by_role("button", name="Next step").click()
    expect(phone.get_by_role("button", name="Next step")).to_be_disabled()
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_choice_changes_the_sketch_and_its_words_at_once(merchant: Page) -> None:
    merchant.goto("/shoot/")
    drawn = "document.querySelector('.sketch canvas').toDataURL()"
    words = merchant.locator("[data-summary]")
    expect(words).not_to_be_empty()
    merchant.wait_for_load_state("networkidle")
    before, said = merchant.evaluate(drawn), words.inner_text()
    merchant.locator("input[name=scene]:not(:checked)").first.check(force=True)
    expect(words).not_to_have_text(said)
    for _try in range(100):  # its picture has to come and to be drawn
        if merchant.evaluate(drawn) != before:
            break
        merchant.wait_for_timeout(100)
    else:
        raise AssertionError("the sketch stayed as it was")


def test_another_photo_comes_without_a_new_page_and_the_other_choices_stay(merchant: Page) -> None:
    merchant.goto("/shoot/")
    merchant.evaluate("window.same = true")
    merchant.locator("input[name=crop][value=waist-up]").check(force=True)
    picked = merchant.locator("input[name=photo]:not(:checked)").first
    photo = picked.get_attribute("value")
    picked.check(force=True)
    merchant.wait_for_url(f"**photo={photo}*")
    assert merchant.evaluate("window.same") is True
    expect(merchant.locator("input[name=photo]:checked")).to_have_value(str(photo))
    expect(merchant.locator("input[name=crop]:checked")).to_have_value("waist-up")


# --- progress ---------------------------------------------------------------------------------------------------------
def ordered(page: Page) -> None:
    page.goto("/shoot/")
    page.locator("select[name=count]").select_option("1")
    page.locator("[data-make]").click()
    page.wait_for_url("**/shoots/**")


def test_progress_arrives_by_events_and_nothing_is_polled(merchant: Page) -> None:
    asked: list[str] = []
    merchant.on("request", lambda request: asked.append(request.url))
    with merchant.expect_response("**/stream") as stream:
        ordered(merchant)
    assert stream.value.headers["content-type"].startswith("text/event-stream")
    expect(merchant.locator(".gallery.large, [data-eta]:not(:empty), [data-preview][src]").first).to_be_visible(
        timeout=120_000
    )
    assert not [url for url in asked if url.endswith("/progress")]
    _cancel(merchant)


def test_where_the_stream_is_refused_the_page_asks_by_itself(merchant: Page) -> None:
    merchant.route("**/stream", lambda route: route.fulfill(status=204))
    with merchant.expect_response("**/progress", timeout=60_000) as answer:
        ordered(merchant)
    assert answer.value.json()["done"] is False
    expect(merchant.locator("[data-stage]")).not_to_be_empty()
    # A handler that is asked while its browser closes waits for ever, and the run with it.
    merchant.unroute_all(behavior="ignoreErrors")
    _cancel(merchant)


def _cancel(page: Page) -> None:
    """The worker has better things to do."""
    button = page.get_by_role("button", name="Cancel")
    if button.is_visible():
        with page.expect_navigation():
            button.click()


# --- the grid ---------------------------------------------------------------------------------------------------------
SCROLL_TO = """([words, step]) => new Promise((done) => {
  const began = performance.now();
  let most = 0;
  const go = () => {
    most = Math.max(most, document.querySelectorAll(".tile").length);
    const there = [...document.querySelectorAll(".tile-name")].some((name) => name.textContent === words);
    if (there || performance.now() - began > 90_000) return done({ there, most });
    scrollBy(0, step);
    requestAnimationFrame(go);
  };
  go();
})"""


@pytest.fixture
def grid(merchant: Page, watch: Watch, filled: None) -> Page:
    """All pictures, drawn by the island."""
    watch.allowed.add(404)  # the rows share a file that is not there
    merchant.goto("/pictures/")
    expect(merchant.locator(".gallery[data-ready] .tile[data-id]").first).to_be_visible()
    return merchant


def test_the_grid_reaches_the_oldest_picture_and_draws_only_a_few_screens(grid: Page) -> None:
    first = grid.locator(".tile[data-id]").first.get_attribute("data-id")
    found = grid.evaluate(SCROLL_TO, ["Coat 0", 600])
    assert found["there"] and found["most"] < 120
    assert grid.locator(f"[data-id='{first}']").count() == 0
    keep(grid, "pictures-grid-end")


def test_the_way_back_leads_to_where_the_grid_was_left(grid: Page) -> None:
    assert grid.evaluate(SCROLL_TO, ["Coat 100", 300])["there"]
    tile = grid.locator(".tile", has=grid.get_by_text("Coat 100", exact=True)).first
    tile.scroll_into_view_if_needed()
    identity, before = tile.get_attribute("data-id"), tile.bounding_box()
    tile.locator("a.picture").click()
    grid.wait_for_url(f"**/pictures/{identity}/**")
    grid.go_back()
    again = grid.locator(f".tile[data-id='{identity}']")
    expect(again).to_be_in_viewport()
    after = again.bounding_box()
    assert before and after and abs(before["y"] - after["y"]) < 5


def test_keys_go_on_choose_and_mark(grid: Page) -> None:
    for key in "jjx":
        grid.keyboard.press(key)
    here = grid.locator(".tile.here")
    expect(here.locator(".tile-pick")).to_be_checked()
    expect(grid.locator(".selection-bar [data-count]")).to_have_text("1")
    heart = here.locator("[data-favourite]")
    with grid.expect_response("**/favourite"):
        grid.keyboard.press("f")
    expect(heart).to_have_attribute("aria-pressed", "true")
    grid.keyboard.press("Escape")
    expect(grid.locator(".selection-bar")).to_be_hidden()


def test_a_deletion_is_taken_back_from_its_toast(grid: Page) -> None:
    tile = grid.locator(".tile[data-id]").nth(2)
    identity = tile.get_attribute("data-id")
    tile.locator(".tile-pick").check(force=True)
    grid.locator(".selection-bar").get_by_role("button", name="Delete").click()
    expect(grid.locator(f"[data-id='{identity}']")).to_have_count(0)
    grid.get_by_role("button", name="Undo").click()
    expect(grid.locator(f"[data-id='{identity}']")).to_have_count(1)


# --- keys and files everywhere ----------------------------------------------------------------------------------------
def test_the_list_of_keys_opens_and_a_pair_of_keys_goes_somewhere(merchant: Page) -> None:
    merchant.goto("/catalog/")
    merchant.keyboard.press("?")
    expect(merchant.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    merchant.keyboard.press("Escape")
    merchant.keyboard.press("/")
    expect(merchant.get_by_role("searchbox", name="Search garments").first).to_be_focused()
    merchant.keyboard.press("?")
    expect(merchant.get_by_role("dialog")).to_have_count(0)
    merchant.get_by_role("heading", level=1).click()
    merchant.keyboard.press("g")
    merchant.keyboard.press("s")
    merchant.wait_for_url("**/shoot/**")


def test_a_photo_let_go_anywhere_on_the_page_is_added(merchant: Page) -> None:
    photo = base64.b64encode((ROOT / "frontend/plain/img/front/before.webp").read_bytes()).decode()
    merchant.goto("/shoot/")
    with merchant.expect_response("**/shoot/upload") as answer:
        veil = merchant.evaluate(DROP, [["dropped.png", photo]])
    assert veil == "Let go to add these photos"
    assert answer.value.status == 201
    merchant.wait_for_url("**photo=*")
    expect(merchant.locator(".drop-veil")).to_have_count(0)
