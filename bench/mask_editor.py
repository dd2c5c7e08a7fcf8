"""The mask editor in Chromium: how soon it decodes, how soon a click shows its mask, how long the page stands still.

    .venv/bin/python -m bench.mask_editor [--clicks 30]

Each row is a browser of its own. The editor's rows are the built island itself (`make frontend` first) on a page that
this bench serves, tapped by Playwright: from the tap until the mask, its veil and its outline are back from both
workers. The peer is what Meta's repository gives for the same weights: `segment_anything.utils.onnx.SamOnnxModel`,
exported here, run as onnxruntime-web runs by default, on the page's own thread, until its mask is on a canvas.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import random
import shutil
import statistics
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from studio.mini.world import Garment, Spec, draw

ROOT = Path(__file__).resolve().parent.parent
BUILT = ROOT / "static" / "dist"
RUNTIME = ROOT / "frontend" / "node_modules" / "onnxruntime-web" / "dist"
PLACES = {"/static/dist/": BUILT, "/css/": ROOT / "frontend" / "plain" / "css", "/ort/": RUNTIME}
SIZE = (1200, 1800)
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-component-update", "--disable-background-networking",
)  # fmt: skip
HEAD = f"{'':46}{'start ms':>9}{'median ms':>11}{'p95 ms':>8}{'decoding ms':>13}{'longest task ms':>17}"
LONG = "new PerformanceObserver((list) => (window.long ??= []).push(...list.getEntries().map((one) => one.duration)))"
WATCH = f"{LONG}.observe({{ type: 'longtask', buffered: true }});"


@dataclass(frozen=True)
class Row:
    """What one browser measured; milliseconds."""

    name: str
    start: float
    clicks: list[float]
    decoding: list[float]
    longest: float

    def line(self) -> str:
        """A row of the table."""
        p95 = statistics.quantiles(self.clicks, n=20)[18]
        task = f"{self.longest:.0f}" if self.longest else "under 50"
        median, decoding = (statistics.median(times) for times in (self.clicks, self.decoding))
        return f"{self.name:46}{self.start:>9.0f}{median:>11.0f}{p95:>8.0f}{decoding:>13.0f}{task:>17}"


@dataclass
class Site:
    """What the pages ask for: files by folder, the rest from memory."""

    folder: Path
    answers: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    port: int = 0

    def put(self, path: str, kind: str, body: bytes | str) -> None:
        """Answer ``path`` with that."""
        self.answers[path] = (kind, body.encode() if isinstance(body, str) else body)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clicks", type=int, default=30)
    args = parser.parse_args()
    if not (BUILT / "manifest.json").is_file() or not RUNTIME.is_dir():
        print("make frontend first", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="imodel-bench-") as folder, _served(Path(folder)) as site:
        _models(site.folder)
        _pages(site)
        print(
            f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before; photo {SIZE}\n{HEAD}"
        )
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(QUIET))
            for measure in _measures(args.clicks):
                print(measure(browser, site).line(), flush=True)
            for threads in (1, 2):
                print(
                    f"encoder in the browser, threads: {threads}: {_encoder(browser, site, threads):.0f} ms", flush=True
                )
            browser.close()
        print(f"load {os.getloadavg()[0]:.1f} after")
    return 0


def _measures(clicks: int) -> list[Callable[[Browser, Site], Row]]:
    rows: list[Callable[[Browser, Site], Row]] = [lambda browser, site: _meta(browser, site, clicks)]
    for model in ("fp32", "uint8"):
        for threads in (1, 2):
            rows.append(lambda browser, site, m=model, t=threads: _editor(browser, site, m, t, clicks))  # type: ignore[misc]
    return rows


# --- models ----------------------------------------------------------------------------------------------------------
def _models(folder: Path) -> None:
    """Ours in both sizes, Meta's export of the same weights, the encoder, and the photo with its embedding."""
    from studio.segmentation.bundled import DECODER, ENCODER, bundled
    from studio.segmentation.onnx_encode import OnnxEncoder
    from studio.segmentation.onnx_export import export_decoder
    from studio.segmentation.small_sam import load

    sam = load()
    export_decoder(sam.prompt_encoder, sam.mask_decoder, folder / "fp32.onnx", quantize=False)
    (folder / "uint8.onnx").write_bytes(bundled().read(DECODER))
    (folder / "encoder.onnx").write_bytes(bundled().read(ENCODER))
    _metas_export(sam, folder / "meta.onnx")
    picture = draw(Spec(full=Garment("dress"), seed=7), size=SIZE).picture
    picture.save(folder / "photo.jpg", quality=92)
    embedding = OnnxEncoder(bundled().read(ENCODER)).embed(picture).astype(np.float16)
    np.save(folder / "embedding.npy", embedding.reshape(1, 256, 64, 64), allow_pickle=False)


