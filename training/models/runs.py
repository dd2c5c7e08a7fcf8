"""A training as a job, and what it leaves behind while it goes: points of its curves, samples, checkpoints, a log."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from accounts.scoping import MerchantOwned
from catalog.models import Asset, Garment
from imodel_site.lib.ids import uuid7
from imodel_site.lib.jobs.model import Job
from training.models.sets import TrainingSet

OF_TRAINING = "training__sources__asset"  # to prefetch for rows whose files are asked for: one instance for all


class Training(MerchantOwned, Job):
    """A LoRA in the making. ``order`` is what the worker carries out, frozen when accepted (orders.py)."""

    lane: ClassVar[str] = "train"

    garment = models.ForeignKey(Garment, null=True, blank=True, on_delete=models.SET_NULL, related_name="trainings")
    set = models.ForeignKey(TrainingSet, null=True, blank=True, on_delete=models.SET_NULL, related_name="trainings")
    family = models.CharField(max_length=40)
    trigger = models.CharField(max_length=40)
    # {"op": "train", "plan", "trigger", "noun", "start", "entries": [{"asset", "key", "crop", "mask", "caption", ...}]}
    order = models.JSONField(default=dict)
    # Whose weights this one began with; null: begun anew. Versions point at trainings, so no foreign key.
    of_version_id = models.UUIDField(null=True, blank=True)
    price = models.PositiveIntegerField(default=0, help_text="credits reserved while it waits and runs")
    steps_total = models.PositiveIntegerField(default=0)
    steps_done = models.PositiveIntegerField(default=0)
    step_seconds = models.FloatField(null=True, blank=True, help_text="of one step, lately")
    memory_bytes = models.BigIntegerField(null=True, blank=True, help_text="the most that the device held")
    resumed = models.PositiveSmallIntegerField(default=0, help_text="how often it went on after a worker was lost")
    # What the merchant asks of a running one; the worker takes them back as it passes them on.
    save_asked = models.BooleanField(default=False)
    sample_asked = models.BooleanField(default=False)
    stop_asked_at = models.DateTimeField(null=True, blank=True)
    stopped_early = models.BooleanField(default=False)
    # What the studio chose and why: the fields of studio.lora.choosing.Choice.
    choice = models.JSONField(default=dict)
    chosen_step = models.PositiveIntegerField(null=True, blank=True, help_text="the studio's, or the merchant's own")
    chosen_by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    overruled = models.BooleanField(default=False)
    started_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta(MerchantOwned.Meta, Job.Meta):
        indexes: ClassVar[list[Any]] = [
            *Job.Meta.indexes,
            models.Index(fields=["merchant", "-id"], name="training_newest"),
            models.Index(fields=["merchant", "garment", "-id"], name="training_of_garment"),
        ]

    def on_ended(self) -> None:
        """Called by ``transitions.advance`` once for each end, in its transaction."""
        from training.services import settling

        settling.training_ended(self)


class TrainingSource(MerchantOwned):
    """An upload that a training learned from: it stays as long, and moderation reaches what came of it.

    When the training is deleted, its versions take over the sources: either ``training`` or ``version`` is set.
    """

    training = models.ForeignKey(Training, null=True, blank=True, on_delete=models.CASCADE, related_name="sources")
    version = models.ForeignKey(
        "training.AdapterVersion", null=True, blank=True, on_delete=models.CASCADE, related_name="sources"
    )
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="+")

    class Meta(MerchantOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["training", "asset"], name="training_source_once"),
            models.UniqueConstraint(fields=["version", "asset"], name="version_source_once"),
        ]


class TrainingPoint(MerchantOwned):
    """One step of the curves; validation stands at the steps that were validated."""

    training = models.ForeignKey(Training, on_delete=models.CASCADE, related_name="points")
    step = models.PositiveIntegerField()
    loss = models.FloatField(null=True)
    smoothed = models.FloatField(null=True)
    validation = models.FloatField(null=True)

    class Meta(MerchantOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["training", "step"], name="training_point_once"),
        ]


class TrainingSample(MerchantOwned):
    """A picture painted on the way, always with the same seeds, so that they can be laid on a timeline."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    training = models.ForeignKey(Training, on_delete=models.CASCADE, related_name="samples")
    step = models.PositiveIntegerField()
    number = models.PositiveSmallIntegerField(help_text="among the samples of its step")
    seed = models.BigIntegerField(default=0)
    key = models.CharField(max_length=200, help_text="a WebP; storage key")
    similarity = models.FloatField(null=True, help_text="to the garment on the pictures that were held out, 0 to 1")

    class Meta(MerchantOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["training", "step", "number"], name="training_sample_once"),
        ]


class TrainingNote(MerchantOwned):
    """A line of the log: a code and its numbers; the page says it in words (training/words.py)."""

    training = models.ForeignKey(Training, on_delete=models.CASCADE, related_name="notes")
    code = models.CharField(max_length=64)
    params = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(MerchantOwned.Meta):
        indexes: ClassVar[list[Any]] = [models.Index(fields=["training", "id"], name="training_note_order")]


class Checkpoint(MerchantOwned):
    """What a training had learned at a step. The newest keeps its whole state, for any machine to go on from."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    training = models.ForeignKey(Training, on_delete=models.CASCADE, related_name="checkpoints")
    step = models.PositiveIntegerField()
    key = models.CharField(max_length=200, help_text="the adapter in diffusers' layout; storage key")
    sha256 = models.CharField(max_length=64)
    bytes = models.PositiveBigIntegerField(default=0)
    state = models.JSONField(default=dict, help_text="storage keys of what a resumed run needs besides, by file name")
    train_loss = models.FloatField(null=True)
    smoothed_loss = models.FloatField(null=True)
    validation_loss = models.FloatField(null=True)
    similarity = models.FloatField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(MerchantOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["training", "step"], name="checkpoint_once"),
        ]
