"""``/api/v1/shoots`` and ``/api/v1/pictures``: order, follow, cancel, fetch."""

from __future__ import annotations

from typing import Any, ClassVar

from django.urls import reverse
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from generation import services, words
from generation.access import access_shoot
from generation.forms import KINDS, PARTS, HistoryForm
from generation.models import Picture, Shoot
from generation.orders import LONGEST_OUTFIT, MOST, SEEDS, Choices
from generation.views.shoots import progress_of
from imodel_site.api import MerchantViewSet, ReadOnlyMerchantViewSet, register
from imodel_site.lib.jobs.model import Status
from imodel_site.lib.signing import media_url
from studio.shoot.presets import CROP_WORDS

LONGEST_KEY = 128


class OrderSerializer(serializers.Serializer[Any]):
    """What a shop orders; what is left out is as the Shoot page preselects it."""

    kind = serializers.ChoiceField(choices=[value for value, _label in KINDS], required=False)
    photo = serializers.UUIDField(required=False)
    part = serializers.ChoiceField(choices=list(PARTS), required=False)
    persona = serializers.UUIDField(required=False)
    scene = serializers.UUIDField(required=False)
    pose = serializers.UUIDField(required=False, allow_null=True)
    crop = serializers.ChoiceField(choices=list(CROP_WORDS), required=False)
    outfit = serializers.CharField(max_length=LONGEST_OUTFIT, required=False)
    count = serializers.IntegerField(min_value=1, max_value=MOST, required=False)
    best_of = serializers.IntegerField(min_value=1, max_value=MOST, required=False)
    seed = serializers.IntegerField(min_value=0, max_value=SEEDS - 1, required=False)


class ShootSerializer(serializers.ModelSerializer[Shoot]):
    """A shoot: what was ordered, how far it is, why it failed."""

    progress = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()

    class Meta:
        model = Shoot
        fields: ClassVar[list[str]] = [
            "id", "kind", "status", "count", "garment", "photo", "persona", "scene", "pose", "made_as", "progress",
            "error", "created_at", "started_at", "finished_at",
        ]  # fmt: skip

    def get_progress(self, shoot: Shoot) -> dict[str, Any]:
        """Stage and fraction; place and seconds are asked for by ``GET /shoots/<id>`` alone."""
        if self.context.get("whole"):
            told = progress_of(shoot)
            return {name: told[name] for name in ("stage", "fraction", "position", "eta_seconds")}
        return {"fraction": shoot.fraction}

    def get_error(self, shoot: Shoot) -> dict[str, Any] | None:
        """The reason, in the merchant's words."""
        if shoot.status != Status.FAILED:
            return None
        message = words.failure(shoot.error_code, shoot.error_message)
        return {"code": shoot.error_code, "message": message, "retryable": shoot.error_retryable}


class PictureSerializer(serializers.ModelSerializer[Picture]):
    """A picture with addresses that open for a few minutes."""

    urls = serializers.SerializerMethodField()

    class Meta:
        model = Picture
        fields: ClassVar[list[str]] = [
            "id", "shoot", "index", "kind", "garment", "persona", "width", "height", "seed", "verdict", "favourite",
            "same_bytes", "deleted_at", "created_at", "urls",
        ]  # fmt: skip

    def get_urls(self, picture: Picture) -> dict[str, str]:
        """One for each variant."""
        request = self.context["request"]
        return {
            variant: request.build_absolute_uri(media_url(picture, variant, bearer=True)) for variant in picture.files
        }


class WholePictureSerializer(PictureSerializer):
    """With the report and the recipe."""

    class Meta(PictureSerializer.Meta):
        fields: ClassVar[list[str]] = [*PictureSerializer.Meta.fields, "report", "recipe"]


class Shoots(mixins.ListModelMixin, MerchantViewSet):
    """Order, list, follow, cancel."""

    model = Shoot
    serializer_class = ShootSerializer

    def refine(self, rows: Any) -> Any:
        """By status."""
        wanted = self.request.query_params.get("status")
        return rows.filter(status=wanted) if wanted in Status.values else rows

    def create(self, request: Request) -> Response:
        """202 with the shoot and where to follow it; the same Idempotency-Key gives the same shoot."""
        given = OrderSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        key = request.headers.get("Idempotency-Key", "")[:LONGEST_KEY] or None
        shoot = services.order_shoot(actor=self.actor, choices=Choices(**given.validated_data), key=key)
        return self._told(shoot, status.HTTP_202_ACCEPTED)

    def retrieve(self, request: Request, pk: str) -> Response:
        """How far it is."""
        return self._told(self.get_object(), status.HTTP_200_OK)

    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop it; one that has ended stays as it is."""
        shoot = access_shoot(self.actor, pk, write=True)
        services.cancel_shoot(actor=self.actor, shoot=shoot)
        return self._told(shoot, status.HTTP_202_ACCEPTED)

    def _told(self, shoot: Shoot, code: int) -> Response:
        body = ShootSerializer(shoot, context={**self.get_serializer_context(), "whole": True}).data
        return Response(body, status=code, headers={"Location": reverse("api-shoots-detail", args=[shoot.pk])})


class Pictures(ReadOnlyMerchantViewSet):
    """Finished pictures, newest first; the filters of the Pictures page."""

    model = Picture
    serializer_class = PictureSerializer

    def get_serializer_class(self) -> Any:
        """The report and the recipe come with one picture, not with a list."""
        return WholePictureSerializer if self.action == "retrieve" else PictureSerializer

    def refine(self, rows: Any) -> Any:
        """A list leaves the bin out unless it is asked for."""
        if self.action == "retrieve":
            return rows
        return HistoryForm(self.request.query_params).filters().rows().defer("report", "recipe")


register("shoots", Shoots)
register("pictures", Pictures)
