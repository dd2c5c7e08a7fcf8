"""What the API says of shoots and pictures: the documented shape of its answers (docs/api.md)."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Prefetch
from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers, status
from rest_framework.response import Response

from accounts.models.moderation import Moderation
from generation import words
from generation.dry_run import DryRun
from generation.models import Complaint, Kind, Picture, PictureTag, Review, Shoot, Verdict
from generation.views.shoots import progress_of
from imodel_site.lib.jobs.model import Status
from imodel_site.lib.signing import Bearers

PLAIN = (
    "id", "index", "kind", "width", "height", "seed", "verdict", "moderation", "favourite", "review",
    "review_reason", "cost",
    "same_bytes", "deleted_at", "created_at",
)  # fmt: skip


def picture_json(picture: Picture, bearers: Bearers) -> dict[str, Any]:
    """A picture, as :class:`PictureSerializer` documents it; by hand, for lists are asked for often."""
    return {
        **{name: getattr(picture, name) for name in PLAIN},
        **{name: getattr(picture, f"{name}_id") for name in ("shoot", "garment", "persona")},
        "tags": sorted(tag.name for tag in picture.shown_tags),  # type: ignore[attr-defined]  # from with_tags()
        "urls": bearers.of(picture, picture.files),
    }


def with_tags(rows: Any) -> Any:
    """The pictures with their tags in one query for all."""
    return rows.prefetch_related(Prefetch("tags", PictureTag.objects.all(), to_attr="shown_tags"))


class PictureSerializer(serializers.Serializer[Any]):
    """A picture with addresses that open for a few minutes."""

    id = serializers.UUIDField()
    shoot = serializers.UUIDField()
    index = serializers.IntegerField(help_text="Among the shoot's pictures.")
    kind = serializers.ChoiceField(choices=Kind.choices)
    garment = serializers.UUIDField(allow_null=True)
    persona = serializers.UUIDField(allow_null=True)
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    seed = serializers.IntegerField()
    verdict = serializers.ChoiceField(choices=Verdict.choices, help_text="What the fidelity report came to.")
    moderation = serializers.ChoiceField(choices=Moderation.choices, help_text="flagged and rejected have no urls.")
    favourite = serializers.BooleanField()
    review = serializers.ChoiceField(choices=Review.choices, help_text="Your own word on it; empty for none yet.")
    review_reason = serializers.ChoiceField(
        choices=Complaint.choices, allow_blank=True, help_text="Why you rejected it; else empty."
    )
    tags = serializers.ListField(child=serializers.CharField())
    cost = serializers.IntegerField(help_text="Credits paid; 0 below your threshold.")
    same_bytes = serializers.BooleanField(allow_null=True, help_text="Of a replay: whether the file is the very same.")
    deleted_at = serializers.DateTimeField(allow_null=True, help_text="Since when it lies in the bin.")
    created_at = serializers.DateTimeField()
    urls = serializers.DictField(
        child=serializers.URLField(), help_text="By size: full, display, large, medium, small; empty while held back."
    )

    def to_representation(self, instance: Picture) -> Any:
        """See :func:`picture_json`."""
        return picture_json(instance, self.context["bearers"])


class WholePictureSerializer(PictureSerializer):
    """With the report and the recipe."""

    report = serializers.JSONField(allow_null=True, help_text="docs/fidelity.md explains its figures.")
    recipe = serializers.JSONField(help_text="Everything that a replay needs.")

    def to_representation(self, instance: Picture) -> Any:
        """As a list shows it, and both."""
        return {**super().to_representation(instance), "report": instance.report, "recipe": instance.recipe}


class FailureSerializer(serializers.Serializer[Any]):
    """Why a shoot failed."""

    code = serializers.CharField()
    message = serializers.CharField()
    retryable = serializers.BooleanField()


class ProgressSerializer(serializers.Serializer[Any]):
    """How far a shoot is."""

    stage = serializers.CharField(help_text="In words.")
    fraction = serializers.FloatField(allow_null=True, help_text="0 to 1; null while it waits.")
    position = serializers.IntegerField(allow_null=True, help_text="In the queue; null unless it waits.")
    eta_seconds = serializers.IntegerField(allow_null=True, help_text="Until it is done; null when nobody knows.")


class ShootSerializer(serializers.ModelSerializer[Shoot]):
    """A shoot: what was ordered, what became of it."""

    fraction = serializers.FloatField(help_text="How far it is, 0 to 1.", read_only=True)
    adapter_version = serializers.UUIDField(
        allow_null=True, read_only=True, help_text="Of a trained garment that it is made with."
    )
    error = serializers.SerializerMethodField(help_text="Of a failed one.")

    class Meta:
        model = Shoot
        fields: ClassVar[list[str]] = [
            "id", "kind", "status", "count", "garment", "photo", "persona", "scene", "pose", "batch", "made_as",
            "adapter_version", "price", "fraction", "error", "created_at", "started_at", "finished_at",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(FailureSerializer(allow_null=True))
    def get_error(self, shoot: Shoot) -> dict[str, Any] | None:
        """The reason, in the merchant's words."""
        if shoot.status != Status.FAILED:
            return None
        message = words.failure(shoot.error_code, shoot.error_message)
        return {"code": shoot.error_code, "message": message, "retryable": shoot.error_retryable}


