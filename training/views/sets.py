"""The wizard: a garment, its pictures, the check of them, the start."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from accounts.access import allow_write
from accounts.decorators import member_required, writer_required
from accounts.following import stream
from catalog.access import access_garment, access_photo
from imodel_site.lib.errors import NotHere, Refused
from imodel_site.lib.polling import polled
from imodel_site.lib.streams import Told
from imodel_site.middleware import wants_json
from training import beginnings, orders, progress, showing
from training.access import access_set, access_set_picture, access_version
from training.models import TrainingPicture, TrainingSet
from training.plans import Effort, Wishes
from training.services import preflights, sets, trainings
from training.set_api import proposed
from training.watching import watcher


@member_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: Any) -> HttpResponse:
    """Which garment."""
    if request.method != "POST":
        context = {"garments": showing.garments(request.GET.get("garment")), "advised": showing.ADVISED_PICTURES}
        return render(request, "training/new.html", context)
    allow_write(request.actor)
    garment = access_garment(request.actor, request.POST.get("garment"), write=True)
    made = sets.create_set(actor=request.actor, garment=garment)
    if made.pictures.filter(left_out=False).exists():
        preflights.start_preflight(actor=request.actor, found=made)
    return redirect("training:set", made.pk)


@member_required
@require_safe
def training_set(request: Any, pk: UUID) -> HttpResponse:
    """Its pictures and what the check says."""
    return _page(request, access_set(request.actor, pk, write=False))


def _page(request: Any, found: TrainingSet, *, refused: Refused | None = None) -> HttpResponse:
    asked = request.POST.get("begin") or request.GET.get("begin") or ""
    context = showing.set_page(found) | {
        "set": found,
        "given": request.POST,
        "refused_field": refused.field if refused else "",
        "begins": beginnings.offered(found, family=settings.ENGINE),
        "begin": asked,
        "refused": str(refused.message) if refused else "",
        "once": secrets.token_urlsafe(18),
        "progress": _far(found),
    }
    if refused:
        _as_typed(request, found, [one.picture for one in context["shown"]])
    return render(request, "training/set.html", context, status=422 if refused else 200)


def _as_typed(request: Any, found: TrainingSet, pictures: Sequence[TrainingPicture]) -> None:
    """A refused form is shown as it was sent, so that nothing has to be typed twice; the rows stay as they are."""
    found.trigger = request.POST.get("trigger", found.trigger)
    if "shown-mirrored" in request.POST:
        found.mirrored = "mirrored" in request.POST
    for picture in pictures:
        for name, value in _typed(request, picture).items():
            setattr(picture, name, value)


def _typed(request: Any, picture: TrainingPicture) -> dict[str, Any]:
    """What a form says of a picture; nothing where somebody added it while the page was open."""
    name = picture.pk.hex
    if f"shown-{name}" not in request.POST:
        return {}
    said = {part: request.POST.get(f"{part}-{name}", getattr(picture, part)) for part in ("caption", "view", "kind")}
    return said | {"left_out": f"use-{name}" not in request.POST, "held_out": f"held-{name}" in request.POST}


@writer_required
@require_POST
def change(request: Any, pk: UUID) -> HttpResponse:
    """Everything that was edited on the page; then, by the button, a check, an edit of all captions, parts cut out."""
    found = access_set(request.actor, pk, write=True)
    try:
        with transaction.atomic():  # all of it or nothing: a page that is half kept can not be put right
            _save(request, found)
            said = _deed(request, found)
    except Refused as refused:
        if refused.status in (403, 404):
            raise
        return _page(request, access_set(request.actor, pk, write=False), refused=refused)
    if said:
        messages.success(request, said)
    return redirect(f"{reverse('training:set', args=[found.pk])}#pictures")


def _save(request: Any, found: TrainingSet) -> None:
    sets.set_trigger(actor=request.actor, found=found, trigger=request.POST.get("trigger", "").strip())
    if "shown-mirrored" in request.POST:
        sets.set_mirrored(actor=request.actor, found=found, mirrored="mirrored" in request.POST)
    found.refresh_from_db()
    for number, picture in enumerate(orders.pictures_of(found), 1):
        picture.set = found
        if typed := _typed(request, picture):
            _change(request, picture, number, typed)


def _change(request: Any, picture: TrainingPicture, number: int, typed: Mapping[str, Any]) -> None:
    """Raises Refused that says which picture of the page it was."""
    try:
        sets.change_picture(actor=request.actor, picture=picture, **typed)
    except Refused as refused:
        words = _("Picture %(n)d: %(words)s") % {"n": number, "words": refused.message}
        raise Refused(
            refused.code, words, field=f"{refused.field}-{picture.pk.hex}", status=refused.status
        ) from refused


def _deed(request: Any, found: TrainingSet) -> str:
    """What is to be said of it afterwards."""
    deed = request.POST.get("deed", "")
    if deed == "check":
        found.refresh_from_db()
        preflights.start_preflight(actor=request.actor, found=found)
    elif deed == "edit":
        pictures = list(TrainingPicture.objects.filter(set=found, left_out=False).select_related("asset", "set"))
        given = {name: request.POST.get(name, "") for name in ("find", "replace", "append")}
        count = sets.edit_captions(actor=request.actor, pictures=pictures, **given)
        return ngettext("%(n)d caption was changed.", "%(n)d captions were changed.", count) % {"n": count}
    elif deed.startswith("crop:"):
        picture = access_set_picture(request.actor, found, deed.removeprefix("crop:"), write=True)
        sets.accept_crops(actor=request.actor, picture=picture, crops=proposed(found, picture))
    elif deed.startswith("remove:"):
        picture = access_set_picture(request.actor, found, deed.removeprefix("remove:"), write=True)
        sets.remove_picture(actor=request.actor, picture=picture)
    return ""


@writer_required
@require_POST
def add(request: Any, pk: UUID) -> HttpResponse:
    """Uploads, a file a request from a script; or photos of the garment that are not in the set yet."""
    found = access_set(request.actor, pk, write=True)
    files = request.FILES.getlist("photos")
    photos = [access_photo(request.actor, one, write=False) for one in request.POST.getlist("photo")]
    if any(photo.garment_id != found.garment_id for photo in photos):
        raise NotHere
    if not files and not photos:
        raise Refused("no_file", _("Choose at least one photo."), field="photos")
    for file in files:
        sets.add_upload(actor=request.actor, found=found, file=file)
    sets.add_photos(actor=request.actor, found=found, photos=photos)
    following = reverse("training:set", args=[found.pk])
    return JsonResponse({"next": following}, status=201) if wants_json(request) else redirect(following)


@writer_required
@require_POST
def delete(request: Any, pk: UUID) -> HttpResponse:
    """The set goes; what was trained from it stays."""
    found = access_set(request.actor, pk, write=True)
    sets.delete_set(actor=request.actor, found=found)
    messages.success(request, _("The set was deleted. What was trained from it is still there."))
    return redirect("training:trainings")


@writer_required
@require_POST
def start(request: Any, pk: UUID) -> HttpResponse:
    """Train."""
    found = access_set(request.actor, pk, write=True)
    effort = request.POST.get("effort") or Effort.USUAL
    key, identity = request.POST.get("once") or None, request.POST.get("begin")
    begin = access_version(request.actor, identity, write=True) if identity else None
    try:
        wishes = Wishes(effort=effort)
        made = trainings.order_training(actor=request.actor, found=found, wishes=wishes, key=key, begin=begin)
    except Refused as refused:
        if refused.status in (403, 404):
            raise
        return _page(request, found, refused=refused)
    return redirect("training:training", made.pk)


# --- following the check ---------------------------------------------------------------------------------------------
@member_required
@require_safe
def set_progress(request: Any, pk: UUID) -> HttpResponse:
    """How far the newest check is; 304 while nothing has changed."""
    return polled(request, _told(access_set(request.actor, pk, write=False)))


@member_required
@require_GET
def set_stream(request: Any, pk: UUID) -> HttpResponseBase:
    """The same as events."""
    found = access_set(request.actor, pk, write=False)
    look = preflights.newest(found)
    return stream(
        request,
        watcher=watcher,
        kind="preflight",
        pk=look.pk if look else found.pk,
        look=lambda actor: _told(access_set(actor, pk, write=False)),
    )


def _told(found: TrainingSet) -> Told:
    far = _far(found)
    return Told(far, last=far["done"])


def _far(found: TrainingSet) -> dict[str, Any]:
    look = preflights.newest(found)
    address = reverse("training:set", args=[found.pk])
    if look is None:
        return {"status": "none", "stage": "", "fraction": None, "done": True, "next": address}
    told = progress.of_job(look)
    return told | {"next": address if told["done"] else None}
