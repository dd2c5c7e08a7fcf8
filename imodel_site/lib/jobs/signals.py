"""What happened to a job, for whoever counts (imodel_site/metrics); a counter that fails never harms a job.

Each is sent with the job's model as ``sender``.
"""

from __future__ import annotations

import logging
from typing import Any

from django.db import transaction
from django.dispatch import Signal

log = logging.getLogger("imodel.jobs")

claimed = Signal()  # seconds: how long it had waited
staged = Signal()  # stage, seconds: how long that stage of a run took
ran = Signal()  # seconds: from claim to whatever became of it
lost = Signal()  # a worker was lost, or had trouble
ended = Signal()  # status, code: of the error; empty without one


def tell(signal: Signal, model: type[Any], **facts: Any) -> None:
    """Send it; what a receiver raises is logged."""
    for receiver, answer in signal.send_robust(sender=model, **facts):
        if isinstance(answer, Exception):
            log.warning("%s did not count: %r", receiver, answer)


def tell_after_commit(signal: Signal, model: type[Any], **facts: Any) -> None:
    """Send it once what was written is true; never, when it is rolled back."""
    transaction.on_commit(lambda: tell(signal, model, **facts), robust=True)