class WholeShootSerializer(ShootSerializer):
    """With how far it is and the pictures."""

    progress = serializers.SerializerMethodField()
    pictures = PictureSerializer(many=True, read_only=True, source="shown_pictures")

    class Meta(ShootSerializer.Meta):
        fields: ClassVar[list[str]] = [*ShootSerializer.Meta.fields, "progress", "pictures"]
        read_only_fields = fields

    @extend_schema_field(ProgressSerializer)
    def get_progress(self, shoot: Shoot) -> dict[str, Any]:
        """Place and seconds cost queries, so a list does without."""
        told = progress_of(shoot)
        return {name: told[name] for name in ("stage", "fraction", "position", "eta_seconds")}


class NamedSerializer(serializers.Serializer[Any]):
    """A row by its name."""

    id = serializers.UUIDField(source="pk")
    title = serializers.CharField(source="label")


class ShootPlanSerializer(serializers.Serializer[Any]):
    """What would be painted."""

    kind = serializers.ChoiceField(choices=Kind.choices, source="frozen.kind")
    photo = serializers.UUIDField(source="frozen.photo.pk", allow_null=True, default=None)
    garment = serializers.CharField(source="frozen.photo.garment.name", allow_null=True, default=None)
    persona = NamedSerializer(source="frozen.persona")
    scene = NamedSerializer(source="frozen.scene")
    pose = NamedSerializer(source="frozen.pose", allow_null=True, help_text="Null keeps the pose photographed.")
    crop = serializers.CharField(source="order.crop")
    pictures = serializers.IntegerField(source="order.count")
    best_of = serializers.IntegerField(source="order.best_of", help_text="Candidates for each picture.")
    steps = serializers.IntegerField(help_text="Of each candidate.")
    engine = serializers.CharField(source="order.engine")
    estimated_seconds = serializers.IntegerField(
        source="seconds", allow_null=True, help_text="Until it would be done, queue included; null when nobody knows."
    )


class DryRunSerializer(serializers.Serializer[Any]):
    """An order's price and plan; nothing was ordered."""

    dry_run = serializers.BooleanField(default=True)
    price = serializers.IntegerField(help_text="Credits.")
    balance = serializers.IntegerField(help_text="Credits that may be spent now.")
    affordable = serializers.BooleanField()
    plan = serializers.SerializerMethodField()

    @extend_schema_field(ShootPlanSerializer)
    def get_plan(self, found: DryRun) -> Any:
        """See :class:`ShootPlanSerializer`."""
        return ShootPlanSerializer(found).data


def accepted(shoot: Shoot, context: dict[str, Any]) -> Response:
    """202 with a shoot and where to follow it."""
    shown = Shoot.objects.prefetch_related(shown_pictures()).get(pk=shoot.pk)
    headers = {"Location": reverse("api-shoots-detail", args=[shoot.pk])}
    return Response(WholeShootSerializer(shown, context=context).data, status=status.HTTP_202_ACCEPTED, headers=headers)


def shown_pictures() -> Prefetch:
    """Those that are not in the bin."""
    rows = Picture.objects.filter(deleted_at=None).defer("report", "recipe").order_by("index")
    return Prefetch("pictures", with_tags(rows), to_attr="shown_pictures")
