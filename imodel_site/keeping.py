"""What the service worker of a browser may keep, and for whom (docs/frontend.md).

Each answer of ours says who it was made for, in ``X-Account``; a worker that sees another account than the one it keeps
for forgets everything before it shows the page. Only routes that are listed here say ``X-Keep``: nothing with a secret,
no settings, nothing of staff.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.middleware.csrf import get_token

NOBODY = "-"
PAGES = frozenset(
    {
        "generation:new", "generation:shoots", "generation:shoot", "generation:pictures", "generation:picture",
        "generation:batches", "generation:batch", "catalog:garments", "catalog:garment", "catalog:library",
        "catalog:shelf", "catalog:cut", "catalog:cut_new",
    }
)  # fmt: skip
# Answers to scripts that make a kept page useful without a connection. None that a browser may use again without
# asking: it would say for whom it was made once, after somebody else has come.
DATA = frozenset(
    {
        "catalog:cut_state", "catalog:cut_embedding", "generation:feed",
    }
)  # fmt: skip
# Forms after which somebody else is there: before the first one of them is told, nothing kept is left.
LEAVING = ("account_logout", "accounts:switch")
# Programs, staff, files, and the pages that a worker keeps for everybody.
OTHERS = ("/api/", "/staff/", "/media/", "/offline/", "/sdapi/", "/controlnet/", "/internal/", "/sam/")


def account_of(request: Any) -> str:
    """``<merchant>.<person>.<epoch>``, or ``-`` for whoever works for no merchant.

    The epoch is told by the CSRF cookie's secret, which a sign-in changes: forms of pages with another epoch would be
    refused.
    """
    actor = getattr(request, "actor", None)
    if actor is None or not request.user.is_authenticated:
        return NOBODY
    get_token(request)
    epoch = hashlib.sha256(b"epoch" + request.META["CSRF_COOKIE"].encode()).hexdigest()[:12]
    return f"{actor.merchant.pk.hex}.{request.user.pk.hex}.{epoch}"


class Keeping:
    """Says both headers on answers to GET; the innermost middleware but one, because it asks who is acting."""

    def __init__(self, get_response: Callable[[Any], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        response = self.get_response(request)
        match = request.resolver_match
        if request.method != "GET" or match is None or request.path_info.startswith(OTHERS):
            return response
        kept = kind_of(match.view_name)
        if kept or response.get("Content-Type", "").startswith("text/html"):
            response["X-Account"] = account_of(request)
        if kept and response.status_code == 200 and response["X-Account"] != NOBODY:
            response["X-Keep"] = kept
        return response


def kind_of(view_name: str) -> str:
    """``page``, ``data`` or nothing."""
    if view_name in PAGES:
        return "page"
    return "data" if view_name in DATA else ""
