"""Who may come in at ``/v1``, how often, and how a refusal is said there."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from accounts import actors
from accounts.access import acting
from accounts.authentication import find_key
from accounts.models import Merchant
from accounts.scoping import merchant_scope
from accounts.throttling import add_one
from imodel_site.lib.errors import Refused, TooMuch, from_studio
from studio.errors import StudioError

log = logging.getLogger("imodel.api")
MOST_BODY = 36 * 2**20  # a picture of 25 MB in base64, and the rest
# FASHN's name by our code, else by the status.
CODES = {"credits_short": "OutOfCredits", "too_many_runs": "ConcurrencyLimitExceeded"}
NAMES = {401: "UnauthorizedAccess", 403: "UnauthorizedAccess", 404: "NotFound", 429: "RateLimitExceeded"}
View = Callable[..., HttpResponse]


def with_key(*, method: str, calls: int, seconds: int) -> Callable[[View], View]:
    """A view for programs with a key, in their merchant's scope; whatever happens is answered in FASHN's shape.

    Args:
        method: the only one.
        calls, seconds: that many of one key in so many seconds.
    """

    def decorate(view: View) -> View:
        @csrf_exempt  # no cookie counts here
        @wraps(view)
        def wrapped(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                if request.method != method:
                    raise Refused("method_not_allowed", _("Use %(method)s here.") % {"method": method}, status=405)
                return _let_in(request, lambda: view(request, *args, **kwargs), calls, seconds)
            except StudioError as error:
                return refusal(from_studio(error))
            except Refused as error:
                return refusal(error)
            except Exception:  # noqa: BLE001  logged with its traceback, and answered in their shape
                return _failed(request, view)

        return wrapped

    return decorate


def _let_in(request: Any, view: Callable[[], HttpResponse], calls: int, seconds: int) -> HttpResponse:
    """Whatever session came along counts for nothing: the scope is the key's."""
    key = find_key(request.headers.get("Authorization", ""))
    request.api_key, request.merchant, request.actor = key, key.merchant, None
    if key.merchant.status != Merchant.Status.SUSPENDED:
        request.actor = actors.program(key)
    acting(request)
    _count(f"fashn:{key.merchant_id}:{key.pk}:{request.resolver_match.url_name}", calls, seconds)
    with merchant_scope(key.merchant):
        return view()


def _count(name: str, calls: int, seconds: int) -> None:
    now = int(time.time())
    if add_one(f"{name}:{now // seconds}") > calls:
        words = _("Too many requests. Wait as long as Retry-After says.")
        raise TooMuch("too_many_requests", words, retryable=True, retry_after=seconds - now % seconds)


def refusal(error: Refused) -> JsonResponse:
    """``{"error": name, "message": ...}``; being out of credits is a 429 there."""
    status = 429 if error.code in CODES else error.status
    name = CODES.get(error.code) or NAMES.get(status) or ("InternalServerError" if status >= 500 else "BadRequest")
    return JsonResponse({"error": name, "message": str(error.message)}, status=status, headers=error.headers)


def _failed(request: HttpRequest, view: View) -> JsonResponse:
    """Ours; called while the exception is being handled."""
    got_request_exception.send(sender=view, request=request)
    log.exception("/v1 failed at %s", request.path)
    words = _("Something broke on our side. Try again; if it stays, tell us the id.")
    return JsonResponse({"error": "InternalServerError", "message": words}, status=500)


def body_of(request: HttpRequest) -> dict[str, Any]:
    """The JSON object that was sent.

    Raises:
        Refused: ``body_too_large`` (413), ``bad_body``.
    """
    data = request.read(MOST_BODY + 1)
    if len(data) > MOST_BODY:
        raise Refused("body_too_large", _("The body is too large. Send less at once."), status=413)
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Refused("bad_body", _("The body is not valid JSON.")) from error
    if not isinstance(found, dict):
        raise Refused("bad_body", _("The body is not valid JSON."))
    return found
