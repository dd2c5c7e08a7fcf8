"""The slider, the theme, the question before a deletion, picking pictures, and the price beside a button."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, Route, expect

TILES = "".join(
    f'<div class="tile"><input class="tile-pick" type="checkbox" name="pictures" value="{n}" aria-label="{n}">'
    f'<a class="picture" href="/picture/{n}">{n}</a><button type="button" data-favourite>f{n}</button></div>'
    for n in range(6)
)
GALLERY = f"""<div class="gallery">{TILES}</div><div class="selection-bar"><span data-count></span></div>"""
SLIDER = '{% include "ui/before_after.html" with before="/static/ui/img/mark.svg" after="/static/ui/img/mark.svg" %}'


def picked(page: Page) -> list[str]:
    return page.eval_on_selector_all(".tile-pick:checked", "all => all.map(one => one.value)")


def test_the_slider_moves_the_edge_with_the_keyboard(stage: Any) -> None:
    page = stage.show(SLIDER)
    slider = page.locator(".before-after input")
    slider.focus()
    page.keyboard.press("Home")
    assert page.locator(".before-after").evaluate("box => box.style.getPropertyValue('--at')") == "0%"
    page.keyboard.press("End")
    assert page.locator(".before-after").evaluate("box => box.style.getPropertyValue('--at')") == "100%"


def test_the_theme_changes_at_once_and_is_remembered_for_the_server(stage: Any) -> None:
    page = stage.show("""{% include "ui/theme.html" %}""")
    page.get_by_role("button", name="Dark").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert "theme=dark" in page.evaluate("document.cookie").split("; ")
    page.get_by_role("button", name="As the system").click()
    assert page.locator("html").get_attribute("data-theme") is None
    assert "theme=system" in page.evaluate("document.cookie").split("; ")


def test_a_deletion_happens_only_after_yes(stage: Any) -> None:
    sent: list[Route] = []
    stage.answer("/delete", lambda route: (sent.append(route), route.fulfill(body="gone", content_type="text/html")))
    page = stage.show(
        '<form action="/delete" data-confirm="Delete 3 pictures?" data-confirm-yes="Delete"><button>Go</button></form>'
    )
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_role("dialog", name="Delete 3 pictures?")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert sent == []
    page.get_by_role("button", name="Go").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.wait_for_url("**/delete*")
    assert len(sent) == 1


def test_the_bar_of_actions_shows_with_the_number_of_pictures_picked(stage: Any) -> None:
    page = stage.show(GALLERY, "gallery.js")
    expect(page.locator(".selection-bar")).to_be_hidden()
    page.locator(".tile-pick").nth(1).check()
    expect(page.locator(".selection-bar")).to_be_visible()
    expect(page.locator("[data-count]")).to_have_text("1")


def test_shift_picks_everything_between(stage: Any) -> None:
    page = stage.show(GALLERY, "gallery.js")
    page.locator(".tile-pick").nth(1).click()
    page.locator(".tile .picture").nth(4).click(modifiers=["Shift"])
    assert picked(page) == ["1", "2", "3", "4"]
    assert page.url.endswith("/page")


def test_a_plain_click_opens_the_picture(stage: Any) -> None:
    page = stage.show(GALLERY, "gallery.js")
    page.locator(".tile .picture").nth(2).click()
    page.wait_for_url("**/picture/2")


def test_the_keys_walk_pick_and_favour(stage: Any) -> None:
    page = stage.show(GALLERY, "gallery.js")
    page.evaluate(
        "document.addEventListener('click', e => { if (e.target.dataset.favourite !== undefined)"
        " window.favoured = e.target.textContent; })"
    )
    for key in "jjjkx":
        page.keyboard.press(key)
    assert picked(page) == ["1"]
    page.keyboard.press("f")
    assert page.evaluate("window.favoured") == "f1"
    page.keyboard.press("Escape")
    assert picked(page) == []


def test_keys_are_letters_while_somebody_types(stage: Any) -> None:
    page = stage.show(GALLERY + "<input id='words'>", "gallery.js")
    page.keyboard.press("j")
    page.locator("#words").press_sequentially("xx")
    assert picked(page) == []
    assert page.locator("#words").input_value() == "xx"


def test_a_menu_closes_on_escape_and_gives_the_focus_back(stage: Any) -> None:
    page = stage.show('<details class="menu"><summary>Open</summary><div class="menu-panel">In</div></details>')
    page.get_by_text("Open").click()
    expect(page.get_by_text("In", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("In", exact=True)).to_be_hidden()
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_the_price_follows_the_numbers_that_it_is_the_product_of(stage: Any) -> None:
    page = stage.show(
        """<form><select name="count"><option>1</option><option selected>2</option></select>
        <input name="best_of" type="number" value="1">
        {% include "ui/price.html" with fields="count best_of" %}</form>""",
        "price.js",
        price=2,
        frame={"credits": 5},
    )
    words, few = page.locator("[data-price-words]"), page.get_by_role("link", name="Not enough")
    expect(words).to_have_text("Costs 2 credits.")
    page.fill("[name=best_of]", "3")
    expect(words).to_have_text("Costs 6 credits.")
    expect(few).to_be_visible()
    page.select_option("[name=count]", "1")
    expect(words).to_have_text("Costs 3 credits.")
    expect(few).to_be_hidden()
    page.fill("[name=best_of]", "")
    expect(words).to_have_text("Costs 1 credit.")


def test_the_open_tab_of_a_long_row_comes_into_view(stage: Any) -> None:
    stage.page.set_viewport_size({"width": 320, "height": 600})
    tabs = "".join(f'<a href="#{n}"{" aria-current=page" if n == 9 else ""}>Settings {n}</a>' for n in range(10))
    page = stage.show(f'<nav class="tabs">{tabs}</nav>')
    expect(page.get_by_role("link", name="Settings 9")).to_be_in_viewport(ratio=0.9)


def test_a_switch_lays_the_kept_pixels_over_the_picture_and_says_what_the_colour_is(stage: Any) -> None:
    viewer = SLIDER.replace(" %}", " overlays=overlays %}")
    page = stage.show(
        '<div class="viewer"><input class="layer-switch" type="checkbox" value="locked" aria-label="Kept">'
        f'<p class="viewer-legend legend-locked">Blue</p>{viewer}</div>',
        overlays={"locked": "/static/ui/img/mark.svg"},
    )
    layer = page.locator(".overlay-locked")
    expect(layer).to_have_css("opacity", "0")
    expect(page.get_by_text("Blue")).to_be_hidden()
    page.get_by_label("Kept").check()
    expect(layer).to_have_css("opacity", "0.6")
    expect(page.get_by_text("Blue")).to_be_visible()


def test_the_slider_says_how_much_of_the_photo_is_seen(stage: Any) -> None:
    page = stage.show(SLIDER)
    slider = page.get_by_role("slider")
    slider.focus()
    page.keyboard.press("Home")
    expect(slider).to_have_attribute("aria-valuetext", "0 percent of the photo")


def test_an_action_in_a_toast_runs_once_and_takes_the_toast_along(stage: Any) -> None:
    page = stage.show("<p>page</p>")
    page.evaluate(
        """window.undone = 0; document.dispatchEvent(new CustomEvent("imodel:toast",
        { detail: { words: "Gone", tone: "good", action: { label: "Undo", run: () => (window.undone += 1) } } }))"""
    )
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".toast")).to_have_count(0)
    assert page.evaluate("window.undone") == 1


def test_a_key_presses_its_button_unless_somebody_types(stage: Any) -> None:
    page = stage.show(
        '<label><input type="checkbox" data-key="1">layer</label><input aria-label="words">'
        '<a data-go-key="p" href="#there">there</a>'
    )
    page.keyboard.press("1")
    expect(page.get_by_label("layer")).to_be_checked()
    page.get_by_label("words").press("1")
    expect(page.get_by_label("layer")).to_be_checked()
    page.get_by_label("words").blur()
    page.keyboard.press("g")
    page.keyboard.press("p")
    page.wait_for_url("**#there")
