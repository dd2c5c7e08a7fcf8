"""The catalog over REST: garments and their photos (docs/api.md); the libraries are in ``library_api``."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch
from django.utils.translation import gettext as _
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models.moderation import Moderation
from accounts.once import takes_long
from catalog import (
    import_api,  # noqa: F401  # registers its viewset
    library_api,  # noqa: F401  # registers its viewsets
    listing,
)
from catalog.access import access_garment, access_photo
from catalog.models import Category, Garment, GarmentMask, GarmentPhoto, GarmentTag, Look, View
from catalog.services import garments, looks, masks, photos
from catalog.services.garments import Details
from catalog.skeleton_api import SkeletonActions
from catalog.views.photos import look_json
from imodel_site.api import MerchantViewSet, register
from imodel_site.lib.api_answers import answers, example, files_named
from imodel_site.lib.api_fields import Text
from imodel_site.lib.errors import NotHere
from imodel_site.lib.fetch import PUBLIC
from imodel_site.lib.images import SIZES, read_upload
from imodel_site.lib.jobs.model import Status
from imodel_site.lib.signing import Bearers

VARIANTS = ("original", *SIZES)


def photo_json(photo: GarmentPhoto, bearers: Bearers) -> dict[str, Any]:
    """A photo, as :class:`PhotoSerializer` documents it. By hand: a page of garments shows a hundred of them."""
    asset = photo.asset
    return {
        "id": photo.pk,
        "garment": photo.garment_id,
        "view": photo.view,
        "position": photo.position,
        "width": asset.width,
        "height": asset.height,
        "moderation": asset.moderation,
        "created_at": photo.created_at,
        "urls": bearers.of(asset, VARIANTS),
    }


class PhotoSerializer(serializers.Serializer[Any]):
    """A photo; its addresses open without a login and end within five minutes."""

    id = serializers.UUIDField()
    garment = serializers.UUIDField()
    view = serializers.ChoiceField(choices=View.choices, help_text="Which side it shows.")
    position = serializers.IntegerField(help_text="Among the garment's photos; the lowest is the cover.")
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    moderation = serializers.ChoiceField(choices=Moderation.choices, help_text="flagged and rejected have no urls.")
    created_at = serializers.DateTimeField()
    urls = serializers.DictField(
        child=serializers.URLField(), help_text="By size: original, large, medium, small; empty while held back."
    )

    def to_representation(self, instance: GarmentPhoto) -> Any:
        """See :func:`photo_json`."""
        return photo_json(instance, self.context["bearers"])


class GarmentSerializer(serializers.Serializer[Any]):
    """A garment with its tags and photos."""

    id = serializers.UUIDField(read_only=True)
    name = Text(max_length=garments.NAME_LENGTH)
    sku = Text(
        max_length=garments.SKU_LENGTH, required=False, allow_blank=True, help_text="Your number for it; unique."
    )
    category = serializers.ChoiceField(choices=Category.choices, required=False)
    colour = Text(max_length=garments.COLOUR_LENGTH, required=False, allow_blank=True)
    tags = serializers.ListField(
        child=Text(max_length=garments.TAG_LENGTH), required=False, max_length=garments.MOST_TAGS
    )
    status = serializers.ChoiceField(choices=Garment.Status.choices, required=False)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)
    photos = PhotoSerializer(many=True, read_only=True)

    def to_representation(self, instance: Garment) -> Any:
        """By hand, like :func:`photo_json`; ``shown_`` lists come with ``Garments.refine``."""
        bearers = self.context["bearers"]
        return {
            "id": instance.pk,
            **{name: getattr(instance, name) for name in ("name", "sku", "category", "colour")},
            "tags": [tag.name for tag in instance.shown_tags],  # type: ignore[attr-defined]
            **{name: getattr(instance, name) for name in ("status", "created_at", "updated_at")},
            "photos": [photo_json(photo, bearers) for photo in instance.shown_photos],  # type: ignore[attr-defined]
        }

    def details(self, there: Garment | None) -> Details:
        """What is sent, over what is there."""
        given = dict(self.validated_data)
        old = {name: getattr(there, name) for name in ("name", "sku", "category", "colour", "status")} if there else {}
        tags = given.pop("tags", None)
        return Details(**{**old, **given, "tags": None if tags is None else tuple(tags)})


class GarmentFilters(serializers.Serializer[Any]):
    """What the list can be narrowed to."""

    q = serializers.CharField(required=False, max_length=200, help_text="Words of name, SKU, colour or tags.")
    category = serializers.ChoiceField(choices=Category.choices, required=False, help_text="This kind of garment.")
    colour = serializers.CharField(required=False, max_length=garments.COLOUR_LENGTH, help_text="Exactly this colour.")
    tag = serializers.CharField(required=False, max_length=garments.TAG_LENGTH, help_text="Carries this tag.")
    status = serializers.ChoiceField(
        choices=Garment.Status.choices, required=False, help_text="Without it, all but the archived."
    )
    missing = serializers.ChoiceField(
        choices=[*View.values, "photos"], required=False, help_text="Has no photo of this side, or none at all."
    )


class Garments(mixins.ListModelMixin, mixins.RetrieveModelMixin, MerchantViewSet):
    """The articles of the catalog."""

    model = Garment
    serializer_class = GarmentSerializer
    filters = GarmentFilters

    def refine(self, rows: Any) -> Any:
        """Filtered as the page is; one garment is found whatever its status."""
        if self.action == "list":
            rows = listing.matching(listing.Filters(**self.wanted))
        # In lists of their own: a related manager for each garment would cost a third of the page.
        shown = GarmentPhoto.objects.select_related("asset").order_by("position", "id")
        tags = GarmentTag.objects.order_by("id")
        return rows.prefetch_related(
            Prefetch("tags", tags, to_attr="shown_tags"), Prefetch("photos", shown, to_attr="shown_photos")
        )

    @answers({201: GarmentSerializer}, takes=GarmentSerializer, examples=[
        example("A dress", {"name": "Poppy dress", "sku": "PD-17", "category": "dress", "tags": ["summer"]}),
    ])  # fmt: skip
    def create(self, request: Request) -> Response:
        """Make a garment; photos are added to /photos."""
        form = self.get_serializer(data=request.data)
        form.is_valid(raise_exception=True)
        made = garments.create_garment(merchant=self.actor.merchant, details=form.details(None))
        return self._told(made, status.HTTP_201_CREATED)

    @answers({200: GarmentSerializer}, takes=GarmentSerializer)
    def update(self, request: Request, pk: str) -> Response:
        """Change a garment; the name must be sent, what else is left out stays."""
        return self._change(request, partial=False)

    @answers({200: GarmentSerializer}, takes=GarmentSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what is sent of a garment."""
        return self._change(request, partial=True)

    def _change(self, request: Request, *, partial: bool) -> Response:
        there = access_garment(self.actor, self.kwargs["pk"], write=True)
        form = self.get_serializer(there, data=request.data, partial=partial)
        form.is_valid(raise_exception=True)
        return self._told(garments.update_garment(garment=there, details=form.details(there)), status.HTTP_200_OK)

    @answers({204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a garment with its photos; pictures made of it are kept."""
        garments.delete_garments(garments=[access_garment(self.actor, pk, write=True)])
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _told(self, garment: Garment, code: int) -> Response:
        return Response(self.get_serializer(self.get_queryset().get(pk=garment.pk)).data, status=code)


class NewPhoto(serializers.Serializer[Any]):
    """A file (multipart/form-data), or an address to fetch it from."""

    garment = serializers.UUIDField(help_text="Whose photo it is.")
    file = serializers.FileField(required=False, help_text="JPEG, PNG or WebP, up to 25 MB.")
    url = Text(required=False, max_length=2000, help_text="A public https address instead; fetched before we answer.")
    view = serializers.ChoiceField(choices=View.choices, required=False, help_text="Else told from the file's name.")

    def validate(self, attrs: Any) -> Any:
        """One of the two."""
        if ("file" in attrs) == ("url" in attrs):
            raise serializers.ValidationError({"file": _("Send either a file or a url.")})
        return attrs


class PhotoView(serializers.Serializer[Any]):
    """What can be said of a photo."""

    view = serializers.ChoiceField(choices=View.choices, help_text="Which side it shows.")


class PhotoFilters(serializers.Serializer[Any]):
    """What the list can be narrowed to."""

    garment = serializers.UUIDField(required=False, help_text="Photos of this garment.", source="garment_id")
    view = serializers.ChoiceField(choices=View.choices, required=False, help_text="This side.")


class ProposalSerializer(serializers.Serializer[Any]):
    """One part of the photo that may be the garment."""

    part = serializers.CharField(help_text="upper, lower or full.")
    score = serializers.FloatField(help_text="0 to 1.")
    box = serializers.ListField(
        child=serializers.FloatField(), help_text="Left, top, right, bottom; shares of the photo."
    )
    share = serializers.FloatField(help_text="Of the photo's area.")
    url = serializers.URLField(help_text="Its mask: white is garment.")


class ProposalsSerializer(serializers.Serializer[Any]):
    """What the automatic look found on a photo."""

    status = serializers.ChoiceField(choices=[*Status.values, "none"], help_text="none: nobody has looked.")
    done = serializers.BooleanField(help_text="Whether nothing more will come.")
    fraction = serializers.FloatField(allow_null=True)
    message = serializers.CharField(allow_blank=True, help_text="Why it failed.")
    best = serializers.CharField(allow_null=True, help_text="The part that a shoot takes by itself.")
    parts = ProposalSerializer(many=True)
    skeleton = serializers.URLField(allow_null=True, help_text="A drawing of the pose.")
    pose = serializers.BooleanField(help_text="Whether somebody was seen standing there.")


class AskedLookSerializer(serializers.Serializer[Any]):
    """The look that was asked for."""

    status = serializers.ChoiceField(choices=Status.choices)


class MaskSerializer(serializers.Serializer[Any]):
    """Which pixels of a photo are the garment, as somebody marked them by hand."""

    sha256 = serializers.CharField(help_text="Of the PNG; names this version.")
    url = serializers.URLField(allow_null=True, help_text="The PNG: white is garment. null while it is held back.")
    width = serializers.IntegerField(help_text="As the photo's.")
    height = serializers.IntegerField()
    saved_at = serializers.DateTimeField()

    def to_representation(self, instance: GarmentMask) -> Any:
        """By hand, as the others."""
        url = self.context["bearers"].of(instance, [instance.variant]).get(instance.variant)
        asset = instance.asset
        size = {"width": asset.width, "height": asset.height}
        return {"sha256": instance.sha256, "url": url, **size, "saved_at": instance.updated_at}


class NewMask(serializers.Serializer[Any]):
    """A mask as a file (multipart/form-data)."""

    file = serializers.FileField(help_text="A PNG of the photo's own size, upright; white is garment.")
    base = serializers.CharField(
        required=False, allow_blank=True, max_length=64,
        help_text="sha256 of the mask that you changed, empty for none: another one there by now is a 409.",
    )  # fmt: skip


class Photos(SkeletonActions, mixins.ListModelMixin, mixins.RetrieveModelMixin, MerchantViewSet):
    """Photos of garments, worn by a mannequin or a person."""

    model = GarmentPhoto
    serializer_class = PhotoSerializer
    filters = PhotoFilters
    uploads = ("create", "put_mask")

    def refine(self, rows: Any) -> Any:
        """With its asset."""
        return rows.filter(**self.wanted).select_related("asset")

    @answers({201: PhotoSerializer, 200: PhotoSerializer}, takes=NewPhoto, refuses=(404, 503), examples=[
        example("By address", {"garment": "01a20613-63fd-7cbb-8c10-9d288b061a4a",
                               "url": "https://shop.example/photos/dress_front.jpg"}),
    ])  # fmt: skip
    @takes_long
    def create(self, request: Request) -> Response:
        """Add a photo to a garment, as a file or by address.

        201 for a new photo, 200 when the garment has these very bytes already. The photo is then looked at: see
        /photos/{id}/proposals.
        """
        form = NewPhoto(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data
        garment = access_garment(self.actor, given["garment"], write=True)
        with files_named("file" if "file" in given else "url"):
            file = given.get("file") or PUBLIC.fetch(given["url"])
            photo, new = photos.add_photo(
                garment=garment,
                merchant=self.actor.merchant,
                file=file,
                view=given.get("view", ""),
                file_name=getattr(file, "name", "") or "",
            )
        return self._told(access_photo(self.actor, photo.pk, write=True), 201 if new else 200)

    @answers({200: PhotoSerializer}, takes=PhotoView)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Say which side a photo shows."""
        photo = access_photo(self.actor, pk, write=True)
        form = PhotoView(data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        view = form.validated_data.get("view", photo.view)
        return self._told(photos.set_view(photo=photo, view=view), status.HTTP_200_OK)

    @answers({204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a photo."""
        photos.delete_photo(photo=access_photo(self.actor, pk, write=True))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @action(detail=True, methods=["get"])
    @answers({200: ProposalsSerializer})
    def proposals(self, request: Request, pk: str) -> Response:
        """What the automatic look found: parts with their masks, and whether there is a pose."""
        photo = self.get_object()
        return Response(_proposals(photo, Bearers(request)))

    @action(detail=True, methods=["post"], url_path="look")
    @answers({202: AskedLookSerializer})
    def look_again(self, request: Request, pk: str) -> Response:
        """Have a photo looked at once more after that failed."""
        look = looks.look_again(asset=access_photo(self.actor, pk, write=True).asset)
        headers = {"Location": f"{request.path.rsplit('/', 1)[0]}/proposals"}
        return Response({"status": look.status}, status=status.HTTP_202_ACCEPTED, headers=headers)

    @action(detail=True, methods=["get"])
    @answers({200: MaskSerializer})
    def mask(self, request: Request, pk: str) -> Response:
        """Look up what was marked by hand; 404 where nothing was."""
        found = masks.mask_of(self.get_object().asset)
        if found is None:
            raise NotHere()
        return Response(MaskSerializer(found, context=self.get_serializer_context()).data)

    @mask.mapping.put
    @answers({200: MaskSerializer}, takes=NewMask)
    @takes_long
    def put_mask(self, request: Request, pk: str) -> Response:
        """Mark the garment with a mask of your own.

        It takes the place of one that is there. Shoots of this photo with `part` auto or own then keep exactly these
        pixels; those that were ordered before keep the mask that they were ordered with.
        """
        photo = access_photo(self.actor, pk, write=True)
        form = NewMask(data=request.data)
        form.is_valid(raise_exception=True)
        base = form.validated_data.get("base")
        with files_named("file"):
            data = read_upload(form.validated_data["file"])
            saved = masks.save_mask(actor=self.actor, asset=photo.asset, data=data, base=base, edits=None, field="file")
        return Response(MaskSerializer(saved, context=self.get_serializer_context()).data)

    @mask.mapping.delete
    @answers({204: None})
    def delete_mask(self, request: Request, pk: str) -> Response:
        """Take the mask away, so that what was found by itself counts again; gone already is no error."""
        masks.reset_mask(actor=self.actor, asset=access_photo(self.actor, pk, write=True).asset)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _told(self, photo: GarmentPhoto, code: int) -> Response:
        return Response(self.get_serializer(photo).data, status=code)


def _proposals(photo: GarmentPhoto, bearers: Bearers) -> dict[str, Any]:
    """Nothing is shown of a photo that is held back."""
    look = Look.objects.filter(asset_id=photo.asset_id).first()
    found = {"message": "", "skeleton": None, "pose": False, **look_json(look)}
    shown = look is not None and photo.asset.open_to(bearer=True)
    found["parts"] = [
        {**part, "url": bearers.of(look, [name])[name]} for part in found["parts"] if shown and (name := _mask(part))
    ]
    found["skeleton"] = bearers.of(look, ["skeleton"])["skeleton"] if shown and found["skeleton"] else None
    return {name: found[name] for name in ProposalsSerializer().fields}


def _mask(part: dict[str, Any]) -> str:
    return f"mask-{part['part']}"


register("garments", Garments)
register("photos", Photos)
