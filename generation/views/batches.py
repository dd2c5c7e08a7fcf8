"""Batches: the list, one batch as a board, and what is done with it and its pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.decorators import member_required, writer_required
from generation import boards, downloads, services
from generation.access import access_batch, access_pictures
from generation.models import Batch, Complaint, Picture, Review
from generation.services import batches as service
from generation.services import redoing
from generation.views.pictures import back
from imodel_site.lib.errors import Conflict, NotHere, Refused
from imodel_site.lib.polling import polled
from imodel_site.lib.streams import Told
from imodel_site.middleware import wants_json

PAGE = 20
CELLS_AT_ONCE = boards.CELLS


@member_required
@require_safe
def batches(request: Any) -> HttpResponse:
    """All batches, newest first."""
    rows = Batch.objects.order_by("-id")
    before = _uuid(request.GET["before"]) if request.GET.get("before") else None
    found = list((rows.filter(pk__lt=before) if before else rows)[: PAGE + 1])
    older = found[PAGE - 1].pk if len(found) > PAGE else None
    far = boards.progress_of(found[:PAGE])
    shown = [(batch, boards.title(batch), far[batch.pk]) for batch in found[:PAGE]]
    return render(request, "generation/batches.html", {"rows": shown, "older": older})


@member_required
@require_safe
def batch(request: Any, pk: UUID) -> HttpResponse:
    """The board: a matrix, or one of the lists beside it."""
    found = access_batch(request.actor, pk, write=False)
    show, number = request.GET.get("show", ""), _number(request.GET.get("page"))
    garment = _uuid(request.GET["garment"]) if request.GET.get("garment") else None
    if show and show not in boards.PICTURE_LISTS and show not in boards.SHOOT_LISTS:
        raise NotHere
    progress = boards.progress_of([found])[found.pk]
    context = {
        "batch": found,
        "title": boards.title(found),
        "looks": boards.looks(found),
        "show": show,
        "page": boards.listed(found, show, number, garment=garment) if show else boards.matrix(found, number),
        "progress": progress,
        "summary": boards.summary(found, progress),
        "chips": boards.chips(found, progress),
        "good": service.good_unseen(found).count(),
        "approved": service.picture_counts(found)["approved"],
        "left_out": len(found.choices.get("left_out", ())),
        "paid": boards.paid(found),
        "complaints": Complaint.choices,
        "garments": boards.garments(found) if show else (),
        "garment": garment,
    }
    return render(request, "generation/batch.html", context)


def _number(text: Any) -> int:
    return int(text) if str(text).isdecimal() and len(str(text)) < 6 else 1


def _uuid(text: Any) -> UUID:
    try:
        return UUID(str(text))
    except ValueError:
        raise NotHere from None


@member_required
@require_safe
def progress(request: Any, pk: UUID) -> HttpResponse:
    """How far it is, and the marks of the cells of a page of the matrix; 304 while nothing has changed."""
    return polled(request, told(access_batch(request.actor, pk, write=False), request.GET.get("page")))


def told(found: Batch, number: str | None) -> Told:
    """What a board is told, by an event or an answer."""
    far = boards.progress_of([found])[found.pk]
    page = boards.matrix(found, _number(number)) if number else None
    cells = [cell for row in page.rows for cell in row.cells] if page else []
    answer = {
        "status": found.status,
        "words": boards.summary(found, far),
        "percent": far.percent,
        "done": not far.under_way,
        "marks": {str(cell.shoot.pk): cell.mark for cell in cells},
    }
    return Told(answer, last=not far.under_way)


@member_required
@require_safe
def cells(request: Any, pk: UUID) -> HttpResponse:
    """Some cells, drawn afresh; batch.js puts them where the old ones were."""
    found = access_batch(request.actor, pk, write=False)
    wanted = [_uuid(text) for text in request.GET.getlist("shoot")[:CELLS_AT_ONCE]]
    context = {"batch": found, "cells": boards.cells_of(found, wanted)}
    response = render(request, "generation/batch_cells.html", context)
    patch_cache_control(response, private=True, no_store=True)
    return response


# --- what is done with it ---------------------------------------------------------------------------------------------
@writer_required
@require_POST
def act(request: Any, pk: UUID) -> HttpResponse:
    """Pause, resume, cancel the rest, try the failed again, approve what is good."""
    found = access_batch(request.actor, pk, write=True)
    action = ACTIONS.get(request.POST.get("action", ""))
    if action is None:
        raise Refused("action_unknown", _("Choose what to do with this batch."), field="action")
    try:
        messages.success(request, action(request, found))
    except Refused as refused:  # it has ended meanwhile, or can not be paid for: said on the board
        messages.error(request, str(refused.message))
    return redirect("generation:batch", found.pk)


def _pause(request: Any, found: Batch) -> str:
    service.pause_batch(actor=request.actor, batch=found)
    return _("Paused. What runs is finished; nothing else starts.")


def _resume(request: Any, found: Batch) -> str:
    service.resume_batch(actor=request.actor, batch=found)
    return _("The batch goes on.")


def _cancel(request: Any, found: Batch) -> str:
    service.cancel_batch(actor=request.actor, batch=found)
    return _("The rest is cancelled, and its credits are back. Finished pictures stay.")


def _retry(request: Any, found: Batch) -> str:
    count = service.retry_failed(actor=request.actor, batch=found)
    return ngettext("%(n)d shoot waits again.", "%(n)d shoots wait again.", count) % {"n": count}


def _approve_good(request: Any, found: Batch) -> str:
    count = service.approve_good(actor=request.actor, batch=found)
    return ngettext("%(n)d picture approved.", "%(n)d pictures approved.", count) % {"n": count}


ACTIONS: dict[str, Callable[[Any, Batch], str]] = {
    "pause": _pause,
    "resume": _resume,
    "cancel": _cancel,
    "retry": _retry,
    "approve_good": _approve_good,
}


@writer_required
@require_POST
def review(request: Any, pk: UUID) -> HttpResponse:
    """Approve or reject pictures of this batch, or take that back; one that is not of it refuses the whole call.

    The button's name says what: ``approved``, ``rejected``, ``clear``, or ``redo`` (make a rejected one again, free);
    its value is the picture. ``reason`` goes with a rejection.
    """
    found = access_batch(request.actor, pk, write=True)
    said = next((name for name in ("approved", "rejected", "clear", "redo") if name in request.POST), "")
    chosen = _of_batch(found, access_pictures(request.actor, request.POST.getlist(said), write=True))
    try:
        told = _redo(request, chosen[0]) if said == "redo" else _review(request, chosen, said)
    except Conflict as conflict:
        if wants_json(request):
            raise
        messages.error(request, str(conflict.message))
        told = {}
    if wants_json(request):
        return JsonResponse(told)
    return back(request) if request.POST.get("next") else redirect("generation:batch", found.pk)


def _review(request: Any, chosen: list[Picture], said: str) -> dict[str, Any]:
    """What a script draws: the review, the reason's words, and whether a free retry is to be had."""
    reason = request.POST.get("reason", "") if said == "rejected" else ""
    said = "" if said == "clear" else said
    services.review_pictures(actor=request.actor, pictures=chosen, review=said, reason=reason)
    words = str(Complaint(reason).label) if reason else ""
    return {"review": Review(said), "reason": words, "redo": bool(reason) and redoing.can_redo(chosen[0])}


def _redo(request: Any, picture: Picture) -> dict[str, Any]:
    services.redo(actor=request.actor, picture=picture)
    messages.success(request, _("It is being made again, free. The new picture will stand beside it."))
    return {"review": Review.REJECTED, "again": True}


def _of_batch(found: Batch, chosen: list[Picture]) -> list[Picture]:
    inside = Picture.objects.filter(shoot__batch=found, pk__in=[picture.pk for picture in chosen]).count()
    if inside != len(chosen):
        raise NotHere
    return chosen


@member_required
@require_safe
def archive(request: Any, pk: UUID) -> HttpResponseBase:
    """One zip of all its pictures but the rejected, or (``?only=approved``) of the approved."""
    found = access_batch(request.actor, pk, write=False)
    chosen = service.to_download(found, approved_only=request.GET.get("only") == Review.APPROVED)
    if not chosen:
        messages.error(request, _("There is no picture to download yet."))
        return redirect(reverse("generation:batch", args=[found.pk]))
    name = f"{slugify(boards.title(found), allow_unicode=True) or 'batch'}-{len(chosen)}.zip"
    response = StreamingHttpResponse(downloads.zip_stream(chosen), content_type="application/zip")
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    patch_cache_control(response, private=True, no_store=True)
    return response
