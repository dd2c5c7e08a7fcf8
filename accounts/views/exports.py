"""Settings > Your data: everything in one archive, for owners."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import access
from accounts.decorators import owner_required
from accounts.models import Export
from accounts.services import exporting
from imodel_site.lib.errors import NotHere, Refused
from imodel_site.lib.jobs import queue
from imodel_site.lib.jobs.model import ENDED, Status
from imodel_site.lib.signing import media_url

SHOWN = 10


@owner_required
@require_http_methods(["GET", "POST"])
def exports(request: Any) -> HttpResponse:
    """What is being made and what can be downloaded; a POST starts one."""
    if request.method == "GET":
        return _page(request, None)
    try:
        exporting.start_export(actor=request.actor)
    except Refused as refused:
        return _page(request, refused)
    return redirect("accounts:exports")


def _page(request: Any, refused: Refused | None) -> HttpResponse:
    rows = list(Export.objects.order_by("-id")[:SHOWN])
    context = {
        "running": next((row for row in rows if not row.ended), None),
        "ended": [row for row in rows if row.ended],
        "refused": refused,
        "days": exporting.KEPT_FOR.days,
        "tab": "exports",
    }
    return render(request, "accounts/exports.html", context, status=refused.status if refused else 200)


@owner_required
@require_GET
def progress(request: Any, export_id: str) -> HttpResponse:
    """For js/progress.js."""
    export = access.access_export(request.actor, export_id)
    ended = export.status in ENDED
    return JsonResponse(
        {
            "status": export.status,
            "stage": _("Packing") if export.status == Status.RUNNING else capfirst(export.get_status_display()),
            "fraction": export.fraction or None,
            "position": queue.position(export) or None,
            "eta_seconds": None,
            "message": export.error_message,
            "done": ended,
            "next": reverse("accounts:exports") if ended else None,
        }
    )


@owner_required
@require_POST
def cancel(request: Any, export_id: str) -> HttpResponse:
    """Stop it."""
    exporting.cancel_export(actor=request.actor, export=access.access_export(request.actor, export_id))
    messages.info(request, _("Cancelled. No archive was made."))
    return redirect("accounts:exports")


@owner_required
@require_GET
@reauthentication_required
def download(request: Any, export_id: str) -> HttpResponse:
    """To the file itself: all of a shop in one place is worth asking who is there."""
    export = access.access_export(request.actor, export_id)
    if not exporting.can_be_downloaded(export):
        raise NotHere(_("This archive was removed. Make a new one."))
    return redirect(media_url(export, "archive"))
