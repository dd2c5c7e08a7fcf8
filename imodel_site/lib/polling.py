"""Pages that ask again and again: 304 when they know the answer already."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, JsonResponse
from django.utils.cache import patch_cache_control

from imodel_site.lib.streams import Told


def polled(request: Any, found: Told) -> HttpResponse:
    """What a stream would have told, as an answer."""
    etag = f'"{found.tag}"'
    same = request.headers.get("If-None-Match") == etag
    response: HttpResponse = HttpResponse(status=304) if same else JsonResponse(found.data)
    response["ETag"] = etag
    patch_cache_control(response, private=True, no_cache=True)
    return response
