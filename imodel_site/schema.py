"""The documentation of the API, made from the viewsets (OpenAPI 3): ``/api/schema`` and ``/api/docs``.

Handlers say what is particular to them (``imodel_site.lib.api_answers``); what holds for every call is added here.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer

from accounts.once import HEADER, REPLAYED
from imodel_site.lib.api_answers import DECLARED, Declared, ErrorAnswer

PREFIX = "/api/v1/"
CHANGING = ("POST", "PUT", "PATCH", "DELETE")
JSON = "application/json"

REFUSALS: Mapping[int, tuple[str, str]] = {
    400: ("Invalid", "Something that was sent makes no sense; `field` says which."),
    401: ("SignedOut", "No API key, or one that opens nothing: unknown, mistyped, expired, revoked."),
    402: ("CreditsShort", "The balance does not cover the price. Nothing was started."),
    403: ("NotAllowed", "The key or the role may only read, or the shop is suspended or being deleted."),
    404: ("NotFound", "There is nothing with this id. Another shop's answers alike."),
    409: ("Conflict", "It changed meanwhile, a twin of the request is under way, or it is not in a state for this."),
    413: ("TooLarge", "The body or a file is too large, or the storage is full."),
    415: ("UnsupportedMediaType", "Send JSON, or a form where files are taken."),
    422: ("IdempotencyKeyReused", "This Idempotency-Key was used for another request within a day."),
    429: ("TooManyRequests", "Wait as long as Retry-After says."),
    503: ("NotReady", "The installation lacks something for the moment. Try again later."),
}

_INTEGER: Mapping[str, Any] = {"type": "integer", "minimum": 0}
HEADERS: Mapping[str, Mapping[str, Any]] = {
    "X-Request-Id": {"description": "Names this request in our logs.", "schema": {"type": "string"}},
    "RateLimit-Limit": {"description": "Calls that fit into the window.", "schema": _INTEGER},
    "RateLimit-Remaining": {"description": "Calls that still fit.", "schema": _INTEGER},
    "RateLimit-Reset": {"description": "Seconds until the next window.", "schema": _INTEGER},
    "RateLimit-Policy": {"description": "Limit and window, such as `600;w=60`.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds to wait.", "schema": _INTEGER},
    "Location": {"description": "Where to follow it.", "schema": {"type": "string"}},
    REPLAYED: {
        "description": "`true` when this answer was given before, under this key.",
        "schema": {"type": "string"},
    },
    "WWW-Authenticate": {"description": "How to authenticate.", "schema": {"type": "string"}},
}
EVERYWHERE = ("X-Request-Id", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "RateLimit-Policy")

IDEMPOTENCY_KEY: Mapping[str, Any] = {
    "name": HEADER,
    "in": "header",
    "description": "Makes the call safe to repeat: the same key and body get the first call's answer, for 24 hours.",
    "schema": {"type": "string", "pattern": r"^[\x21-\x7e]+$", "minLength": 1, "maxLength": 128},
    "example": "order-2026-11-23-0017",
}

# What handlers are that come from DRF's mixins and have no words of their own.
USUAL = {"list": "List {things}, newest first", "retrieve": "Look up one of the {things}"}


def _header(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/headers/{name}"}


class Schema(AutoSchema):
    """Names, words and the answers that every call has."""

    def get_tags(self) -> list[str]:
        """The first part of the address."""
        return [self._tokenize_path()[0]]

    def get_operation_id(self) -> str:
        """``pictures_restore``: stable names for generated clients."""
        basename = getattr(self.view, "basename", None)
        if basename is None:
            return "_".join([*self._tokenize_path(), "retrieve"])
        return f"{basename.removeprefix('api-')}_{self.view.action}".replace("-", "_")

    def get_summary(self) -> str:
        """The first line of the handler's docstring."""
        return self._words()[0].rstrip(".")

    def get_description(self) -> str:
        """The rest of it."""
        return self._words()[1]

    def _words(self) -> tuple[str, str]:
        usual = USUAL.get(getattr(self.view, "action", ""), "").format(things=self.get_tags()[0])
        text = inspect.getdoc(self._handler) or usual
        first, _blank, rest = text.partition("\n\n")
        return " ".join(first.split()), rest.strip()

    @property
    def _handler(self) -> Any:
        return getattr(self.view, getattr(self.view, "action", None) or self.method.lower())

    @property
    def _declared(self) -> Declared | None:
        return getattr(self._handler, DECLARED, None)

    def get_request_serializer(self) -> Any:
        """As the handler declares it; DRF's mixins declare nothing and take nothing."""
        return self._declared.takes if self._declared else None

    def get_response_serializers(self) -> Any:
        """As the handler declares it, else the viewset's own."""
        return dict(self._declared.by_status) if self._declared else super().get_response_serializers()

    def get_examples(self) -> list[Any]:
        """As the handler declares them."""
        return list(self._declared.examples) if self._declared else []

    def _resolve_path_parameters(self, variables: list[str]) -> list[dict[str, Any]]:
        """Ids, all of them: nothing else stands in an address."""
        schema = {"type": "string", "format": "uuid"}
        return [{"name": name, "in": "path", "required": True, "schema": dict(schema)} for name in variables]

    def get_override_parameters(self) -> list[Any]:
        """A list's filters, and what the handler declares."""
        filters = getattr(self.view, "filters", None)
        listing = getattr(self.view, "action", "") == "list" and filters is not None
        return [*([filters] if listing else []), *super().get_override_parameters()]

    def get_operation(self, *args: Any) -> Any:
        """With what every call of its kind has."""
        operation = super().get_operation(*args)
        if operation is None:
            return None
        self.resolve_serializer(ErrorAnswer, "response")  # which the shared refusals name
        responses = operation["responses"]
        if self.method in CHANGING:
            operation.setdefault("parameters", []).append(dict(IDEMPOTENCY_KEY))
        for status, found in responses.items():
            found["headers"] = {**found.get("headers", {}), **self._headers(status)}
            found["description"] = _said(found, status)
        for status in sorted({*self._refusals(), *(self._declared.refuses if self._declared else ())}):
            responses[str(status)] = {"$ref": f"#/components/responses/{REFUSALS[status][0]}"}
        return operation

    def _headers(self, status: str) -> dict[str, Any]:
        names = list(EVERYWHERE)
        names += [REPLAYED] if self.method in CHANGING else []
        names += ["Location"] if status == "202" else []
        return {name: _header(name) for name in names}

    def _refusals(self) -> set[int]:
        found = {401, 403, 429}
        if "{" in self.path:
            found.add(404)
        if getattr(self.view, "action", "") == "list":
            found.add(400)
        if self.method in CHANGING:
            found |= {400, 409, 413, 415, 422}
        return found


