"""The door of the surfaces: a program with a key, a JSON body within limits, and every refusal in A1111's shape."""

from __future__ import annotations

import functools
import json
import logging
import math
import re
import time
from collections.abc import Callable
from typing import Any

from django.core.signals import got_request_exception
from django.http import HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from accounts.access import acting, allow_write
from accounts.actors import Actor
from accounts.authentication import BadKey
from imodel_site.lib.errors import Refused, TooMuch, from_studio
from studio.errors import StudioError

log = logging.getLogger("imodel.web")
MOST_BODY = 64 * 2**20  # bytes: a picture of 25 MB takes 33 in base64, and there may be a mask and a control
CHALLENGE = 'Basic realm="iModel"'
View = Callable[..., Any]


def door(method: str, *, changes: bool = False, body: bool = True, lists: bool = False) -> Callable[[View], Any]:
    """A view of ``(actor, body)`` that gives JSON, or an answer of its own.

    A signed-in browser is nobody here: its requests would need a CSRF token that no such client sends.

    Args:
        method: GET or POST.
        changes: needs a key that may write.
        body: whether a POST has a JSON object.
        lists: whether that may be a list.
    """

    def wrap(view: View) -> Any:
        def answered(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
            actor = _let_in(request, method, changes)
            given = request.GET.dict() if method == "GET" else read_json(request, lists=lists) if body else {}
            found = view(actor, given, *args, **kwargs)
            return found if isinstance(found, HttpResponse) else JsonResponse(found, safe=False)

        @csrf_exempt
        @functools.wraps(view)
        def answer(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
            began = time.perf_counter()
            response = _guarded(request, lambda: answered(request, *args, **kwargs))
            response["X-Process-Time"] = f"{time.perf_counter() - began:.4f}"
            response["Cache-Control"] = "private, no-store"
            return response

        return answer

    return wrap


def _let_in(request: Any, method: str, changes: bool) -> Actor:
    if request.method != method and (request.method, method) != ("HEAD", "GET"):
        raise Refused("method_not_allowed", "Method Not Allowed", status=405)
    actor = program_of(request)
    if changes:
        allow_write(actor)
    return actor


def program_of(request: Any) -> Actor:
    """Who acts, with a key.

    Raises:
        BadKey: no key was shown, or none that opens anything.
        NotAllowed: the merchant is suspended.
    """
    if request.refused_key is not None:
        raise request.refused_key
    if request.api_key is None:
        raise BadKey("signed_out", "Incorrect username or password")
    return acting(request)


def read_json(request: Any, *, lists: bool = False) -> Any:
    """The body's object, or with ``lists`` its list; read here, for Django's own limit is for forms.

    Raises:
        TooMuch: ``body_too_large`` (413).
        Refused: ``bad_body``, ``text_unstorable``.
    """
    data = request.read(MOST_BODY + 1)
    if len(data) > MOST_BODY:
        raise TooMuch("body_too_large", f"The body is larger than {MOST_BODY // 2**20} MB.", status=413)
    if not data.strip():
        return {}
    try:
        text = data.decode(json.detect_encoding(data))
        found = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError):
        raise Refused("bad_body", "The body is not valid JSON.", status=422) from None
    if not isinstance(found, dict) and not (lists and isinstance(found, list)):
        raise Refused("bad_body", "The body must be a JSON object.", status=422)
    if ESCAPED.search(text):
        _refuse_unstorable(found)
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _finite(text: str) -> float:
    if math.isinf(found := float(text)):
        raise ValueError(f"{text[:20]} is too large")
    return found


# Only an escape can say these in JSON that was UTF-8; PostgreSQL keeps neither of them, in texts and in jsonb.
ESCAPED = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
HALVES = re.compile("[\ud800-\udfff]")


def _storable(text: str) -> bool:
    return "\0" not in text and (text.isascii() or not HALVES.search(text))


def _refuse_unstorable(found: Any) -> None:
    """Step by step and not by calling itself: a body may be as deep as Python's stack."""
    left = list(found.items()) if isinstance(found, dict) else [("", one) for one in found]
    left += [(name, name) for name, _value in left]
    while left:
        field, one = left.pop()
        if isinstance(one, dict):
            left += [(field, part) for pair in one.items() for part in pair]
        elif isinstance(one, list):
            left += [(field, part) for part in one]
        elif isinstance(one, str) and not _storable(one):
            words = "A text holds a NUL character, or half of a surrogate pair. Leave it out."
            raise Refused("text_unstorable", words, field=field[:60] if _storable(field) else "", status=422)


def _guarded(request: Any, answer: Callable[[], HttpResponse]) -> HttpResponse:
    try:
        return answer()
    except StudioError as error:
        return refusal(from_studio(error))
    except Refused as error:
        return refusal(error)
    except RecursionError:
        return refusal(Refused("bad_body", "The body has too many levels.", status=422))
    except Exception:  # whatever it is, these clients read one shape
        got_request_exception.send(sender=None, request=request)
        log.exception("a surface failed at %s", request.path)
        words = f"Something broke on our side. If it stays, tell us the id {request.request_id}."
        return refusal(Refused("server_error", words, status=500, retryable=True))


def refusal(error: Refused) -> JsonResponse:
    """In A1111's shape; ``errors`` has our code, and the field it is about."""
    log.info("refused %s", error.code)
    about = f"{error.code}: {error.field}" if error.field else error.code
    said = {"error": "HTTPException", "detail": str(error.message), "body": "", "errors": about}
    headers = dict(error.headers)
    if error.status == 401:
        headers["WWW-Authenticate"] = CHALLENGE
    return JsonResponse(said, status=error.status, headers=headers)


def by_method(*, get: Any, post: Any) -> Any:
    """One address with two doors."""

    @csrf_exempt
    def answer(request: Any) -> HttpResponse:
        found: HttpResponse = (post if request.method == "POST" else get)(request)
        return found

    return answer
