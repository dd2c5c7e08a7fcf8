"""What Django itself refuses (handler400 and its siblings), in the same shape and words as our own refusals."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from accounts.doors import shape_of
from imodel_site.lib.errors import NotAllowed, NotHere, Refused, error_response
from imodel_site.middleware import refusal, wants_json


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400: a Host that is not served, a form with too many fields. No page: its frame would ask for the host."""
    error = Refused("bad_request", _("This request can not be read. Go back and try again."))
    if shape := shape_of(request.path_info):
        return shape(error)
    if wants_json(request):
        return error_response(error, getattr(request, "request_id", ""))
    return HttpResponse(str(error.message), status=400, content_type="text/plain; charset=utf-8")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler403."""
    return refusal(request, NotAllowed("not_allowed", _("You may not do this.")))


def not_here(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404: the exception's own words are for programmers."""
    return refusal(request, NotHere())


def failed(request: HttpRequest) -> HttpResponse:
    """handler500: nothing but the id, under which the log has the traceback. Asks no database: it may be the cause."""
    identity = getattr(request, "request_id", "")
    words = _("Something went wrong on our side. Try again; if it stays, tell us this number: %(number)s")
    error = Refused("internal", words % {"number": identity}, retryable=True, status=500)
    if shape := shape_of(request.path_info):
        return shape(error)
    if wants_json(request):
        return error_response(error, identity)
    return HttpResponse(render_to_string("500.html", {"request_id": identity, "error": error}), status=500)
