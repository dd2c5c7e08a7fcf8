"""A plain django-q2 task, the peer of a job in bench/jobs.py."""

from __future__ import annotations

import time
import uuid

from tests.jobs.app.models import Line


def task(number: int) -> None:
    """Note when it began."""
    Line.objects.create(job=uuid.uuid4(), kind=f"at {time.time():.6f}")
