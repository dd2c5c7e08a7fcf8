"""How far a look, a training or a grid is: what pages and programs that follow it are told."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from imodel_site.lib.jobs import queue
from imodel_site.lib.jobs.model import ENDED, Status
from training import words
from training.models import Training


def of_job(row: Any) -> dict[str, Any]:
    """Status, stage, place in the queue, seconds left; the shape that js/progress.js reads."""
    ended = row.status in ENDED
    return {
        "status": row.status,
        "stage": str(row.get_status_display()) if ended else stage_of(row),
        "fraction": None if row.status == Status.QUEUED else round(row.fraction, 3),
        "position": queue.position(row) or None,
        "eta_seconds": None if ended else seconds_left(row),
        "preview": None,
        "pictures": [],
        "message": words.failure(row.error_code, row.error_message) if row.status == Status.FAILED else "",
        "done": ended,
    }


def stage_of(row: Any) -> str:
    """What it is doing, in words."""
    if row.cancel_requested_at or getattr(row, "stop_asked_at", None):
        return _("Stopping")
    if row.status == Status.RUNNING and not row.stage:
        return _("Starting")
    return words.stage(row.stage if row.status == Status.RUNNING else "")


def seconds_left(row: Any) -> int | None:
    """Of a running training the steps that are left know best."""
    if isinstance(row, Training) and row.status == Status.RUNNING and row.step_seconds:
        return max(1, round((row.steps_total - row.steps_done) * row.step_seconds))
    found: int | None = queue.eta_seconds(row)
    return found


def of_training(row: Training) -> dict[str, Any]:
    """With what only trainings have."""
    return {
        **of_job(row),
        "steps_done": row.steps_done,
        "steps_total": row.steps_total,
        "memory_bytes": row.memory_bytes,
        "saving": row.save_asked,
        "sampling": row.sample_asked,
        "stopping": row.stop_asked_at is not None,
    }
