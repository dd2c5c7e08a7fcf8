"""API keys; owners only, and making one asks who is there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts import access
from accounts.decorators import owner_required
from accounts.forms import KeyForm, RotateForm
from accounts.models import ApiKey
from accounts.services import api_keys
from accounts.views.forms import attempt


@owner_required
@require_GET
def listing(request: Any) -> HttpResponse:
    """The keys, without their secrets."""
    return _page(request, KeyForm())


def _page(request: Any, form: Any, new: api_keys.NewKey | None = None) -> HttpResponse:
    rows = ApiKey.objects.select_related("created_by").order_by("revoked_at", "-id")
    context = {"keys": rows, "form": form, "rotate": RotateForm(), "new": new, "now": timezone.now(), "tab": "keys"}
    return render(request, "accounts/keys.html", context, status=422 if form.errors else 200)


@owner_required
@require_POST
@reauthentication_required
def make(request: Any) -> HttpResponse:
    """Make a key and show it, this once: not kept in a session, and so not after a redirect."""
    access.allow_write(request.actor)
    form = KeyForm(request.POST)
    return _page(request, form if (new := attempt(form, lambda: _make(request, form))) is None else KeyForm(), new)


def _make(request: Any, form: KeyForm) -> api_keys.NewKey:
    given = form.cleaned_data
    return api_keys.make_key(
        merchant=request.merchant,
        by=request.user,
        name=given["name"],
        scope=given["scope"],
        store=given["store"],
        live=not given["test"],
        lifetime=form.lifetime,
    )


@owner_required
@require_POST
@reauthentication_required
def rotate(request: Any, key_id: str) -> HttpResponse:
    """Make its successor and show it, this once."""
    key = access.access_key(request.actor, key_id, write=True)
    access.allow_write(request.actor)
    form = RotateForm(request.POST)
    days = form.cleaned_data["days"] if form.is_valid() else api_keys.OVERLAP.days
    return _page(request, KeyForm(), api_keys.rotate_key(key=key, by=request.user, overlap=timedelta(days=days)))


@owner_required
@require_POST
def revoke(request: Any, key_id: str) -> HttpResponse:
    """End a key. Without asking who is there: in an emergency it must be quick."""
    api_keys.revoke_key(key=access.access_key(request.actor, key_id, write=True))
    messages.success(request, _("Key revoked. The next request with it is refused."))
    return redirect("accounts:keys")
