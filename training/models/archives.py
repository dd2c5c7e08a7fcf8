"""A set as a zip in kohya's layout, on its way out or in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.scoping import MerchantOwned
from catalog.models import Garment
from imodel_site.lib.jobs.model import Job, Status
from training.models.sets import TrainingSet

DAYS = 7  # that a zip is kept


class SetArchive(MerchantOwned, Job):
    """The light-lane job that packs a set, or makes a set of what was brought along."""

    lane: ClassVar[str] = "light"

    class Way(models.TextChoices):
        """Where to."""

        OUT = "out", _("out")
        IN = "in", _("in")

    way = models.CharField(max_length=3, choices=Way.choices, default=Way.OUT)
    garment = models.ForeignKey(Garment, on_delete=models.CASCADE, related_name="+")
    # Of one that came in: null until it was made.
    set = models.ForeignKey(TrainingSet, null=True, blank=True, on_delete=models.CASCADE, related_name="archives")
    edition = models.PositiveIntegerField(default=0, help_text="of the set that was packed")
    name = models.CharField(max_length=200)
    key = models.CharField(max_length=200, blank=True, help_text="the zip; storage key")
    bytes = models.PositiveBigIntegerField(default=0)
    # The uploads whose pictures are in it: moderation reaches them there too.
    assets = models.JSONField(default=list)
    taken = models.PositiveIntegerField(default=0, help_text="pictures that are in it, or were taken out of it")
    skipped = models.JSONField(default=list, help_text="names of files that are no part of a set")
    started_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta(MerchantOwned.Meta, Job.Meta):
        indexes: ClassVar[list[Any]] = [
            *Job.Meta.indexes,
            models.Index(fields=["merchant", "-id"], name="setarchive_newest"),
        ]

    @property
    def kept(self) -> bool:
        """Whether its file is still there: one that came in until it was read, one that goes out for a week."""
        if self.way == self.Way.IN or self.finished_at is None:
            return not self.ended
        return bool(self.status == Status.SUCCEEDED and self.finished_at > timezone.now() - timedelta(days=DAYS))
