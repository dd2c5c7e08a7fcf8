"""First and repeat visit of four pages, with and without the service worker, in Chromium.

    .venv/bin/python -m bench.pwa --url http://localhost:8000 --email demo@imodel.local --password ... [--visits 7]

Needs a running product (`make run`) and a merchant to sign in as. A first visit has an empty browser; a repeat one has
the HTTP cache, and the worker where there is one, after the page was seen twice. Times are medians in
milliseconds since the navigation began, as the browser measures them (Navigation Timing, Paint Timing). Bytes are
what came over the wire: for the page and its files (CDP Network.loadingFinished), and in all until two seconds after it
was loaded, with what the worker fetches behind it and with every header (counted by a relay in front of the server).
"""

from __future__ import annotations

import argparse
import shutil
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from bench.relay import Relay, relay

PAGES = {"login": "/account/login/", "catalog": "/catalog/", "shoot": "/shoot/", "history": "/pictures/"}
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-component-update", "--disable-background-networking",
)  # fmt: skip
TIMES = """() => {
  const page = performance.getEntriesByType("navigation")[0];
  const paint = performance.getEntriesByName("first-contentful-paint")[0];
  return [page.responseStart, paint ? paint.startTime : null, page.domContentLoadedEventEnd];
}"""


@dataclass(frozen=True)
class Visit:
    """One page load."""

    ttfb: float
    fcp: float
    dcl: float
    wire: int
    whole: int


def main() -> None:
    """Print the table."""
    given = _arguments()
    server = urlsplit(given.url)
    with sync_playwright() as playwright, relay(server.port or 80) as given.relay:
        way = f"--host-resolver-rules=MAP {server.netloc} 127.0.0.1:{given.relay.port}"
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=[*QUIET, way])
        print("| page | visit | worker | TTFB | FCP | DOMContentLoaded | kB for the page | kB in all |")
        print("|---|---|---|---|---|---|---|---|")
        for worker in {"with": (True,), "without": (False,), "both": (False, True)}[given.worker]:
            for name, path in PAGES.items():
                for which, visits in _measured(browser, given, path, worker=worker):
                    print(_row(name, which, worker, visits), flush=True)
        browser.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--email", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--visits", type=int, default=7)
    parser.add_argument("--worker", choices=("both", "with", "without"), default="both")
    return parser.parse_args()


def _measured(
    browser: Browser, given: argparse.Namespace, path: str, *, worker: bool
) -> Iterator[tuple[str, list[Visit]]]:
    context = _context(browser, given, worker)
    state = context.storage_state() if _signs_in(path) and _sign_in(context, given) else None
    context.close()
    if not worker:  # a first visit has none either way
        yield "first", [_first(browser, given, path, state) for _ in range(given.visits)]
    context = _context(browser, given, worker, state)
    page = context.new_page()
    for _ in range(2):
        page.goto(path, wait_until="load")
        page.wait_for_timeout(4000)  # the worker installs, takes the tab and keeps the page
    yield "repeat", [_visit(page, path, given.relay) for _ in range(given.visits)]
    context.close()


def _signs_in(path: str) -> bool:
    return path != PAGES["login"]


def _context(browser: Browser, given: argparse.Namespace, worker: bool, state: object = None) -> BrowserContext:
    allowed = "allow" if worker else "block"
    return browser.new_context(base_url=given.url, service_workers=allowed, storage_state=state)  # type: ignore[arg-type]


def _sign_in(context: BrowserContext, given: argparse.Namespace) -> bool:
    page = context.new_page()
    page.goto(PAGES["login"])
    page.locator("[name=login]").fill(given.email)
    page.locator("[name=password]").fill(given.password)
    page.locator("main button[type=submit]").first.click()
    page.wait_for_url("**/shoot/**")
    return True


def _first(browser: Browser, given: argparse.Namespace, path: str, state: object) -> Visit:
    context = _context(browser, given, False, state)
    visit = _visit(context.new_page(), path, given.relay)
    context.close()
    return visit


def _visit(page: Page, path: str, counted: Relay) -> Visit:
    wire: list[float] = []
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda event: wire.append(event["encodedDataLength"]))
    page.goto("about:blank")
    wire.clear()
    before = counted.received
    page.goto(path, wait_until="load")
    page.wait_for_timeout(2000)
    ttfb, fcp, dcl = page.evaluate(TIMES)
    session.detach()
    return Visit(ttfb, fcp if fcp is not None else float("nan"), dcl, int(sum(wire)), counted.received - before)


def _row(name: str, which: str, worker: bool, visits: list[Visit]) -> str:
    def middle(values: list[float]) -> str:
        return f"{statistics.median(values):.0f}"

    times = [middle([getattr(visit, part) for visit in visits]) for part in ("ttfb", "fcp", "dcl")]
    wire = [f"{statistics.median([getattr(visit, part) for visit in visits]) / 1000:.1f}" for part in ("wire", "whole")]
    return f"| {name} | {which} | {'with' if worker else 'without'} | {' | '.join(times)} | {' | '.join(wire)} |"


if __name__ == "__main__":
    main()
