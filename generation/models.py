"""Shoots (jobs of the generate lane) and the pictures they made."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.scoping import MerchantOwned
from catalog.models import Garment, GarmentPhoto, Persona, Pose, Scene
from imodel_site.lib.ids import uuid7
from imodel_site.lib.jobs.model import Job


class Kind(models.TextChoices):
    """What is repainted: studio's kinds, and the expert form's free txt2img/img2img."""

    MODEL = "model", _("Model photo")
    SCENE = "scene", pgettext_lazy("kind of shoot", "New scene")
    POSE = "pose", pgettext_lazy("kind of shoot", "New pose")
    OUTFIT = "outfit", _("Outfit change")
    TEXT = "text", _("From words")
    EXPERT = "expert", _("Expert")


class MadeAs(models.TextChoices):
    """How a shoot was ordered."""

    NEW = "new", _("new")
    AGAIN = "again", _("again")
    VARY = "vary", _("variation")
    REPLAY = "replay", _("replay")


class Shoot(MerchantOwned, Job):
    """One order of pictures. ``order`` is what the worker carries out, frozen when it was accepted."""

    lane: ClassVar[str] = "generate"

    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.MODEL)
    garment = models.ForeignKey(Garment, null=True, blank=True, on_delete=models.SET_NULL, related_name="shoots")
    photo = models.ForeignKey(GarmentPhoto, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    persona = models.ForeignKey(Persona, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    scene = models.ForeignKey(Scene, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    pose = models.ForeignKey(Pose, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    count = models.PositiveSmallIntegerField(default=1)
    # {"op": "shoot" | "generate" | "replay", ...}: the executor's request with storage keys where it has paths.
    order = models.JSONField(default=dict)
    started_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    # Storage keys of the light table, for the slider and the report: {"sheet", "source", "mask", "skeleton"}.
    table = models.JSONField(default=dict)
    timings = models.JSONField(default=dict)
    # Where it came from, when it was not ordered from nothing.
    made_as = models.CharField(max_length=6, choices=MadeAs.choices, default=MadeAs.NEW)
    # No foreign key: two tables that point at one another could not be deleted in any order. The picture may be gone.
    of_picture_id = models.UUIDField(null=True, blank=True)

    class Meta(MerchantOwned.Meta, Job.Meta):
        indexes: ClassVar[list[Any]] = [
            *Job.Meta.indexes,
            models.Index(fields=["merchant", "-id"], name="shoot_newest"),
        ]


class Verdict(models.TextChoices):
    """What the fidelity report came to; ``none`` where nothing was to be kept."""

    GOOD = "good", _("good")
    CHECK = "check", _("look again")
    REJECT = "reject", _("not usable")
    NONE = "none", _("no report")


class Picture(MerchantOwned):
    """One finished picture with its report and recipe. Newest first is by id, which sorts by time."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    shoot = models.ForeignKey(Shoot, on_delete=models.PROTECT, related_name="pictures")
    index = models.PositiveSmallIntegerField()
    token = models.PositiveIntegerField(help_text="of the claim that made it")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    garment = models.ForeignKey(Garment, null=True, blank=True, on_delete=models.SET_NULL, related_name="pictures")
    persona = models.ForeignKey(Persona, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    # By variant: {"full": {"key", "width", "height", "bytes", "sha256"}, "display": ..., "large", "medium", "small"}.
    files = models.JSONField(default=dict)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    seed = models.BigIntegerField()
    verdict = models.CharField(max_length=6, choices=Verdict.choices)
    report = models.JSONField(null=True)
    recipe = models.JSONField(default=dict)
    # A replay's answer: whether its file came out as the very bytes of the picture it repeats. Null for other shoots.
    same_bytes = models.BooleanField(null=True)
    favourite = models.BooleanField(default=False)
    deleted_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(MerchantOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["shoot", "index"], name="picture_once_per_shoot"),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["merchant", "-id"], condition=models.Q(deleted_at=None), name="picture_newest"),
            models.Index(
                fields=["merchant", "garment", "-id"], condition=models.Q(deleted_at=None), name="picture_garment"
            ),
            models.Index(
                fields=["merchant", "persona", "-id"], condition=models.Q(deleted_at=None), name="picture_persona"
            ),
            models.Index(fields=["merchant", "kind", "-id"], condition=models.Q(deleted_at=None), name="picture_kind"),
            models.Index(
                fields=["merchant", "verdict", "-id"], condition=models.Q(deleted_at=None), name="picture_verdict"
            ),
            models.Index(
                fields=["merchant", "-id"],
                condition=models.Q(deleted_at=None, favourite=True),
                name="picture_favourite",
            ),
            models.Index(fields=["merchant", "-id"], condition=models.Q(deleted_at__isnull=False), name="picture_bin"),
            models.Index(fields=["deleted_at"], condition=models.Q(deleted_at__isnull=False), name="picture_purge"),
        ]


class PictureTag(MerchantOwned):
    """A word on a picture."""

    picture = models.ForeignKey(Picture, on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(max_length=40)

    class Meta(MerchantOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["picture", "name"], name="picture_tag_once"),
        ]
        # The picture comes third, so that one tag's newest pictures are one range.
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["merchant", "name", "-picture"], name="picture_tag_newest")
        ]
