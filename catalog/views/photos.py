"""Photos: taken in one by one or many at once, turned to a side, ordered, replaced, deleted, looked at."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import member_required, writer_required
from catalog.access import access_garment, access_photo
from catalog.models import Garment, GarmentPhoto, Look
from catalog.services import looks, masks
from catalog.services import photos as service
from imodel_site.lib.errors import NotHere, Refused, from_studio
from imodel_site.lib.images import read_upload
from imodel_site.lib.jobs.model import Status
from imodel_site.lib.signing import media_url
from imodel_site.lib.studio_words import sentence
from imodel_site.middleware import wants_json
from studio.errors import StudioError


@writer_required
@require_POST
def upload(request: Any) -> HttpResponse:
    """Files into the catalog: each a garment of its own, or a photo of the garment that the form names.

    As JSON a single file's refusal is the answer's error; of several, each has its own. A single photo may bring the
    mask that was drawn before it was uploaded (``mask``, ``edits``). A mask that is refused leaves the photo there.
    """
    garment_id = request.POST.get("garment", "")
    garment = access_garment(request.actor, garment_id, write=True) if garment_id else None
    files = request.FILES.getlist("photos")
    if not files:
        raise Refused("no_file", _("Choose at least one photo."), field="photos")
    outcomes = [_take(request, garment, file) for file in files]
    if len(files) == 1 and isinstance(outcomes[0], GarmentPhoto) and "mask" in request.FILES:
        _mark(request, outcomes[0])
    following = reverse("catalog:garment", args=[garment.pk]) if garment else reverse("catalog:garments")
    if not wants_json(request):
        _say(request, outcomes)
        return redirect(following)
    if len(files) == 1 and isinstance(outcomes[0], Refused):
        raise outcomes[0]
    items = [_outcome_json(file.name, outcome) for file, outcome in zip(files, outcomes, strict=True)]
    good = any("photo" in item for item in items)
    return JsonResponse({"items": items, "next": following}, status=201 if good else 400)


def _take(request: Any, garment: Garment | None, file: Any) -> GarmentPhoto | Refused:
    """One file's fate; another file's trouble is no reason to lose it."""
    try:
        if garment is None:
            return service.add_garment_with_photo(merchant=request.merchant, file=file, file_name=file.name)[0]
        view = request.POST.get("view", "")
        return service.add_photo(garment=garment, merchant=request.merchant, file=file, view=view, file_name=file.name)[
            0
        ]
    except StudioError as error:
        refused = from_studio(error, field="photos")
        refused.status = 507 if error.code == "disk_full" else 503
        return refused
    except Refused as refused:
        return refused


def _mark(request: Any, photo: GarmentPhoto) -> None:
    """Keep the mask that came along, unless the photo was there before and has another one by now."""
    edits = masks.read_edits(request.POST.get("edits", ""))
    data = read_upload(request.FILES["mask"])
    masks.save_mask(actor=request.actor, asset=photo.asset, data=data, base="", edits=edits)


def _outcome_json(name: str, outcome: GarmentPhoto | Refused) -> dict[str, Any]:
    if isinstance(outcome, Refused):
        error = {"code": outcome.code, "message": str(outcome.message), "retryable": outcome.retryable}
        return {"name": name, "error": error}
    return {
        "name": name,
        "photo": str(outcome.pk),
        "garment": str(outcome.garment_id),
        "status_url": reverse("catalog:photo_status", args=[outcome.pk]),
    }


def _say(request: Any, outcomes: list[GarmentPhoto | Refused]) -> None:
    good = sum(isinstance(outcome, GarmentPhoto) for outcome in outcomes)
    if good:
        messages.success(request, ngettext("%(n)s photo added.", "%(n)s photos added.", good) % {"n": good})
    for words in dict.fromkeys(str(one.message) for one in outcomes if isinstance(one, Refused)):
        messages.error(request, words)


@writer_required
@require_POST
def view(request: Any, photo_id: str) -> HttpResponse:
    """Say which side a photo shows."""
    photo = access_photo(request.actor, photo_id, write=True)
    service.set_view(photo=photo, view=request.POST.get("view", ""))
    return _done(request, photo)


@writer_required
@require_POST
def reorder(request: Any, garment_id: str) -> HttpResponse:
    """All photos of a garment in a new order, or one of them one place up or down."""
    garment = access_garment(request.actor, garment_id, write=True)
    if "move" in request.POST:
        photo = access_photo(request.actor, request.POST["move"], write=True)
        if photo.garment_id != garment.pk:
            raise NotHere()
        service.move(photo=photo, by=1 if request.POST.get("by") == "1" else -1)
    else:
        service.reorder(garment=garment, ids=request.POST.getlist("photo"))
    return JsonResponse({}) if wants_json(request) else redirect("catalog:garment", garment.pk)


@writer_required
@require_POST
def replace(request: Any, photo_id: str) -> HttpResponse:
    """Another picture in its place."""
    photo = access_photo(request.actor, photo_id, write=True)
    file = request.FILES.get("photos")
    if file is None:
        raise Refused("no_file", _("Choose a photo."), field="photos")
    service.replace_photo(photo=photo, merchant=request.merchant, file=file)
    return _done(request, photo)


@writer_required
@require_POST
def delete(request: Any, photo_id: str) -> HttpResponse:
    """Delete a photo."""
    photo = access_photo(request.actor, photo_id, write=True)
    service.delete_photo(photo=photo)
    return _done(request, photo)


def _done(request: Any, photo: GarmentPhoto) -> HttpResponse:
    following = reverse("catalog:garment", args=[photo.garment_id])
    return JsonResponse({"next": following}) if wants_json(request) else redirect(following)


@member_required
@require_GET
def status(request: Any, photo_id: str) -> HttpResponse:
    """How the look at a photo goes, and what it found; also what js/progress.js reads."""
    photo = access_photo(request.actor, photo_id, write=False)
    look = Look.objects.filter(asset=photo.asset).first()
    return JsonResponse(look_json(look))


@writer_required
@require_POST
def look_again(request: Any, photo_id: str) -> HttpResponse:
    """Have a photo looked at once more after it failed."""
    photo = access_photo(request.actor, photo_id, write=True)
    looks.look_again(asset=photo.asset)
    return _done(request, photo)


def look_json(look: Look | None, *, bearer: bool = False) -> dict[str, Any]:
    """A look as scripts see it: its state, and each proposal with the address of its mask."""
    if look is None:
        return {"status": "none", "stage": "", "fraction": None, "done": True, "parts": [], "best": None}
    found = look.found if look.status == Status.SUCCEEDED else {}
    parts = [
        {
            **{key: part[key] for key in ("part", "score", "box", "share")},
            "url": media_url(look, f"mask-{part['part']}", bearer=bearer),
        }
        for part in found.get("parts", ())
    ]
    return {
        "status": look.status,
        "stage": _stage(look),
        "fraction": look.fraction if look.status == Status.RUNNING else None,
        "done": look.ended,
        "message": sentence(look.error_code, look.error_message),
        "parts": parts,
        "best": found.get("best"),
        "skeleton": media_url(look, "skeleton", bearer=bearer) if found.get("skeleton") else None,
        "pose": bool(found.get("pose")),
    }


def _stage(look: Look) -> str:
    words = {Status.QUEUED: _("Waiting to be looked at"), Status.RUNNING: _("Looking at the photo")}
    return words.get(Status(look.status)) or str(look.get_status_display())
