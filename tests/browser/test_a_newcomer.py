"""Somebody who has just typed `make run` signs up and has a picture, without typing a prompt."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from catalog.samples import SAMPLES
from studio.provenance import read_labels
from tests.browser.conftest import keep
from tests.browser.house import House

ADDRESS, PASSWORD = "ada@atelier.example", "a long enough password 7"
A_SHOOT = 240_000  # ms; the demo's own shoot may be before it


def test_from_sign_up_to_a_picture_with_its_report(visitor: Page, house: House, tmp_path: Path) -> None:
    page = visitor
    page.goto("/")
    keep(page, "front")
    page.get_by_role("main").get_by_role("link", name="Sign up").click()
    page.get_by_label("Name of your shop").fill("Ada's atelier")
    page.locator("[name=email]").fill(ADDRESS)
    page.locator("[name=password1]").fill(PASSWORD)
    keep(page, "sign-up")
    page.get_by_role("main").get_by_role("button", name="Sign up").click()

    page.locator("[name=code]").fill(house.code_for(ADDRESS))
    keep(page, "code")
    page.get_by_role("main").locator("button[type=submit]").first.click()
    page.wait_for_url("**/shoot/**")
    keep(page, "shoot-empty")

    # The photo goes in by the dropzone, which leads back to the wizard with everything chosen.
    page.locator("input[type=file][name=photos]").set_input_files(str(SAMPLES[0].path))
    expect(page.locator("[name=photo]:checked")).to_have_count(1, timeout=60_000)
    keep(page, "shoot")
    page.get_by_label("Pictures", exact=True).select_option("1")
    page.get_by_role("button", name="Make 1 picture").click()

    page.wait_for_url("**/shoots/*/")
    progress = page.locator("[data-progress]")
    expect(progress.locator("[data-stage]")).not_to_be_empty()
    keep(page, "progress")
    tile = page.locator(".gallery .tile a.picture").first
    expect(tile).to_be_visible(timeout=A_SHOOT)
    keep(page, "shoot-done")
    tile.click()

    page.wait_for_url(re.compile(r"/pictures/[0-9a-f-]{36}/"))
    slider = page.locator(".before-after input")
    slider.focus()
    page.keyboard.press("Home")
    assert page.locator(".before-after").evaluate("box => box.style.getPropertyValue('--at')") == "0%"
    page.get_by_text("The report, figure by figure").click()
    keep(page, "picture")

    page.locator("summary", has_text="Download").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="PNG").click()
    kept = tmp_path / "picture.png"
    download.value.save_as(kept)
    assert kept.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert read_labels(kept.read_bytes()), "a delivered picture says that it was made with AI"
    with page.expect_download() as recipe:
        page.get_by_text("What it was made from").click()
        page.get_by_role("link", name="Recipe").click()
    assert json.loads(Path(recipe.value.path()).read_text())


def test_the_sample_shop_s_first_shoot_ran_by_itself(visitor: Page) -> None:
    page = visitor
    page.goto("/")
    page.get_by_role("button", name="Try with the sample catalog").click()
    page.goto("/pictures/")
    for _ in range(60):
        if page.locator(".tile").count():
            break
        page.wait_for_timeout(4000)
        page.reload()
    expect(page.locator(".tile").first).to_be_visible()
    keep(page, "pictures")
