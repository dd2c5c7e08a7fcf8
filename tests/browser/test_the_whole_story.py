"""One merchant's first day, at a desk and on a phone: sign up, a photo, its garment, a picture, no line, goodbye."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from studio.mini.segmenter import clicks
from studio.segmentation.masks import Mask, overlap
from tests.browser.conftest import DESK, Watch, keep, tab
from tests.browser.cutting import GOOD, SIZE, Editor, Photo, drawn, shown_mask
from tests.browser.house import House
from tests.browser.test_the_installed_app import LEFT, is_kept, seen, settle, sign_out, sign_up
from tests.browser.test_the_pictures_of_a_shop import PHONE

A_SHOOT = 300_000  # ms; the demo's own shoot may be before it
CLICKS = 3  # the first in the garment's middle, then two where the most is wrong
ENOUGH = 0.93


@pytest.fixture(params=["desk", "phone"])
def newcomer(request: pytest.FixtureRequest, browser: Browser, house: House, watch: Watch) -> Iterator[Page]:
    """Somebody without an account, with a mouse or with a finger."""
    phone = request.param == "phone"
    context = browser.new_context(
        base_url=house.url,
        viewport=PHONE if phone else DESK,
        has_touch=phone,
        is_mobile=phone,
        locale="en-GB",
    )
    yield tab(context, watch)
    context.set_offline(False)
    context.close()


def test_from_a_new_account_to_a_picture_and_out_again(newcomer: Page, house: House) -> None:
    page, way = newcomer, "phone" if has_finger(newcomer) else "desk"
    shop = f"Story atelier {way}"
    sign_up(page, house, f"story-{way}@atelier.example", shop)
    settle(page)
    data, garment = drawn()
    photo = Photo(upload(page, data), garment)
    cut_out(Editor(page, photo), way)
    shoot(page, photo, way)
    see_history_without_a_line(page, way)
    assert shop in page.evaluate(LEFT), "there is something to forget"
    sign_out(page)
    page.goto("/account/login/")
    assert shop not in page.evaluate(LEFT)


def has_finger(page: Page) -> bool:
    return bool(page.evaluate("matchMedia('(pointer: coarse)').matches"))


def upload(page: Page, data: bytes) -> str:
    """Through the Shoot page, which then shows the photo; its id."""
    file = {"name": "dress.jpg", "mimeType": "image/jpeg", "buffer": data}
    page.locator("input[type=file][name=photos]").set_input_files(file)
    chosen = page.locator("[name=photo]:checked")
    expect(chosen).to_have_count(1, timeout=60_000)
    return str(chosen.get_attribute("value"))


# --- the garment ------------------------------------------------------------------------------------------------------
def cut_out(editor: Editor, way: str) -> None:
    """From the Shoot page to the editor, a few clicks, and what the server keeps is the garment."""
    editor.page.get_by_role("link", name="Mark the garment").click()
    editor.wait()
    start_empty(editor)
    for turn in range(CLICKS):
        found = shown_mask(editor)
        if overlap(found, editor.photo.garment) >= ENOUGH:
            break
        mark(editor, *next_click(found, editor.photo.garment, first=turn == 0))
    keep(editor.page, f"story-{way}-cut")
    editor.save()
    assert overlap(editor.saved(), editor.photo.garment) >= GOOD


def next_click(found: Mask, garment: Mask, *, first: bool) -> tuple[int, int, int]:
    """Where a person would press: in the middle of the garment, later in the middle of the largest mistake."""
    if first:
        return (*clicks.middle(garment), 1)
    place = clicks.correction(found, garment)
    assert place is not None
    return place


def mark(editor: Editor, x: int, y: int, label: int) -> None:
    """With the tool of that name, by mouse or by finger, and until it is said."""
    editor.root.get_by_role("toolbar").get_by_role("button", name="Add" if label else "Remove").click()
    place = editor.at((x + 0.5) / SIZE[0], (y + 0.5) / SIZE[1])
    if has_finger(editor.page):
        editor.page.touchscreen.tap(*place)
    else:
        editor.page.mouse.click(*place)
    editor.says("Garment marked" if label else "Taken away")


def start_empty(editor: Editor) -> None:
    """What was found by itself is put away; on a phone the button for it is in a drawer."""
    drawer = editor.root.get_by_role("button", name="Parts and edge")
    if drawer.is_visible():
        drawer.click()
    editor.empty()
    if drawer.is_visible():
        drawer.click()


# --- the picture ------------------------------------------------------------------------------------------------------
def shoot(page: Page, photo: Photo, way: str) -> None:
    """Back to the Shoot page, one picture, and its report."""
    page.get_by_role("link", name="Back").click()
    page.wait_for_url(f"**/shoot/?photo={photo.id}*")
    further = page.get_by_role("button", name="Next step")
    for _step in range(2):
        if further.is_visible():
            further.click()
    page.get_by_label("Pictures", exact=True).select_option("1")
    page.get_by_role("button", name="Make 1 picture").click()
    page.wait_for_url("**/shoots/*/")
    keep(page, f"story-{way}-progress")
    tile = page.locator(".gallery .tile a.picture").first
    expect(tile).to_be_visible(timeout=A_SHOOT)
    tile.click()
    page.wait_for_url(re.compile(r"/pictures/[0-9a-f-]{36}/"))
    page.get_by_text("The report, figure by figure").click()
    expect(page.locator(".pairs.figures").first).to_be_visible()
    keep(page, f"story-{way}-report")


def see_history_without_a_line(page: Page, way: str) -> None:
    """The picture is in the history, also where nothing answers."""
    seen(page, "/pictures/")
    expect(page.locator(".gallery .tile")).to_have_count(1)
    page.context.set_offline(True)
    page.goto("/pictures/")
    assert is_kept(page)
    expect(page.locator(".offline-bar")).to_contain_text("No connection")
    picture = page.locator(".gallery .tile img").first
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    keep(page, f"story-{way}-offline")
    with page.expect_navigation():  # a kept page that nobody touched loads itself anew, and would call off our visit
        page.context.set_offline(False)
    page.goto("/catalog/")
