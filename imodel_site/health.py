"""Probes for a load balancer: /healthz (the process answers) and /readyz (so does all it needs)."""

from __future__ import annotations

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from imodel_site.doctor import database, stores
from imodel_site.doctor.findings import BAD, Examination, examine, worst

app_name = "health"
NEEDED: dict[str, Examination] = {
    "database": database.reachable,
    "migrations": database.migrated,
    "storage": stores.storage_lately,
    "cache": stores.caching,
}


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Asks nothing of anybody: a database that is down is no reason to kill the web process."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when requests can be served, else 503. What exactly is wrong is told to staff and to this machine."""
    findings = list(examine(NEEDED))
    ready = worst(findings) != BAD
    body: dict[str, object] = {"status": "ready" if ready else "not ready"}
    if _may_know(request):
        body["findings"] = [finding.as_json() for finding in findings]
    return JsonResponse(body, status=200 if ready else 503)


def _may_know(request: HttpRequest) -> bool:
    """Behind a proxy on this machine everybody comes from loopback, so a forwarded request never counts as local."""
    forwarded = settings.TRUSTED_PROXIES or {"X-Forwarded-For", "Forwarded", "X-Real-Ip"} & set(request.headers)
    if not forwarded and _loopback(request.META.get("REMOTE_ADDR", "")):
        return True
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return False
    try:
        return bool(request.user.is_staff)  # type: ignore[attr-defined, union-attr]
    except Exception:  # noqa: BLE001  the database may be what is down
        return False


def _loopback(address: str) -> bool:
    try:
        return ip_address(address.split("%")[0]).is_loopback
    except ValueError:
        return False


urlpatterns = [path("healthz", healthz, name="healthz"), path("readyz", readyz, name="readyz")]
