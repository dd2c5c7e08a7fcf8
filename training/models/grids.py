"""Grids: the same pictures with other weights, checkpoints or seeds, side by side with what they are worth."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.scoping import MerchantOwned
from imodel_site.lib.ids import uuid7
from imodel_site.lib.jobs.model import Job
from training.models.runs import Training


class Axis(models.TextChoices):
    """What may differ from cell to cell."""

    WEIGHT = "weight", _("Weight")
    CHECKPOINT = "checkpoint", _("Checkpoint")
    SEED = "seed", _("Seed")
    PROMPT = "prompt", _("Prompt")
    STEPS = "steps", _("Steps")
    GUIDANCE = "guidance", _("Guidance")
    SAMPLER = "sampler", _("Sampler")


class Comparison(MerchantOwned, Job):
    """One XYZ grid; it paints, so it waits with the shoots."""

    lane: ClassVar[str] = "generate"

    training = models.ForeignKey(Training, on_delete=models.CASCADE, related_name="comparisons")
    # {"axes": [{"axis", "values"}], "prompt", "steps", "guidance", "sampler", "seed", "weight", "checkpoint"}
    order = models.JSONField(default=dict)
    price = models.PositiveIntegerField(default=0)
    automatic = models.BooleanField(default=False, help_text="made by itself when the training ended, at its price")
    cells_total = models.PositiveIntegerField(default=0)
    best = models.PositiveIntegerField(null=True, blank=True, help_text="the cell that the scores are for")
    picked = models.PositiveIntegerField(null=True, blank=True, help_text="the cell that the merchant is for")
    picked_by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    # Storage keys of {"sheet": png, "csv"}.
    papers = models.JSONField(default=dict)
    started_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta(MerchantOwned.Meta, Job.Meta):
        indexes: ClassVar[list[Any]] = [
            *Job.Meta.indexes,
            models.Index(fields=["merchant", "-id"], name="comparison_newest"),
        ]

    def on_ended(self) -> None:
        """Called by ``transitions.advance`` once for each end, in its transaction."""
        from training.services import settling

        settling.comparison_ended(self)

    @property
    def winner(self) -> int | None:
        """The merchant's word counts before the scores."""
        return self.best if self.picked is None else self.picked


class ComparisonCell(MerchantOwned):
    """One picture of a grid."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    comparison = models.ForeignKey(Comparison, on_delete=models.CASCADE, related_name="cells")
    number = models.PositiveIntegerField()
    x = models.PositiveSmallIntegerField(default=0)
    y = models.PositiveSmallIntegerField(default=0)
    z = models.PositiveSmallIntegerField(default=0)
    weight = models.FloatField(default=1.0)
    step = models.PositiveIntegerField(null=True, help_text="of the checkpoint; null for the base alone")
    seed = models.BigIntegerField(default=0)
    key = models.CharField(max_length=200, help_text="a WebP; storage key")
    score = models.FloatField(null=True)

    class Meta(MerchantOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["comparison", "number"], name="comparison_cell_once"),
        ]
