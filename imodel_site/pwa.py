"""The installable app: its worker, its manifest, its page without a connection, and who is there now."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import path, reverse
from django.utils import translation
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import condition, require_safe

from imodel_site.keeping import LEAVING, account_of
from imodel_site.lib.errors import NotHere
from imodel_site.pwa_words import words
from imodel_site.static import SHEETS

app_name = "pwa"
# Of frontend/plain, what a page may ask for; pictures of the front page are left to the browser's own cache.
SHELL = ("ui/css/", "ui/js/", "ui/fonts/", "ui/img/mark", "ui/img/arrows", "ui/img/app/")
NOT_SHELL = ("ui/css/admin", "ui/css/staff", "ui/css/reference", "ui/js/staff", "ui/js/reference", ".txt")
HEAVY = (".onnx",)
LARGEST = 16 * 2**20  # bytes of one file
WHAT = ("offline", "waiting", "stayed")  # pages that a worker has when nothing answers


# --- the worker -------------------------------------------------------------------------------------------------------
# Where there is no worker to serve (DEBUG, nothing built): the one that a browser has from before takes its leave.
FAREWELL = """self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.registration.unregister()));
"""


def _etag(request: HttpRequest) -> str:
    return f'"{hashlib.sha256(worker_source().encode()).hexdigest()[:32]}"'


@require_safe
@condition(etag_func=_etag)
def worker(request: HttpRequest) -> HttpResponse:
    """``/sw.js``: at the root, because a worker may serve what lies below it only.

    Asked for anew at each visit (it is how a browser learns of a new version), answered with 304 while it is the same.
    """
    response = HttpResponse(worker_source(), content_type="text/javascript; charset=utf-8")
    patch_cache_control(response, no_cache=True, max_age=0)
    return response


def worker_source() -> str:
    """What Vite built, behind what only this installation knows."""
    built = Path(settings.BUILT_DIR, "sw.js")
    if settings.DEBUG or not built.is_file():
        return FAREWELL
    return _source(built, built.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _source(built: Path, changed: int) -> str:
    code = built.read_text(encoding="utf-8")
    facts = _facts()
    facts["version"] = hashlib.sha256((code + json.dumps(facts)).encode()).hexdigest()[:12]
    return f"self.IMODEL = {json.dumps(facts)};\n{code}"


def _facts() -> dict[str, Any]:
    """Read by src/sw/facts.ts."""
    shell, heavy = _static_files()
    languages = [code for code, _name in settings.LANGUAGES]
    return {
        "shell": shell,
        "heavy": heavy,
        "pages": {what: {code: _page(what, code) for code in languages} for what in WHAT},
        "revision": _revision(shell),
        "static": settings.STATIC_URL,
        "doors": {
            "state": reverse("pwa:state"),
            "waiting": reverse("pwa:offline", args=["waiting"]),
            "shoot": reverse("generation:new"),
            "uploads": [reverse("generation:upload"), reverse("catalog:upload")],
            "leaving": list(map(reverse, LEAVING)),
        },
    }


def _page(what: str, language: str) -> str:
    return f"{reverse('pwa:offline', args=[what])}?language={language}"


def _revision(shell: list[str]) -> str:
    """Of the pages in WHAT: their templates, their words, and the files that they name, whose names hold hashes."""
    found = hashlib.sha256("\n".join(shell).encode())
    built = Path(settings.BUILT_DIR, "manifest.json")
    for source in (*Path(settings.BASE_DIR, "templates").rglob("offline*.html"), *_catalogs(), built):
        found.update(source.read_bytes() if source.is_file() else b"")
    return found.hexdigest()[:12]


def _catalogs() -> list[Path]:
    return sorted(Path(settings.BASE_DIR, "locale").glob("*/LC_MESSAGES/*.po"))


def _static_files() -> tuple[list[str], list[str]]:
    """Addresses of the shell, and of the weights: hashed ones, so that each may be kept for ever."""
    names = sorted(getattr(staticfiles_storage, "hashed_files", {}))
    shell = [name for name in names if name.startswith(SHELL) and not _is_left_out(name)]
    heavy = [name for name in names if name.endswith(HEAVY) and staticfiles_storage.size(_stored(name)) <= LARGEST]
    return [static(name) for name in shell], [static(name) for name in heavy]


def _is_left_out(name: str) -> bool:
    return name.startswith(NOT_SHELL) or name.endswith(NOT_SHELL) or name in SHEETS  # pages wear ONE_SHEET


def _stored(name: str) -> str:
    return str(staticfiles_storage.stored_name(name))


# --- the app ----------------------------------------------------------------------------------------------------------
@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """In the reader's language; asked for with cookies, because base.html says use-credentials."""
    response = JsonResponse(_manifest(), content_type="application/manifest+json")
    patch_cache_control(response, private=True, max_age=3600)
    patch_vary_headers(response, ["Cookie", "Accept-Language"])
    return response


def _manifest() -> dict[str, Any]:
    start = reverse("generation:new")
    return {
        "id": "/",
        "name": "iModel",
        "short_name": "iModel",
        "description": _("Your garment, photographed once, worn by a model of your choice."),
        "lang": translation.get_language(),
        "start_url": start,
        "scope": "/",
        "display": "standalone",
        "background_color": "#f6f8fa",
        "theme_color": "#f6f8fa",
        "icons": [_icon(size, purpose) for size in (192, 512) for purpose in ("any", "maskable")],
        "shortcuts": [
            {"name": _("New shoot"), "url": start},
            {"name": _("Catalog"), "url": reverse("catalog:garments")},
            {"name": _("Pictures"), "url": reverse("generation:pictures")},
        ],
    }


def _icon(size: int, purpose: str) -> dict[str, str]:
    source = static(f"ui/img/app/{purpose}-{size}.png")
    return {"src": source, "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}


# --- without a connection ---------------------------------------------------------------------------------------------
@require_safe
def offline(request: HttpRequest, what: str) -> HttpResponse:
    """What a worker shows when nothing answers. It holds nothing of anybody's: scripts add what this browser keeps."""
    if what not in WHAT:
        raise NotHere()
    asked = request.GET.get("language", "")
    known = asked if asked in dict(settings.LANGUAGES) else translation.get_language()
    with translation.override(known):
        response = render(request, "offline.html", {"what": what, "language": known, "words": _for_anybody()})
    patch_cache_control(response, public=True, no_cache=True)
    return response


def _for_anybody() -> dict[str, Any]:
    """As Frame.pwa, but the same for all: whose browser it is, its worker knows."""
    return {"account": "", "worker": "", "state": reverse("pwa:state"), "leaving": [], "words": words()}


@require_safe
def state(request: HttpRequest) -> HttpResponse:
    """Who is there now, and the token that their next form needs: asked before anything that waited is sent."""
    response = JsonResponse({"account": account_of(request), "csrf": get_token(request)})
    patch_cache_control(response, private=True, no_store=True)
    return response


urlpatterns = [
    path("sw.js", worker, name="worker"),
    path("manifest.webmanifest", manifest, name="manifest"),
    path("offline/<str:what>", offline, name="offline"),
    path("pwa/state", state, name="state"),
]
