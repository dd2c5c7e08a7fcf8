"""A grid: painted, looked at, overruled."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from accounts.decorators import member_required, writer_required
from accounts.following import stream
from imodel_site.lib.errors import NotHere
from imodel_site.lib.polling import polled
from imodel_site.lib.signing import media_url
from imodel_site.lib.streams import Told
from training import progress, showing
from training.access import access_comparison
from training.models import Comparison, ComparisonCell
from training.services import comparisons
from training.spending import title_of
from training.watching import watcher


@member_required
@require_safe
def comparison(request: Any, pk: UUID) -> HttpResponse:
    """The cells with their scores, or how far they are."""
    found = access_comparison(request.actor, pk, write=False)
    far = progress.of_job(found)
    winner = ComparisonCell.objects.filter(comparison=found, number=found.winner).first()
    context = {
        "comparison": found,
        "title": title_of(found.training),
        "progress": far,
        "failure": far["message"],
        "sheets": showing.sheets(found) if found.ended else [],
        "winner": winner,
        "sheet": media_url(found, "sheet") if found.papers.get("sheet") else "",
        "csv": media_url(found, "csv") if found.papers.get("csv") else "",
    }
    return render(request, "training/comparison.html", context)


@member_required
@require_safe
def comparison_progress(request: Any, pk: UUID) -> HttpResponse:
    """The JSON; 304 while nothing has changed."""
    return polled(request, told(access_comparison(request.actor, pk, write=False)))


@member_required
@require_GET
def comparison_stream(request: Any, pk: UUID) -> HttpResponseBase:
    """The same as events."""
    access_comparison(request.actor, pk, write=False)
    return stream(
        request,
        watcher=watcher,
        kind="comparison",
        pk=pk,
        look=lambda actor: told(access_comparison(actor, pk, write=False)),
    )


def told(found: Comparison) -> Told:
    """What a page that follows it is told."""
    far = progress.of_job(found)
    return Told(far | {"next": reverse("training:comparison", args=[found.pk]) if far["done"] else None}, far["done"])


@writer_required
@require_POST
def act(request: Any, pk: UUID) -> HttpResponse:
    """Cancel, or try again."""
    found = access_comparison(request.actor, pk, write=True)
    deeds = {"cancel": comparisons.cancel_comparison, "retry": comparisons.retry_comparison}
    deed = deeds.get(request.POST.get("action", ""))
    if deed is None:
        raise NotHere
    deed(actor=request.actor, comparison=found)
    return redirect("training:comparison", found.pk)


@writer_required
@require_POST
def pick(request: Any, pk: UUID) -> HttpResponse:
    """The merchant's winner."""
    found = access_comparison(request.actor, pk, write=True)
    cell = request.POST.get("cell", "")
    if not (cell.isdecimal() and len(cell) < 6):
        raise NotHere
    comparisons.pick_cell(actor=request.actor, comparison=found, number=int(cell))
    messages.success(request, _("That is the winner now. Its checkpoint is a version, at this weight."))
    return redirect("training:comparison", found.pk)
