"""``/api/v1/training-sets``: what a training learns from, and the check of it (docs/api.md)."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Prefetch
from django.urls import reverse
from django.utils.translation import gettext as _
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import once
from accounts.once import takes_long
from catalog.access import access_garment, access_photo
from imodel_site.api import MerchantViewSet, register
from imodel_site.lib.api_answers import answers, example, files_named
from imodel_site.lib.api_fields import Text, YesNo
from imodel_site.lib.errors import Conflict, NotHere, named
from training.access import access_set, access_set_picture
from training.archive_api import ArchiveSerializer, NewArchive
from training.models import PictureKind, Preflight, SetArchive, TrainingPicture, TrainingSet, View
from training.services import archives, preflights, sets
from training.set_answers import PreflightSerializer, SetPictureSerializer, SetSerializer, WholeSetSerializer

GARMENT = "01a20613-63fd-7cbb-8c10-9d288b061a4a"


class NewSet(serializers.Serializer[Any]):
    """A set of a garment's photos."""

    garment = serializers.UUIDField()
    photos = serializers.ListField(
        child=serializers.UUIDField(), required=False, max_length=sets.MOST_PICTURES, help_text="All, when left out."
    )
    trigger = Text(max_length=32, required=False, help_text="Drawn when left out: small letters, digits, hyphens.")


class SetChange(serializers.Serializer[Any]):
    """What can be said of a set as a whole."""

    trigger = Text(max_length=32, required=False)
    mirrored = YesNo(required=False, help_text="Whether mirror images are learned too; not of writing.")


class SetFilters(serializers.Serializer[Any]):
    """What the list can be narrowed to."""

    garment = serializers.UUIDField(required=False, help_text="Of this garment.", source="garment_id")


class PictureChange(serializers.Serializer[Any]):
    """What can be said of a picture."""

    id = serializers.UUIDField()
    caption = Text(max_length=1000, required=False, allow_blank=True, help_text="Blank lets the check write it.")
    view = serializers.ChoiceField(choices=View.choices, required=False)
    kind = serializers.ChoiceField(choices=PictureKind.choices, required=False)
    left_out = YesNo(required=False)
    held_out = YesNo(required=False)


class PictureChanges(serializers.Serializer[Any]):
    """Many pictures at once: all of it, or nothing."""

    pictures = PictureChange(many=True, allow_empty=False)


class NewUpload(serializers.Serializer[Any]):
    """A file (multipart/form-data)."""

    file = serializers.FileField(help_text="JPEG, PNG or WebP, up to 25 MB.")
    view = serializers.ChoiceField(choices=View.choices, required=False)
    kind = serializers.ChoiceField(choices=PictureKind.choices, required=False)


class CropAccepted(serializers.Serializer[Any]):
    """The picture whose proposed parts are to take its place."""

    picture = serializers.UUIDField()


