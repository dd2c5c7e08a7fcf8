"""A shoot while it runs and afterwards, and the list of shoots."""

from __future__ import annotations

import secrets
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Sum
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from accounts.decorators import member_required, writer_required
from accounts.services import credits
from generation import previews, services, under_way, words
from generation.access import access_shoot
from generation.models import Picture, Shoot
from generation.moderation.states import source_of
from imodel_site.lib.errors import NotHere
from imodel_site.lib.jobs import queue
from imodel_site.lib.jobs.model import ENDED, Status
from imodel_site.lib.polling import polled
from imodel_site.lib.signing import media_url
from imodel_site.lib.streams import Told

PAGE = 30


@member_required
@require_safe
def shoot(request: Any, pk: UUID) -> HttpResponse:
    """How far it is, or its pictures, or why there are none."""
    found = access_shoot(request.actor, pk, write=False)
    context = {
        "shoot": found,
        "progress": progress_of(found),
        "pictures": _pictures(found),
        "paid": found.pictures.aggregate(sum=Sum("cost"))["sum"] or 0,
        "failure": words.failure(found.error_code, found.error_message) if found.status == Status.FAILED else "",
        "source": media_url(found, "source") if found.table.get("source") else _photo(found),
        "sheet": media_url(found, "sheet") if found.table.get("sheet") else "",
        "once": secrets.token_urlsafe(18),
    }
    return render(request, "generation/shoot.html", context)


def _pictures(found: Shoot) -> list[Picture]:
    """Those that are not in the bin."""
    rows = Picture.objects.filter(shoot=found, deleted_at=None).select_related("garment")
    return list(rows.defer("report", "recipe").order_by("index"))


def _photo(found: Shoot) -> str:
    return media_url(found.photo.asset, "large") if found.photo else ""


def progress_of(found: Shoot) -> dict[str, Any]:
    """What src/shoot/progress.ts reads."""
    ended = found.status in ENDED
    return {
        "status": found.status,
        "stage": str(found.get_status_display()) if ended else _stage(found),
        "fraction": None if found.status == Status.QUEUED else round(found.fraction, 3),
        "position": queue.position(found) or None,
        "eta_seconds": None if ended else queue.eta_seconds(found),
        "preview": None if ended else _preview(found),
        "pictures": [],
        "message": "",
        "done": ended,
        "next": reverse("generation:shoot", args=[found.pk]) if ended else None,
    }


def _stage(found: Shoot) -> str:
    if found.cancel_requested_at:
        return _("Stopping")
    if found.status == Status.RUNNING and not found.stage:
        return _("Starting")
    return words.stage(found.stage if found.status == Status.RUNNING else "")


def _preview(found: Shoot) -> str | None:
    newest = previews.newest(found.merchant_id, found.pk)
    return f"{reverse('generation:preview', args=[found.pk])}?n={newest.number}" if newest else None


@member_required
@require_safe
def progress(request: Any, pk: UUID) -> HttpResponse:
    """The JSON; 304 while nothing has changed."""
    return polled(request, told(access_shoot(request.actor, pk, write=False)))


def told(found: Shoot) -> Told:
    """What a page that follows it is told, by an event or an answer."""
    answer = progress_of(found)
    if found.status == Status.SUCCEEDED:
        answer["pictures"] = [_told(picture) for picture in _pictures(found) if not picture.rejected]
    return Told(answer, last=answer["done"])


def _told(picture: Picture) -> dict[str, str]:
    return {"id": str(picture.pk), "url": media_url(picture, "medium"), "verdict": picture.verdict}


@member_required
@require_GET
def preview(request: Any, pk: UUID) -> HttpResponse:
    """What is being painted, while it is."""
    found = access_shoot(request.actor, pk, write=False)
    newest = previews.newest(found.merchant_id, found.pk)
    source = source_of(found)
    if newest is None or (source is not None and source.rejected):
        raise NotHere()
    response = HttpResponse(newest.data, content_type="image/webp")
    patch_cache_control(response, private=True, no_store=True)
    return response


@member_required
@require_safe
def running(request: Any) -> HttpResponse:
    """How many wait or run, and what may still be spent: the top bar asks now and then while anything does."""
    response = JsonResponse({"running": under_way.count().all, "credits": credits.balance(request.merchant)})
    patch_cache_control(response, private=True, no_store=True)
    return response


@member_required
@require_safe
def shoots(request: Any) -> HttpResponse:
    """Running and recent shoots, newest first."""
    rows = Shoot.objects.select_related("garment", "persona", "photo__asset").order_by("-id").defer("order", "timings")
    running = request.GET.get("status") == "running"
    if running:
        rows = rows.filter(status__in=(Status.QUEUED, Status.RUNNING))
    before = _cursor(request.GET.get("before"))
    if before:
        rows = rows.filter(pk__lt=before)
    found = list(rows[: PAGE + 1])
    older = found[PAGE - 1].pk if len(found) > PAGE else None
    return render(
        request,
        "generation/shoots.html",
        {
            "rows": _with_covers(found[:PAGE]),
            "older": older,
            "before": before,
            "running": running,
            "trainings": under_way.count().trainings if running else 0,
        },
    )


def _cursor(value: str | None) -> UUID | None:
    try:
        return UUID(value) if value else None
    except ValueError:
        return None


def _with_covers(found: list[Shoot]) -> list[dict[str, Any]]:
    """Each shoot with its first picture, in one query for all."""
    firsts = Picture.objects.filter(shoot__in=found, index=0, deleted_at=None).defer("report", "recipe")
    covers = {picture.shoot_id: media_url(picture, "small") for picture in firsts}
    return [
        {
            "shoot": row,
            "cover": covers.get(row.pk) or (media_url(row.photo.asset, "small") if row.photo else ""),
            "stage": _stage(row) if row.status not in ENDED else "",
            "failure": words.failure(row.error_code, row.error_message) if row.status == Status.FAILED else "",
        }
        for row in found
    ]


@writer_required
@require_POST
def cancel(request: Any, pk: UUID) -> HttpResponse:
    """Stop it."""
    found = access_shoot(request.actor, pk, write=True)
    services.cancel_shoot(actor=request.actor, shoot=found)
    if found.status != Status.CANCELLED and found.status in ENDED:
        messages.info(request, _("It had finished already."))
    return redirect("generation:shoot", found.pk)


@writer_required
@require_POST
def retry(request: Any, pk: UUID) -> HttpResponse:
    """Once more, as it was ordered."""
    found = access_shoot(request.actor, pk, write=True)
    services.retry_shoot(actor=request.actor, shoot=found)
    return redirect("generation:shoot", found.pk)


@writer_required
@require_POST
def again(request: Any, pk: UUID) -> HttpResponse:
    """The same order with new seeds."""
    found = access_shoot(request.actor, pk, write=True)
    made = services.do_again(actor=request.actor, shoot=found, key=request.POST.get("once") or None)
    return redirect("generation:shoot", made.pk)
