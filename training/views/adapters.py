"""An adapter's versions, and files that are brought along."""

from __future__ import annotations

import secrets
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import allow_write
from accounts.decorators import member_required, writer_required
from catalog.access import access_garment
from imodel_site.lib.errors import NotHere, Refused
from imodel_site.lib.polling import polled
from imodel_site.lib.signing import media_url
from imodel_site.lib.streams import Told
from training import plans, progress, showing
from training.access import access_adapter, access_upload, access_version
from training.models import OF_VERSION, Adapter, AdapterVersion
from training.services import adapters, trainings, uploads


@member_required
@require_safe
def adapter(request: Any, pk: UUID) -> HttpResponse:
    """Its versions, and which was in use when."""
    return _page(request, access_adapter(request.actor, pk, write=False))


def _page(request: Any, found: Adapter, *, refused: Refused | None = None) -> HttpResponse:
    versions = AdapterVersion.objects.filter(adapter=found).select_related("created_by").order_by("-number")
    promotions = found.promotions.select_related("version", "by").order_by("-id")[:30]
    context = {
        "adapter": found,
        "title": showing.name_of(found),
        "versions": [
            {"version": row, "file": media_url(row, "adapter"), "kohya": media_url(row, "kohya")}
            for row in versions.prefetch_related(*OF_VERSION)
        ],
        "promotions": promotions,
        "refused": str(refused.message) if refused else "",
    }
    return render(request, "training/adapter.html", context, status=422 if refused else 200)


@writer_required
@require_POST
def act(request: Any, pk: UUID) -> HttpResponse:
    """Promote, roll back, write a note and a weight, train again."""
    found = access_adapter(request.actor, pk, write=True)
    try:
        return _deed(request, found)
    except Refused as refused:
        if refused.status in (403, 404):
            raise
        return _page(request, found, refused=refused)


def _deed(request: Any, found: Adapter) -> HttpResponse:
    action, note = request.POST.get("action", ""), request.POST.get("note", "")
    if action == "rollback":
        before = adapters.roll_back(actor=request.actor, adapter=found, note=note)
        messages.success(request, _("Version %(n)d is in use again.") % {"n": before.number})
        return redirect("training:adapter", found.pk)
    version = access_version(request.actor, request.POST.get("version"), write=True)
    if version.adapter_id != found.pk:
        raise NotHere
    if action == "retrain":
        made = trainings.retrain(actor=request.actor, version=version)
        return redirect(f"{reverse('training:set', args=[made.pk])}?begin={version.pk}")
    if action == "promote":
        adapters.promote(actor=request.actor, version=version, note=note)
        messages.success(request, _("Version %(n)d is in use now.") % {"n": version.number})
    elif action == "change":
        weight = _number(request.POST.get("weight"))
        changed = None if weight == version.weight else weight  # an untouched field says nothing of the merchant's mind
        adapters.change_version(actor=request.actor, version=version, note=note, weight=changed)
    else:
        raise NotHere
    return redirect("training:adapter", found.pk)


def _number(text: str | None) -> float | None:
    try:
        return float(text.replace(",", ".")) if text else None
    except ValueError:
        return float("nan")  # which is in no range, and refused as that


@member_required
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: Any) -> HttpResponse:
    """Bring one along."""
    if request.method != "POST":
        return _upload_page(request)
    allow_write(request.actor)
    identity = request.POST.get("garment")
    garment = access_garment(request.actor, identity, write=True) if identity else None
    given = {name: request.POST.get(name, "").strip() for name in ("family", "trigger", "note")}
    try:
        made = uploads.upload_adapter(
            actor=request.actor,
            file=request.FILES.get("file"),
            garment=garment,
            key=request.POST.get("once") or None,
            **given,
        )
    except Refused as refused:
        if refused.status in (403, 404):
            raise
        return _upload_page(request, refused=refused)
    return redirect("training:upload_state", made.pk)


def _upload_page(request: Any, *, refused: Refused | None = None) -> HttpResponse:
    context = {
        "garments": showing.garments(request.POST.get("garment") or request.GET.get("garment")),
        "families": plans.trainable(),
        "most": uploads.MOST_BYTES // 2**20,
        "once": secrets.token_urlsafe(18),
        "refused": str(refused.message) if refused else "",
        "given": request.POST,
    }
    return render(request, "training/upload.html", context, status=422 if refused else 200)


@member_required
@require_safe
def upload_state(request: Any, pk: UUID) -> HttpResponse:
    """Whether it was taken."""
    found = access_upload(request.actor, pk, write=False)
    if found.version is not None:
        return redirect("training:adapter", found.version.adapter_id)
    far = progress.of_job(found)
    return render(request, "training/upload_state.html", {"upload": found, "progress": far, "failure": far["message"]})


@member_required
@require_safe
def upload_progress(request: Any, pk: UUID) -> HttpResponse:
    """The JSON; 304 while nothing has changed."""
    found = access_upload(request.actor, pk, write=False)
    far = progress.of_job(found)
    far |= {"next": reverse("training:upload_state", args=[found.pk]) if far["done"] else None}
    return polled(request, Told(far, last=far["done"]))
