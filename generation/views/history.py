"""All pictures: filters as chips, pages by cursor, and what can be done with many at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.decorators import member_required
from catalog.access import access_garment
from catalog.models import Garment, Persona
from generation import downloads, history, services
from generation.access import access_pictures
from generation.forms import HistoryForm
from generation.history import Filters, Page
from generation.models import Kind, Picture, Shoot, Verdict
from generation.views.pictures import back
from imodel_site.lib.errors import NotHere, Refused
from imodel_site.lib.signing import media_url
from imodel_site.middleware import wants_json

RECENT_SHOOTS, GARMENTS = 200, 30
FEED = 120  # tiles at once, for the grid that draws them by itself


@member_required
@require_safe
def pictures(request: Any) -> HttpResponse:
    """The grid."""
    filters = HistoryForm(request.GET).filters()
    if filters.garment:
        access_garment(request.actor, filters.garment, write=False)
    found = history.page(filters, **_place(request))
    query = _query(request)
    context = {
        "tiles": [_tile(picture, query) for picture in found.pictures],
        "blank": {"picture": Picture(pk=UUID(int=0)), "image": "", "href": "", "name": ""},
        "verdicts_shown": [{"verdict": verdict} for verdict in (Verdict.GOOD, Verdict.CHECK, Verdict.REJECT)],
        "words": _words(),
        "newer": found.newer,
        "older": found.older,
        "filters": filters,
        "filtered": filters != Filters(deleted=filters.deleted),
        "chips": _chips(filters),
        "garments": _garments(filters),
        "personas": Persona.objects.order_by("position", "id").values_list("pk", "title"),
        "kinds": Kind.choices,
        "verdicts": Verdict.choices,
        "tags": history.tag_names(),
        **_links(request, found),
    }
    return render(request, "generation/pictures.html", context)


def _cursor(request: Any, name: str) -> UUID | None:
    try:
        return UUID(request.GET[name]) if request.GET.get(name) else None
    except ValueError:
        raise NotHere from None


def _query(request: Any) -> str:
    """The filters alone, for links that keep them."""
    kept = request.GET.copy()
    for name in ("older", "newer", "from"):
        kept.pop(name, None)
    return str(kept.urlencode())


def _links(request: Any, found: Page) -> dict[str, str]:
    kept = _query(request)
    start = f"?{kept}&" if kept else "?"
    return {
        "previous_url": f"{start}newer={found.newer}" if found.newer else "",
        "next_url": f"{start}older={found.older}" if found.older else "",
        "query": kept,
    }


def _tile(picture: Picture, query: str) -> dict[str, Any]:
    return {
        "picture": picture,
        "image": media_url(picture, "medium"),
        "href": reverse("generation:picture", args=[picture.pk]) + (f"?{query}" if query else ""),
        "name": picture.garment.name if picture.garment else picture.get_kind_display(),
    }


def _words() -> dict[str, str]:
    """What the grid says by itself (src/pictures)."""
    return {
        "choose": _("Choose %(name)s"),
        "undo": _("Undo"),
        "restored": _("Restored."),
        "failed": _("That did not work. Check the connection, then try again."),
    }


@member_required
@require_safe
def feed(request: Any) -> HttpResponse:
    """A page of tiles as JSON, under the same filters and cursors; ``from`` begins at that very picture."""
    filters = HistoryForm(request.GET).filters()
    if filters.garment:
        access_garment(request.actor, filters.garment, write=False)
    found = history.page(filters, **_place(request), size=FEED)
    query = _query(request)
    response = JsonResponse(
        {"tiles": [_told(picture, query) for picture in found.pictures], "newer": found.newer, "older": found.older}
    )
    patch_cache_control(response, private=True, no_store=True)
    return response


def _told(picture: Picture, query: str) -> dict[str, Any]:
    tile = _tile(picture, query)
    return {
        "id": picture.pk,
        "image": tile["image"],
        "name": tile["name"],
        "href": tile["href"],
        "width": picture.width,
        "height": picture.height,
        "verdict": picture.verdict,
        "favourite": picture.favourite,
    }


def _place(request: Any) -> dict[str, Any]:
    """Where in the history: cursors exclude the picture they name, so the one after it includes it."""
    begin = _cursor(request, "from")
    older = UUID(int=min(begin.int + 1, 2**128 - 1)) if begin else _cursor(request, "older")
    return {"older_than": older, "newer_than": _cursor(request, "newer")}


def _garments(filters: Filters) -> list[tuple[UUID, str]]:
    """The garments of recent shoots, and the one that is filtered by; a list of all would be thousands."""
    recent = Shoot.objects.exclude(garment=None).order_by("-id").values_list("garment_id", flat=True)[:RECENT_SHOOTS]
    wanted = list(dict.fromkeys(recent))[:GARMENTS]
    if filters.garment and filters.garment not in wanted:
        wanted.append(filters.garment)
    return list(Garment.objects.filter(pk__in=wanted).order_by("name").values_list("pk", "name"))


def _chips(filters: Filters) -> list[tuple[str, str]]:
    """What is filtered by that has no select of its own on the page."""
    return [("shoot", _("One shoot"))] if filters.shoot else []


Action = Callable[[Any, Sequence[Picture]], HttpResponseBase | str]


@member_required
@require_POST
def bulk(request: Any) -> HttpResponseBase:
    """One action on several pictures; one id that is not ours refuses all of it. A script is answered with words."""
    action = ACTIONS.get(request.POST.get("action", ""))
    if action is None:
        raise NotHere()
    try:
        chosen = access_pictures(request.actor, request.POST.getlist("pictures"), write=action is not _download)
        done = action(request, chosen)
    except Refused as refused:
        if refused.status != 400 or wants_json(request):
            raise
        messages.error(request, str(refused.message))
        return back(request)
    if not isinstance(done, str):
        return done
    if wants_json(request):
        return JsonResponse({"words": done})
    messages.success(request, done)
    return back(request)


def _download(request: Any, chosen: Sequence[Picture]) -> HttpResponseBase:
    name = f"imodel-{timezone.now():%Y%m%d-%H%M}.zip"
    response = StreamingHttpResponse(downloads.zip_stream(chosen), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    return response


def _favourite(request: Any, chosen: Sequence[Picture]) -> str:
    services.set_favourite(actor=request.actor, pictures=chosen, favourite=True)
    return _said(len(chosen))


def _unfavourite(request: Any, chosen: Sequence[Picture]) -> str:
    services.set_favourite(actor=request.actor, pictures=chosen, favourite=False)
    return _said(len(chosen))


def _tag(request: Any, chosen: Sequence[Picture]) -> str:
    services.tag_with_words(actor=request.actor, pictures=chosen, text=request.POST.get("tag", ""))
    return _said(len(chosen))


def _delete(request: Any, chosen: Sequence[Picture]) -> str:
    services.delete_pictures(actor=request.actor, pictures=chosen)
    words = ngettext(
        "%(n)d picture is in the bin for 30 days.", "%(n)d pictures are in the bin for 30 days.", len(chosen)
    )
    return words % {"n": len(chosen)}


def _restore(request: Any, chosen: Sequence[Picture]) -> str:
    services.restore_pictures(actor=request.actor, pictures=chosen)
    return _said(len(chosen))


def _said(count: int) -> str:
    return ngettext("%(n)d picture changed.", "%(n)d pictures changed.", count) % {"n": count}


ACTIONS: dict[str, Action] = {
    "download": _download,
    "favourite": _favourite,
    "unfavourite": _unfavourite,
    "tag": _tag,
    "delete": _delete,
    "restore": _restore,
}
