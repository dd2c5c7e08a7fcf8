"""The staff's page of one merchant: its figures, suspending it, credits and plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Plan
from accounts.services import granting, suspending
from accounts.staff import staff_may
from generation.moderation import shops
from generation.moderation.access import access_merchant
from imodel_site.lib.errors import Refused

LOOK, CHANGE = "accounts.view_merchant", "accounts.change_merchant"


@require_safe
@staff_may(LOOK)
def shop(request: Any, pk: UUID) -> HttpResponse:
    """Figures, past decisions, and what may be done."""
    merchant = access_merchant(pk)
    context = {
        "shop": shops.shop(merchant),
        "newest": shops.newest(merchant.pk),
        "running": shops.running(merchant.pk),
        "plans": list(Plan.objects.order_by("position", "name")),
    }
    return render(request, "staff/shop.html", context)


def _done(request: Any, pk: UUID, act: Callable[[], None], words: str) -> HttpResponse:
    """Carry it out; what the service refuses is said on the page it came from."""
    try:
        act()
        messages.success(request, words)
    except Refused as refused:
        messages.error(request, str(refused.message))
    return redirect("generation:staff_shop", pk)


@require_POST
@staff_may(CHANGE)
def suspend(request: Any, pk: UUID) -> HttpResponse:
    """Stop everything of it at once."""
    merchant, why = access_merchant(pk), request.POST.get("reason", "")
    return _done(
        request, pk, lambda: suspending.suspend(merchant=merchant, by=request.user, reason=why), _("Suspended.")
    )


@require_POST
@staff_may(CHANGE)
def reopen(request: Any, pk: UUID) -> HttpResponse:
    """Let it go on."""
    merchant, why = access_merchant(pk), request.POST.get("reason", "")
    return _done(
        request, pk, lambda: suspending.reopen(merchant=merchant, by=request.user, reason=why), _("Open again.")
    )


@require_POST
@staff_may(CHANGE)
def grant(request: Any, pk: UUID) -> HttpResponse:
    """Give credits, or take some back."""
    merchant, note = access_merchant(pk), request.POST.get("note", "")
    amount = _number(request.POST.get("amount", ""))
    return _done(
        request,
        pk,
        lambda: granting.grant_credits(merchant=merchant, amount=amount, by=request.user, note=note),
        _("Written to the ledger."),
    )


def _number(text: str) -> int:
    """0 for what is none, which the service refuses."""
    digits = text.strip().removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) < 10 else 0


@require_POST
@staff_may(CHANGE)
def change_plan(request: Any, pk: UUID) -> HttpResponse:
    """Another plan."""
    merchant, plan = access_merchant(pk), request.POST.get("plan", "")
    return _done(
        request,
        pk,
        lambda: granting.put_on_plan(merchant=merchant, plan=plan, by=request.user),
        _("The plan was changed."),
    )
