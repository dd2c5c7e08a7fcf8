"""``/api/v1/shoots``: order, follow, cancel, repeat (docs/api.md). Pictures and batches have modules of their own."""

from __future__ import annotations

from typing import Any

from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import once
from generation import batch_api, picture_api, services  # noqa: F401  # the two register their viewsets
from generation.access import access_shoot
from generation.api_answers import (
    DryRunSerializer,
    ShootSerializer,
    WholeShootSerializer,
    accepted,
    shown_pictures,
)
from generation.dry_run import dry_run
from generation.forms import KINDS, PARTS
from generation.models import Kind, MadeAs, Shoot
from generation.orders import LONGEST_OUTFIT, MOST, SEEDS, Choices
from imodel_site.api import MerchantViewSet, register
from imodel_site.lib.api_answers import answers, example
from imodel_site.lib.api_fields import Text, YesNo
from imodel_site.lib.jobs.model import Status
from studio.shoot.presets import CROP_WORDS

PHOTO = "01a20613-63fd-7cbb-8c10-9d288b061a4a"


class OrderSerializer(serializers.Serializer[Any]):
    """What a shop orders; what is left out is as the Shoot page preselects it."""

    kind = serializers.ChoiceField(choices=[value for value, _label in KINDS], required=False)
    photo = serializers.UUIDField(required=False, help_text="The photo to start from; only kind text needs none.")
    part = serializers.ChoiceField(choices=list(PARTS), required=False, help_text="Which garment of it is kept.")
    persona = serializers.UUIDField(required=False, help_text="Who wears it.")
    scene = serializers.UUIDField(required=False, help_text="Where.")
    pose = serializers.UUIDField(required=False, allow_null=True, help_text="Null keeps the pose photographed.")
    crop = serializers.ChoiceField(choices=list(CROP_WORDS), required=False)
    outfit = Text(max_length=LONGEST_OUTFIT, required=False, help_text="For kinds outfit and text: a few words.")
    count = serializers.IntegerField(min_value=1, max_value=MOST, required=False, help_text="Pictures; 2 by itself.")
    best_of = serializers.IntegerField(
        min_value=1, max_value=MOST, required=False, help_text="Candidates for each picture; each costs a credit."
    )
    seed = serializers.IntegerField(min_value=0, max_value=SEEDS - 1, required=False, help_text="Drawn when left out.")
    adapter = serializers.UUIDField(
        required=False,
        allow_null=True,
        help_text="Of a trained garment (/adapters). Left out, an outfit change without outfit takes the photo's own.",
    )
    adapter_weight = serializers.FloatField(
        min_value=0, max_value=2, required=False, help_text="How much of it; its version's own when left out."
    )
    dry_run = YesNo(required=False, help_text="Check everything and tell price and plan (200); nothing is ordered.")


class ShootFilters(serializers.Serializer[Any]):
    """What the list can be narrowed to."""

    status = serializers.ChoiceField(choices=Status.choices, required=False, help_text="In this status.")
    kind = serializers.ChoiceField(choices=Kind.choices, required=False, help_text="Of this kind.")
    made_as = serializers.ChoiceField(choices=MadeAs.choices, required=False, help_text="Ordered this way.")
    garment = serializers.UUIDField(required=False, help_text="Of this garment.", source="garment_id")
    batch = serializers.UUIDField(required=False, help_text="Of this batch.", source="batch_id")


class Shoots(mixins.ListModelMixin, mixins.RetrieveModelMixin, MerchantViewSet):
    """Orders of pictures, and what became of them."""

    model = Shoot
    filters = ShootFilters

    def get_serializer_class(self) -> Any:
        """Pictures and place in the queue come with one shoot, not with a list."""
        return ShootSerializer if self.action == "list" else WholeShootSerializer

    def refine(self, rows: Any) -> Any:
        """Without what only the worker reads."""
        rows = rows.filter(**self.wanted).defer("order", "table", "timings")
        return rows if self.action == "list" else rows.prefetch_related(shown_pictures())

    @answers(
        {202: WholeShootSerializer, 200: DryRunSerializer},
        takes=OrderSerializer,
        refuses=(402, 404, 503),
        examples=[
            example("One tap", {"photo": PHOTO}),
            example("Four to choose from", {"photo": PHOTO, "count": 4, "crop": "knee-up", "best_of": 2}),
            example("What would it cost?", {"photo": PHOTO, "count": 4, "dry_run": True}),
        ],
    )
    def create(self, request: Request) -> Response:
        """Order a shoot.

        202 with the shoot, to be followed at Location until its status is succeeded, failed or cancelled. With
        `dry_run` 200 with price and plan; nothing is ordered.
        """
        form = OrderSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        given = dict(form.validated_data)
        if given.pop("dry_run", False):
            return Response(DryRunSerializer(dry_run(actor=self.actor, choices=Choices(**given))).data)
        shoot = services.order_shoot(actor=self.actor, choices=Choices(**given), key=once.key_of(request))
        return accepted(shoot, self.get_serializer_context())

    @action(detail=True, methods=["post"])
    @answers({202: WholeShootSerializer})
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop a shoot; what it reserved is given back, and one that has ended stays as it is."""
        shoot = access_shoot(self.actor, pk, write=True)
        services.cancel_shoot(actor=self.actor, shoot=shoot)
        return accepted(shoot, self.get_serializer_context())

    @action(detail=True, methods=["post"])
    @answers({202: WholeShootSerializer}, refuses=(402,))
    def retry(self, request: Request, pk: str) -> Response:
        """Queue a failed or cancelled shoot once more, as it was ordered."""
        shoot = access_shoot(self.actor, pk, write=True)
        services.retry_shoot(actor=self.actor, shoot=shoot)
        return accepted(shoot, self.get_serializer_context())

    @action(detail=True, methods=["post"])
    @answers({202: WholeShootSerializer}, refuses=(402,))
    def again(self, request: Request, pk: str) -> Response:
        """Order the same once more with new seeds: another shoot."""
        shoot = access_shoot(self.actor, pk, write=True)
        made = services.do_again(actor=self.actor, shoot=shoot, key=once.key_of(request))
        return accepted(made, self.get_serializer_context())


register("shoots", Shoots)
