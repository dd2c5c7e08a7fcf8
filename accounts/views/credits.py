"""What a shop may still spend, what it spent it on, and from which verdict on it pays."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import access, statement
from accounts.decorators import member_required, owner_required
from accounts.forms import ThresholdForm
from accounts.services import credits, merchants
from accounts.views.forms import attempt
from accounts.views.paging import cursor
from imodel_site.lib.spreadsheets import csv_stream


@member_required
@require_safe
def listing(request: Any) -> HttpResponse:
    """Balance, plan and the ledger, a page at a time."""
    return _page(request, ThresholdForm(initial={"pays_from": request.merchant.pays_from}))


def _page(request: Any, form: ThresholdForm) -> HttpResponse:
    show = request.GET.get("show", "")
    show = show if show in statement.SHOWN else ""
    summary = credits.summary(request.merchant)  # opens the account, whose first entry the page then shows
    lines, older = statement.page(request.merchant.pk, show=show, older_than=cursor(request.GET.get("before")))
    context = {"tab": "credits", "summary": summary, "form": form, "lines": lines, "older": older, "show": show}
    return render(request, "accounts/credits.html", context, status=422 if form.errors else 200)


@owner_required
@require_POST
def threshold(request: Any) -> HttpResponse:
    """Choose which pictures are paid for."""
    access.allow_write(request.actor)
    form = ThresholdForm(request.POST)

    def choose() -> bool:
        merchants.choose_threshold(merchant=request.merchant, pays_from=form.cleaned_data["pays_from"])
        return True

    if attempt(form, choose):
        messages.success(request, _("Saved. It counts for every shoot that ends from now on."))
        return redirect("accounts:credits")
    return _page(request, form)


@member_required
@require_safe
def export(request: Any) -> StreamingHttpResponse:
    """The whole ledger as CSV."""
    rows = csv_stream(statement.everything(request.merchant.pk))
    response = StreamingHttpResponse(rows, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="credits.csv"'
    return response
