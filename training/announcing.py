"""What a shop's program is told: the ``data`` of training.*, comparison.* and adapter.* webhooks (docs/webhooks.md)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils import translation

from imodel_site.lib.jobs.model import Status
from training import words
from training.models import AdapterVersion, Comparison, Training


def training(row: Training) -> dict[str, Any]:
    """Ids and states; no address of a file, for those end within five minutes."""
    version = AdapterVersion.objects.filter(training=row).order_by("-number").first()
    ended_well = row.status == Status.SUCCEEDED
    return {
        "id": str(row.pk),
        "status": str(row.status),
        "garment": _id(row.garment_id),
        "steps": row.steps_done,
        "stopped_early": row.stopped_early,
        "chosen_step": row.chosen_step,
        "adapter": _id(version.adapter_id) if ended_well and version else None,
        "version": _id(version.pk) if ended_well and version else None,
        "error": error(row),
        "links": {"training": _link(f"trainings/{row.pk}")},
    }


def comparison(row: Comparison) -> dict[str, Any]:
    """As :func:`training`."""
    return {
        "id": str(row.pk),
        "status": str(row.status),
        "training": str(row.training_id),
        "cells": row.cells_total,
        "best": row.best,
        "error": error(row),
        "links": {"comparison": _link(f"comparisons/{row.pk}")},
    }


def promotion(version: AdapterVersion, *, back: bool) -> dict[str, Any]:
    """Which version of an adapter is in use now."""
    return {
        "id": str(version.adapter_id),
        "garment": _id(version.adapter.garment_id),
        "version": str(version.pk),
        "number": version.number,
        "rolled_back": back,
        "links": {"adapter": _link(f"adapters/{version.adapter_id}")},
    }


def error(row: Any) -> dict[str, Any] | None:
    """In the site's language: who reads it is a program."""
    if row.status != Status.FAILED:
        return None
    with translation.override(settings.LANGUAGE_CODE):
        message = words.failure(row.error_code, row.error_message)
    return {"code": row.error_code, "message": message, "retryable": row.error_retryable}


def _id(found: Any) -> str | None:
    return str(found) if found else None


def _link(path: str) -> str:
    """Written out: a worker that asked Django for addresses would load the whole site for it."""
    return f"{settings.SITE_URL}/api/v1/{path}"
