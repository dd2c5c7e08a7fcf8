"""The staff's queue: pages to look and decide on, and the one address through which staff see a merchant's pictures."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.models.moderation import Moderation
from accounts.services import audit
from accounts.staff import staff_may
from catalog.models import Asset
from generation.models import ModerationCase
from generation.moderation import decisions, queue
from generation.moderation.access import access_case, access_cases, access_merchant, access_subject, find_subject
from generation.moderation.forms import QueueForm
from generation.moderation.reasons import REJECTIONS
from imodel_site.lib import storage
from imodel_site.lib.errors import NotHere, Refused
from imodel_site.middleware import wants_json

LOOK, DECIDE = "generation.view_moderationcase", "generation.change_moderationcase"
TYPES = {"png": "image/png", "webp": "image/webp", "jpg": "image/jpeg"}


@require_safe
@staff_may(LOOK)
def queue_page(request: Any) -> HttpResponse:
    """What waits, oldest first, with everything needed to decide."""
    form = QueueForm(request.GET)
    filters = form.filters()
    found = queue.page(filters, after=form.cleaned_data.get("after"))
    context = {
        "page": found,
        "form": form,
        "filters": filters,
        "merchant_shown": access_merchant(filters.merchant) if filters.merchant else None,
        "just_decided": _just_decided(request),
        **_choices(),
    }
    return render(request, "staff/queue.html", context)


def _choices() -> dict[str, Any]:
    return {"reasons": list(enumerate(REJECTIONS.items(), start=1))}


def _just_decided(request: Any) -> ModerationCase | None:
    """Without scripts the page comes back anew, and offers to take the decision back."""
    return access_case(request.GET["decided"]) if request.GET.get("decided") else None


@require_safe
@staff_may(LOOK)
def case_page(request: Any, pk: UUID) -> HttpResponse:
    """One case by itself."""
    found = queue.entry(access_case(pk))
    context = {"entry": found, "just_decided": _just_decided(request), **_choices()}
    return render(request, "staff/case_page.html", context)


@require_safe
@staff_may(LOOK)
def file(request: Any, pk: UUID, size: str) -> HttpResponseBase:
    """The picture itself, streamed and never cached; who looked is written down, once a day.

    Args:
        size: ``look`` for the screen, ``full`` for every pixel.
    """
    case = access_case(pk)
    row = access_subject(case)
    key = _key(row, size)
    data = storage.private()
    try:
        length = data.stat(key).bytes
    except FileNotFoundError as error:
        raise NotHere() from error
    audit.looked(
        by=request.user, merchant_id=case.merchant_id, subject_kind=decisions.kind_of(case), subject_id=case.subject_id
    )
    kind = TYPES.get(key.rsplit(".", 1)[-1], "application/octet-stream")
    response = StreamingHttpResponse(data.stream(key, 0, length), content_type=kind)
    response["Content-Length"] = str(length)
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    patch_cache_control(response, private=True, no_store=True)
    return response


def _key(row: Any, size: str) -> str:
    if size not in ("look", "full"):
        raise NotHere()
    if isinstance(row, Asset):
        return str(row.thumbs.get("large", row.key) if size == "look" else row.key)
    files = row.files
    wanted = files.get("large" if size == "look" else "full") or files.get("full")
    if wanted is None:
        raise NotHere()
    return str(wanted["key"])


@require_POST
@staff_may(DECIDE)
def decide(request: Any, pk: UUID) -> HttpResponse:
    """Approve or reject one."""
    case = access_case(pk)
    _decide(request, [case])
    if wants_json(request):
        return JsonResponse({"state": case.decision, "words": _said([case])})
    return _back(request, decided=case.pk)


def _decide(request: Any, cases: list[ModerationCase]) -> None:
    """One button for each reason says both things at once; the bar has a list of reasons and two buttons."""
    given = request.POST
    to, reason = given.get("to", ""), given.get("reason", "")
    if "reject" in given:
        to, reason = Moderation.REJECTED, given["reject"]
    decisions.decide(cases=cases, by=request.user, to=to, reason=reason, note=given.get("note", ""))


def _said(cases: list[ModerationCase]) -> str:
    first = cases[0]
    if first.decision == "approved":
        return ngettext("%(n)d approved.", "%(n)d approved.", len(cases)) % {"n": len(cases)}
    words = ngettext("%(n)d rejected: %(reason)s.", "%(n)d rejected: %(reason)s.", len(cases))
    return words % {"n": len(cases), "reason": REJECTIONS[first.reason]}


@require_POST
@staff_may(DECIDE)
def bulk(request: Any) -> HttpResponse:
    """The same decision for all that were chosen; all of it or nothing."""
    try:
        cases = access_cases(request.POST.getlist("cases"))
        _decide(request, cases)
        messages.success(request, _said(cases))
    except Refused as refused:
        if refused.status != 400:
            raise
        messages.error(request, str(refused.message))
    return _back(request)


@require_POST
@staff_may(DECIDE)
def undo(request: Any, pk: UUID) -> HttpResponse:
    """Take back one's own last decision."""
    case = access_case(pk)
    decisions.undo(case=case, by=request.user)
    if wants_json(request):
        return JsonResponse({"state": case.decision, "words": _("Taken back.")})
    messages.success(request, _("Taken back."))
    return _back(request)


@require_POST
@staff_may(DECIDE)
def open_case(request: Any) -> HttpResponse:
    """Look at an upload or a picture that nothing had been said against, by its id."""
    subject, row = find_subject(request.POST.get("id", ""))
    case = decisions.open_case(subject=subject, row=row, by=request.user)
    return redirect("generation:case", case.pk)


def _back(request: Any, *, decided: UUID | None = None) -> HttpResponse:
    asked = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(asked, {request.get_host()}, require_https=request.is_secure()):
        asked = reverse("generation:queue")
    if decided is None:
        return redirect(asked)
    return redirect(f"{asked}{'&' if '?' in asked else '?'}decided={decided}")
