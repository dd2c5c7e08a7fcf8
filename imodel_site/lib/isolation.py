"""Cross-origin isolation: what a page must say before a browser lets WebAssembly use threads.

Two headers of the page: ``Cross-Origin-Opener-Policy: same-origin``, which every page of ours says, and
``Cross-Origin-Embedder-Policy: require-corp``, which only pages with threads say. Under it each worker's script must
say the same, so static files do. Pictures need nothing: they come from our own origin (docs/files.md), never S3's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

EMBEDDER = "Cross-Origin-Embedder-Policy"
POLICY = "require-corp"  # not credentialless, which Safari lacks


def isolated(view: Callable[..., Any]) -> Callable[..., Any]:
    """For a view whose page runs onnxruntime with threads."""

    @wraps(view)
    def inner(request: Any, *args: Any, **kwargs: Any) -> Any:
        response = view(request, *args, **kwargs)
        response[EMBEDDER] = POLICY
        return response

    return inner


def static_headers(headers: Any, path: str, url: str) -> None:
    """Whitenoise's hook."""
    headers[EMBEDDER] = POLICY
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
