"""Static files: content-hashed names, compressed at a price that a start can pay; one style sheet out of ten."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brotli
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage

LARGEST = 4 * 2**20  # bytes; above it compressing costs seconds: Vite's build makes the twins of the wasm
QUALITY = 9  # 11, whitenoise's own, takes ten times as long for 3 % less
# What Vite built: its names hold hashes already, and its chunks import one another by them.
BUILT = "dist/"
# What every page wears, in this order; collected, they are one file: a first visit waits for one answer, not for ten.
SHEETS = tuple(
    f"ui/css/{name}.css"
    for name in ("tokens", "base", "layout", "components", "forms", "data", "overlays", "pictures", "pages", "pwa")
)
ONE_SHEET = "ui/css/site.css"
COMMENT = re.compile(r"/\*.*?\*/\s*", re.DOTALL)


class QuickCompressor(Compressor):  # type: ignore[misc]  # untyped
    """Brotli at quality 9, and nothing for weights and other big files."""

    def compress(self, path: str) -> list[str]:
        """The names of the compressed twins."""
        return [] if Path(path).stat().st_size > LARGEST else list(super().compress(path))

    @staticmethod
    def compress_brotli(data: bytes) -> bytes:
        """One file's bytes."""
        return bytes(brotli.compress(data, quality=QUALITY))


class HashedFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # untyped
    """A file that is missing from the manifest is an error of ours, found by the tests that render each page."""

    # Our scripts import one another by relative names, which must become the hashed ones.
    support_js_module_import_aggregation = True

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        """What Vite built is compressed only: neither renamed nor rewritten nor deleted."""
        others = {name: where for name, where in paths.items() if not name.startswith(BUILT)}
        if not dry_run and all(name in others for name in SHEETS):
            others |= self._one_sheet()
        yield from super().post_process(others, dry_run=dry_run, **options)
        if not dry_run:
            for name, compressed in self.compress_files([name for name in paths if name.startswith(BUILT)]):
                yield name, compressed, True

    def _one_sheet(self) -> dict[str, Any]:
        """Without the comments; its addresses stay right, because it lies where its parts do."""
        text = "".join(Path(self.path(name)).read_text(encoding="utf-8") for name in SHEETS)
        Path(self.path(ONE_SHEET)).write_text(COMMENT.sub("", text), encoding="utf-8")
        return {ONE_SHEET: (self, ONE_SHEET)}

    def stored_name(self, name: str) -> str:
        """Under which name a file is served."""
        return name if name.startswith(BUILT) else str(super().stored_name(name))

    def create_compressor(self, **kwargs: Any) -> Compressor:
        """Whitenoise's hook."""
        kwargs["extensions"] = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "onnx", "safetensors", "avif", "map")
        return QuickCompressor(**kwargs)
