"""A running job's page fills itself in, asks less when nothing moves, and goes on when the job is done."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Route, expect

BODY = """{% include "ui/progress.html" with url="/progress" stage="Waiting" fraction=None position=4 %}"""
JOB = {
    "status": "running",
    "stage": "Painting",
    "fraction": 0.25,
    "position": None,
    "eta_seconds": 12.4,
    "preview": None,
    "pictures": [],
    "message": "",
    "done": False,
    "next": None,
}


def test_stage_share_and_time_left_are_shown(stage: Any) -> None:
    stage.answer("/progress", lambda route: route.fulfill(json=JOB))
    page = stage.show(BODY, "progress.js")
    expect(page.locator("[data-stage]")).to_have_text("Painting")
    expect(page.locator("[data-eta]")).to_have_text("about 12 s left")
    expect(page.locator("[data-position]")).to_have_text("")
    assert page.locator("progress").evaluate("bar => bar.value") == 25


def test_the_tag_of_the_last_answer_is_sent_back_and_304_changes_nothing(stage: Any) -> None:
    tags: list[str | None] = []

    def answer(route: Route) -> None:
        tags.append(route.request.headers.get("if-none-match"))
        if len(tags) == 1:
            route.fulfill(json=JOB, headers={"ETag": '"one"'})
        else:
            route.fulfill(status=304)

    stage.answer("/progress", answer)
    stage.page.clock.install()
    page = stage.show(BODY, "progress.js")
    expect(page.locator("[data-stage]")).to_have_text("Painting")
    with page.expect_response("**/progress"):
        page.clock.run_for(1_000)
    expect(page.locator("[data-stage]")).to_have_text("Painting")
    assert tags[:2] == [None, '"one"']


def test_a_finished_job_leads_to_its_pictures_and_is_asked_no_more(stage: Any) -> None:
    asked: list[str] = []
    stage.answer("/progress", lambda r: (asked.append("x"), r.fulfill(json={**JOB, "done": True, "next": "/result"})))
    stage.answer("/result", lambda route: route.fulfill(body="the pictures", content_type="text/html"))
    page = stage.show(BODY, "progress.js")
    page.wait_for_url("**/result")
    assert len(asked) == 1


def test_without_a_connection_it_says_so_and_catches_up(stage: Any) -> None:
    stage.answer("/progress", lambda route: route.abort("internetdisconnected"))
    stage.page.clock.install()
    page = stage.show(BODY, "progress.js")
    expect(page.get_by_text("No connection. Your shoot goes on; this page will catch up.")).to_be_visible()
    stage.answer("/progress", lambda route: route.fulfill(json=JOB))
    page.clock.run_for(20_000)
    expect(page.locator("[data-stage]")).to_have_text("Painting")
    expect(page.get_by_text("No connection.")).to_have_count(0)


def test_a_session_that_ended_loads_the_page_again(stage: Any) -> None:
    stage.answer("/progress", lambda route: route.fulfill(status=401, json={}))
    page = stage.show(BODY, "progress.js")
    stage.html = "<title>signed out</title>"
    page.wait_for_function("document.title === 'signed out'")
