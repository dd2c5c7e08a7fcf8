"""Progress as it happens: server-sent events of a shoot and of a batch's board (docs/decisions/0010).

Each event is what the address for polling answers, so that a page can take either.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from django.views.decorators.http import require_GET

from accounts.decorators import member_required
from accounts.following import Look, stream
from generation.access import access_batch, access_shoot
from generation.views import batches, shoots
from generation.watching import watcher


@member_required
@require_GET
def shoot(request: Any, pk: UUID) -> HttpResponseBase:
    """How far a shoot is, until it has ended."""
    access_shoot(request.actor, pk, write=False)
    return _answer(request, "shoot", pk, lambda actor: shoots.told(access_shoot(actor, pk, write=False)))


@member_required
@require_GET
def batch(request: Any, pk: UUID) -> HttpResponseBase:
    """How far a batch is, and which cells of the page of its board have changed."""
    access_batch(request.actor, pk, write=False)
    page = request.GET.get("page")
    return _answer(request, "batch", pk, lambda actor: batches.told(access_batch(actor, pk, write=False), page))


def _answer(request: Any, kind: str, pk: UUID, look: Look) -> HttpResponseBase:
    return stream(request, watcher=watcher, kind=kind, pk=pk, look=look)
