"""The automatic first look, as a part of other jobs: it never stops one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PIL import Image

from studio.errors import Cancelled
from studio.serve.jobs import log_failure
from studio.serve.resident import Resident


def findings(images: Sequence[Image.Image], resident: Resident, job: str) -> list[dict[str, Any] | None]:
    """What the checker says of each picture, ready for a message.

    A checker that fails says None of all of them: they count as not looked at, and the failure is in the log.
    """
    try:
        return [found.to_json() for found in resident.checker().look(images)]
    except Cancelled:
        raise
    except Exception as error:  # noqa: BLE001  pictures that are finished must not be lost over a look at them
        log_failure(error, job=job, op="first look")
        return [None] * len(images)
