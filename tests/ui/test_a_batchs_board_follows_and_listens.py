"""A batch's board draws what has changed, and takes approvals by click and by key; the form of a new one counts."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Route, expect

TILE = """<div class="tile batch-tile" data-tile="{id}">
<a class="picture" href="/p/{id}" data-large="/large/{id}"><img alt=""></a>
<button form="review" name="approved" value="{id}" data-review="approved" aria-pressed="false">yes</button>
<button form="review" name="rejected" value="{id}" data-review="rejected" aria-pressed="false">no</button></div>"""
HEAD = """<div data-batch="/progress?page=1" data-cells="/cells" {more}><span data-words>old</span>
<progress data-percent max="100" value="0"></progress><p data-message></p></div>
<form id="review" method="post" action="/review"><input type="hidden" name="csrfmiddlewaretoken" value="t"></form>
<dialog id="batch-preview"><img alt=""><a data-open>open</a><form method="dialog"><button>x</button></form></dialog>"""
CELLS = '<div data-cell="c1" data-mark="m1">{one}</div><div data-cell="c2" data-mark="m2">{two}</div>'


def board(more: str = "data-done") -> str:
    cells = CELLS.format(one=TILE.format(id="one"), two=TILE.format(id="two"))
    return HEAD.format(more=more) + cells


def listening(stage: Any) -> list[str]:
    """What is sent to /review; it is answered as the server does."""
    sent: list[str] = []

    def answer(route: Route) -> None:
        sent.append(route.request.post_data or "")
        said = next((name for name in ("approved", "rejected") if f'name="{name}"' in sent[-1]), "")
        route.fulfill(json={"review": said})

    stage.answer("/review", answer)
    return sent


def test_keys_go_from_picture_to_picture_and_approve_and_reject(stage: Any) -> None:
    sent = listening(stage)
    page = stage.show(board(), "batch.js")
    for key in ("j", "j", "a"):
        page.keyboard.press(key)
    two = page.locator('[data-tile="two"]')
    expect(two.locator('[data-review="approved"]')).to_have_attribute("aria-pressed", "true")
    assert len(sent) == 1 and 'name="approved"' in sent[0] and "two" in sent[0] and "csrfmiddlewaretoken" in sent[0]
    page.keyboard.press("k"), page.keyboard.press("r")
    expect(page.locator('[data-tile="one"]')).to_have_class("tile batch-tile here rejected")
    page.keyboard.press("r")
    expect(page.locator('[data-tile="one"]')).to_have_class("tile batch-tile here")
    assert 'name="clear"' in sent[2]


WHY = """<dialog id="batch-reasons"><button data-why="body">hands</button><button data-why="">none</button></dialog>"""


def test_rejecting_asks_why_and_u_takes_it_back(stage: Any) -> None:
    sent = listening(stage)
    page = stage.show(board() + WHY, "batch.js")
    one = page.locator('[data-tile="one"]')
    page.keyboard.press("j"), page.keyboard.press("r")
    expect(page.locator("dialog#batch-reasons")).to_be_visible()
    page.keyboard.press("a")  # not meant for the picture while the question is open
    page.keyboard.press("1")
    expect(one).to_have_class("tile batch-tile here rejected")
    assert len(sent) == 1 and 'name="rejected"' in sent[0] and "body" in sent[0]
    page.keyboard.press("u")
    expect(one).to_have_class("tile batch-tile here")
    assert 'name="clear"' in sent[1]
    page.keyboard.press("u")  # nothing is left to take back
    page.keyboard.press("r"), page.keyboard.press("r")
    expect(one).to_have_class("tile batch-tile here rejected")
    assert len(sent) == 3


def test_a_click_approves_without_leaving_the_page(stage: Any) -> None:
    sent = listening(stage)
    page = stage.show(board(), "batch.js")
    page.locator('[data-tile="one"] [data-review="approved"]').click()
    expect(page.locator('[data-tile="one"]')).to_have_class("tile batch-tile approved")
    assert len(sent) == 1 and page.url.endswith("/page")


def test_a_picture_is_shown_large_and_its_page_stays_reachable(stage: Any) -> None:
    page = stage.show(board(), "batch.js")
    page.locator('[data-tile="two"] a').click()
    expect(page.locator("dialog#batch-preview")).to_be_visible()
    assert page.locator("dialog img").get_attribute("src") == "/large/two"
    assert page.locator("dialog a").get_attribute("href", timeout=1000).endswith("/p/two")
    page.keyboard.press("k")
    assert page.locator("dialog img").get_attribute("src") == "/large/one"


def test_only_the_cell_that_changed_is_fetched_and_drawn(stage: Any) -> None:
    told = {"status": "open", "words": "1 of 2", "percent": 50, "done": False, "marks": {"c1": "m1", "c2": "new"}}
    asked: list[str] = []
    stage.answer("/progress", lambda route: route.fulfill(json=told, headers={"ETag": '"e"'}))

    def cells(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(body='<div data-cell="c2" data-mark="new">drawn</div>', content_type="text/html")

    stage.answer("/cells", cells)
    stage.page.clock.install()
    page = stage.show(board(""), "batch.js")
    page.clock.run_for(2_000)
    expect(page.locator('[data-cell="c2"]')).to_have_text("drawn")
    expect(page.locator("[data-words]")).to_have_text("1 of 2")
    assert asked and asked[0].endswith("/cells?shoot=c2")
    expect(page.locator('[data-cell="c1"] [data-tile="one"]')).to_have_count(1)


def test_a_finished_batch_is_not_asked_for(stage: Any) -> None:
    asked: list[str] = []
    stage.answer("/progress", lambda route: (asked.append("x"), route.fulfill(status=304)))
    stage.page.clock.install()
    page = stage.show(board(), "batch.js")
    page.clock.run_for(30_000)
    assert not asked


def test_the_sum_is_drawn_again_after_each_choice_but_not_after_typing_a_search(stage: Any) -> None:
    sent: list[str] = []

    def answer(route: Route) -> None:
        sent.append(route.request.post_data or "")
        route.fulfill(body="<b>3 pictures</b>", content_type="text/html")

    stage.answer("/price", answer)
    body = """<form data-batch-form="/price"><input name="q" data-search>
    <input type="checkbox" name="garment" value="g">
    <div data-sum>old</div><button data-start>go</button></form>"""
    page = stage.show(body, "batch-form.js")
    page.locator("[name=q]").fill("coat")
    page.locator("[name=q]").blur()
    page.locator("[name=garment]").check()
    expect(page.locator("[data-sum]")).to_have_text("3 pictures")
    assert len(sent) == 1 and 'name="garment"' in sent[0]
