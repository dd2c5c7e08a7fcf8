"""Lighthouse's scores, axe's violations and Chromium's word on installing, for the pages that matter.

    .venv/bin/python -m bench.audits [--runs 3] [--slower 4] [--at http://localhost:8000 EMAIL PASSWORD]

The product is started in a folder of its own with the demo shop; Lighthouse (npm, once into var/lighthouse) looks
at each page as a desk and as a phone, signed in where the page asks for it. Its best run of each page is told: these
machines are shared, and a busy one only ever makes a page slower. For the same reason each row says Lighthouse's own
measure of the machine at that moment: 1500 and more is a desk's, for which it makes a phone's processor 4 times slower;
below 800 the machine is as slow as a mid-tier phone already (Lighthouse's docs/throttling.md), and --slower 1 is fair.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Playwright, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PORT = 8972
LIGHTHOUSE = "lighthouse@13.5.0"  # Apache-2.0
TOOLS = ROOT / "var" / "lighthouse"
AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
SIGNED_OUT = {"login": "/account/login/"}
SIGNED_IN = {"catalog": "/catalog/", "wizard": "/shoot/", "history": "/pictures/"}
DEBUGGING = 9223  # the browser's port
VIOLATIONS = "async () => (await axe.run()).violations.map((one) => `${one.id} (${one.nodes.length})`)"
CATEGORIES = ("performance", "accessibility", "best-practices")
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-component-update", "--disable-background-networking",
)  # fmt: skip


def main() -> None:
    """Run and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="of Lighthouse for each page and device")
    parser.add_argument("--slower", type=float, default=4.0, help="how much slower a phone's processor is made")
    parser.add_argument("--at", nargs=3, metavar=("URL", "EMAIL", "PASSWORD"), help="one that runs, instead of its own")
    args = parser.parse_args()
    chromium = shutil.which("chromium") or sys.exit("no browser here: apt-get install chromium")
    lighthouse = _lighthouse()
    with ExitStack() as stack:
        address, email, password = args.at or stack.enter_context(_house())
        playwright = stack.enter_context(sync_playwright())
        context = _browser(playwright, chromium, stack.enter_context(tempfile.TemporaryDirectory()), address)
        looker = Lighthouse(lighthouse, address, args.slower, context)
        _print_head()
        _audit(looker, context, SIGNED_OUT, args.runs)
        _sign_in(context, address, email, password)
        _audit(looker, context, SIGNED_IN, args.runs)
        print("\nInstalling:", "; ".join(_what_hinders(context)) or "Chromium has nothing against it")
        context.close()


# --- the product ---------------------------------------------------------------------------------------------------
@contextmanager
def _house() -> Iterator[tuple[str, str, str]]:
    """The demo shop, served as `make run` does; yields its address, e-mail and password."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "IMODEL_DATA": folder, "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "manage.py", "up", "--port", str(PORT)]
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        try:
            yield (f"http://localhost:{PORT}", *_credentials(process))
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(120)


def _credentials(process: subprocess.Popen[str]) -> tuple[str, str]:
    said: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        said.append(line)
        if found := re.search(r"password:\s+(\S+)", line):
            email = re.search(r"e-mail:\s+(\S+)", "".join(said))
            assert email is not None
            # Whoever does not read on stops the house once the pipe is full.
            threading.Thread(target=lambda: [None for _ in process.stdout or ()], daemon=True).start()
            return email.group(1), found.group(1)
    raise SystemExit("The product did not start:\n" + "".join(said))


def _browser(playwright: Playwright, chromium: str, profile: str, address: str) -> BrowserContext:
    """One that Lighthouse looks through as well: cookies handed to it as a header do not reach pictures."""
    return playwright.chromium.launch_persistent_context(
        profile, executable_path=chromium, args=[*QUIET, f"--remote-debugging-port={DEBUGGING}"],
        base_url=address, locale="en-GB",
    )  # fmt: skip


def _sign_in(context: BrowserContext, address: str, email: str, password: str) -> None:
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto("/account/login/")
    page.locator("[name=login]").fill(email)
    page.locator("[name=password]").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"{address}/shoot/**")
    page.close()


# --- Lighthouse ----------------------------------------------------------------------------------------------------
def _lighthouse() -> list[str]:
    """How to call it; it is no dependency of the product's, so it comes on its own."""
    beside = Path(sys.executable).parent
    node, npm = (str(beside / name) if (beside / name).exists() else name for name in ("node", "npm"))
    cli = TOOLS / "node_modules" / "lighthouse" / "cli" / "index.js"
    if not cli.exists():
        TOOLS.mkdir(parents=True, exist_ok=True)
        environment = {
            **os.environ,
            "PUPPETEER_SKIP_DOWNLOAD": "1",
            "PATH": f"{beside}{os.pathsep}{os.environ['PATH']}",
        }
        command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(TOOLS), LIGHTHOUSE]
        subprocess.run(command, check=True, env=environment)
    return [node, str(cli)]


