"""``/api/v1/batches``: many garments in many looks in one call (docs/api.md, docs/batches.md)."""

from __future__ import annotations

from typing import Any, ClassVar

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import once
from accounts.access import allow_write
from accounts.services import credits
from generation.access import access_batch
from generation.batches import MOST_IDS, REASONS, Matrix, Wishes, plan, refuse, seconds_of
from generation.models import Batch
from generation.orders import MOST
from generation.services import batches as service
from imodel_site.api import MerchantViewSet, register
from imodel_site.lib.api_answers import answers, example
from imodel_site.lib.api_fields import YesNo
from studio.shoot.presets import CROP_WORDS

GARMENT, PERSONA = "01a20613-63fd-7cbb-8c10-9d288b061a4a", "01a20613-6400-7f0a-9d6c-8a5f7f1f2d11"
MANY = ("garments", "photos", "personas", "scenes", "poses")


def _ids(help_text: str, **kwargs: Any) -> serializers.ListField:
    child = serializers.UUIDField(**kwargs)
    return serializers.ListField(child=child, max_length=MOST_IDS, required=False, help_text=help_text)


class BatchOrderSerializer(serializers.Serializer[Any]):
    """Every garment is shot on every persona, in every scene and pose."""

    name = serializers.CharField(max_length=120, required=False, allow_blank=True, help_text="Yours, for the list.")
    garments = _ids("Each is shot from its first photo of the front.")
    photos = _ids("Photos to shoot from instead, whichever side they show; their garments need not be named.")
    personas = _ids("Who wears it; the library's first when left out.")
    scenes = _ids("Where; the library's first when left out.")
    poses = _ids("Null is the pose photographed, which is also what is taken when left out.", allow_null=True)
    crop = serializers.ChoiceField(choices=list(CROP_WORDS), required=False)
    count = serializers.IntegerField(min_value=1, max_value=MOST, required=False, help_text="Pictures of each; 1.")
    best_of = serializers.IntegerField(
        min_value=1, max_value=MOST, required=False, help_text="Candidates for each picture; each costs a credit."
    )
    skip_unusable = serializers.BooleanField(
        required=False,
        help_text="Leave out garments without a usable photo of the front, instead of refusing the call.",
    )
    dry_run = YesNo(required=False, help_text="Check everything and tell price and plan (200); nothing is ordered.")


class ShootCountsSerializer(serializers.Serializer[Any]):
    """How many shoots of a batch are in each status."""

    queued = serializers.IntegerField()
    paused = serializers.IntegerField()
    running = serializers.IntegerField()
    succeeded = serializers.IntegerField()
    failed = serializers.IntegerField()
    cancelled = serializers.IntegerField()


class PictureCountsSerializer(serializers.Serializer[Any]):
    """How many pictures of a batch there are: by verdict, and by your own review."""

    all = serializers.IntegerField()
    good = serializers.IntegerField()
    check = serializers.IntegerField()
    reject = serializers.IntegerField(help_text="By the report: not usable.")
    none = serializers.IntegerField()
    to_review = serializers.IntegerField()
    approved = serializers.IntegerField()
    rejected = serializers.IntegerField(help_text="By you.")


class RowSerializer(serializers.Serializer[Any]):
    """A row of the matrix."""

    garment = serializers.UUIDField()
    photo = serializers.UUIDField()


