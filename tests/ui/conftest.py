"""A real browser, and pages put together from the house's own partials and scripts; no server, no database."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.template import Context, Template
from playwright.sync_api import Browser, Page, Route, sync_playwright

FOLDER = Path(__file__).parents[2] / "frontend" / "plain"
SITE = "http://studio.test"
Answer = Callable[[Route], None]
KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".woff2": "font/woff2"}
SHELL = """{% load i18n static ui %}<!doctype html><html lang="en"><head><title>test</title>
{% include "ui/styles.html" %}</head><body>BODY{% include "ui/toasts.html" %}{% include "ui/confirm.html" %}
<script type="module" src="{% static 'ui/js/frame.js' %}"></script>SCRIPTS</body></html>"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, the system's or Playwright's; closed with the module, for its event loop would keep Django from the
    database in the tests that follow."""
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        try:
            found = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        except Exception as error:  # noqa: BLE001  # playwright has one class for everything
            pytest.skip(f"no browser here: {str(error).splitlines()[0]}")
        yield found
        found.close()


@dataclass
class Stage:
    """One page of the browser, what it asked for, and how it is answered."""

    page: Page
    html: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def show(self, body: str, scripts: str = "", **context: Any) -> Page:
        """Show a page with this template as its body and these modules besides frame.js."""
        tags = "".join(
            f"<script type='module' src='{{% static 'ui/js/{name}' %}}'></script>" for name in scripts.split()
        )
        self.html = Template(SHELL.replace("BODY", body).replace("SCRIPTS", tags)).render(Context(context))
        self.page.goto(SITE + "/page")
        return self.page

    def answer(self, path: str, reply: Answer) -> None:
        """How requests to that path are answered from now on."""
        self.answers[path] = reply

    def _route(self, route: Route) -> None:
        path = re.sub(r"^https?://[^/]+|\?.*$", "", route.request.url)
        if path in self.answers:
            self.answers[path](route)
        elif path.startswith("/static/ui/"):
            file = FOLDER / path.removeprefix("/static/ui/")
            route.fulfill(body=file.read_bytes(), content_type=KINDS.get(file.suffix, "image/webp"))
        else:
            route.fulfill(body=self.html, content_type="text/html; charset=utf-8")


@pytest.fixture
def stage(browser: Browser) -> Iterator[Stage]:
    """A fresh page; whatever its scripts threw fails the test."""
    context = browser.new_context()
    found = Stage(context.new_page())
    found.page.set_default_timeout(20_000)
    found.page.on("pageerror", lambda error: found.errors.append(str(error)))
    found.page.route("**/*", found._route)
    yield found
    context.close()
    assert found.errors == []
