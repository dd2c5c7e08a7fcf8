"""The Pictures page in Chromium at 10,000 pictures: one scroll from the newest to the oldest, beside the plain pages.

    .venv/bin/python -m bench.history_grid [--pictures 10000] [--speed 4000] [--shot FOLDER]

The product is prepared in a folder of its own with rows for that many pictures, which share one file, and served by
granian as `manage.py up` does. The grid is scrolled by the page's own clock, --speed pixels a second, until its end is
reached and nothing more comes; then back to the top. A frame is late when it comes over 50 ms after the one before.
The peer is the same page without its script: 60 pictures a page, one click on "Older" after the other.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import tempfile
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.web import PORT, _environment, _prepare, _served, _where

ADDRESS = f"http://localhost:{PORT}"
QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update"]  # fmt: skip
SCROLL = """async ([speed, up]) => {
  const frames = [], tasks = [];
  const watch = new PerformanceObserver((list) => tasks.push(...list.getEntries().map((one) => one.duration)));
  watch.observe({ type: "longtask" });
  const began = performance.now();
  let last = began, still = 0, most = 0, blank = 0;
  await new Promise((done) => {
    const step = (now) => {
      const passed = now - last;
      frames.push(passed);
      last = now;
      const before = scrollY;
      scrollBy(0, (up ? -1 : 1) * speed * Math.min(passed, 100) / 1000);
      still = scrollY === before ? still + passed : 0;
      most = Math.max(most, document.querySelectorAll("*").length);
      const seen = document.elementFromPoint(innerWidth / 2, innerHeight / 2)?.closest(".tile.blank");
      blank += seen ? passed : 0;
      if (still > 8000) done();
      else requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  });
  watch.disconnect();
  const seconds = (last - began - still) / 1000;
  return { seconds, frames: frames.slice(1), tasks, most, blank, height: scrollY + innerHeight };
}"""


def main() -> None:
    """Run and print the table."""
    args = _arguments()
    served = Namespace(processes=1, threads=4, database="")
    with tempfile.TemporaryDirectory() as folder:
        environment = _environment(Path(folder), "")
        session = _filled(environment, args.pictures)
        with _served("imodel_site.wsgi:application", environment, served), _tab(session) as page:
            print(f"{_where(served)}, load {os.getloadavg()[0]:.1f}, {args.pictures} pictures, {args.speed} px/s\n")
            print("| | seconds | frames | late (>50 ms) | longest frame ms | longest task ms | DOM nodes | heap MB |")
            print("|---|---|---|---|---|---|---|---|")
            _grid(page, args)
        with _served("imodel_site.wsgi:application", environment, served), _tab(session, scripts=False) as page:
            _plain(page, args)


def _arguments() -> Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--speed", type=int, default=4_000)
    parser.add_argument("--shot", type=Path, help="where to put screenshots of the top, the middle and the end")
    return parser.parse_args()


def _filled(environment: dict[str, str], pictures: int) -> str:
    """The session's key."""
    calls = _prepare(environment, pictures // 2)
    from django.db import connections

    from bench.web_rows import VARIANTS
    from imodel_site.lib import storage

    for name in ("medium", "small"):
        storage.put(str(VARIANTS[name]["key"]), _picture())
    connections.close_all()
    return next(call.cookie for call in calls if call.cookie).removeprefix("session=")


def _picture() -> bytes:
    """A WebP as large as a medium variant is."""
    from PIL import Image

    noise = Image.effect_noise((427, 640), 24).convert("RGB")
    buffer = io.BytesIO()
    Image.blend(noise, Image.linear_gradient("L").resize((427, 640)).convert("RGB"), 0.8).save(
        buffer, "WEBP", quality=80
    )
    return buffer.getvalue()


@contextmanager
def _tab(session: str, *, scripts: bool = True) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=found, args=QUIET)
        context = browser.new_context(viewport={"width": 1280, "height": 900}, java_script_enabled=scripts)
        context.add_cookies([{"name": "session", "value": session, "url": ADDRESS}])
        yield context.new_page()
        browser.close()


def _grid(page: Any, args: Namespace) -> None:
    page.goto(f"{ADDRESS}/pictures/")
    page.wait_for_selector(".gallery[data-ready]")
    _shot(page, args, "grid-top")
    down = page.evaluate(SCROLL, [args.speed, False])
    _shot(page, args, "grid-end")
    _row(page, "the grid, down to the oldest", down)
    _row(page, "and up again", page.evaluate(SCROLL, [args.speed, True]))
    blank = down["blank"] / 1000
    print(f"\nScrolled {down['height']:,.0f} px; an empty place stood mid-screen for {blank:.1f} s in all.\n")


def _row(page: Any, name: str, told: dict[str, Any]) -> None:
    frames, tasks = told["frames"], told["tasks"]
    late = sum(frame > 50 for frame in frames)
    heap = page.evaluate("performance.memory.usedJSHeapSize / 2 ** 20")
    longest = f"{max(tasks):.0f} ({len(tasks)} over 50)" if tasks else "under 50"
    cells = (
        f"{told['seconds']:.0f}",
        len(frames),
        late,
        f"{max(frames):.0f}",
        longest,
        f"{told['most']:,}",
        f"{heap:.0f}",
    )
    print(f"| {name} | " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def _plain(page: Any, args: Namespace) -> None:
    began, pages = time.perf_counter(), 0
    page.goto(f"{ADDRESS}/pictures/", wait_until="load")
    for pages in range(1, 11):  # noqa: B007
        page.locator("a[rel=next]").click()
    seconds = (time.perf_counter() - began) / (pages + 1)
    whole = args.pictures // 60
    print(f"The plain pages: {seconds:.2f} s for each 60 pictures with their files, {whole} pages to the oldest.")


def _shot(page: Any, args: Namespace, name: str) -> None:
    if args.shot:
        args.shot.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(args.shot / f"{name}.png"))


if __name__ == "__main__":
    main()
