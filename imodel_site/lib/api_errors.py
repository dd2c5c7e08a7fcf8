"""Every error of the API in one shape (docs/api.md): ours, Django's and DRF's."""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response

from imodel_site.lib.errors import NotAllowed, NotHere, Refused, error_body, from_studio
from studio.errors import StudioError

log = logging.getLogger("imodel.api")
CHALLENGE = 'Bearer realm="iModel"'


def handle(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler; called while ``error`` is being handled."""
    request = context["request"]
    identity = getattr(request, "request_id", "")
    refused, headers = _understand(error)
    if refused is None:
        # Tells whoever listens, as Django does for a page (the test client raises it again).
        got_request_exception.send(sender=type(context.get("view")), request=request)
        log.exception("the API failed at %s", request.path)
        refused = Refused("server_error", _("Something broke on our side. Try again; if it stays, tell us the id."))
        refused.status, refused.retryable = 500, True
    if refused.status == 401:
        headers["WWW-Authenticate"] = CHALLENGE
    return Response(error_body(refused, identity), status=refused.status, headers=headers)


def _understand(error: Exception) -> tuple[Refused | None, dict[str, str]]:
    """The error in our words, and the headers that belong to it; None for what is nobody's refusal."""
    if isinstance(error, Refused):
        return error, error.headers
    if isinstance(error, StudioError):
        return from_studio(error), {}
    if isinstance(error, Http404 | exceptions.NotFound):
        return NotHere(), {}
    if isinstance(error, PermissionDenied):
        return NotAllowed("not_allowed", _("You may not do this.")), {}
    if isinstance(error, SuspiciousOperation):  # Django raises it while DRF reads the body: its own handler400 is past
        return _of_suspicion(error), {}
    if isinstance(error, exceptions.APIException):
        return _of_rest_framework(error)
    return None, {}


def _of_suspicion(error: SuspiciousOperation) -> Refused:
    if isinstance(error, RequestDataTooBig):
        return Refused("body_too_large", _("The body is too large. Send less at once."), status=413)
    return Refused("bad_request", _("This request can not be read. Go back and try again."))


def _of_rest_framework(error: exceptions.APIException) -> tuple[Refused, dict[str, str]]:
    if isinstance(error, exceptions.ValidationError):
        return _of_validation(error.detail), {}
    headers: dict[str, str] = {}
    if isinstance(error, exceptions.Throttled) and error.wait is not None:
        headers["Retry-After"] = str(int(error.wait) + 1)
    code, message = _words(error)
    return Refused(code, message, status=error.status_code, retryable=error.status_code in (429, 503)), headers


def _words(error: exceptions.APIException) -> tuple[str, str]:
    if isinstance(error, exceptions.NotAuthenticated):
        return "signed_out", _("Send an API key as “Authorization: Bearer imk_live_…”, or sign in.")
    if isinstance(error, exceptions.PermissionDenied):
        return "not_allowed", str(error.detail)
    if isinstance(error, exceptions.MethodNotAllowed):
        return "method_not_allowed", str(error.detail)
    if isinstance(error, exceptions.UnsupportedMediaType):
        return "unsupported_media_type", _("Send JSON (application/json) or a form with files (multipart/form-data).")
    if isinstance(error, exceptions.ParseError):
        return "bad_body", _("The body is not valid JSON.")
    if isinstance(error, exceptions.Throttled):
        return "too_many_requests", _("Too many requests. Wait as long as Retry-After says.")
    return str(error.default_code), str(error.detail)


def _of_validation(detail: Any, path: str = "") -> Refused:
    """The first wrong field, by its path (``photos.0.view``): one error at a time, beside its field."""
    if isinstance(detail, dict) and detail:
        key = next(iter(detail))
        name = "" if key == "non_field_errors" else str(key)
        return _of_validation(detail[key], f"{path}.{name}".strip("."))
    if isinstance(detail, list) and detail:
        if not isinstance(detail[0], dict | list):
            return Refused("invalid", str(detail[0]), field=path)
        place = next(index for index, item in enumerate(detail) if item)
        return _of_validation(detail[place], f"{path}.{place}".strip("."))
    return Refused("invalid", str(detail) if detail else _("This is not valid."), field=path)
