"""Every address of the site, from the resolver."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import get_resolver

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Route:
    """One pattern: its name with namespaces, its path as written in the urls, its view."""

    name: str
    path: str
    view: Any

    @property
    def model(self) -> Any:
        """The model of an API viewset, else None."""
        return getattr(getattr(self.view, "cls", None), "model", None)


def all_routes() -> list[Route]:
    """In the order of the resolver. The admin's many are tested by their rule, not one by one (test_staff)."""
    return [route for route in _walk(get_resolver(), "", "") if not route.name.startswith("admin:")]


def admin_routes() -> list[Route]:
    """The staff's pages."""
    return [route for route in _walk(get_resolver(), "", "") if route.name.startswith("admin:")]


def _walk(resolver: Any, before: str, spaces: str) -> Iterator[Route]:
    for pattern in resolver.url_patterns:
        path = before + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            space = f"{pattern.namespace}:" if pattern.namespace else ""
            yield from _walk(pattern, path, spaces + space)
        else:
            yield Route(
                f"{spaces}{pattern.name}", path.replace("^", "").replace("$", "").replace("\\Z", ""), pattern.callback
            )
