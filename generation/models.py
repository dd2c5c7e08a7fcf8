"""Shoots (jobs of the generate lane), the batches they came in, the pictures they made, and what staff look at."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models.moderation import Moderated, Moderation
from accounts.scoping import MerchantOwned
from catalog.models import Asset, Garment, GarmentPhoto, Persona, Pose, Scene
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
    REDO = "redo", _("free retry")


class Batch(MerchantOwned):
    """Garments x personas x scenes x poses, ordered at once; each cell is a shoot."""

    class Status(models.TextChoices):
        """Of the order as a whole; how far it is, its shoots say."""

        OPEN = "open", _("under way")
        PAUSED = "paused", _("paused")
        CANCELLED = "cancelled", _("cancelled")
        FINISHED = "finished", _("finished")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(_("name"), max_length=120, blank=True)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.OPEN)
    # What was asked for: {"photos", "personas", "scenes", "poses": ids, "kind", "crop", "count", "best_of", ...}.
    choices = models.JSONField(default=dict)
    shoots_total = models.PositiveIntegerField(default=0)
    pictures_total = models.PositiveIntegerField(default=0)
    price = models.PositiveIntegerField(default=0, help_text="credits that were reserved at its start")
    started_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    idempotency_key = models.CharField(max_length=128, null=True, blank=True)
    request_hash = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    finishes = models.PositiveIntegerField(
        default=0, db_default=0, help_text="how often its last shoot ended: again after failed ones were tried again"
    )

    class Meta(MerchantOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["merchant", "idempotency_key"], name="batch_once_by_key"),
        ]
        indexes: ClassVar[list[Any]] = [models.Index(fields=["merchant", "-id"], name="batch_newest")]


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
    batch = models.ForeignKey(Batch, null=True, blank=True, on_delete=models.PROTECT, related_name="shoots")
    price = models.PositiveIntegerField(default=0, db_default=0, help_text="credits reserved while it waits and runs")
    # Storage keys of the light table, for the slider and the report: publishing.PAPERS.
    table = models.JSONField(default=dict)
    timings = models.JSONField(default=dict)
    # Where it came from, when it was not ordered from nothing.
    made_as = models.CharField(max_length=6, choices=MadeAs.choices, default=MadeAs.NEW)
    # No foreign key: two tables that point at one another could not be deleted in any order. The picture may be gone.
    of_picture_id = models.UUIDField(null=True, blank=True)
    # Which version of a garment's adapter it is made with. No foreign key either: versions go, shoots stay.
    adapter_version = models.UUIDField(null=True, blank=True)

    class Meta(MerchantOwned.Meta, Job.Meta):
        indexes: ClassVar[list[Any]] = [
            *Job.Meta.indexes,
            models.Index(fields=["merchant", "-id"], name="shoot_newest"),
            models.Index(fields=["batch", "status"], condition=models.Q(batch__isnull=False), name="shoot_of_batch"),
        ]

    def on_ended(self) -> None:
        """Called by ``transitions.advance`` once for each end, in its transaction."""
        from generation.services import settling

        settling.shoot_ended(self)

    @classmethod
    def on_ended_many(cls, shoots: list[Shoot]) -> None:
        """Called by ``transitions.advance_many`` in the place of that: for shoots that were cancelled together."""
        from generation.services import settling

        settling.shoots_cancelled(shoots)


class Verdict(models.TextChoices):
    """What the fidelity report came to; ``none`` where nothing was to be kept."""

    GOOD = "good", _("good")
    CHECK = "check", _("look again")
    REJECT = "reject", _("not usable")
    NONE = "none", _("no report")


class Review(models.TextChoices):
    """What the merchant thinks of a picture, on a batch's board; staff's word is ``Picture.moderation``."""

    NONE = "", _("not looked at")
    APPROVED = "approved", _("approved")
    REJECTED = "rejected", _("rejected")


class Complaint(models.TextChoices):
    """Why a merchant rejected a picture."""

    GARMENT = "garment", _("The garment looks wrong")
    COLOUR = "colour", _("The colours are off")
    BODY = "body", _("Hands, arms or legs look wrong")
    FACE = "face", _("The face looks wrong")
    POSE = "pose", _("The pose does not suit")
    SCENE = "scene", _("The background does not suit")
    OTHER = "other", _("Something else")


class Picture(MerchantOwned, Moderated):
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
    review = models.CharField(max_length=8, choices=Review.choices, default=Review.NONE, db_default="", blank=True)
    review_reason = models.CharField(max_length=8, choices=Complaint.choices, default="", db_default="", blank=True)
    cost = models.PositiveIntegerField(
        default=0, db_default=0, help_text="credits paid for it; 0 below the merchant's threshold"
    )
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


class FashnRun(MerchantOwned, Job):
    """A call of ``/v1/run`` (docs/fashn.md): its pictures are fetched in the light lane, then it becomes a shoot.

    A run that needs no painting, such as a cut-out, ends without a shoot and keeps its file here.
    """

    lane: ClassVar[str] = "light"

    model_name = models.CharField(max_length=40)
    # As they were sent; pictures that came in the body are storage keys of kind "fashn": {"key": "m/..."}.
    inputs = models.JSONField(default=dict)
    # Why it can not be carried out, where that was plain from the start: {"code", "message"}.
    refusal = models.JSONField(null=True, blank=True)
    price = models.PositiveIntegerField(default=0, help_text="credits reserved until its shoot reserves them")
    shoot = models.OneToOneField(Shoot, null=True, blank=True, on_delete=models.CASCADE, related_name="fashn_run")
    asset = models.ForeignKey(Asset, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    # Storage keys of what it made without a shoot.
    output = models.JSONField(default=list)
    webhook = models.ForeignKey(
        "accounts.WebhookEndpoint", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta(MerchantOwned.Meta, Job.Meta):
        indexes: ClassVar[list[Any]] = [
            *Job.Meta.indexes,
            models.Index(fields=["finished_at"], name="fashnrun_purge"),
        ]

    def on_ended(self) -> None:
        """Called by ``transitions.advance`` once for each end, in its transaction."""
        from generation.surfaces.fashn import endings

        endings.run_ended(self)

    @property
    def sent(self) -> list[str]:
        """Storage keys of the pictures that came in the body."""
        return [sent["key"] for sent in self.inputs.values() if isinstance(sent, dict) and "key" in sent]

    @property
    def returns_base64(self) -> bool:
        """Whether the pictures themselves are answered, in the place of their addresses."""
        return bool(self.inputs.get("return_base64"))

    @property
    def variant(self) -> str:
        """Which of a picture's files is handed out."""
        return "jpeg" if self.inputs.get("output_format") == "jpeg" else "full"


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


