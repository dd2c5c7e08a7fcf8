"""/metrics: for those whom the door lets in; for everybody else it is not there."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from imodel_site.lib.errors import NotHere
from imodel_site.metrics import door, reading, rows

app_name = "metrics"
FORWARDED = {"X-Forwarded-For", "Forwarded", "X-Real-Ip"}


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus's text.

    Raises:
        NotHere: neither token nor network; the same answer as for a page that does not exist.
    """
    if not door.opens(
        authorization=request.headers.get("Authorization", ""),
        address=request.META.get("REMOTE_ADDR", ""),
        forwarded=bool(settings.TRUSTED_PROXIES or FORWARDED & set(request.headers)),
    ):
        raise NotHere()
    return HttpResponse(reading.text(rows.samples), content_type=CONTENT_TYPE_LATEST)


urlpatterns = [path("metrics", metrics, name="metrics")]
