"""The skeleton over the photo in a real browser: dragged, nudged, mirrored, posed, saved; by mouse, key and finger."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import Watch, keep, tab
from tests.browser.house import House
from tests.browser.kept import drafts

LEFT_SHOULDER, LEFT_WRIST, RIGHT_WRIST, NOSE = 11, 15, 16, 0
PHONE = {"width": 390, "height": 844}


def open_editor(page: Page, garment: str) -> str:
    """From the catalog by its links; the address of the editor, once the photo has been looked at."""
    page.goto(f"/catalog/?q={garment}")
    page.locator("a[href*='/catalog/garments/']").first.click()
    page.get_by_role("link", name="Pose", exact=True).click()
    joint(page, NOSE).wait_for()
    # The page loads itself again when the look is done.
    expect(page.locator(".sk-joint.is-seen").first).to_be_visible(timeout=120_000)
    expect(page.locator(".sk-control img")).to_be_visible()
    return page.url


def joint(page: Page, index: int) -> Locator:
    return page.locator(f"[data-joint='{index}']")


def middle(page: Page, index: int) -> tuple[float, float]:
    box = joint(page, index).bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def below_shoulder(page: Page, index: int) -> float:
    """In CSS pixels, wherever the page is scrolled to."""
    return middle(page, index)[1] - middle(page, LEFT_SHOULDER)[1]


def drag(page: Page, index: int, by: tuple[float, float]) -> None:
    x, y = middle(page, index)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + by[0] / 2, y + by[1] / 2)
    page.mouse.move(x + by[0], y + by[1])
    page.mouse.up()


def state(page: Page) -> dict[str, Any]:
    address = page.locator("[data-island=skeleton]").get_attribute("data-state")
    answer = page.request.get(str(address))
    assert answer.status == 200
    found: dict[str, Any] = answer.json()
    return found


def status(page: Page) -> Locator:
    return page.locator(".sk-saving [role=status]")


@pytest.fixture
def phone(browser: Browser, house: House, watch: Watch, demo_state: Any) -> Iterator[Page]:
    """The demo person on a phone, in the dark."""
    context = browser.new_context(
        base_url=house.url, viewport=PHONE, has_touch=True, is_mobile=True, locale="en-GB",
        storage_state=demo_state, color_scheme="dark",
    )  # fmt: skip
    yield tab(context, watch)
    context.close()


def test_a_joint_is_dragged_and_saved_and_a_shoot_stands_like_it(merchant: Page) -> None:
    page = merchant
    address = open_editor(page, "linen")
    before = state(page)
    assert before["saved"] is False
    (x, y), drawing = middle(page, LEFT_WRIST), page.locator(".sk-control img").get_attribute("src")
    drag(page, LEFT_WRIST, (60, -110))
    assert [round(after - was) for after, was in zip(middle(page, LEFT_WRIST), (x, y), strict=True)] == [60, -110]
    expect(joint(page, LEFT_WRIST)).to_have_accessible_name("Left wrist, set by hand")
    expect(joint(page, RIGHT_WRIST)).to_have_accessible_name("Right wrist, seen")
    expect(status(page)).to_have_text("Not saved yet")
    expect(page.locator(".sk-control img")).not_to_have_attribute("src", str(drawing))
    keep(page, "skeleton-desk")
    page.get_by_role("button", name="Save this pose").click()
    expect(status(page)).to_have_text("Saved")
    after = state(page)
    pairs = zip(after["rows"], before["rows"], strict=True)
    moved = [row for row, was in pairs if row[:2] != pytest.approx(was[:2], abs=0.02)]
    assert len(moved) == 4, "the wrist and the three fingers that hang on it"
    scale = (after["rows"][LEFT_WRIST][1] - before["rows"][LEFT_WRIST][1]) / -110
    assert after["rows"][LEFT_WRIST][0] - before["rows"][LEFT_WRIST][0] == pytest.approx(60 * scale, abs=1)
    page.goto(address)
    expect(joint(page, LEFT_WRIST)).to_have_class(re.compile("is-placed"))
    assert state(page)["version"] == after["version"]
    page.get_by_role("link", name="Shoot it").click()
    expect(page.locator("img.layer.pose")).to_have_attribute("src", re.compile("/skeleton/layer$"))
    page.goto(address)
    page.get_by_role("button", name="As it was seen").click()
    page.get_by_role("button", name="Save this pose").click()
    expect(status(page)).to_have_text("Nothing changed")
    assert state(page)["saved"] is False


def test_what_was_not_saved_is_there_after_a_reload_and_gone_once_it_is_undone(merchant: Page) -> None:
    page = merchant
    open_editor(page, "forest")
    x, y = middle(page, LEFT_WRIST)
    drag(page, LEFT_WRIST, (40, -60))
    expect(status(page)).to_have_text("Not saved yet")
    page.reload()
    expect(page.get_by_text("Your unsaved changes are back.")).to_be_visible()
    expect(joint(page, LEFT_WRIST)).to_have_accessible_name("Left wrist, set by hand")
    expect(joint(page, RIGHT_WRIST)).to_have_accessible_name("Right wrist, seen")
    assert middle(page, LEFT_WRIST) == pytest.approx((x + 40, y - 60), abs=1)
    page.get_by_role("button", name="As it was seen").click()
    expect(status(page)).to_have_text("Nothing changed")
    while any(key.startswith("skeleton/") for key in drafts(page)):  # the browser takes a moment to write
        page.wait_for_timeout(50)
    page.reload()
    joint(page, NOSE).wait_for()
    assert middle(page, LEFT_WRIST) == pytest.approx((x, y), abs=1)


def test_the_keyboard_does_all_of_it(merchant: Page) -> None:
    page = merchant
    open_editor(page, "forest")
    x, y = middle(page, LEFT_WRIST)
    joint(page, LEFT_WRIST).focus()
    for key in ("ArrowRight", "Shift+ArrowUp", "Shift+ArrowUp"):
        page.keyboard.press(key)
    moved_x, moved_y = middle(page, LEFT_WRIST)
    assert (round(moved_x - x), round(moved_y - y)) == (1, -20)
    page.keyboard.press("Control+z")
    assert middle(page, LEFT_WRIST) == pytest.approx((x, y), abs=0.5), "arrows in a row are one step"
    expect(joint(page, LEFT_WRIST)).to_have_class(re.compile("is-seen"))
    page.keyboard.press("Control+y")
    assert middle(page, LEFT_WRIST)[1] == pytest.approx(y - 20, abs=0.5)
    page.keyboard.press("Delete")
    expect(joint(page, LEFT_WRIST)).to_have_accessible_name("Left wrist, left out")
    page.get_by_role("button", name="Put back in").click()
    expect(joint(page, LEFT_WRIST)).to_have_accessible_name("Left wrist, set by hand")
    right = middle(page, RIGHT_WRIST)
    joint(page, LEFT_WRIST).focus()
    page.keyboard.press("m")
    assert middle(page, RIGHT_WRIST)[1] == pytest.approx(y - 20, abs=0.6), "the left hand is now the right one"
    assert middle(page, LEFT_WRIST)[1] == pytest.approx(right[1], abs=0.6)
    for _step in range(5):
        page.keyboard.press("Control+z")
    expect(status(page)).to_have_text("Nothing changed")
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()


def test_a_pose_is_taken_from_the_library_and_kept_as_ones_own(merchant: Page) -> None:
    page = merchant
    open_editor(page, "pinstripe")
    left, right, hip = below_shoulder(page, LEFT_WRIST), below_shoulder(page, RIGHT_WRIST), below_shoulder(page, 24)
    page.get_by_role("button", name="Hand to hair").click()
    expect(joint(page, LEFT_WRIST)).to_have_class(re.compile("is-placed"))
    assert left - below_shoulder(page, LEFT_WRIST) > 60
    assert abs(right - below_shoulder(page, RIGHT_WRIST)) < 30
    assert below_shoulder(page, 24) == pytest.approx(hip, abs=0.5), "shoulders and hips stay where the garment is"
    page.get_by_text("Keep as a pose of mine").click()
    page.get_by_label("Name of the pose").fill("Wave from the editor")
    page.get_by_role("button", name="Keep it").click()
    own = page.get_by_role("button", name=re.compile("Wave from the editor"))
    expect(own).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(status(page)).to_have_text("Nothing changed")
    own.click()
    expect(status(page)).to_have_text("Not saved yet")
    assert left - below_shoulder(page, LEFT_WRIST) > 60
    page.get_by_role("button", name="Undo").click()


def test_a_finger_drags_and_two_zoom(phone: Page) -> None:
    page = phone
    open_editor(page, "check")
    touch = page.context.new_cdp_session(page)
    page.locator(".sk-stage").scroll_into_view_if_needed()

    def fingers(kind: str, *points: tuple[float, float]) -> None:
        sent = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(points)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": sent})

    x, y = middle(page, LEFT_WRIST)
    fingers("touchStart", (x + 9, y + 6))  # a finger hits beside what it means
    fingers("touchMove", (x + 9, y - 20))
    fingers("touchMove", (x + 39, y - 44))
    fingers("touchEnd")
    assert middle(page, LEFT_WRIST) == pytest.approx((x + 30, y - 50), abs=1)
    keep(page, "skeleton-phone-dark")
    apart = middle(page, RIGHT_WRIST)[0] - middle(page, LEFT_WRIST)[0]
    box = page.locator(".sk-stage").bounding_box()
    assert box is not None
    left, right, line = box["x"] + 20, box["x"] + box["width"] - 20, box["y"] + 20
    half = (right - left) / 4
    fingers("touchStart", (left + half, line))
    fingers("touchStart", (left + half, line), (right - half, line))
    fingers("touchMove", (left, line), (right - half, line))
    fingers("touchMove", (left, line), (right, line))
    fingers("touchEnd")
    zoomed = middle(page, RIGHT_WRIST)[0] - middle(page, LEFT_WRIST)[0]
    assert zoomed == pytest.approx(2 * apart, rel=0.05)
    width = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1], "no sideways scroll"
    page.get_by_role("button", name="Undo").click()


def test_without_scripts_the_skeleton_is_shown(browser: Browser, house: House, demo_state: Any, merchant: Page) -> None:
    address = open_editor(merchant, "pleated")
    context = browser.new_context(base_url=house.url, java_script_enabled=False, storage_state=demo_state)
    page = context.new_page()
    page.goto(address)
    layer = page.locator("img.layer.pose")
    expect(layer).to_be_visible()
    drawn = page.request.get(str(layer.get_attribute("src")))
    assert (drawn.status, drawn.headers["content-type"]) == (200, "image/png")
    keep(page, "skeleton-without-scripts")
    context.close()
