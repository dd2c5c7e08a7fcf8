"""``/api/v1/adapters`` and their versions: promote, roll back, download, upload (docs/api.md)."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch
from django.urls import reverse
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import once
from accounts.once import takes_long
from catalog.access import access_garment
from imodel_site.api import MerchantViewSet, ReadOnlyMerchantViewSet, register
from imodel_site.lib.api_answers import answers, example
from imodel_site.lib.api_fields import Text
from imodel_site.lib.errors import NotHere, named
from training.access import access_adapter, access_upload, access_version
from training.api_answers import (
    AdapterSerializer,
    UploadSerializer,
    VersionSerializer,
)
from training.models import OF_VERSION, Adapter, AdapterUpload, AdapterVersion, TrainingPicture, TrainingSet
from training.services import adapters, deleting, trainings, uploads
from training.set_answers import WholeSetSerializer

VERSION = "01a20613-63fd-7cbb-8c10-9d288b061a4a"


class AdapterFilters(serializers.Serializer[Any]):
    """What the list can be narrowed to."""

    garment = serializers.UUIDField(required=False, help_text="Of this garment.", source="garment_id")
    family = serializers.CharField(required=False, max_length=40, help_text="For this family of weights.")


class PromoteSerializer(serializers.Serializer[Any]):
    """Which version is to be used from now on."""

    version = serializers.UUIDField()
    note = Text(max_length=adapters.LONGEST_NOTE, required=False, allow_blank=True)


class RollBackSerializer(serializers.Serializer[Any]):
    """Why, if you like."""

    note = Text(max_length=adapters.LONGEST_NOTE, required=False, allow_blank=True)


class NewAdapter(serializers.Serializer[Any]):
    """A file (multipart/form-data)."""

    file = serializers.FileField(help_text="A .safetensors LoRA of at most 512 MB.")
    garment = serializers.UUIDField(required=False, help_text="What it was trained for.")
    family = serializers.CharField(required=False, max_length=40, help_text="Of weights; ours when left out.")
    trigger = serializers.CharField(required=False, max_length=32, help_text="Else read from the file.")
    note = serializers.CharField(required=False, max_length=adapters.LONGEST_NOTE, allow_blank=True)


class Adapters(mixins.ListModelMixin, mixins.RetrieveModelMixin, MerchantViewSet):
    """What garments were trained for; one version of each is in use."""

    model = Adapter
    serializer_class = AdapterSerializer
    filters = AdapterFilters
    uploads = ("upload",)

    def refine(self, rows: Any) -> Any:
        """With their versions."""
        return rows.filter(**self.wanted).prefetch_related(_versions())

    @answers({204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete an adapter with all its versions; pictures that were made with them stay.

        Refused with `adapter_busy` while a shoot or a training that has not ended needs one of them.
        """
        deleting.delete_adapter(actor=self.actor, adapter=access_adapter(self.actor, pk, write=True))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @action(detail=True, methods=["post"])
    @answers({200: AdapterSerializer}, takes=PromoteSerializer, examples=[example("This one", {"version": VERSION})])
    def promote(self, request: Request, pk: str) -> Response:
        """Use another version from now on."""
        adapter = access_adapter(self.actor, pk, write=True)
        form = PromoteSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        with named("version"):
            version = access_version(self.actor, form.validated_data["version"], write=True)
            if version.adapter_id != adapter.pk:
                raise NotHere
        adapters.promote(actor=self.actor, version=version, note=form.validated_data.get("note", ""))
        return self._told(adapter)

    @action(detail=True, methods=["post"])
    @answers({200: AdapterSerializer}, takes=RollBackSerializer)
    def rollback(self, request: Request, pk: str) -> Response:
        """Go back to the version that was in use before."""
        adapter = access_adapter(self.actor, pk, write=True)
        form = RollBackSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        adapters.roll_back(actor=self.actor, adapter=adapter, note=form.validated_data.get("note", ""))
        return self._told(adapter)

    @action(detail=False, methods=["post"])
    @answers({202: UploadSerializer}, takes=NewAdapter, refuses=(404, 503))
    @takes_long
    def upload(self, request: Request) -> Response:
        """Bring an adapter along.

        Its header is read at once, the rest by a worker: follow /adapter-uploads/{id} until it has ended. A garment's
        first version is in use at once, a later one once you promote it.
        """
        form = NewAdapter(data=request.data)
        form.is_valid(raise_exception=True)
        given = dict(form.validated_data)
        with named("garment"):
            identity = given.pop("garment", None)
            garment = access_garment(self.actor, identity, write=True) if identity else None
        made = uploads.upload_adapter(actor=self.actor, garment=garment, key=once.key_of(request), **given)
        headers = {"Location": reverse("api-adapter-uploads-detail", args=[made.pk])}
        return Response(UploadSerializer(made).data, status=status.HTTP_202_ACCEPTED, headers=headers)

    def _told(self, adapter: Adapter) -> Response:
        shown = Adapter.objects.prefetch_related(_versions()).get(pk=adapter.pk)
        return Response(AdapterSerializer(shown, context=self.get_serializer_context()).data)