class NamedLookSerializer(serializers.Serializer[Any]):
    """A part of a look, by the name that it had."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class LookSerializer(serializers.Serializer[Any]):
    """A column of the matrix."""

    persona = NamedLookSerializer()
    scene = NamedLookSerializer()
    pose = NamedLookSerializer(allow_null=True, help_text="Null is the pose photographed.")


class LeftOutSerializer(serializers.Serializer[Any]):
    """A garment that can not be shot."""

    garment = serializers.UUIDField()
    reason = serializers.ChoiceField(choices=list(REASONS))


class BatchSerializer(serializers.ModelSerializer[Batch]):
    """A batch, and how far it is. Its shoots and pictures: `/shoots?batch=` and `/pictures?batch=`."""

    shoots = serializers.SerializerMethodField()

    class Meta:
        model = Batch
        fields: ClassVar[list[str]] = [
            "id", "name", "status", "shoots_total", "pictures_total", "price", "shoots", "created_at", "finished_at",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(ShootCountsSerializer)
    def get_shoots(self, batch: Batch) -> Any:
        """Counted for a whole page at once."""
        return batch.counted  # type: ignore[attr-defined]  # from Batches.paginate_queryset or _told


class WholeBatchSerializer(BatchSerializer):
    """With its pictures in numbers, its rows and its columns."""

    pictures = serializers.SerializerMethodField()
    rows = serializers.SerializerMethodField(help_text="The cells are its shoots, row by row, oldest first.")
    looks = serializers.SerializerMethodField()
    left_out = serializers.SerializerMethodField()

    class Meta(BatchSerializer.Meta):
        fields: ClassVar[list[str]] = [*BatchSerializer.Meta.fields, "pictures", "rows", "looks", "left_out"]
        read_only_fields = fields

    @extend_schema_field(PictureCountsSerializer)
    def get_pictures(self, batch: Batch) -> Any:
        """By verdict and review."""
        return service.picture_counts(batch)

    @extend_schema_field(RowSerializer(many=True))
    def get_rows(self, batch: Batch) -> Any:
        """As it was ordered; some may have been deleted since."""
        return batch.choices.get("rows", [])

    @extend_schema_field(LookSerializer(many=True))
    def get_looks(self, batch: Batch) -> Any:
        """As it was ordered."""
        return batch.choices.get("looks", [])

    @extend_schema_field(LeftOutSerializer(many=True))
    def get_left_out(self, batch: Batch) -> Any:
        """Garments that were asked for and could not be shot."""
        return batch.choices.get("left_out", [])


class BatchPlanSerializer(serializers.Serializer[Any]):
    """What would be shot."""

    shoots = serializers.IntegerField()
    pictures = serializers.IntegerField()
    limit = serializers.IntegerField(help_text="Shoots that your plan allows in one batch.")
    rows = RowSerializer(many=True)
    looks = LookSerializer(many=True)
    left_out = LeftOutSerializer(many=True)
    estimated_seconds = serializers.IntegerField(
        allow_null=True, help_text="When nobody else waits; null when unknown."
    )


class BatchDryRunSerializer(serializers.Serializer[Any]):
    """A batch's price and plan; nothing was ordered."""

    dry_run = serializers.BooleanField()
    price = serializers.IntegerField(help_text="Credits.")
    balance = serializers.IntegerField(help_text="Credits that may be spent now.")
    affordable = serializers.BooleanField()
    plan = BatchPlanSerializer()


class ApprovedSerializer(serializers.Serializer[Any]):
    """How many pictures were approved."""

    approved = serializers.IntegerField()


class BatchFilters(serializers.Serializer[Any]):
    """What the list can be narrowed to."""

    status = serializers.ChoiceField(choices=Batch.Status.choices, required=False, help_text="In this status.")