class SurfaceOptions(MerchantOwned):
    """What a key has set with ``/sdapi/v1/options`` (docs/surfaces.md): for its own calls, and nobody else's."""

    api_key = models.OneToOneField("accounts.ApiKey", on_delete=models.CASCADE, related_name="+")
    values = models.JSONField(default=dict)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(MerchantOwned.Meta):
        pass


class ModerationCase(MerchantOwned):
    """An upload or a picture that staff are to look at, or have decided on; one for each thing, opened again at need.

    The word itself stands on the row (``moderation``); who gave it, when and why, in ``accounts.AuditEntry``.
    """

    class Subject(models.TextChoices):
        """What it is about."""

        ASSET = "asset", _("upload")
        PICTURE = "picture", _("picture")

    class OpenedBy(models.TextChoices):
        """Who thought that somebody should look."""

        LOOK = "look", _("the automatic look")
        STAFF = "staff", _("staff")
        MERCHANT = "merchant", _("the merchant")

    class Status(models.TextChoices):
        """Open cases are the queue."""

        OPEN = "open", _("open")
        DECIDED = "decided", _("decided")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subject = models.CharField(max_length=8, choices=Subject.choices)
    subject_id = models.UUIDField()
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OPEN)
    opened_by = models.CharField(max_length=8, choices=OpenedBy.choices, default=OpenedBy.LOOK)
    reasons = models.JSONField(default=list, help_text="codes")
    decision = models.CharField(max_length=8, choices=Moderation.choices, blank=True, help_text="staff's")
    reason = models.CharField(max_length=40, blank=True)
    note = models.CharField(max_length=500, blank=True)
    decided_by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(MerchantOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["merchant", "subject", "subject_id"], name="moderation_case_once"),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["status", "-id"], name="moderation_queue"),
            models.Index(fields=["merchant", "-id"], name="moderation_of_merchant"),
        ]
