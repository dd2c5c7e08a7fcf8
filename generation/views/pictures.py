"""One picture: large, with its report and recipe, and what can be done next."""

from __future__ import annotations

import json
import secrets
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.http import content_disposition_header, url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.decorators import member_required, writer_required
from catalog.models import Persona
from generation import downloads, history, services, words
from generation.access import access_picture
from generation.forms import HistoryForm
from generation.models import Kind, Picture
from generation.wizard import card_image
from imodel_site.lib.errors import NotHere, Refused
from imodel_site.lib.signing import media_url
from imodel_site.middleware import wants_json
from studio.errors import StorageError

OTHER_PERSONAS = 24
OVERLAYS = ("locked", "seam")  # of the light table, over the picture


@member_required
@require_safe
def picture(request: Any, pk: UUID) -> HttpResponse:
    """The picture beside its source, its verdict in words, and its neighbours under the filters it was opened from."""
    found = access_picture(request.actor, pk, write=False)
    filters = HistoryForm(request.GET).filters()
    newer, older = history.neighbours(filters, found.pk)
    context = {
        "picture": found,
        "image": media_url(found, "display"),
        "source": media_url(found.shoot, "source") if found.shoot.table.get("source") else "",
        "overlays": {name: media_url(found.shoot, name) for name in OVERLAYS if found.shoot.table.get(name)},
        "verdict": words.verdict(found),
        "reasons": words.reasons(found.report),
        "sections": words.report_sections(found.report),
        "recipe": json.dumps(found.recipe, indent=2, ensure_ascii=False),
        "made_from": _made_from(found),
        "tags": [tag.name for tag in found.tags.order_by("name")],
        "personas": _others(found),
        "newer": _neighbour(request, newer),
        "older": _neighbour(request, older),
        "once": secrets.token_urlsafe(18),
        "formats": list(downloads.FORMATS),
    }
    return render(request, "generation/picture.html", context)


def _neighbour(request: Any, pk: UUID | None) -> str:
    if pk is None:
        return ""
    query = request.GET.urlencode()
    return reverse("generation:picture", args=[pk]) + (f"?{query}" if query else "")


def _others(found: Picture) -> list[dict[str, str]]:
    """Who else could wear it; nobody in an expert's picture, whose persona is in its prompt."""
    if found.kind == Kind.EXPERT:
        return []
    rows = Persona.objects.select_related("asset").exclude(pk=found.persona_id).order_by("position", "id")
    return [{"id": str(row.pk), "title": row.title, "image": card_image(row)} for row in rows[:OTHER_PERSONAS]]


def _made_from(found: Picture) -> list[tuple[str, str]]:
    """The recipe in a merchant's words."""
    shoot = found.shoot
    order = (shoot.order.get("origin") or shoot.order)["body"].get("order", {})
    rows = [
        (_("Garment"), found.garment.name if found.garment else ""),
        (_("Model"), _name(order.get("persona"))),
        (_("Scene"), shoot.scene.label if shoot.scene else _name(order.get("scene"))),
        (_("Pose"), shoot.pose.label if shoot.pose else _name(order.get("pose"))),
        (_("Kind"), str(found.get_kind_display())),
        (_("Size"), f"{found.width} × {found.height} px"),
        (_("Seed"), str(found.seed)),
        (_("Made"), f"{found.created_at:%Y-%m-%d %H:%M} UTC"),
    ]
    return [(label, value) for label, value in rows if value]


def _name(value: Any) -> str:
    name = value.get("name", "") if isinstance(value, dict) else str(value or "")
    return _(name.replace("-", " ").capitalize()) if name else ""


@member_required
@require_safe
def recipe(request: Any, pk: UUID) -> HttpResponse:
    """The recipe as a file: ``python -m studio shoot --replay`` reads it."""
    found = access_picture(request.actor, pk, write=False)
    body = json.dumps({"recipe": found.recipe}, indent=2, ensure_ascii=False)
    name = downloads.file_name(found, "json")
    return _file(body.encode(), "application/json", name)


@member_required
@require_safe
def download(request: Any, pk: UUID, suffix: str) -> HttpResponse:
    """The labelled file in a format."""
    found = access_picture(request.actor, pk, write=False)
    if suffix not in downloads.FORMATS:
        raise NotHere()
    try:
        data = downloads.picture_bytes(found, suffix)
    except (FileNotFoundError, KeyError) as error:
        raise NotHere() from error
    except StorageError as error:
        words_ = _("The file storage does not answer. Try again in a minute.")
        raise Refused("storage_unavailable", words_, retryable=True, status=503) from error
    return _file(data, downloads.FORMATS[suffix], downloads.file_name(found, suffix))


def _file(data: bytes, content_type: str, name: str) -> HttpResponse:
    response = HttpResponse(data, content_type=content_type)
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    patch_cache_control(response, private=True, no_store=True)
    return response


@writer_required
@require_POST
def vary(request: Any, pk: UUID) -> HttpResponse:
    """Pictures near this one, or the same on somebody else."""
    found = access_picture(request.actor, pk, write=True)
    made = services.vary(
        actor=request.actor,
        picture=found,
        persona=request.POST.get("persona", ""),
        key=request.POST.get("once") or None,
    )
    return redirect("generation:shoot", made.pk)


@writer_required
@require_POST
def replay(request: Any, pk: UUID) -> HttpResponse:
    """Make it again from its recipe, to the byte."""
    found = access_picture(request.actor, pk, write=True)
    made = services.replay(actor=request.actor, picture=found, key=request.POST.get("once") or None)
    return redirect("generation:shoot", made.pk)


@writer_required
@require_POST
def favourite(request: Any, pk: UUID) -> HttpResponse:
    """Mark or unmark; the button says which."""
    found = access_picture(request.actor, pk, write=True)
    on = request.POST.get("on") == "1"
    services.set_favourite(actor=request.actor, pictures=[found], favourite=on)
    return JsonResponse({"favourite": on}) if wants_json(request) else back(request, found)


@writer_required
@require_POST
def tag(request: Any, pk: UUID) -> HttpResponse:
    """Put a word on it, or take one off."""
    found = access_picture(request.actor, pk, write=True)
    try:
        if name := request.POST.get("remove"):
            services.untag_pictures(actor=request.actor, pictures=[found], name=name)
        else:
            services.tag_with_words(actor=request.actor, pictures=[found], text=request.POST.get("tag", ""))
    except Refused as refused:
        messages.error(request, str(refused.message))
    return back(request, found)


@writer_required
@require_POST
def delete(request: Any, pk: UUID) -> HttpResponse:
    """Into the bin."""
    found = access_picture(request.actor, pk, write=True)
    services.delete_pictures(actor=request.actor, pictures=[found])
    messages.success(request, _("In the bin. It stays there for 30 days."))
    return back(request, found)


@writer_required
@require_POST
def restore(request: Any, pk: UUID) -> HttpResponse:
    """Out of the bin."""
    found = access_picture(request.actor, pk, write=True)
    services.restore_pictures(actor=request.actor, pictures=[found])
    messages.success(request, _("Restored."))
    return back(request, found)


def back(request: Any, found: Picture | None = None) -> HttpResponse:
    """To where the button was, when that is on this site."""
    asked = request.POST.get("next", "")
    if asked and url_has_allowed_host_and_scheme(asked, {request.get_host()}, require_https=request.is_secure()):
        return redirect(asked)
    return redirect("generation:picture", found.pk) if found else redirect("generation:pictures")