class Batches(mixins.ListModelMixin, MerchantViewSet):
    """Many garments in many looks, ordered at once."""

    model = Batch
    serializer_class = BatchSerializer
    filters = BatchFilters

    def refine(self, rows: Any) -> Any:
        """By status."""
        return rows.filter(**self.wanted)

    def paginate_queryset(self, queryset: Any) -> Any:
        """A page, its shoots counted in one question."""
        page = super().paginate_queryset(queryset)
        _count(page or [])
        return page

    @answers(
        {202: WholeBatchSerializer, 200: BatchDryRunSerializer},
        takes=BatchOrderSerializer,
        refuses=(402, 404, 503),
        examples=[
            example("One garment on one persona", {"garments": [GARMENT], "personas": [PERSONA]}),
            example("What would it cost?", {"garments": [GARMENT], "count": 2, "dry_run": True}),
        ],
    )
    def create(self, request: Request) -> Response:
        """Order a batch.

        202 with the batch, to be followed at Location until its status is finished or cancelled; `batch.finished` is
        told to webhooks as well. All of it is accepted and paid for, or nothing. With `dry_run` 200 with price and
        plan; nothing is ordered.
        """
        form = BatchOrderSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        given = dict(form.validated_data)
        skip, dry = given.pop("skip_unusable", False), given.pop("dry_run", False)
        given |= {name: tuple(given[name]) for name in MANY if name in given}
        wishes = Wishes(**given)
        if dry:
            return Response(self._dry_run(wishes, skip))
        key = once.key_of(request)
        batch = service.order_batch(actor=self.actor, wishes=wishes, skip_unusable=skip, key=key)
        headers = {"Location": reverse("api-batches-detail", args=[batch.pk])}
        return Response(_told(batch), status=status.HTTP_202_ACCEPTED, headers=headers)

    def _dry_run(self, wishes: Wishes, skip: bool) -> Any:
        """Everything that ordering would refuse, except for the balance."""
        allow_write(self.actor)
        matrix = plan(self.actor, wishes)
        refuse(matrix, skip_unusable=skip)
        balance = credits.balance(self.actor.merchant)
        told = {
            "dry_run": True,
            "price": matrix.price,
            "balance": balance,
            "affordable": matrix.price <= balance,
            "plan": {**service.written(matrix), **_sums(matrix), "estimated_seconds": self._seconds(matrix)},
        }
        return BatchDryRunSerializer(told).data

    def _seconds(self, matrix: Matrix) -> int | None:
        return seconds_of(self.actor.merchant, matrix.shoots)

    @answers({200: WholeBatchSerializer})
    def retrieve(self, request: Request, pk: str) -> Response:
        """How far a batch is."""
        return Response(_told(access_batch(self.actor, pk, write=False)))

    @action(detail=True, methods=["post"])
    @answers({200: WholeBatchSerializer})
    def pause(self, request: Request, pk: str) -> Response:
        """Start nothing more of a batch; what runs is finished."""
        return self._after(service.pause_batch, pk)

    @action(detail=True, methods=["post"])
    @answers({200: WholeBatchSerializer})
    def resume(self, request: Request, pk: str) -> Response:
        """Go on with a paused batch."""
        return self._after(service.resume_batch, pk)

    @action(detail=True, methods=["post"])
    @answers({200: WholeBatchSerializer})
    def cancel(self, request: Request, pk: str) -> Response:
        """Cancel what has not been made; what it reserved is given back, finished pictures stay."""
        return self._after(service.cancel_batch, pk)

    @action(detail=True, methods=["post"])
    @answers({200: WholeBatchSerializer}, refuses=(402,))
    def retry(self, request: Request, pk: str) -> Response:
        """Queue the failed shoots of a batch again, all of them or none."""
        return self._after(service.retry_failed, pk)

    @action(detail=True, methods=["post"], url_path="approve-good", url_name="approve-good")
    @answers({200: ApprovedSerializer})
    def approve_good(self, request: Request, pk: str) -> Response:
        """Approve every good picture of a batch that nobody has looked at."""
        batch = access_batch(self.actor, pk, write=True)
        return Response({"approved": service.approve_good(actor=self.actor, batch=batch)})

    def _after(self, act: Any, pk: str) -> Response:
        batch = access_batch(self.actor, pk, write=True)
        act(actor=self.actor, batch=batch)
        return Response(_told(batch))


def _sums(matrix: Matrix) -> dict[str, int]:
    return {"shoots": matrix.shoots, "pictures": matrix.pictures, "limit": matrix.limit}


def _told(batch: Batch) -> Any:
    _count([batch])
    return WholeBatchSerializer(batch).data


def _count(batches: list[Batch]) -> None:
    counts = service.shoot_counts(batches)
    for batch in batches:
        batch.counted = counts[batch.pk]  # type: ignore[attr-defined]  # what the serializer reads


register("batches", Batches)
