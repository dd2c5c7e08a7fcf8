"""A garment's adapter and its versions: trained or brought along, promoted, rolled back."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.moderation import Moderation
from accounts.scoping import MerchantOwned
from catalog.models import Garment
from imodel_site.lib.ids import uuid7
from imodel_site.lib.jobs.model import Job
from training.models.runs import OF_TRAINING, Training, TrainingSource

DEFAULT_WEIGHT = 1.0
OF_VERSION = (OF_TRAINING, "sources__asset")  # to prefetch for versions whose files are asked for


class WeightFrom(models.TextChoices):
    """Who said at which weight a version does best."""

    NOBODY = "", _("nobody yet")
    GRID = "grid", _("a grid")
    MERCHANT = "merchant", _("the merchant")


class Adapter(MerchantOwned):
    """What one garment's pictures are made with, for one family of weights; its promoted version is the one in use."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    garment = models.ForeignKey(Garment, null=True, blank=True, on_delete=models.SET_NULL, related_name="adapters")
    family = models.CharField(max_length=40)
    name = models.CharField(max_length=200)
    # Of versions that were deleted: the highest number, which no other version gets.
    numbered = models.PositiveIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(MerchantOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["garment", "family"], condition=models.Q(garment__isnull=False), name="adapter_once_per_garment"
            ),
        ]
        indexes: ClassVar[list[Any]] = [models.Index(fields=["merchant", "-id"], name="adapter_newest")]


class AdapterVersion(MerchantOwned):
    """One file of an adapter. It never changes; which one is in use does."""

    class Source(models.TextChoices):
        """Where it came from."""

        TRAINED = "trained", _("trained here")
        UPLOADED = "uploaded", _("uploaded")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    adapter = models.ForeignKey(Adapter, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    source = models.CharField(max_length=8, choices=Source.choices, default=Source.TRAINED)
    training = models.ForeignKey(Training, null=True, blank=True, on_delete=models.SET_NULL, related_name="versions")
    step = models.PositiveIntegerField(null=True, blank=True)
    key = models.CharField(max_length=200, help_text="safetensors; storage key")
    sha256 = models.CharField(max_length=64)
    bytes = models.PositiveBigIntegerField(default=0)
    trigger = models.CharField(max_length=40, blank=True)
    noun = models.CharField(max_length=80, blank=True, help_text="what kind of garment a prompt calls it")
    weight = models.FloatField(default=DEFAULT_WEIGHT, help_text="what a shoot uses unless it says otherwise")
    weight_from = models.CharField(max_length=8, choices=WeightFrom.choices, default=WeightFrom.NOBODY, blank=True)
    similarity = models.FloatField(null=True, blank=True)
    validation_loss = models.FloatField(null=True, blank=True)
    note = models.CharField(max_length=500, blank=True)
    promoted = models.BooleanField(default=False)
    created_by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(MerchantOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["adapter", "number"], name="adapter_version_number"),
            models.UniqueConstraint(
                fields=["adapter"], condition=models.Q(promoted=True), name="adapter_promoted_once"
            ),
        ]
        indexes: ClassVar[list[Any]] = [models.Index(fields=["merchant", "-id"], name="adapter_version_newest")]

    def learned_from(self) -> models.QuerySet[Any]:
        """The sources that moderation reaches it by: its training's, or its own once that was deleted."""
        own = models.Q(version=self)
        found: models.QuerySet[Any] = TrainingSource.objects.filter(
            own if self.training_id is None else own | models.Q(training=self.training_id)
        )
        return found


def not_withheld(versions: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """Without those that learned from a photo that moderation took down."""
    rest = versions.exclude(training__sources__asset__moderation=Moderation.REJECTED)
    return rest.exclude(sources__asset__moderation=Moderation.REJECTED)


class Promotion(MerchantOwned):
    """Which version came into use when, and by whom: the way back is read from here."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    adapter = models.ForeignKey(Adapter, on_delete=models.CASCADE, related_name="promotions")
    # None: that version was deleted.
    version = models.ForeignKey(
        AdapterVersion, null=True, blank=True, on_delete=models.SET_NULL, related_name="promotions"
    )
    note = models.CharField(max_length=500, blank=True)
    back = models.BooleanField(default=False, help_text="it was a step back")
    by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(MerchantOwned.Meta):
        indexes: ClassVar[list[Any]] = [models.Index(fields=["adapter", "-id"], name="promotion_newest")]


class AdapterUpload(MerchantOwned, Job):
    """A file that a merchant brought along: its header was read when it came, the rest is by the light lane.

    Its file counts as the merchant's room from the moment it is accepted. One that was not taken is deleted, as is that
    of a version that was deleted: ``key`` is empty then.
    """

    lane: ClassVar[str] = "light"

    garment = models.ForeignKey(Garment, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    family = models.CharField(max_length=40)
    name = models.CharField(max_length=200)
    key = models.CharField(max_length=200, help_text="as it came; storage key")
    sha256 = models.CharField(max_length=64)
    bytes = models.PositiveBigIntegerField(default=0)
    trigger = models.CharField(max_length=40, blank=True)
    note = models.CharField(max_length=500, blank=True)
    version = models.ForeignKey(AdapterVersion, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    started_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta(MerchantOwned.Meta, Job.Meta):
        pass

    def on_ended(self) -> None:
        """Called by ``transitions.advance`` once for each end, in its transaction."""
        from training.services import settling

        settling.upload_ended(self)
