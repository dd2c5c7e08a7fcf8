"""The drop zone: three files at once, more tries after the network or the server failed, a reason for a refusal."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Page, Route, expect

FORM = """<form method="post" action="/form" enctype="multipart/form-data">
<input type="hidden" name="side" value="front">
{% include "ui/dropzone.html" with upload_url="/up" %}</form>"""


def photos(count: int) -> list[Any]:
    return [{"name": f"{n}.jpg", "mimeType": "image/jpeg", "buffer": b"photo %d" % n} for n in range(count)]


def add(page: Page, files: list[Any]) -> None:
    page.locator("input[type=file]").set_input_files(files)


def refused(route: Route, status: int, message: str, *, retryable: bool) -> None:
    error = {"code": "c", "message": message, "field": None, "retryable": retryable, "request_id": "r"}
    route.fulfill(status=status, body=json.dumps({"error": error}), content_type="application/json")


def test_three_files_travel_at_once_and_the_fourth_waits(stage: Any) -> None:
    held: list[Route] = []
    stage.answer("/up", held.append)
    page = stage.show(FORM, "upload.js")
    add(page, photos(5))
    page.wait_for_function("document.querySelectorAll('.upload progress').length === 3")
    assert len(held) == 3
    held[0].fulfill(json={})
    page.wait_for_function("document.querySelectorAll('.upload progress').length === 3")
    expect(page.get_by_text("Added")).to_have_count(1)
    assert len(held) == 4


def test_each_file_carries_the_form_s_other_fields(stage: Any) -> None:
    bodies: list[bytes] = []
    stage.answer("/up", lambda route: (bodies.append(route.request.post_data_buffer), route.fulfill(json={})))
    page = stage.show(FORM, "upload.js")
    add(page, photos(1))
    expect(page.locator(".upload-list")).to_be_empty()  # all in: the page loaded itself again
    assert b'name="side"\r\n\r\nfront' in bodies[0]
    assert b'name="photos"; filename="0.jpg"' in bodies[0] and b"photo 0" in bodies[0]


def test_a_dropped_line_and_a_failing_server_are_tried_again_and_then_it_works(stage: Any) -> None:
    tries: list[str] = []

    def answer(route: Route) -> None:
        tries.append("try")
        if len(tries) == 1:
            route.abort("connectionreset")
        elif len(tries) == 2:
            route.fulfill(status=502, body="<h1>Bad gateway</h1>", content_type="text/html")
        else:
            route.fulfill(json={"next": "/there"})

    stage.answer("/up", answer)
    stage.page.clock.install()
    page = stage.show(FORM, "upload.js")
    add(page, photos(1))
    for _ in range(2):
        expect(page.get_by_text("The connection dropped. Trying again.")).to_be_visible()
        page.clock.run_for(4_000)
    page.wait_for_url("**/there")
    assert len(tries) == 3


def test_a_refused_file_says_why_at_once_and_can_be_tried_again(stage: Any) -> None:
    stage.answer("/up", lambda route: refused(route, 413, "Your storage is full. Delete something.", retryable=False))
    page = stage.show(FORM, "upload.js")
    add(page, photos(1))
    expect(page.get_by_text("Your storage is full. Delete something.")).to_be_visible()
    stage.answer("/up", lambda route: route.fulfill(json={"next": "/there"}))
    page.get_by_role("button", name="Try again").click()
    page.wait_for_url("**/there")


def test_the_page_stays_while_one_file_has_failed(stage: Any) -> None:
    def answer(route: Route) -> None:
        if b"photo 1" in (route.request.post_data_buffer or b""):
            refused(route, 400, "This is not a picture.", retryable=False)
        else:
            route.fulfill(json={"next": "/there"})

    stage.answer("/up", answer)
    page = stage.show(FORM, "upload.js")
    add(page, photos(3))
    expect(page.get_by_text("Added")).to_have_count(2)
    expect(page.get_by_text("This is not a picture.")).to_be_visible()
    assert page.url.endswith("/page")


def test_what_can_not_be_a_photo_is_not_even_sent(stage: Any) -> None:
    sent: list[Route] = []
    stage.answer("/up", sent.append)
    page = stage.show(FORM, "upload.js")
    add(page, [{"name": "notes.pdf", "mimeType": "application/pdf", "buffer": b"%PDF"}])
    expect(page.get_by_text("This is not a JPEG, PNG or WebP picture.")).to_be_visible()
    assert sent == []
