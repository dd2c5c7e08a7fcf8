"""A merchant clicks the garment on a photo and its mask is there, made in the browser: by mouse, keys and finger."""

from __future__ import annotations

import numpy as np
from playwright.sync_api import expect

from studio.segmentation.masks import overlap
from tests.browser.conftest import keep
from tests.browser.cutting import GOOD, SIZE, Editor, editor, phone, photo, shown_mask, until

__all__ = ["editor", "phone", "photo"]  # fixtures


def test_clicks_give_the_garment_to_the_pixel_and_the_server_keeps_it(editor: Editor) -> None:
    editor.open().empty()
    assert editor.page.evaluate("crossOriginIsolated"), "threads need it"
    assert editor.root.get_attribute("data-where") == "device"
    keep(editor.page, "cut-empty")
    editor.click(*editor.photo.inside)
    editor.says("Garment marked")
    keep(editor.page, "cut-clicked")
    refine(editor)
    editor.save()
    keep(editor.page, "cut-saved")
    assert overlap(editor.saved(), editor.photo.garment) >= GOOD


def refine(editor: Editor) -> None:
    """Two more clicks, each where a person would see the most wrong: in the middle of the largest mistake."""
    import cv2

    for _turn in range(2):
        shown = shown_mask(editor)
        wrong = shown ^ editor.photo.garment
        if overlap(shown, editor.photo.garment) >= 0.93:
            return
        count, labels, stats, _middles = cv2.connectedComponentsWithStats(wrong.astype(np.uint8), connectivity=4)
        largest = labels == 1 + int(stats[1:count, cv2.CC_STAT_AREA].argmax())
        depth = cv2.distanceTransform(np.pad(largest, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
        y, x = np.unravel_index(int(depth.argmax()), depth.shape)
        place = ((float(x) + 0.5) / SIZE[0], (float(y) + 0.5) / SIZE[1])
        if editor.photo.garment[y, x]:
            editor.click(*place)
            editor.says("Garment marked")
        else:
            editor.page.keyboard.down("Alt")
            editor.click(*place)
            editor.page.keyboard.up("Alt")
            editor.says("Taken away")


def test_a_box_a_brush_and_an_eraser_do_what_they_say_and_undo_takes_each_back(editor: Editor) -> None:
    editor.open().empty()
    rows, columns = np.nonzero(editor.photo.garment)
    left, top = columns.min() / SIZE[0], rows.min() / SIZE[1]
    editor.drag((left, top), (columns.max() / SIZE[0], rows.max() / SIZE[1]))
    boxed = editor.says("Garment marked")

    editor.page.keyboard.press("b")
    painted, rubbed = (int(0.25 * SIZE[1]), int(0.05 * SIZE[0])), (int(0.14 * SIZE[1]), int(0.05 * SIZE[0]))
    editor.drag((0.05, 0.06), (0.05, 0.3))
    until(editor, lambda: shown_mask(editor)[painted] and shown_mask(editor)[rubbed])
    editor.page.keyboard.press("e")
    editor.drag((0.05, 0.12), (0.05, 0.16))
    until(editor, lambda: not shown_mask(editor)[rubbed])
    assert shown_mask(editor)[painted]

    editor.page.keyboard.press("Control+z")
    until(editor, lambda: bool(shown_mask(editor)[rubbed]))
    editor.page.keyboard.press("Control+z")
    expect(editor.root.locator(".cutter-part:not(.next)")).to_have_count(1)
    expect(editor.status).to_contain_text(f"{boxed:.0f} percent")
    editor.page.keyboard.press("Control+y")
    editor.says("Done again")
    expect(editor.root.locator(".cutter-part:not(.next)")).to_have_count(2)


def test_everything_works_without_a_mouse(editor: Editor) -> None:
    editor.open().empty()
    stage = editor.root.get_by_role("application")
    stage.focus()
    expect(stage).to_have_accessible_name("Photo. Click the garment to mark it.")
    editor.page.keyboard.press("ArrowDown")
    expect(editor.root.locator(".cutter-dot.cursor")).to_be_visible()
    editor.page.keyboard.press("Enter")
    editor.says("Garment marked")
    editor.page.keyboard.press("?")
    shortcuts = editor.page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(shortcuts).to_contain_text("Larger brush")  # the site's own list has the same name
    keep(editor.page, "cut-shortcuts")
    editor.page.keyboard.press("Escape")
    wide = editor.page.locator(".cutter-photo").bounding_box()
    stage.focus()
    editor.page.keyboard.press("+")
    closer = editor.page.locator(".cutter-photo").bounding_box()
    assert wide is not None
    assert closer is not None
    assert closer["width"] > wide["width"] * 1.2
    editor.page.keyboard.press("s")
    expect(editor.root).to_have_attribute("data-saving", "saved")


def test_a_finger_marks_the_garment_on_a_phone(phone: Editor) -> None:
    phone.open()
    keep(phone.page, "cut-phone")
    phone.root.get_by_role("button", name="Parts and edge").tap()
    expect(phone.button("Start empty")).to_be_visible()
    phone.button("Start empty").tap()
    keep(phone.page, "cut-phone-parts")
    phone.root.get_by_role("button", name="Parts and edge").tap()
    expect(phone.button("New part")).to_be_hidden()  # the panel has slid away
    phone.page.touchscreen.tap(*phone.at(*phone.photo.inside))
    phone.says("Garment marked")
    keep(phone.page, "cut-phone-clicked")
    assert phone.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    small = phone.page.evaluate(
        """() => [...document.querySelectorAll(".cutter button, .cutter input")].filter((one) => {
          const { width, height } = (one.closest("label") ?? one).getBoundingClientRect();
          return width && one.checkVisibility({ visibilityProperty: true }) && (width < 40 || height < 40);
        }).map((one) => one.outerHTML.slice(0, 80))"""
    )
    assert small == []
    phone.save()
