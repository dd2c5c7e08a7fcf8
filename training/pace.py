"""How long a training takes, said before it starts: as the latest ones of this installation did, else as counted."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import Any

from imodel_site.lib.jobs.model import Status
from imodel_site.lib.scope import unscoped
from studio.lora.cost import Cost, estimate
from studio.lora.types import Plan
from training.models import Training

LEARNED = 10  # of the latest trainings of a family
BUNDLED = "mini"  # runs on the CPU of any machine; others are expected to have a GPU


def of_plan(plan: Mapping[str, Any], *, pictures: int, held_out: int) -> Cost:
    """Seconds of a step, of setting up, and in all.

    Args:
        plan: as an order holds it.
        pictures, held_out: that are learned from and compared with.
    """
    counted = estimate(
        Plan.from_json(plan), pictures=max(1, pictures), held_out=held_out, gpu=plan["family"] != BUNDLED
    )
    usual = _usual(str(plan["family"]))
    if usual is None:
        return counted
    return Cost(usual, counted.setup, counted.total * usual / counted.step)


def _usual(family: str) -> float | None:
    with unscoped("how long a step usually takes"):
        rows = Training.objects.filter(status=Status.SUCCEEDED, family=family).exclude(step_seconds=None)
        found = list(rows.order_by("-id").values_list("step_seconds", flat=True)[:LEARNED])
    return median(found) if found else None
