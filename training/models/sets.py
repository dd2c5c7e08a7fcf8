"""What a training learns from: pictures of one garment, and the job that looks at them before anything is spent."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.scoping import MerchantOwned
from catalog.models import Asset, Garment, GarmentPhoto
from imodel_site.lib.ids import uuid7
from imodel_site.lib.jobs.model import Job


class View(models.TextChoices):
    """Which side of the garment a picture shows: somebody says, or the preflight finds out."""

    UNSURE = "unsure", _("not sure")
    FRONT = "front", _("Front")
    SIDE = "side", _("Side")
    BACK = "back", _("Back")


class PictureKind(models.TextChoices):
    """What a picture is there for."""

    GARMENT = "garment", _("shows the garment")
    PRIOR = "prior", _("shows others, so that these are not forgotten")


class TrainingSet(MerchantOwned):
    """The pictures that a garment's next training learns from; edited until it starts, which freezes them."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    garment = models.ForeignKey(Garment, on_delete=models.CASCADE, related_name="training_sets")
    trigger = models.CharField(max_length=40, help_text="the word that stands for this garment and nothing else")
    mirrored = models.BooleanField(default=True, help_text="its mirror image is the same garment, and is learned too")
    created_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    # Raised by every change, so that a preflight knows what it looked at.
    edition = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(MerchantOwned.Meta):
        indexes: ClassVar[list[Any]] = [models.Index(fields=["merchant", "garment", "-id"], name="trainingset_newest")]


class TrainingPicture(MerchantOwned):
    """One picture of a set: a garment's photo, an upload, or a part cut out of either."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    set = models.ForeignKey(TrainingSet, on_delete=models.CASCADE, related_name="pictures")
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="+")
    photo = models.ForeignKey(GarmentPhoto, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    position = models.PositiveSmallIntegerField(default=0)
    kind = models.CharField(max_length=7, choices=PictureKind.choices, default=PictureKind.GARMENT)
    crop = models.JSONField(null=True, blank=True, help_text="[left, top, right, bottom] in pixels of the asset")
    view = models.CharField(max_length=6, choices=View.choices, default=View.UNSURE)
    view_by_hand = models.BooleanField(default=False)
    caption = models.TextField(blank=True)
    caption_by_hand = models.BooleanField(default=False)
    mask_key = models.CharField(max_length=200, blank=True, help_text="the proposed garment of this crop; storage key")
    left_out = models.BooleanField(default=False)
    held_out = models.BooleanField(default=False, help_text="not learned from, but compared with")

    class Meta(MerchantOwned.Meta):
        indexes: ClassVar[list[Any]] = [models.Index(fields=["set", "position", "id"], name="trainingpicture_order")]


class Preflight(MerchantOwned, Job):
    """The light-lane job that looks at a set: its problems with their remedies, its captions, what it would take."""

    lane: ClassVar[str] = "light"

    set = models.ForeignKey(TrainingSet, on_delete=models.CASCADE, related_name="preflights")
    edition = models.PositiveIntegerField(default=0, help_text="of the set that was looked at")
    # {"problems", "buckets", "coverage", "crops", "steps", "seconds", "held_out", "pictures"}: what the page shows;
    # pictures are named by their ids.
    found = models.JSONField(default=dict)

    class Meta(MerchantOwned.Meta, Job.Meta):
        pass
