"""The staff's admin: signed in through allauth like everybody, and with a second factor."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.mfa.utils import is_mfa_enabled
from django.contrib import admin, messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from imodel_site.lib.errors import NotAllowed, NotHere


def works_here(user: Any) -> bool:
    """Is staff at all."""
    return bool(user.is_authenticated and user.is_active and user.is_staff)


def showed_second_factor(request: HttpRequest) -> bool:
    """Has a second factor and gave it in this session (a passkey counts)."""
    methods = {record.get("method") for record in get_authentication_records(request, request.user)}
    return "mfa" in methods and is_mfa_enabled(request.user)


def ask_for_second_factor(request: HttpRequest) -> HttpResponse:
    """To the page that sets one up, or to the one that asks for it."""
    if not is_mfa_enabled(request.user):
        messages.warning(request, _("Staff pages need a second factor. Set up an authenticator app or a passkey."))
        return redirect("mfa_index")
    return redirect(f"{reverse('mfa_reauthenticate')}?{urlencode({'next': request.get_full_path()})}")


def staff_required(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Staff with a second factor; to everybody else who is signed in, there is nothing here."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if not works_here(request.user):
            raise NotHere
        if not showed_second_factor(request):
            return ask_for_second_factor(request)
        return view(request, *args, **kwargs)

    return inner


def staff_may(permission: str) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Staff as in :func:`staff_required`, who have this permission of Django's (superusers have all of them)."""

    def wrap(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @staff_required
        @wraps(view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.has_perm(permission):
                raise NotAllowed("not_permitted", _("Your staff account may not do this. Ask whoever runs the site."))
            return view(request, *args, **kwargs)

        return inner

    return wrap


# Rooms whose tables have pages in the admin.
ROOMS = ("accounts", "catalog", "generation", "training", "auth")


class StaffSite(admin.AdminSite):
    """Django's admin behind allauth's login; it has no login form of its own."""

    site_header = site_title = "iModel"
    enable_nav_sidebar = False  # the places above each page are enough, and the tables need the room

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Only our own tables and Django's groups: with allauth's and django-q's own pages staff could give themselves
        somebody's second factor, or wake-ups that no service made.
        """
        models: list[Any] = [model_or_iterable] if isinstance(model_or_iterable, type) else list(model_or_iterable)
        super().register([model for model in models if model._meta.app_label in ROOMS], admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        """Each page of the admin asks this."""
        return works_here(request.user) and showed_second_factor(request)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Where the admin sends whoever may not enter."""
        if not request.user.is_authenticated:
            return redirect_to_login(request.GET.get("next") or reverse("admin:index"))
        if not works_here(request.user):
            raise NotHere
        return redirect("admin:index") if showed_second_factor(request) else ask_for_second_factor(request)
