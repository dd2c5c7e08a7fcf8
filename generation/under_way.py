"""How much of a merchant's work waits or runs: what the top bar counts."""

from __future__ import annotations

from dataclasses import dataclass

from generation.models import Shoot
from imodel_site.lib.jobs.model import Status
from training.models import Comparison, Training

OPEN = (Status.QUEUED, Status.RUNNING)


@dataclass(frozen=True)
class UnderWay:
    """Shoots, and what the training room paints and learns: trainings and grids."""

    shoots: int
    trainings: int

    @property
    def all(self) -> int:
        """Both."""
        return self.shoots + self.trainings


def count() -> UnderWay:
    """Of the open scope's merchant."""
    learning = sum(model.objects.filter(status__in=OPEN).count() for model in (Training, Comparison))
    return UnderWay(Shoot.objects.filter(status__in=OPEN).count(), learning)
