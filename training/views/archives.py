"""Sets as zips: packed and downloaded, brought along and taken in."""

from __future__ import annotations

import secrets
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import allow_write
from accounts.decorators import member_required, writer_required
from catalog.access import access_garment
from imodel_site.lib.errors import Refused
from imodel_site.lib.jobs.model import Status
from imodel_site.lib.polling import polled
from imodel_site.lib.signing import media_url
from imodel_site.lib.streams import Told
from training import progress, showing
from training.access import access_archive, access_set
from training.models import SetArchive
from training.services import archives


@writer_required
@require_POST
def export(request: Any, pk: UUID) -> HttpResponse:
    """Pack the set as it is now."""
    made = archives.order_archive(actor=request.actor, found=access_set(request.actor, pk, write=True))
    return redirect("training:archive", made.pk)


@member_required
@require_http_methods(["GET", "HEAD", "POST"])
def bring(request: Any) -> HttpResponse:
    """Bring one along."""
    if request.method != "POST":
        return _form(request)
    allow_write(request.actor)
    garment = access_garment(request.actor, request.POST.get("garment"), write=True)
    key = request.POST.get("once") or None
    try:
        made = archives.bring_archive(actor=request.actor, garment=garment, file=request.FILES.get("file"), key=key)
    except Refused as refused:
        if refused.status in (403, 404):
            raise
        return _form(request, refused=refused)
    return redirect("training:archive", made.pk)


def _form(request: Any, *, refused: Refused | None = None) -> HttpResponse:
    context = {
        "garments": showing.garments(request.POST.get("garment") or request.GET.get("garment"), bare=True),
        "most": archives.MOST_BYTES // 2**20,
        "once": secrets.token_urlsafe(18),
        "refused": str(refused.message) if refused else "",
    }
    return render(request, "training/bring_set.html", context, status=422 if refused else 200)


@member_required
@require_safe
def state(request: Any, pk: UUID) -> HttpResponse:
    """How far it is; one that is packed is to be downloaded, one that came in has become a set."""
    found = access_archive(request.actor, pk, write=False)
    if found.way == SetArchive.Way.IN and found.status == Status.SUCCEEDED and found.set_id:
        _say(request, found)
        return redirect("training:set", found.set_id)
    far = progress.of_job(found)
    file = media_url(found, "zip") if found.way == SetArchive.Way.OUT and found.key and found.kept else ""
    context = {"archive": found, "progress": far, "failure": far["message"], "file": file}
    return render(request, "training/archive.html", context)


def _say(request: Any, found: SetArchive) -> None:
    words = ngettext("%(n)d picture was taken in.", "%(n)d pictures were taken in.", found.taken) % {"n": found.taken}
    if found.skipped:
        left = ngettext("%(n)d other file was left.", "%(n)d other files were left.", len(found.skipped))
        words = f"{words} {left % {'n': len(found.skipped)}}"
    messages.success(request, words)


@member_required
@require_safe
def archive_progress(request: Any, pk: UUID) -> HttpResponse:
    """The JSON; 304 while nothing has changed."""
    found = access_archive(request.actor, pk, write=False)
    far = progress.of_job(found)
    far |= {"next": reverse("training:archive", args=[found.pk]) if far["done"] else None}
    return polled(request, Told(far, last=far["done"]))
