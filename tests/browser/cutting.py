"""The mask editor under a hand: a photo whose garment is known to the pixel, and the page to mark it on.

The photo is drawn by ``studio.mini.world``; what is compared is the mask that the server has after Save.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from studio.mini.world import Garment, Person, Spec, draw
from studio.segmentation.masks import Mask
from tests.browser.conftest import Watch, tab
from tests.browser.house import House

SIZE = (640, 960)
READY = 180_000  # ms; the first visit brings runtime and decoder, and the worker may have others' photos before ours
DRESS = Spec(full=Garment("dress", colour="red"), scene="grey studio", seed=7)
GREEN = Spec(person=Person(skin="dark"), full=Garment("dress", colour="green"), scene="beige studio", seed=11)
BLUE = Spec(full=Garment("dress", colour="navy"), scene="grey studio", seed=13)
GOOD = 0.85


@dataclass(frozen=True)
class Photo:
    """An uploaded photo, and the truth about it."""

    id: str
    garment: Mask

    @property
    def inside(self) -> tuple[float, float]:
        """A place in the garment as shares of the photo: the pixel farthest from its edge."""
        import cv2

        depth = cv2.distanceTransform(self.garment.astype(np.uint8), cv2.DIST_L2, 5)
        y, x = np.unravel_index(int(depth.argmax()), depth.shape)
        return (float(x) + 0.5) / SIZE[0], (float(y) + 0.5) / SIZE[1]


def drawn(spec: Spec = DRESS) -> tuple[bytes, Mask]:
    """A photo's file and its garment."""
    drawing = draw(spec, size=SIZE)
    buffer = io.BytesIO()
    drawing.picture.save(buffer, "JPEG", quality=92)
    return buffer.getvalue(), drawing.garment


@pytest.fixture(scope="module")
def photo(browser: Browser, house: House, demo_state: Any) -> Photo:
    """Uploaded once; each test begins from what the one before has saved, unless it resets it."""
    context = browser.new_context(base_url=house.url, storage_state=demo_state)
    data, garment = drawn()
    answer = post(
        context, "/catalog/upload", {"photos": {"name": "dress.jpg", "mimeType": "image/jpeg", "buffer": data}}
    )
    context.close()
    return Photo(answer["items"][0]["photo"], garment)


def post(context: BrowserContext, path: str, form: dict[str, Any]) -> Any:
    """As a script of ours would."""
    page = context.new_page()
    page.goto("/catalog/")
    token = page.locator("input[name=csrfmiddlewaretoken]").first.input_value()
    page.close()
    headers = {"X-Requested-With": "XMLHttpRequest", "Accept": "application/json", "X-CSRFToken": token}
    answer = context.request.post(path, multipart=form, headers=headers)
    assert answer.ok, answer.text()
    return answer.json()


class Editor:
    """The page under a hand."""

    def __init__(self, page: Page, photo: Photo) -> None:
        self.page, self.photo = page, photo
        self.root = page.locator(".cutter")
        self.status = self.root.locator("p[role=status]")
        self.heard = ""

    def open(self) -> Editor:
        """Once a click would be answered."""
        self.page.goto(f"/catalog/photos/{self.photo.id}/cut")
        self.wait()
        self.heard = ""
        return self

    def wait(self) -> None:
        expect(self.root).to_have_attribute("data-stage", "ready", timeout=READY)

    def empty(self) -> Editor:
        """Nothing marked, whatever was found or saved."""
        if self.button("Start empty").count():
            self.button("Start empty").click()
        expect(self.root.locator(".cutter-part:not(.next)")).to_have_count(0)
        return self

    def button(self, name: str) -> Locator:
        return self.root.get_by_role("button", name=name)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """A place on the screen, from shares of the photo."""
        box = self.page.locator(".cutter-photo").bounding_box()
        assert box is not None
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def click(self, x: float, y: float) -> None:
        self.page.mouse.click(*self.at(x, y))

    def drag(self, *places: tuple[float, float]) -> None:
        self.page.mouse.move(*self.at(*places[0]))
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*self.at(*place), steps=6)
        self.page.mouse.up()

    def says(self, words: str) -> float:
        """Waits until it is said, and anew: the same words twice differ in a space. The percentage."""
        until(self, lambda: self._now() != self.heard and words in self._now(), tries=READY // 100)
        self.heard = self._now()
        return float(next(word for word in self.heard.split() if word.isdigit()))

    def _now(self) -> str:
        return self.status.text_content() or ""

    def save(self) -> None:
        self.root.get_by_role("button", name="Save", exact=True).click()
        expect(self.root).to_have_attribute("data-saving", "saved")

    def state(self) -> Any:
        return self.page.evaluate("path => fetch(path, {cache: 'no-store'}).then((answer) => answer.json())", self.path)

    @property
    def path(self) -> str:
        return f"/catalog/photos/{self.photo.id}/cut/state"

    def saved(self) -> Mask:
        """The mask that the server has."""
        answer = self.page.context.request.get(self.state()["mask"]["url"])
        picture = Image.open(io.BytesIO(answer.body()))
        assert (picture.mode, picture.size) == ("L", SIZE)
        return np.asarray(np.asarray(picture) >= 128)


@pytest.fixture
def editor(merchant: Page, photo: Photo) -> Editor:
    """The demo person at a desk."""
    return Editor(merchant, photo)


@pytest.fixture
def phone(browser: Browser, house: House, watch: Watch, demo_state: Any, photo: Photo) -> Iterator[Editor]:
    """The demo person with a phone."""
    context = browser.new_context(
        base_url=house.url,
        viewport={"width": 360, "height": 740},
        device_scale_factor=2,
        is_mobile=True,
        has_touch=True,
        locale="en-GB",
        storage_state=demo_state,
    )
    yield Editor(tab(context, watch), photo)
    context.close()


def shown_mask(editor: Editor) -> Mask:
    """What the screen shows as garment: the veil's holes, on the working grid, which is this photo's own."""
    size, levels = editor.page.locator(".cutter-veil").evaluate(
        """(canvas) => {
          const { width, height } = canvas;
          const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
          let text = "";
          for (let at = 3; at < data.length; at += 4) text += data[at] < 128 ? "1" : "0";
          return [[width, height], text];
        }"""
    )
    assert tuple(size) == SIZE
    return np.frombuffer(levels.encode(), np.uint8).reshape(SIZE[1], SIZE[0]) == ord("1")


def until(editor: Editor, holds: Callable[[], bool], *, tries: int = 300) -> None:
    """The screen follows its workers."""
    for _try in range(tries):
        if holds():
            return
        editor.page.wait_for_timeout(100)
    stage, said = editor.root.get_attribute("data-stage"), editor.status.text_content()
    raise AssertionError(f"it never came to hold: {stage=}, {said=}, {editor.heard=}")