def _metas_export(sam: Any, path: Path) -> None:
    """As scripts/export_onnx_model.py of segment-anything does it, with --return-single-mask as its demo has it."""
    import torch
    from segment_anything.utils.onnx import SamOnnxModel

    wrapped = SamOnnxModel(sam, return_single_mask=True)
    example = {
        "image_embeddings": torch.randn(1, 256, 64, 64),
        "point_coords": torch.randint(0, 1024, (1, 5, 2), dtype=torch.float),
        "point_labels": torch.randint(0, 4, (1, 5), dtype=torch.float),
        "mask_input": torch.randn(1, 1, 256, 256),
        "has_mask_input": torch.tensor([1.0]),
        "orig_im_size": torch.tensor([SIZE[1], SIZE[0]], dtype=torch.float),
    }
    names = ["masks", "iou_predictions", "low_res_masks"]
    free = {"point_coords": {1: "num_points"}, "point_labels": {1: "num_points"}}
    torch.onnx.export(
        wrapped,
        tuple(example.values()),
        str(path),
        input_names=list(example),
        output_names=names,
        dynamic_axes=free,
        opset_version=17,
        dynamo=False,
    )


# --- pages -----------------------------------------------------------------------------------------------------------
def _pages(site: Site) -> None:
    entry = json.loads((BUILT / "manifest.json").read_text())["src/mask/main.tsx"]["file"]
    sheets = "".join(
        f'<link rel="stylesheet" href="/css/{name}.css">' for name in ("tokens", "base", "components", "mask")
    )
    for name in ("fp32", "uint8", "device"):
        body = f'<main class="page"><div data-island="mask" data-state="/state-{name}"></div></main>'
        script = f'<script type="module" src="/static/dist/{entry}"></script>'
        site.put(f"/editor-{name}", "text/html", f"<!doctype html><html lang=en>{sheets}<body>{body}{script}")
        site.put(f"/state-{name}", "application/json", json.dumps(_state(name)))
    site.put("/meta", "text/html", f"<!doctype html><canvas width={SIZE[0]} height={SIZE[1]}></canvas>")
    site.put("/meta.js", "text/javascript", META)


def _state(name: str) -> dict[str, Any]:
    ready = name != "device"
    embedding = {"status": "ready" if ready else "none", "url": "/embedding.npy" if ready else None, "encoder": "bench"}
    decoder = {"url": f"/{name if ready else 'uint8'}.onnx", "sha256": ""}
    photo = {"id": "bench", "url": "/photo.jpg", "width": SIZE[0], "height": SIZE[1]}
    encoder = {"url": "/encoder.onnx", "family": "bench", "size": 512}
    rest = {"decode_url": "", "proposals": [], "best": None, "mask": None, "save_url": "", "can_write": True}
    return {"photo": photo, "embedding": embedding, "decoder": decoder, "encoder": encoder, **rest}


META = """
import * as ort from "/ort/ort.bundle.min.mjs";
const half = (bits) => {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  return exponent ? sign * (1 + fraction / 1024) * 2 ** (exponent - 15) : sign * fraction * 2 ** -24;
};
const file = new Uint16Array((await (await fetch("/embedding.npy")).arrayBuffer()).slice(128));
const embedding = new ort.Tensor("float32", Float32Array.from(file, half), [1, 256, 64, 64]);
const canvas = document.querySelector("canvas");
const began = performance.now();
const session = await ort.InferenceSession.create("/meta.onnx");
window.started = performance.now() - began;
const scale = 1024 / Math.max(canvas.width, canvas.height);
window.click = async (x, y) => {
  const from = performance.now();
  const { masks } = await session.run({
    image_embeddings: embedding,
    point_coords: new ort.Tensor("float32", [x * scale, y * scale, 0, 0], [1, 2, 2]),
    point_labels: new ort.Tensor("float32", [1, -1], [1, 2]),
    mask_input: new ort.Tensor("float32", new Float32Array(65536), [1, 1, 256, 256]),
    has_mask_input: new ort.Tensor("float32", [0], [1]),
    orig_im_size: new ort.Tensor("float32", [canvas.height, canvas.width], [2]),
  });
  const pixels = new Uint8ClampedArray(masks.data.length * 4);
  for (let at = 0; at < masks.data.length; at += 1) if (masks.data[at] > 0) pixels.set([0, 114, 189, 255], at * 4);
  canvas.getContext("2d").putImageData(new ImageData(pixels, canvas.width, canvas.height), 0, 0);
  return performance.now() - from;
};
window.ready = true;
"""