def _versions() -> Prefetch:
    rows = AdapterVersion.objects.select_related("adapter").prefetch_related(*OF_VERSION).order_by("-number")
    return Prefetch("versions", rows, to_attr="shown_versions")


class VersionChange(serializers.Serializer[Any]):
    """What can be said of a version."""

    note = Text(max_length=adapters.LONGEST_NOTE, required=False, allow_blank=True)
    weight = serializers.FloatField(min_value=0, max_value=2, required=False)


class VersionFilters(serializers.Serializer[Any]):
    """What the list can be narrowed to."""

    adapter = serializers.UUIDField(required=False, help_text="Of this adapter.", source="adapter_id")
    training = serializers.UUIDField(required=False, help_text="Of this training.", source="training_id")


class Versions(mixins.ListModelMixin, mixins.RetrieveModelMixin, MerchantViewSet):
    """Versions of adapters; their url is the file."""

    model = AdapterVersion
    serializer_class = VersionSerializer
    filters = VersionFilters

    def refine(self, rows: Any) -> Any:
        """By adapter and training."""
        return rows.filter(**self.wanted).select_related("adapter").prefetch_related(*OF_VERSION)

    @answers({200: VersionSerializer}, takes=VersionChange)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Write a note, or the weight that shoots use by themselves."""
        version = access_version(self.actor, pk, write=True)
        form = VersionChange(data=request.data)
        form.is_valid(raise_exception=True)
        adapters.change_version(actor=self.actor, version=version, **form.validated_data)
        return Response(VersionSerializer(version, context=self.get_serializer_context()).data)

    @answers({204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a version that is not in use; pictures that were made with it stay.

        Refused with `version_in_use` for the one that is in use, and with `adapter_busy` while a shoot or a training
        that has not ended needs it.
        """
        deleting.delete_version(actor=self.actor, version=access_version(self.actor, pk, write=True))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @action(detail=True, methods=["post"])
    @answers({201: WholeSetSerializer})
    def retrain(self, request: Request, pk: str) -> Response:
        """Make a new set of the pictures and captions that it learned from, to be changed and trained again."""
        version = access_version(self.actor, pk, write=True)
        made = trainings.retrain(actor=self.actor, version=version)
        rows = Prefetch("pictures", TrainingPicture.objects.order_by("position", "id"), to_attr="shown_pictures")
        shown = TrainingSet.objects.prefetch_related(rows).get(pk=made.pk)
        data = WholeSetSerializer(shown, context=self.get_serializer_context()).data
        return Response(data, status=status.HTTP_201_CREATED)


class Uploads(ReadOnlyMerchantViewSet):
    """Adapters that were brought along, and what became of them."""

    model = AdapterUpload
    serializer_class = UploadSerializer

    @answers({204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete the record of an upload that has ended; the version that became of it stays."""
        deleting.delete_upload(actor=self.actor, upload=access_upload(self.actor, pk, write=True))
        return Response(status=status.HTTP_204_NO_CONTENT)


register("adapters", Adapters)
register("adapter-versions", Versions)
register("adapter-uploads", Uploads)