def _said(found: Mapping[str, Any], status: str) -> str:
    words = {"200": "Done.", "201": "Made.", "202": "Accepted: follow it at Location.", "204": "Done; no body."}
    plain = found["description"] if "content" in found else ""
    return str(plain or words.get(status, ""))


def complete(result: Any, generator: Any, request: Any, public: bool) -> Any:
    """Post-processing: the shared answers and headers, each written once."""
    result["info"]["description"] = guide()
    components = result["components"]
    components["headers"] = {name: dict(header) for name, header in HEADERS.items()}
    components["responses"] = {name: _refusal(status, words) for status, (name, words) in REFUSALS.items()}
    return result


def guide() -> str:
    """docs/api.md without its title; links to our other pages become words, for nobody serves those."""
    text = (settings.BASE_DIR / "docs" / "api.md").read_text(encoding="utf-8")
    return re.sub(r"\[([^\]]+)\]\([^)]+\.md\)", r"\1", text.partition("\n")[2].strip())


def _refusal(status: int, words: str) -> dict[str, Any]:
    names = {401: ["X-Request-Id", "WWW-Authenticate"], 429: [*EVERYWHERE, "Retry-After"]}.get(status, list(EVERYWHERE))
    body = {JSON: {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}}
    return {"description": words, "headers": {name: _header(name) for name in names}, "content": body}


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[misc]  # a class without types
    """API keys."""

    target_class = "accounts.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """A bearer token."""
        words = "A key from Settings, API keys: `Authorization: Bearer imk_live_...`. A write key reads as well."
        return {"type": "http", "scheme": "bearer", "description": words}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[misc]  # a class without types
    """A signed-in browser."""

    target_class = "accounts.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """The session's cookie."""
        words = "A signed-in browser; changing calls also send the CSRF token as `X-CSRFToken`."
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME, "description": words}


@functools.cache
def schema_text(kind: str) -> bytes:
    """The schema as ``json`` or ``yaml``; made once, for it takes a second and never changes while we run."""
    renderer = {"json": OpenApiJsonRenderer, "yaml": OpenApiYamlRenderer}[kind]()
    with translation.override("en"):
        found = SchemaGenerator().get_schema(request=None, public=True)
    text: bytes = renderer.render(found, renderer_context={})
    return text


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """OpenAPI for generated clients: YAML, or JSON where ``?format=json`` or the Accept header asks for it."""
    asked = request.GET.get("format", "")
    kind = "json" if asked == "json" or (not asked and JSON in request.headers.get("Accept", "")) else "yaml"
    types = {"json": "application/vnd.oai.openapi+json", "yaml": "application/vnd.oai.openapi"}
    response = HttpResponse(schema_text(kind), content_type=types[kind])
    patch_cache_control(response, public=True, max_age=300)
    response["Vary"] = "Accept"
    return response


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The reference, to read and to try."""
    return render(request, "api/docs.html")
