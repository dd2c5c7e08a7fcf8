"""Addresses where programs knock with a key: the REST API, and the surfaces that speak other people's wire formats."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpResponse

from imodel_site.lib.errors import Refused

API = "/api/"
SURFACES = ("/sdapi/", "/controlnet/", "/internal/", "/sam/")  # docs/surfaces.md
KEYED = (API, *SURFACES)
FASHN = "/v1/"  # lets its callers in by itself (generation/surfaces/fashn/door.py)
KEYS_ONLY = (*SURFACES, FASHN)  # a session opens nothing there

Shape = Callable[[Refused], HttpResponse]
_shapes: dict[str, Shape] = {}


def register_shape(prefix: str, shape: Shape) -> None:
    """How a refusal is said below these addresses, also one from outside their views: a rate, an address of nothing."""
    _shapes[prefix] = shape


def shape_of(path: str) -> Shape | None:
    """That of the address; None where a refusal has the site's own shape."""
    return next((shape for prefix, shape in _shapes.items() if path.startswith(prefix)), None)