# --- measuring -------------------------------------------------------------------------------------------------------
def _meta(browser: Browser, site: Site, clicks: int) -> Row:
    with _page(browser, site, threads=None) as page:
        page.goto(f"http://localhost:{site.port}/meta")
        page.evaluate("import('/meta.js')")
        places = _places(clicks + 1)
        took = [page.evaluate(f"window.click({x * SIZE[0]}, {y * SIZE[1]})") for x, y in places]
        start = page.evaluate("window.started")
        name = f"Meta's export, ORT's defaults, first click {took[0]:.0f}"
        return Row(name, start, took[1:], [float("nan")], _longest(page))


def _editor(browser: Browser, site: Site, model: str, threads: int, clicks: int) -> Row:
    with _page(browser, site, threads=threads) as page:
        _open(page, site, model, threads)
        page.evaluate("window.long = []")
        for done, (x, y) in enumerate(_places(clicks + 1)):
            box = page.locator(".cutter-photo").bounding_box()
            assert box is not None
            page.touchscreen.tap(box["x"] + x * box["width"], box["y"] + y * box["height"])
            _until(page, "click", done + 1)
            page.keyboard.press("Control+z")
        took = _times(page, "click")
        name = f"editor, {model}, threads: {threads}, first click {took[0]:.0f}"
        return Row(name, _times(page, "open")[0], took[1:], _times(page, "decode")[1:], _longest(page))


def _encoder(browser: Browser, site: Site, threads: int) -> float:
    with _page(browser, site, threads=threads) as page:
        _open(page, site, "device", threads)
        return _times(page, "encode")[0]


def _open(page: Page, site: Site, model: str, threads: int) -> None:
    page.goto(f"http://localhost:{site.port}/editor-{model}")
    root = page.locator(".cutter[data-stage=ready]")
    root.wait_for(timeout=180_000)
    assert root.get_attribute("data-threads") == str(threads), "the page is not isolated, or threads broke"


@contextmanager
def _page(browser: Browser, site: Site, *, threads: int | None) -> Iterator[Page]:
    """``threads``: as many cores as the page believes in; None: what the browser says."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, has_touch=True)
    if threads is not None:
        context.add_init_script(f"Object.defineProperty(navigator, 'hardwareConcurrency', {{ get: () => {threads} }})")
    context.add_init_script(WATCH)
    page = context.new_page()
    page.set_default_timeout(120_000)
    yield page
    context.close()


def _until(page: Page, what: str, count: int) -> None:
    page.wait_for_function(f"performance.getEntriesByName('mask:{what}').length >= {count}", polling=20)


def _times(page: Page, what: str) -> list[float]:
    found: list[float] = page.evaluate(f"performance.getEntriesByName('mask:{what}').map((one) => one.duration)")
    return found


def _longest(page: Page) -> float:
    return float(page.evaluate("Math.max(0, ...(window.long ?? []))"))


def _places(count: int) -> list[tuple[float, float]]:
    """On the figure, as shares of the photo; the same for each row."""
    chance = random.Random(1)
    return [(chance.uniform(0.42, 0.58), chance.uniform(0.25, 0.6)) for _click in range(count)]


# --- serving ---------------------------------------------------------------------------------------------------------
class _Handler(SimpleHTTPRequestHandler):
    """Static files with the headers that threads need."""

    site: Site

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        kind, body = self.site.answers.get(path) or _file(self.site, path)
        self.send_response(200 if kind else 404)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        self.send_header("Cache-Control", "max-age=600")
        self.end_headers()
        self.wfile.write(io.BytesIO(body).getbuffer())

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""


def _file(site: Site, path: str) -> tuple[str, bytes]:
    folder = next((place for prefix, place in PLACES.items() if path.startswith(prefix)), site.folder)
    prefix = next((prefix for prefix in PLACES if path.startswith(prefix)), "/")
    file = folder / path.removeprefix(prefix)
    kinds = {".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", ".css": "text/css"}
    return (kinds.get(file.suffix, "application/octet-stream"), file.read_bytes()) if file.is_file() else ("", b"")


@contextmanager
def _served(folder: Path) -> Iterator[Site]:
    site = Site(folder)
    handler = type("Handler", (_Handler,), {"site": site})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    site.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield site
    finally:
        server.shutdown()


if __name__ == "__main__":
    raise SystemExit(main())
