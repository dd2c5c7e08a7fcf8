"""What a line of the ledger says about a training or a grid."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.statement import Told
from training.models import Comparison, Training


def tell(jobs: Sequence[UUID]) -> dict[UUID, Told]:
    """Of those jobs that are trainings or grids of the open scope."""
    trainings = Training.objects.filter(pk__in=jobs).select_related("garment").only("trigger", "garment__name")
    found = {row.pk: Told(title_of(row), reverse("training:training", args=[row.pk])) for row in trainings}
    grids = Comparison.objects.filter(pk__in=jobs).select_related("training__garment")
    found |= {
        row.pk: Told(
            _("Grid: %(name)s") % {"name": title_of(row.training)}, reverse("training:comparison", args=[row.pk])
        )
        for row in grids
    }
    return found


def title_of(training: Training) -> str:
    """A training as people call it."""
    return str(training.garment.name if training.garment else training.trigger)
