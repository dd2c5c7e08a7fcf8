"""A real browser against the real pages, in this process: each request is carried out by Django's own test client."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

ROOT = Path(__file__).parents[2]
SITE = "http://testserver"
# Only what fails waits that long: these machines are shared, and a busy one draws a page in seconds.
expect.set_options(timeout=20_000)
KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".woff2": "font/woff2"}


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's browser; the test is skipped where there is none."""
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        try:
            found = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        except Exception as error:  # noqa: BLE001  # playwright has one class for everything
            pytest.skip(f"no browser here: {str(error).splitlines()[0]}")
        yield found
        found.close()


class Line:
    """Between a page and the site."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.wrong: list[str] = []

    def open(self, browser: Browser, **options: Any) -> Page:
        """A page whose every request comes here; what its scripts throw is noted."""
        page = browser.new_context(service_workers="block", **options).new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.route("**/*", self.answer)
        return page

    def answer(self, route: Route) -> None:
        """A file of ours, or whatever Django answers; redirects are followed here, for none may be handed over."""
        path = urlsplit(route.request.url).path
        if path.startswith("/static/"):
            return self._file(route, path.removeprefix("/static/"))
        if path.endswith("/stream"):  # it would hold this one thread; the page asks again and again instead
            return route.abort()
        url, request = route.request.url.removeprefix(SITE), route.request
        kind = request.headers.get("content-type", "application/octet-stream")
        headers = {"Accept": request.headers.get("accept", "*/*")}
        data = request.post_data_buffer or b""
        found: Any = self.client.generic(request.method, url, data, content_type=kind, headers=headers)
        while found.status_code in (301, 302, 303):
            found = self.client.get(found["Location"])
        body = b"".join(found.streaming_content) if found.streaming else found.content
        if found.status_code >= 400:
            self.wrong.append(f"{found.status_code} {request.method} {url}")
        sent = {name: value for name, value in found.headers.items() if name in ("Content-Type", "Cache-Control")}
        return route.fulfill(status=found.status_code, headers=sent, body=body)

    @staticmethod
    def _file(route: Route, name: str) -> None:
        folder = ROOT / "frontend" / "plain" if name.startswith("ui/") else ROOT / "static"
        path = folder / name.removeprefix("ui/")
        if not path.is_file():
            return route.fulfill(status=404)
        kind = KINDS.get(path.suffix, "application/octet-stream")
        return route.fulfill(body=path.read_bytes(), content_type=kind)


def keep(page: Page, name: str) -> None:
    """A screenshot for people, in var/screenshots/."""
    path = ROOT / "var" / "screenshots" / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(path), full_page=True)
