"""What a shop's program is told of a shoot that ended: the ``data`` of shoot.* webhooks (docs/webhooks.md)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils import translation

from generation import words
from generation.models import Shoot
from imodel_site.lib.jobs.model import Status


def told(shoot: Shoot) -> dict[str, Any]:
    """Ids, states and where to ask for more; no address of a file, for those end within five minutes.

    ``order``, ``table`` and ``timings`` may be deferred. A receiver asks the API when it is ready, under its own key.
    """
    return {
        "id": str(shoot.pk),
        "status": str(shoot.status),
        "kind": shoot.kind,
        "garment": _id(shoot.garment_id),
        "batch": _id(shoot.batch_id),
        "pictures": _pictures(shoot),
        "error": _error(shoot),
        "links": _links(shoot),
    }


def _id(found: Any) -> str | None:
    return str(found) if found else None


def _pictures(shoot: Shoot) -> list[dict[str, Any]]:
    """Only a shoot that succeeded has any."""
    if shoot.status != Status.SUCCEEDED:
        return []
    rows = shoot.pictures.order_by("index").values_list("pk", "verdict", "cost")
    return [{"id": str(pk), "verdict": verdict, "cost": cost} for pk, verdict, cost in rows]


def _error(shoot: Shoot) -> dict[str, Any] | None:
    """In the site's language: who reads it is a program, whoever's click ended the shoot."""
    if shoot.status != Status.FAILED:
        return None
    with translation.override(settings.LANGUAGE_CODE):
        message = words.failure(shoot.error_code, shoot.error_message)
    return {"code": shoot.error_code, "message": message, "retryable": shoot.error_retryable}


def _links(shoot: Shoot) -> dict[str, str]:
    """Written out: a worker that asked Django for addresses would load the whole site for it."""
    api = f"{settings.SITE_URL}/api/v1"
    return {"shoot": f"{api}/shoots/{shoot.pk}", "pictures": f"{api}/pictures?shoot={shoot.pk}"}
