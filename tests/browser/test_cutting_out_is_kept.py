"""What is marked is not lost: over a reload, another day, without a connection, beside somebody else's mask."""

from __future__ import annotations

import io
import json

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect

from studio.segmentation.masks import overlap
from tests.browser.conftest import Watch, keep
from tests.browser.cutting import BLUE, GREEN, READY, SIZE, Editor, Photo, drawn, editor, photo, post, shown_mask, until
from tests.browser.kept import drafts

__all__ = ["editor", "photo"]  # fixtures


def test_what_was_not_saved_is_back_after_a_reload_and_can_be_dropped(editor: Editor) -> None:
    editor.open().empty()
    editor.page.keyboard.press("b")
    editor.drag((0.3, 0.3), (0.7, 0.35))
    editor.says("Painted")
    before = shown_mask(editor)
    drafted(editor)
    editor.page.reload()
    editor.wait()
    expect(editor.root.get_by_text("Your unsaved changes are back.")).to_be_visible()
    assert np.array_equal(shown_mask(editor), before)
    editor.button("Drop them").click()
    editor.wait()
    expect(editor.root.get_by_text("Your unsaved changes are back.")).to_have_count(0)


def drafted(editor: Editor) -> None:
    """Until the device has written it down."""

    def written() -> bool:
        kept = drafts(editor.page).items()
        return any('strokes\\":[{' in draft and editor.photo.id in key for key, draft in kept)

    until(editor, written)


def test_a_saved_mask_s_steps_are_there_again_another_day(editor: Editor) -> None:
    editor.open().empty()
    editor.click(*editor.photo.inside)
    editor.says("Garment marked")
    editor.page.keyboard.press("b")
    editor.drag((0.2, 0.02), (0.8, 0.02))
    editor.says("Painted")
    shown = shown_mask(editor)
    editor.save()
    assert overlap(editor.saved(), shown) > 0.995
    assert len(json.dumps(editor.state()["mask"]["edits"])) < 200_000
    editor.page.reload()
    editor.wait()
    expect(editor.root.locator(".cutter-part")).to_have_count(2)
    assert overlap(shown_mask(editor), shown) > 0.99
    editor.root.get_by_role("button", name="Delete this part").last.click()
    until(editor, lambda: not shown_mask(editor)[int(0.02 * SIZE[1]), int(0.5 * SIZE[0])])


def test_a_mask_made_without_a_connection_goes_when_there_is_one(editor: Editor) -> None:
    editor.open().empty()
    editor.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    before = editor.state()["mask"]
    editor.page.context.set_offline(True)
    editor.click(*editor.photo.inside)
    editor.says("Garment marked")
    shown = shown_mask(editor)
    editor.root.get_by_role("button", name="Save", exact=True).click()
    expect(editor.root).to_have_attribute("data-saving", "waits")
    expect(editor.root.get_by_text("No connection.")).to_be_visible()
    keep(editor.page, "cut-offline")
    editor.page.context.set_offline(False)
    expect(editor.root).to_have_attribute("data-saving", "saved", timeout=READY)
    after = editor.state()["mask"]
    assert after is not None
    assert after["sha256"] != (before or {}).get("sha256")
    assert overlap(editor.saved(), shown) > 0.995


def test_another_s_mask_is_not_overwritten_unasked(editor: Editor, watch: Watch) -> None:
    editor.open().empty()
    editor.page.keyboard.press("b")
    editor.drag((0.3, 0.5), (0.7, 0.5))
    editor.says("Painted")
    mask = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    mask[200:300, 200:300] = 255
    buffer = io.BytesIO()
    Image.fromarray(mask).save(buffer, "PNG")
    base = (editor.state()["mask"] or {}).get("sha256", "")
    file = {"name": "mask.png", "mimeType": "image/png", "buffer": buffer.getvalue()}
    post(editor.page.context, editor.path.replace("state", "save"), {"mask": file, "edits": "{}", "base": base})

    watch.allowed.add(409)
    editor.root.get_by_role("button", name="Save", exact=True).click()
    expect(editor.root.get_by_text("Somebody has saved another mask")).to_be_visible()
    assert np.array_equal(editor.saved(), mask >= 128)
    editor.button("Save mine instead").click()
    expect(editor.root).to_have_attribute("data-saving", "saved")
    assert editor.saved()[480, 320]
    assert not editor.saved()[250, 250]


def test_a_photo_is_marked_before_it_is_uploaded(merchant: Page) -> None:
    data, garment = drawn(GREEN)
    merchant.goto("/catalog/cut/new")
    merchant.locator(".cutter-drop input").set_input_files(
        {"name": "new.jpg", "mimeType": "image/jpeg", "buffer": data}
    )
    editor = Editor(merchant, Photo("", garment))
    editor.wait()
    editor.click(*editor.photo.inside)
    editor.says("Garment marked")
    shown = shown_mask(editor)
    editor.root.get_by_role("button", name="Save", exact=True).click()
    merchant.wait_for_url("**/catalog/photos/*/cut")
    there = Editor(merchant, Photo(merchant.url.split("/")[-2], garment))
    there.wait()
    assert overlap(there.saved(), shown) > 0.995


def test_a_photo_marked_without_a_connection_goes_up_with_its_mask(merchant: Page) -> None:
    data, garment = drawn(BLUE)
    merchant.goto("/catalog/cut/new")
    merchant.evaluate("navigator.serviceWorker.ready.then(() => true)")
    file = {"name": "underway.jpg", "mimeType": "image/jpeg", "buffer": data}
    merchant.locator(".cutter-drop input").set_input_files(file)
    editor = Editor(merchant, Photo("", garment))
    editor.wait()
    editor.click(*editor.photo.inside)
    editor.says("Garment marked")
    until(editor, lambda: len(local(merchant)) == 1)
    merchant.reload()
    merchant.get_by_role("button", name="Go on with underway.jpg").click()
    editor.wait()
    until(editor, lambda: bool(shown_mask(editor).any()))
    shown = shown_mask(editor)
    merchant.context.set_offline(True)
    editor.root.get_by_role("button", name="Save", exact=True).click()
    expect(editor.root).to_have_attribute("data-saving", "waits")
    assert len(local(merchant)) == 1, "it is kept until it has arrived"
    merchant.context.set_offline(False)
    merchant.goto("/catalog/")  # any page sends what waits
    expect(merchant.locator("[data-waiting]").first).to_be_hidden(timeout=READY)
    until(editor, lambda: local(merchant) == [])
    again = post(merchant.context, "/catalog/upload", {"photos": {**file, "buffer": data}})
    there = Editor(merchant, Photo(again["items"][0]["photo"], garment)).open()
    assert overlap(there.saved(), shown) > 0.995


def local(page: Page) -> list[str]:
    """Drafts of photos that were never uploaded."""
    return [key for key in drafts(page) if key.startswith("mask/new:")]
