"""Chromium against the real stack; every page is watched for errors in the console and answers that are none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, expect

from tests.browser.house import ROOT, House, open_house

# Only what fails waits that long: these machines are shared, and a busy one draws a page in seconds.
PATIENCE = 20_000
expect.set_options(timeout=PATIENCE)

SCREENSHOTS = ROOT / "var" / "screenshots"
DESK = {"width": 1280, "height": 900}
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-component-update", "--disable-background-networking",
)  # fmt: skip


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """Debian's Chromium: Playwright's own can not be downloaded everywhere."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no browser here: apt-get install chromium")
    return {"executable_path": found, "args": list(QUIET)}


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Started once; a stop that leaves somebody behind fails the run."""
    found = open_house(tmp_path_factory.mktemp("house") / "var")
    try:
        found.wait_for("iModel is running")
        yield found
    finally:
        status = found.stop()
    assert status == 0, "\n".join(found.lines)
    assert found.processes() == [], "somebody outlived the supervisor"


@dataclass
class Watch:
    """What went wrong in a browser tab without anybody saying so. ``allowed`` are statuses that a test provokes."""

    wrong: list[str] = field(default_factory=list)
    allowed: set[int] = field(default_factory=set)

    def follow(self, page: Page) -> None:
        """Listen to one tab."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.wrong.append(f"script: {error}"))
        page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        # "Failed to load resource" repeats what _response sees, without the address. CSP violations are errors too.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.wrong.append(f"console: {message.text}")

    def _response(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.allowed:
            self.wrong.append(f"{response.status}: {response.request.method} {response.url}")


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Checked when the test is over."""
    found = Watch()
    yield found
    assert found.wrong == []


@pytest.fixture
def visitor(browser: Browser, house: House, watch: Watch) -> Iterator[Page]:
    """A stranger at a desk."""
    context = browser.new_context(base_url=house.url, viewport=DESK, locale="en-GB", accept_downloads=True)
    yield tab(context, watch)
    context.close()


def tab(context: BrowserContext, watch: Watch) -> Page:
    """A watched tab."""
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    watch.follow(page)
    return page


@pytest.fixture(scope="session")
def demo_state(browser: Browser, house: House) -> Any:
    """Cookies of the demo person, logged in once with what the terminal shows."""
    context = browser.new_context(base_url=house.url, locale="en-GB")
    page = context.new_page()
    email, password = house.credentials()
    page.goto("/account/login/")
    page.locator("[name=login]").fill(email)
    page.locator("[name=password]").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"{house.url}/shoot/**")
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def merchant(browser: Browser, house: House, watch: Watch, demo_state: Any) -> Iterator[Page]:
    """The demo person at a desk."""
    context = browser.new_context(base_url=house.url, viewport=DESK, locale="en-GB", storage_state=demo_state)
    yield tab(context, watch)
    context.close()


def keep(page: Page, name: str) -> None:
    """A screenshot for people, in var/screenshots/."""
    path = SCREENSHOTS / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(path), full_page=True)


__all__ = ["Path", "keep"]
