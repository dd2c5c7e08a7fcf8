"""A shop is created, chosen, renamed, deleted and kept."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import reauthentication_required
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import access, middleware
from accounts.decorators import member_required, owner_required, person_required
from accounts.forms import DeleteForm, ShopForm
from accounts.services import closing, merchants
from accounts.views.forms import attempt
from imodel_site.lib.errors import NotHere


@person_required
@require_http_methods(["GET", "POST"])
def create(request: Any) -> HttpResponse:
    """A shop of one's own, the first or another."""
    form = ShopForm(request.POST or None)
    if request.method == "POST":
        made = attempt(form, lambda: merchants.open_merchant(owner=request.user, name=form.cleaned_data["name"]))
        if made is not None:
            request.session[middleware.SESSION_KEY] = str(made.pk)
            return redirect("front:home")
    return render(request, "accounts/create.html", {"form": form}, status=422 if form.errors else 200)


@person_required
@require_POST
def switch(request: Any) -> HttpResponse:
    """Work for another of one's merchants from now on."""
    wanted = request.POST.get("merchant", "")
    if wanted not in {str(row.merchant_id) for row in request.memberships}:
        raise NotHere
    request.session[middleware.SESSION_KEY] = wanted
    return redirect("front:home")


@member_required
@require_http_methods(["GET", "POST"])
def general(request: Any) -> HttpResponse:
    """The shop's name, its storage, one's own way out."""
    actor = request.actor
    form = ShopForm(request.POST or None, initial={"name": actor.merchant.name})
    if request.method == "POST":
        access.allow_owner(actor)
        access.allow_write(actor)

        def rename() -> bool:
            merchants.rename_merchant(merchant=actor.merchant, name=form.cleaned_data["name"])
            return True

        if attempt(form, rename):
            messages.success(request, _("Saved."))
            return redirect("accounts:settings")
    quota = actor.merchant.quota_bytes or settings.QUOTA_BYTES
    context = {"form": form, "quota": quota, "grace_days": settings.DELETION_GRACE_DAYS, "tab": "general"}
    return render(request, "accounts/settings.html", context, status=422 if form.errors else 200)


@owner_required
@require_http_methods(["GET", "POST"])
@reauthentication_required
def delete(request: Any) -> HttpResponse:
    """Ask for the shop to be deleted."""
    merchant = request.actor.merchant
    form = DeleteForm(request.POST or None)
    if request.method == "POST":

        def ask() -> bool:
            closing.ask_deletion(merchant=merchant, by=request.user, typed_name=form.cleaned_data["name"])
            return True

        if attempt(form, ask):
            messages.success(request, _("The shop will be deleted. Every member was told by e-mail."))
            return redirect("accounts:settings")
    context = {"form": form, "grace_days": settings.DELETION_GRACE_DAYS, "tab": "general"}
    return render(request, "accounts/delete.html", context, status=422 if form.errors else 200)


@owner_required
@require_POST
def keep(request: Any) -> HttpResponse:
    """Take the deletion back."""
    closing.keep(merchant=request.actor.merchant, by=request.user)
    messages.success(request, _("The shop stays. Nothing was deleted."))
    return redirect("accounts:settings")
