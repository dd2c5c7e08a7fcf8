"""Static files: content-hashed names, compressed beside the original at a price that a start can pay."""

from __future__ import annotations

from typing import Any

import brotli
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage

LARGEST = 4 * 2**20  # bytes; above it compressing costs seconds and a proxy does it better
QUALITY = 9  # 11, whitenoise's own, takes ten times as long for 3 % less


class QuickCompressor(Compressor):  # type: ignore[misc]  # untyped
    """Brotli at quality 9, and nothing for weights and other big files."""

    def compress(self, path: str) -> list[str]:
        """The names of the compressed twins."""
        from pathlib import Path

        return [] if Path(path).stat().st_size > LARGEST else list(super().compress(path))

    @staticmethod
    def compress_brotli(data: bytes) -> bytes:
        """One file's bytes."""
        return bytes(brotli.compress(data, quality=QUALITY))


class HashedFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # untyped
    """A file that is missing from the manifest is an error of ours, found by the tests that render each page."""

    # Our scripts import one another by relative names, which must become the hashed ones.
    support_js_module_import_aggregation = True

    def create_compressor(self, **kwargs: Any) -> Compressor:
        """Whitenoise's hook."""
        kwargs["extensions"] = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "onnx", "safetensors", "avif", "map")
        return QuickCompressor(**kwargs)
