"""``/api/v1/trainings``: order, follow, steer, choose (docs/api.md). Sets, grids, adapters have their own modules."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import once
from accounts.services import credits
from imodel_site.api import MerchantViewSet, register
from imodel_site.lib.api_answers import answers, example
from imodel_site.lib.api_fields import Text, YesNo
from imodel_site.lib.errors import NotHere, named
from imodel_site.lib.jobs.model import Status
from training import adapter_api, grid_api, orders, set_api  # noqa: F401  # three register their viewsets
from training.access import access_set, access_training, access_version
from training.api_answers import CheckpointSerializer, CurvesSerializer, TrainingSerializer, VersionSerializer
from training.models import (
    OF_TRAINING,
    AdapterVersion,
    Checkpoint,
    Training,
    TrainingNote,
    TrainingPoint,
    TrainingSample,
)
from training.plans import LEAST_STEPS, MOST_STEPS, SEEDS, Effort, Wishes
from training.services import adapters, deleting, trainings

SET = "01a20613-63fd-7cbb-8c10-9d288b061a4a"


class NewTraining(serializers.Serializer[Any]):
    """A set, and how it is to be trained; what is left out is as the studio advises."""

    set = serializers.UUIDField(help_text="As it is now; it must have been checked.")
    effort = serializers.ChoiceField(choices=Effort.choices, required=False)
    family = Text(max_length=40, required=False, help_text="Of weights; ours when left out.")
    steps = serializers.IntegerField(min_value=LEAST_STEPS, max_value=MOST_STEPS, required=False)
    rank = serializers.IntegerField(min_value=1, max_value=128, required=False)
    learning_rate = serializers.FloatField(min_value=1e-7, max_value=1.0, required=False)
    text_encoder = YesNo(required=False, help_text="Whether the text encoder learns too.")
    convolution = YesNo(required=False, help_text="Whether convolutions learn besides attention.")
    seed = serializers.IntegerField(min_value=0, max_value=SEEDS - 1, required=False)
    begin_from = serializers.UUIDField(
        required=False, allow_null=True, help_text="A version of this garment whose weights it begins with."
    )
    dry_run = YesNo(required=False, help_text="Check everything and tell the price (200); nothing is ordered.")


class TrainingDryRun(serializers.Serializer[Any]):
    """What a training would cost; nothing was ordered."""

    dry_run = serializers.BooleanField(default=True)
    price = serializers.IntegerField(help_text="Credits.")
    balance = serializers.IntegerField(help_text="Credits that may be spent now.")
    affordable = serializers.BooleanField()
    steps = serializers.IntegerField()
    pictures = serializers.IntegerField(help_text="That take part.")
    plan = serializers.JSONField(help_text="Everything that the trainer would be told.")


class TrainingFilters(serializers.Serializer[Any]):
    """What the list can be narrowed to."""

    garment = serializers.UUIDField(required=False, help_text="Of this garment.", source="garment_id")
    status = serializers.ChoiceField(choices=Status.choices, required=False, help_text="In this status.")


class ChooseSerializer(serializers.Serializer[Any]):
    """The checkpoint that is to count."""

    step = serializers.IntegerField(min_value=1)
    note = Text(max_length=adapters.LONGEST_NOTE, required=False, allow_blank=True)


class Trainings(mixins.ListModelMixin, mixins.RetrieveModelMixin, MerchantViewSet):
    """Garments being learned."""

    model = Training
    serializer_class = TrainingSerializer
    filters = TrainingFilters

    def refine(self, rows: Any) -> Any:
        """By garment and status, without what only the worker reads."""
        return rows.filter(**self.wanted).defer("order")

    @answers(
        {202: TrainingSerializer, 200: TrainingDryRun},
        takes=NewTraining,
        refuses=(402, 404),
        examples=[
            example("As advised", {"set": SET}),
            example("What would it cost?", {"set": SET, "effort": "long", "dry_run": True}),
        ],
    )
    def create(self, request: Request) -> Response:
        """Train a garment.

        202 with the training, to be followed at Location until its status is succeeded, failed or cancelled. With
        `dry_run` 200 with the price; nothing is ordered.
        """
        form = NewTraining(data=request.data)
        form.is_valid(raise_exception=True)
        given = dict(form.validated_data)
        with named("set"):
            found = access_set(self.actor, given.pop("set"), write=True)
        with named("begin_from"):
            identity = given.pop("begin_from", None)
            begin = access_version(self.actor, identity, write=True) if identity else None
        dry = given.pop("dry_run", False)
        wishes = Wishes(**given)
        if dry:
            return Response(TrainingDryRun(self._dry(found, wishes, begin)).data)
        key = once.key_of(request)
        made = trainings.order_training(actor=self.actor, found=found, wishes=wishes, key=key, begin=begin)
        return self._accepted(made)

    @answers({204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a training that has ended, with its checkpoints, samples, curves, log and grids.

        Versions that were made of it stay. Refused with `training_busy` while a grid of it is still to be painted.
        """
        deleting.delete_training(actor=self.actor, training=access_training(self.actor, pk, write=True))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _dry(self, found: Any, wishes: Wishes, begin: AdapterVersion | None) -> dict[str, Any]:
        if begin is not None:
            adapters.refuse_withheld(begin)
        frozen = orders.freeze(found, wishes, begin=begin)
        balance = credits.balance(self.actor.merchant)
        return {
            "price": frozen.price,
            "balance": balance,
            "affordable": frozen.price <= balance,
            "steps": frozen.steps,
            "pictures": len(frozen.order["entries"]),
            "plan": frozen.order["plan"],
        }

    @action(detail=True, methods=["post"])
    @answers({202: TrainingSerializer})
    def stop(self, request: Request, pk: str) -> Response:
        """Let it end now and keep what it has learned; the steps made are paid. One that waits is cancelled."""
        found = access_training(self.actor, pk, write=True)
        trainings.stop_training(actor=self.actor, training=found)
        return self._accepted(found)

    @action(detail=True, methods=["post"])
    @answers({202: TrainingSerializer})
    def cancel(self, request: Request, pk: str) -> Response:
        """Give it up: nothing is charged, and no adapter comes of it."""
        found = access_training(self.actor, pk, write=True)
        trainings.cancel_training(actor=self.actor, training=found)
        return self._accepted(found)

    @action(detail=True, methods=["post"])
    @answers({202: TrainingSerializer}, refuses=(402,))
    def retry(self, request: Request, pk: str) -> Response:
        """Queue a failed or cancelled one again; it goes on from its last checkpoint."""
        found = access_training(self.actor, pk, write=True)
        trainings.retry_training(actor=self.actor, training=found)
        return self._accepted(found)

    @action(detail=True, methods=["post"])
    @answers({202: TrainingSerializer})
    def save(self, request: Request, pk: str) -> Response:
        """Save a checkpoint now."""
        found = access_training(self.actor, pk, write=True)
        trainings.ask_for(actor=self.actor, training=found, save=True)
        return self._accepted(found)

    @action(detail=True, methods=["post"])
    @answers({202: TrainingSerializer})
    def sample(self, request: Request, pk: str) -> Response:
        """Paint samples now."""
        found = access_training(self.actor, pk, write=True)
        trainings.ask_for(actor=self.actor, training=found, sample=True)
        return self._accepted(found)

    @action(detail=True, methods=["get"], pagination_class=None)
    @answers({200: CheckpointSerializer(many=True)})
    def checkpoints(self, request: Request, pk: str) -> Response:
        """Its checkpoints, the earliest first, with their files."""
        rows = Checkpoint.objects.filter(training=self.get_object()).prefetch_related(OF_TRAINING).order_by("step")
        return Response(CheckpointSerializer(rows, many=True, context=self.get_serializer_context()).data)

    @action(detail=True, methods=["get"])
    @answers({200: CurvesSerializer})
    def curves(self, request: Request, pk: str) -> Response:
        """Loss and validation by step, samples, and the log in plain words."""
        found = self.get_object()
        samples = TrainingSample.objects.filter(training=found).prefetch_related(OF_TRAINING)
        told = {
            "points": TrainingPoint.objects.filter(training=found).order_by("step"),
            "samples": samples.order_by("step", "number"),
            "log": TrainingNote.objects.filter(training=found).order_by("id"),
        }
        return Response(CurvesSerializer(told, context=self.get_serializer_context()).data)

    @action(detail=True, methods=["post"])
    @answers({201: VersionSerializer}, takes=ChooseSerializer)
    def choose(self, request: Request, pk: str) -> Response:
        """Overrule the studio: another checkpoint becomes a version of the adapter. Promote that to use it."""
        found = access_training(self.actor, pk, write=True)
        form = ChooseSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        rows = Checkpoint.objects.filter(training=found, step=form.validated_data["step"])
        checkpoint = rows.select_related("training__garment").first()
        if checkpoint is None:
            with named("step"):
                raise NotHere
        note = form.validated_data.get("note", "")
        version = trainings.choose_checkpoint(actor=self.actor, checkpoint=checkpoint, note=note)
        data = VersionSerializer(version, context=self.get_serializer_context()).data
        return Response(data, status=status.HTTP_201_CREATED)

    def _accepted(self, found: Training) -> Response:
        found.refresh_from_db()
        headers = {"Location": reverse("api-trainings-detail", args=[found.pk])}
        data = TrainingSerializer(found, context=self.get_serializer_context()).data
        return Response(data, status=status.HTTP_202_ACCEPTED, headers=headers)


register("trainings", Trainings)
