"""The page on which a batch is put together, with its count and price before it starts."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import allow_write
from accounts.decorators import member_required, writer_required
from accounts.services import credits
from catalog import listing
from catalog.models import Category, Persona, Scene
from generation import batch_cards, boards
from generation.batch_forms import BatchForm
from generation.batches import Matrix, Wishes, plan, refuse, seconds_of
from generation.forms import BEST_OF
from generation.models import Batch
from generation.orders import MOST, first
from generation.services.batches import order_batch
from imodel_site.lib.errors import Refused

SHOWN = 24  # garments of a page of the search


@member_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: Any) -> HttpResponse:
    """Choose on one page; ``show`` (a search, another page of garments, a new price) brings it back as it was."""
    if request.method != "POST":
        return _page(request, BatchForm(request.GET))
    allow_write(request.actor)
    form = BatchForm(request.POST)
    if "show" in request.POST:
        return _page(request, form)
    batch = _order(request, form)
    return redirect("generation:batch", batch.pk) if batch else _page(request, form)


def _order(request: Any, form: BatchForm) -> Batch | None:
    """None when the form or the service refused, and then the form says why. A foreign id is a 404."""
    if not form.is_valid():
        return None
    key = form.cleaned_data["once"] or None
    try:
        return order_batch(actor=request.actor, wishes=form.wishes(), skip_unusable=True, key=key)
    except Refused as refused:
        if refused.status == 404:
            raise
        form.add_error(refused.field if refused.field in form.fields else None, str(refused.message))
        return None


@writer_required
@require_POST
def price(request: Any) -> HttpResponse:
    """What the choices come to, as a piece of the page; asked for at each change."""
    form = BatchForm(request.POST)
    form.is_valid()
    response = render(request, "generation/batch_sum.html", _sum(request, form.wishes()))
    patch_cache_control(response, private=True, no_store=True)
    return response


def _page(request: Any, form: BatchForm) -> HttpResponse:
    form.is_valid()
    wishes = _preselected(form)
    context = {
        "form": form,
        "once": form.cleaned_data.get("once") or secrets.token_urlsafe(18),
        "all": form.cleaned_data.get("all"),
        "wishes": wishes,
        **_garments(form),
        "personas": batch_cards.shelf(Persona, wishes.personas),
        "scenes": batch_cards.shelf(Scene, wishes.scenes),
        "poses": batch_cards.poses(wishes.poses),
        "crops": batch_cards.crops(wishes.crop),
        "counts": range(1, MOST + 1),
        "best_of": BEST_OF,
        **_sum(request, wishes),
    }
    return render(request, "generation/batch_new.html", context, status=422 if form.errors else 200)


def _preselected(form: BatchForm) -> Wishes:
    """A page that is opened afresh has the first model and scene chosen, so that garments are all it needs."""
    wishes = form.wishes()
    if form.started:
        return wishes
    return replace(wishes, personas=(first(Persona).pk,), scenes=(first(Scene).pk,))


def _garments(form: BatchForm) -> dict[str, Any]:
    """A page of what the search finds, and before it what was chosen on other pages of it."""
    shown = form.data.get("show", "")
    after = shown.removeprefix("after:") if shown.startswith("after:") else ""
    found = listing.page_of(form.filters, after=after, size=SHOWN)
    chosen = set(form.ids("garment"))
    on_page = {card.garment.pk for card in found.cards}
    return {
        "filters": form.filters,
        "categories": Category.choices,
        "found": found,
        "garments": [(card, card.garment.pk in chosen) for card in found.cards],
        "kept": listing.cards_of(chosen - on_page),
        "photos": form.ids("photo"),
    }


def _sum(request: Any, wishes: Wishes) -> dict[str, Any]:
    """The count, the price and the time, what is left out, and why it may not start."""
    try:
        matrix = plan(request.actor, wishes)
    except Refused as refused:
        if refused.status == 404:
            raise
        return {"matrix": None, "refusal": str(refused.message)}
    seconds = seconds_of(request.merchant, matrix.shoots)
    balance = credits.balance(request.merchant)
    return {
        "matrix": matrix,
        "duration": boards.duration(seconds) if seconds and matrix.shoots else "",
        "balance": balance,
        "affordable": matrix.price <= balance,
        "refusal": _refusal(matrix) if matrix.photos else "",
    }


def _refusal(matrix: Matrix) -> str:
    try:
        refuse(matrix, skip_unusable=True)
    except Refused as refused:
        return str(refused.message)
    return ""
