"""The outermost and the innermost middleware: an id and a line for each request, and refusals that become answers."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.shortcuts import render

from accounts.doors import shape_of
from imodel_site.lib import logs
from imodel_site.lib.errors import Refused, error_response, from_studio
from imodel_site.lib.ids import uuid7
from imodel_site.lib.scope import no_scope
from imodel_site.metrics import counting
from studio.errors import StudioError

log = logging.getLogger("imodel.web")
access = logging.getLogger("imodel.access")
GetResponse = Callable[[HttpRequest], HttpResponse]
GIVEN_ID = re.compile(r"^[A-Za-z0-9_-]{8,64}$")
PROBES = ("/healthz", "/readyz", "/metrics")
PUBLISHED = "/p/"


class RequestId:
    """Gives each request an id (a trusted proxy's own is kept), says it in the answer and in every log line, and logs
    one line about the request: its route rather than its path, because paths and queries may hold secrets.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        identity = _identity(request)
        request.request_id = identity  # type: ignore[attr-defined]
        token = logs.request_id.set(identity)
        try:
            with no_scope():  # a thread that served another merchant a moment ago starts from nothing
                response = self.get_response(request)
            _account(request, response, started)
        finally:
            logs.request_id.reset(token)
        response["X-Request-Id"] = identity
        return response


class SmallPages(GZipMiddleware):
    """Pages and the worker's script travel gzipped; nothing else: streams must not wait, the API's ETags stay strong.

    A page holds a CSRF token and may repeat what was asked (BREACH, https://breachattack.com): Django masks the token
    anew for each answer and varies the length of each body, which takes the measure away.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """The answer, smaller where it is one of these and the browser takes gzip."""
        if response.streaming or not response.get("Content-Type", "").startswith(("text/html", "text/javascript")):
            return response
        return super().process_response(request, response)


def _identity(request: HttpRequest) -> str:
    given = request.headers.get("X-Request-Id", "") if settings.TRUSTED_PROXIES else ""
    return given if GIVEN_ID.match(given) else uuid7().hex


def _account(request: HttpRequest, response: HttpResponseBase, started: float) -> None:
    """Static files and probes that went well are left out: they would be most of the log."""
    if response.status_code < 400 and (request.path in PROBES or request.path.startswith(settings.STATIC_URL)):
        return
    seconds = time.perf_counter() - started
    _count(request, response, seconds)
    spent = round(1000 * seconds, 1)
    facts = {
        "method": request.method,
        "route": logs.route_of(request),
        "status": response.status_code,
        "ms": spent,
        "merchant_id": _merchant_of(request),
    }
    access.info(
        "%s %s %s in %s ms", request.method, facts["route"], response.status_code, spent, extra={"facts": facts}
    )


def _count(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    try:
        counting.request(
            route=logs.route_of(request), method=str(request.method), status=response.status_code, seconds=seconds
        )
    except Exception:  # a number is no reason to fail a request
        log.warning("a request was not counted", exc_info=True)


def _merchant_of(request: HttpRequest) -> str:
    """The scope is closed again out here, but the request remembers."""
    merchant = getattr(request, "merchant", None)
    return str(merchant.pk) if merchant is not None else ""


class Published:
    """What everybody may have (selling/views/public.py) is the same for everybody: nothing about who asked goes out
    with it, or a cache between would keep one copy for each, or none.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path_info.startswith(PUBLISHED):
            response.cookies.clear()
            for header in ("Vary", "Content-Language", "Clear-Site-Data"):
                if header in response:
                    del response[header]
        return response


class Probes:
    """A load balancer and Prometheus ask by address, not by name: for their paths any Host will do."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path in PROBES:
            request.META["HTTP_HOST"] = settings.ALLOWED_HOSTS[0].lstrip(".")
        return self.get_response(request)


class Refusals:
    """Turns ``Refused`` (and studio's own errors) into a page or JSON, whichever was asked for."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Django calls this for what a view raised; None leaves it to handler500."""
        if isinstance(error, StudioError):
            error = from_studio(error)
        return refusal(request, error) if isinstance(error, Refused) else None


def refusal(request: HttpRequest, error: Refused) -> HttpResponse:
    """A refusal in the shape of its address, as JSON or as a page."""
    log.info("refused %s", error.code)
    if shape := shape_of(request.path_info):
        return shape(error)
    if wants_json(request):
        return error_response(error, getattr(request, "request_id", ""))
    template = {404: "404.html", 403: "403.html", 429: "429.html"}.get(error.status, "refused.html")
    return render(request, template, {"error": error}, status=error.status)


def wants_json(request: Any) -> bool:
    """Scripts and the API get JSON, people get a page."""
    if request.path.startswith("/api/") or request.headers.get("X-Requested-With") == "XMLHttpRequest":
        return True
    return bool(request.accepts("application/json") and not request.accepts("text/html"))
