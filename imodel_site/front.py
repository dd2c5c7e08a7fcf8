"""The signed-out front page, the choice of theme, and what a refused form says."""

from __future__ import annotations

import json
import math
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model, login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from imodel_site.context import THEME_COOKIE, THEMES
from imodel_site.lib.errors import NotHere

app_name = "front"
SAMPLE = Path(settings.BASE_DIR) / "frontend" / "plain" / "img" / "front"
YEAR = 365 * 24 * 3600


@lru_cache(maxsize=1)
def _sample() -> dict[str, Any] | None:
    """What tools/front_pictures.py wrote beside its pictures; None before it has run."""
    facts = SAMPLE / "facts.json"
    if not facts.is_file():
        return None
    found = dict(json.loads(facts.read_text(encoding="utf-8")))
    # Rounded down: 99.999 % kept must not read as 100 %.
    return {**found, "kept_percent": f"{math.floor(1000 * found['kept']) / 10:g}"}


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The front page for a stranger; whoever works for a merchant goes straight to Shoot."""
    if request.user.is_authenticated and getattr(request, "merchant", None) is not None:
        return redirect("generation:new")
    return render(request, "front/home.html", {"sample": _sample(), "demo": settings.IMODEL_DEMO})


def _next(request: HttpRequest) -> str:
    asked = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(asked, {request.get_host()}, require_https=request.is_secure())
    return asked if ours else "/"


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Remember light, dark or the system's for a year; anything else changes nothing."""
    response = redirect(_next(request))
    asked = request.POST.get("theme", "")
    if asked in THEMES:
        # Scripts write it as well (theme.js): it says nothing about anybody.
        response.set_cookie(THEME_COOKIE, asked, max_age=YEAR, secure=settings.HTTPS, samesite="Lax")
    return response


@require_POST
def demo(request: HttpRequest) -> HttpResponse:
    """Sign in as the sample shop's person, where the installation offers that; never as anybody who has rights."""
    from imodel_site.demo.account import EMAIL
    from imodel_site.demo.catalog import first_shoot

    person = get_user_model().objects.filter(email=EMAIL, is_active=True, is_staff=False).first()
    if not settings.IMODEL_DEMO or person is None:
        raise NotHere
    login(request, person, backend=settings.AUTHENTICATION_BACKENDS[0])
    shoot = first_shoot(person)
    return redirect("generation:shoot", shoot.pk) if shoot else redirect("/")


@require_safe
def components(request: HttpRequest) -> HttpResponse:
    """Every component on one page, for whoever builds pages; only routed while DEBUG is on."""
    return render(request, "ui/gallery.html")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW: nearly always a page that stayed open over a sign-in."""
    return render(request, "403_csrf.html", status=403)


urlpatterns = [
    path("", home, name="home"),
    path("theme", theme, name="theme"),
    path("demo", demo, name="demo"),
]
if settings.DEBUG:
    urlpatterns.append(path("ui/", components, name="components"))
