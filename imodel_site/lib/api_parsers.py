"""How the API reads a body, and in what it answers."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation
from rest_framework.parsers import JSONParser


class BoundedJSONParser(JSONParser):
    """JSON whose nesting exhausts the stack is the sender's mistake, not ours."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        """The body's value."""
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError from error


class AlwaysJson(BaseContentNegotiation):
    """The API answers in JSON whatever is asked for (RFC 9110, 12.5.1 allows it)."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        """By the body's type."""
        return DefaultContentNegotiation().select_parser(request, parsers)

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> tuple[Any, str]:
        """The only one."""
        return renderers[0], renderers[0].media_type
