"""What is said no to, as few classes with stable codes; one place renders them for pages and API alike.

``Refused`` is the caller's mistake; ``NotHere`` answers alike for a missing thing and another merchant's; anything else
that escapes is ours, is logged under the request's id, and is never shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.http import JsonResponse

from imodel_site.lib.studio_words import sentence
from studio.errors import StudioError


class Refused(Exception):
    """The request can not be carried out as it stands; nothing was changed.

    Args:
        code: stable, ``snake_case``.
        message: one or two sentences for the person who must act: what happened, what to do. Translated.
        field: the field it is about, for a form to show it there.
        retryable: True when the same request may succeed later.
        status: the HTTP status.
        retry_after: seconds after which it may; said in the Retry-After header.
    """

    status = 400

    def __init__(
        self,
        code: str,
        message: Any,
        *,
        field: str = "",
        retryable: bool = False,
        status: int = 0,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(str(message))
        self.code = code
        self.message = message
        self.field = field
        self.retryable = retryable
        self.status = status or type(self).status
        self.retry_after = retry_after

    @property
    def headers(self) -> dict[str, str]:
        """What the answer says beside its body."""
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}


class NotHere(Refused):
    """Missing, or another merchant's: the two can not be told apart."""

    status = 404

    def __init__(self, message: Any = "") -> None:
        from django.utils.translation import gettext

        super().__init__("not_found", message or gettext("There is nothing here. It may have been deleted."))


@contextmanager
def named(field: str) -> Iterator[None]:
    """For the block, what is not here was asked for by this field of a body, which the answer then says."""
    try:
        yield
    except NotHere as missing:
        missing.field = missing.field or field
        raise


class NotAllowed(Refused):
    """The caller may see it, but not do this with it."""

    status = 403


class Conflict(Refused):
    """It has changed meanwhile, or a twin is under way."""

    status = 409


class TooMuch(Refused):
    """A rate, a quota or a size."""

    status = 429


def from_studio(error: StudioError, *, field: str = "") -> Refused:
    """A studio error in our terms: the code stays, the words are in the reader's language; 503 where it may pass."""
    words, status = sentence(error.code, error.message), 503 if error.retryable else 0
    return Refused(error.code, words, field=field, retryable=error.retryable, status=status)


def error_body(error: Refused, request_id: str) -> dict[str, Any]:
    """The JSON of an error: ``{"error": {code, message, field, retryable, request_id}}``."""
    return {
        "error": {
            "code": error.code,
            "message": str(error.message),
            "field": error.field or None,
            "retryable": error.retryable,
            "request_id": request_id,
        }
    }


def error_response(error: Refused, request_id: str, headers: Mapping[str, str] | None = None) -> JsonResponse:
    """The error as an HTTP response."""
    said = {**error.headers, **(headers or {})}
    return JsonResponse(error_body(error, request_id), status=error.status, headers=said)


def api_exception_handler(error: Exception, context: dict[str, Any]) -> Any:
    """DRF's EXCEPTION_HANDLER: our shape for our errors and for DRF's own."""
    from imodel_site.lib.api_errors import handle

    return handle(error, context)