@dataclass(frozen=True)
class Lighthouse:
    """How to call it, and what for."""

    command: list[str]
    address: str
    slower: float
    context: BrowserContext

    def report(self, path: str, device: str) -> dict[str, Any]:
        """Of one first visit: signed in as the browser is, with nothing cached."""
        self._forget()
        command = [
            *self.command, f"{self.address}{path}", "--output=json", "--quiet", f"--port={DEBUGGING}",
            "--disable-storage-reset", f"--only-categories={','.join(CATEGORIES)}",
            "--preset=desktop" if device == "desk" else f"--throttling.cpuSlowdownMultiplier={self.slower}",
        ]  # fmt: skip
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        report: dict[str, Any] = json.loads(done.stdout)
        return report

    def _forget(self) -> None:
        """All but the cookies."""
        page = self.context.new_page()
        session = self.context.new_cdp_session(page)
        kept = "cache_storage,service_workers,indexeddb,local_storage"
        session.send("Storage.clearDataForOrigin", {"origin": self.address, "storageTypes": kept})
        session.send("Network.clearBrowserCache")
        page.close()


def _audit(lighthouse: Lighthouse, context: BrowserContext, pages: Mapping[str, str], runs: int) -> None:
    for name, path in pages.items():
        violations = _violations(context, path)
        for device in ("desk", "phone"):
            reports = [lighthouse.report(path, device) for _ in range(runs)]
            best = max(reports, key=lambda one: one["categories"]["performance"]["score"] or 0)
            print(_row(name, device, best, violations), flush=True)


def _print_head() -> None:
    print(f"| page | device | {' | '.join(CATEGORIES)} | axe | FCP ms | LCP ms | TBT ms | CLS | machine |")
    print("|---|---|" + "---|" * (len(CATEGORIES) + 6))


def _row(name: str, device: str, report: dict[str, Any], violations: str) -> str:
    scores = [round(100 * (report["categories"][key]["score"] or 0)) for key in CATEGORIES]
    asked = ("first-contentful-paint", "largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift")
    values = [report["audits"][key].get("numericValue", 0) for key in asked]
    machine = f"{report['environment']['benchmarkIndex']:.0f}"
    figures = [*(f"{value:.0f}" for value in values[:3]), f"{values[3]:.3f}", machine]
    failed = [
        audit["id"]
        for key in CATEGORIES[1:]
        for ref in report["categories"][key]["auditRefs"]
        if (audit := report["audits"][ref["id"]]).get("score") == 0 and ref["weight"]
    ]
    row = f"| {name} | {device} | {' | '.join(map(str, scores))} | {violations} | {' | '.join(figures)} |"
    return row + (f"  failed: {', '.join(failed)}" if failed else "")


# --- axe and installing --------------------------------------------------------------------------------------------
def _violations(context: BrowserContext, path: str) -> str:
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(path)
    page.wait_for_load_state("networkidle")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(VIOLATIONS)
    page.close()
    return ", ".join(found) or "none"


def _what_hinders(context: BrowserContext) -> list[str]:
    page = context.new_page()
    page.goto("/shoot/")
    page.wait_for_load_state("networkidle")
    session = context.new_cdp_session(page)
    errors = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    return [one["errorId"] for one in errors if one["errorId"] != "in-incognito"]


if __name__ == "__main__":
    main()
