"""How a handler of the API says what it takes and answers; ``imodel_site.schema`` makes the documentation of it.

    @answers({202: ShootSerializer}, takes=OrderSerializer, refuses=(402, 404), examples=[example("Two", {...})])
    def create(self, request: Request) -> Response:
        \"\"\"Order a shoot.

        The rest of the docstring is the description.
        \"\"\"

What holds for every call is added by itself: 401, 403, 429; 400 where there is something to get wrong; 404 where the
address has an id; 409, 413, 415, 422 and the Idempotency-Key for what changes things; the RateLimit-* headers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from imodel_site.lib.errors import Refused

DECLARED = "declared"
Handler = TypeVar("Handler", bound=Callable[..., Any])


@dataclass(frozen=True)
class Declared:
    """What a handler takes and answers, in an attribute of our own: ``@action`` writes over DRF's ``kwargs``."""

    by_status: Mapping[int, Any]
    takes: Any
    refuses: Sequence[int]
    examples: Sequence[OpenApiExample]


def answers(
    by_status: Mapping[int, Any],
    *,
    takes: Any = None,
    refuses: Sequence[int] = (),
    examples: Sequence[OpenApiExample] = (),
) -> Callable[[Handler], Handler]:
    """Declare a handler's answers by status, and the body that it takes (a serializer; None for none).

    Args:
        by_status: serializers, classes or with ``many=True``; None for an answer without a body.
        refuses: statuses of refusals that not every call has, such as 402.
        examples: from :func:`example`.
    """

    def declare(handler: Handler) -> Handler:
        setattr(handler, DECLARED, Declared(by_status, takes, refuses, examples))
        return handler

    return declare


def example(title: str, body: Any, *, answer: bool = False) -> OpenApiExample:
    """A body that works (or, with ``answer``, one that comes back)."""
    return OpenApiExample(title, value=body, request_only=not answer, response_only=answer)


@contextmanager
def files_named(name: str) -> Iterator[None]:
    """Refusals of a picture name this field of the body; the pages' forms call theirs ``photos``."""
    try:
        yield
    except Refused as refused:
        if refused.field in ("", "photos"):
            refused.field = name
        raise


class Error(serializers.Serializer[Any]):
    """What was refused, and why."""

    code = serializers.CharField(help_text="Stable, snake_case; docs/api.md lists them.")
    message = serializers.CharField(help_text="One or two sentences for the person who must act.")
    field = serializers.CharField(allow_null=True, help_text="The field it is about, such as photos.0.view.")
    retryable = serializers.BooleanField(help_text="Whether the same request may succeed later.")
    request_id = serializers.CharField(help_text="Tell us this when you ask about it.")


class ErrorAnswer(serializers.Serializer[Any]):
    """Every refusal has this shape."""

    error = Error()
