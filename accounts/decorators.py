"""What a page asks of whoever opens it. Every page of a merchant wears one of these; tests/permissions proves it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts import access
from imodel_site.lib.errors import Refused
from imodel_site.middleware import wants_json

View = Callable[..., HttpResponse]


def person_required(view: View) -> View:
    """Signed in, whatever the merchant."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        if wants_json(request):
            raise Refused("signed_out", _("You are signed out. Sign in again; nothing was lost."), status=401)
        return redirect_to_login(request.get_full_path() if request.method == "GET" else "/")

    return inner


def member_required(view: View) -> View:
    """Signed in and working for a merchant that is open: ``request.actor`` is there."""

    @person_required
    @wraps(view)
    def inner(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.actor is not None:
            return view(request, *args, **kwargs)
        if wants_json(request):
            access.acting(request)
        if request.merchant is None:
            return redirect("accounts:create")
        return render(request, "accounts/suspended.html", status=403)

    return inner


def writer_required(view: View) -> View:
    """A member who may change things."""

    @member_required
    @wraps(view)
    def inner(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        access.allow_write(request.actor)
        return view(request, *args, **kwargs)

    return inner


def owner_required(view: View) -> View:
    """An owner."""

    @member_required
    @wraps(view)
    def inner(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        access.allow_owner(request.actor)
        return view(request, *args, **kwargs)

    return inner
