"""``/api/v1/comparisons``: XYZ grids (docs/api.md)."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch
from django.urls import reverse
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import once
from imodel_site.api import MerchantViewSet, register
from imodel_site.lib.api_answers import answers, example
from imodel_site.lib.api_fields import Text
from imodel_site.lib.errors import named
from imodel_site.lib.jobs.model import Status
from training.access import access_comparison, access_training
from training.api_answers import AxisSerializer, ComparisonSerializer, WholeComparisonSerializer
from training.grids import LONGEST_PROMPT
from training.models import OF_TRAINING, Comparison, ComparisonCell
from training.services import comparisons

TRAINING = "01a20613-63fd-7cbb-8c10-9d288b061a4a"


class NewComparison(serializers.Serializer[Any]):
    """A grid: one to three axes, and what they do not say."""

    training = serializers.UUIDField()
    axes = AxisSerializer(many=True, allow_empty=False, max_length=3)
    prompt = Text(max_length=LONGEST_PROMPT, required=False, help_text="The garment's own words when left out.")
    weight = serializers.FloatField(min_value=0, max_value=2, required=False)
    seed = serializers.IntegerField(min_value=0, max_value=2**32 - 1, required=False)
    steps = serializers.IntegerField(min_value=1, max_value=150, required=False)
    guidance = serializers.FloatField(min_value=0, max_value=30, required=False)
    sampler = Text(max_length=60, required=False)
    checkpoint = serializers.IntegerField(min_value=1, required=False, help_text="A step; the chosen one by itself.")


class ComparisonFilters(serializers.Serializer[Any]):
    """What the list can be narrowed to."""

    training = serializers.UUIDField(required=False, help_text="Of this training.", source="training_id")
    status = serializers.ChoiceField(choices=Status.choices, required=False, help_text="In this status.")


class PickSerializer(serializers.Serializer[Any]):
    """The cell that is to win."""

    cell = serializers.IntegerField(min_value=0, help_text="Its number.")


class Comparisons(mixins.ListModelMixin, mixins.RetrieveModelMixin, MerchantViewSet):
    """Grids of pictures that differ in weight, checkpoint, seed and more."""

    model = Comparison
    filters = ComparisonFilters

    def get_serializer_class(self) -> Any:
        """Cells come with one grid, not with a list."""
        return ComparisonSerializer if self.action == "list" else WholeComparisonSerializer

    def refine(self, rows: Any) -> Any:
        """By training and status."""
        rows = rows.filter(**self.wanted).select_related("training")
        return rows if self.action == "list" else rows.prefetch_related(_cells())

    @answers(
        {202: WholeComparisonSerializer},
        takes=NewComparison,
        refuses=(402, 404),
        examples=[
            example(
                "Three weights, two seeds",
                {
                    "training": TRAINING,
                    "axes": [{"name": "weight", "values": [0.6, 0.8, 1.0]}, {"name": "seed", "values": [1, 2]}],
                },
            )
        ],
    )
    def create(self, request: Request) -> Response:
        """Paint a grid; a credit a cell."""
        form = NewComparison(data=request.data)
        form.is_valid(raise_exception=True)
        given = dict(form.validated_data)
        with named("training"):
            training = access_training(self.actor, given.pop("training"), write=True)
        axes = given.pop("axes")
        made = comparisons.order_comparison(
            actor=self.actor, training=training, axes=axes, base=given, key=once.key_of(request)
        )
        return self._told(made, status.HTTP_202_ACCEPTED)

    @action(detail=True, methods=["post"])
    @answers({202: WholeComparisonSerializer})
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop a grid; what it reserved is given back."""
        found = access_comparison(self.actor, pk, write=True)
        comparisons.cancel_comparison(actor=self.actor, comparison=found)
        return self._told(found, status.HTTP_202_ACCEPTED)

    @action(detail=True, methods=["post"])
    @answers({202: WholeComparisonSerializer}, refuses=(402,))
    def retry(self, request: Request, pk: str) -> Response:
        """Queue a failed or cancelled grid once more."""
        found = access_comparison(self.actor, pk, write=True)
        comparisons.retry_comparison(actor=self.actor, comparison=found)
        return self._told(found, status.HTTP_202_ACCEPTED)

    @action(detail=True, methods=["post"])
    @answers({200: WholeComparisonSerializer}, takes=PickSerializer)
    def pick(self, request: Request, pk: str) -> Response:
        """Name the winner: its checkpoint becomes a version, at the cell's weight. Promote that to use it."""
        found = access_comparison(self.actor, pk, write=True)
        form = PickSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        comparisons.pick_cell(actor=self.actor, comparison=found, number=form.validated_data["cell"])
        return self._told(found, status.HTTP_200_OK)

    def _told(self, found: Comparison, code: int) -> Response:
        shown = Comparison.objects.select_related("training").prefetch_related(_cells()).get(pk=found.pk)
        headers = {"Location": reverse("api-comparisons-detail", args=[found.pk])} if code == 202 else {}
        data = WholeComparisonSerializer(shown, context=self.get_serializer_context()).data
        return Response(data, status=code, headers=headers)


def _cells() -> Prefetch:
    rows = ComparisonCell.objects.prefetch_related(f"comparison__{OF_TRAINING}").order_by("number")
    return Prefetch("cells", rows, to_attr="shown_cells")


register("comparisons", Comparisons)