class TrainingSets(mixins.ListModelMixin, mixins.RetrieveModelMixin, MerchantViewSet):
    """What a training learns from."""

    model = TrainingSet
    filters = SetFilters
    uploads = ("upload", "bring")

    def get_serializer_class(self) -> Any:
        """Pictures come with one set, not with a list."""
        return SetSerializer if self.action == "list" else WholeSetSerializer

    def refine(self, rows: Any) -> Any:
        """By garment; one with its pictures."""
        rows = rows.filter(**self.wanted)
        return rows if self.action == "list" else rows.prefetch_related(_pictures())

    @answers(
        {201: WholeSetSerializer},
        takes=NewSet,
        refuses=(404,),
        examples=[example("All photos of a garment", {"garment": GARMENT})],
    )
    def create(self, request: Request) -> Response:
        """Put a set together from a garment's photos."""
        form = NewSet(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data
        with named("garment"):
            garment = access_garment(self.actor, given["garment"], write=True)
        with named("photos"):
            photos = [access_photo(self.actor, one, write=False) for one in given.get("photos", ())]
            if any(photo.garment_id != garment.pk for photo in photos):
                raise NotHere
        chosen = photos if "photos" in given else None
        found = sets.create_set(actor=self.actor, garment=garment, photos=chosen, trigger=given.get("trigger", ""))
        return self._told(found, status.HTTP_201_CREATED)

    @answers({200: WholeSetSerializer}, takes=SetChange)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change the set's trigger word, which captions follow, or whether mirror images are learned."""
        found = access_set(self.actor, pk, write=True)
        form = SetChange(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data
        with transaction.atomic():
            sets.set_trigger(actor=self.actor, found=found, trigger=given.get("trigger", ""))
            if "mirrored" in given:
                sets.set_mirrored(actor=self.actor, found=found, mirrored=given["mirrored"])
        return self._told(found, status.HTTP_200_OK)

    @answers({204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a set; what was trained from it stays."""
        sets.delete_set(actor=self.actor, found=access_set(self.actor, pk, write=True))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @action(detail=True, methods=["post"])
    @answers({200: WholeSetSerializer}, takes=PictureChanges)
    def pictures(self, request: Request, pk: str) -> Response:
        """Change captions, views and more of many pictures at once."""
        found = access_set(self.actor, pk, write=True)
        form = PictureChanges(data=request.data)
        form.is_valid(raise_exception=True)
        with transaction.atomic(), named("pictures"):
            for item in form.validated_data["pictures"]:
                picture = access_set_picture(self.actor, found, item.pop("id"), write=True)
                sets.change_picture(actor=self.actor, picture=picture, **item)
        return self._told(found, status.HTTP_200_OK)

    @action(detail=True, methods=["post"])
    @answers({201: SetPictureSerializer}, takes=NewUpload, refuses=(503,))
    @takes_long
    def upload(self, request: Request, pk: str) -> Response:
        """Add a picture that is not among the garment's photos."""
        found = access_set(self.actor, pk, write=True)
        form = NewUpload(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data
        with files_named("file"):
            made = sets.add_upload(
                actor=self.actor,
                found=found,
                file=given["file"],
                view=given.get("view", ""),
                kind=given.get("kind", PictureKind.GARMENT),
            )
        return Response(SetPictureSerializer(made).data, status=status.HTTP_201_CREATED)

    @action(detail=True, methods=["post"])
    @answers({202: PreflightSerializer})
    def preflight(self, request: Request, pk: str) -> Response:
        """Have the set checked: captions are written, problems found, steps and minutes told.

        Nothing is charged. The check that has seen the set as it is now is given again.
        """
        found = access_set(self.actor, pk, write=True)
        made = preflights.start_preflight(actor=self.actor, found=found)
        shown = Preflight.objects.select_related("set").get(pk=made.pk)
        headers = {"Location": reverse("api-training-sets-detail", args=[found.pk])}
        return Response(PreflightSerializer(shown).data, status=status.HTTP_202_ACCEPTED, headers=headers)

    @action(detail=True, methods=["post"])
    @answers({200: WholeSetSerializer}, takes=CropAccepted)
    def crops(self, request: Request, pk: str) -> Response:
        """Let the parts that the check proposed take a picture's place."""
        found = access_set(self.actor, pk, write=True)
        form = CropAccepted(data=request.data)
        form.is_valid(raise_exception=True)
        with named("picture"):
            picture = access_set_picture(self.actor, found, form.validated_data["picture"], write=True)
        sets.accept_crops(actor=self.actor, picture=picture, crops=proposed(found, picture))
        return self._told(found, status.HTTP_200_OK)

    @action(detail=True, methods=["post"])
    @answers({202: ArchiveSerializer})
    def export(self, request: Request, pk: str) -> Response:
        """Pack the set as a zip in kohya's layout: pictures, captions, masks.

        Follow /training-set-archives/{id} until it has succeeded, then fetch its url. The zip of the set as it is
        now is given again while it is kept.
        """
        found = access_set(self.actor, pk, write=True)
        return self._archive(archives.order_archive(actor=self.actor, found=found))

    @action(detail=False, methods=["post"], url_path="import")
    @answers({202: ArchiveSerializer}, takes=NewArchive, refuses=(404, 503))
    @takes_long
    def bring(self, request: Request) -> Response:
        """Make a set of a zip in kohya's layout, ours or another program's.

        Its table of contents is judged at once, the rest by a worker: follow /training-set-archives/{id}; once it has
        succeeded, `set` names the set.
        """
        form = NewArchive(data=request.data)
        form.is_valid(raise_exception=True)
        with named("garment"):
            garment = access_garment(self.actor, form.validated_data["garment"], write=True)
        file, key = form.validated_data["file"], once.key_of(request)
        return self._archive(archives.bring_archive(actor=self.actor, garment=garment, file=file, key=key))

    def _archive(self, made: SetArchive) -> Response:
        headers = {"Location": reverse("api-training-set-archives-detail", args=[made.pk])}
        data = ArchiveSerializer(made, context=self.get_serializer_context()).data
        return Response(data, status=status.HTTP_202_ACCEPTED, headers=headers)

    def _told(self, found: TrainingSet, code: int) -> Response:
        shown = TrainingSet.objects.prefetch_related(_pictures()).get(pk=found.pk)
        return Response(WholeSetSerializer(shown, context=self.get_serializer_context()).data, status=code)


def proposed(found: TrainingSet, picture: TrainingPicture) -> list[dict[str, Any]]:
    """The parts that the newest check proposes for a picture.

    Raises:
        Conflict: ``no_crops``.
    """
    look = Preflight.objects.filter(set=found, status="succeeded").order_by("-id").first()
    told = look.found.get("pictures", ()) if look else ()
    crops: list[dict[str, Any]] = next((one["crops"] for one in told if one["id"] == str(picture.pk)), [])
    if not crops:
        raise Conflict("no_crops", _("No parts are proposed for this picture any more. Check the set again."))
    return crops


def _pictures() -> Prefetch:
    rows = TrainingPicture.objects.order_by("position", "id")
    return Prefetch("pictures", rows, to_attr="shown_pictures")


register("training-sets", TrainingSets)
