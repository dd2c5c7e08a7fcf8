"""The catalog over REST: garments and photos to read and write, the libraries to read (docs/api.md)."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from catalog import listing
from catalog.access import access_garment, access_photo
from catalog.models import Garment, GarmentPhoto, Look, Persona, Pose, Scene, View
from catalog.services import garments, libraries, looks, photos
from catalog.services.garments import Details
from catalog.views.photos import look_json
from imodel_site.api import MerchantViewSet, ReadOnlyMerchantViewSet, register
from imodel_site.lib.api_parsers import BoundedJSONParser
from imodel_site.lib.errors import Refused
from imodel_site.lib.fetch import PUBLIC
from imodel_site.lib.images import SIZES
from imodel_site.lib.signing import media_url


class PhotoSerializer(serializers.ModelSerializer[GarmentPhoto]):
    """A photo; its addresses open without a login and end within five minutes."""

    garment = serializers.UUIDField(source="garment_id", read_only=True)
    width = serializers.IntegerField(source="asset.width", read_only=True)
    height = serializers.IntegerField(source="asset.height", read_only=True)
    urls = serializers.SerializerMethodField()

    class Meta:
        model = GarmentPhoto
        fields = ("id", "garment", "view", "position", "width", "height", "created_at", "urls")
        read_only_fields = fields

    def get_urls(self, photo: GarmentPhoto) -> dict[str, str]:
        """By variant."""
        request = self.context["request"]
        return {
            name: request.build_absolute_uri(media_url(photo.asset, name, bearer=True)) for name in ("original", *SIZES)
        }


class GarmentSerializer(serializers.ModelSerializer[Garment]):
    """A garment with its tags and photos."""

    sku = serializers.CharField(max_length=garments.SKU_LENGTH, required=False, allow_blank=True)
    colour = serializers.CharField(max_length=garments.COLOUR_LENGTH, required=False, allow_blank=True)
    tags = serializers.ListField(
        child=serializers.CharField(max_length=garments.TAG_LENGTH), required=False, max_length=garments.MOST_TAGS
    )
    photos = PhotoSerializer(many=True, read_only=True)

    class Meta:
        model = Garment
        fields = ("id", "name", "sku", "category", "colour", "tags", "status", "created_at", "updated_at", "photos")
        read_only_fields = ("id", "created_at", "updated_at")

    def to_representation(self, instance: Garment) -> Any:
        """Tags are words, not rows."""
        tags = [tag.name for tag in sorted(instance.tags.all(), key=lambda tag: tag.pk)]
        found = {name: getattr(instance, name) for name in self.Meta.fields if name not in ("id", "tags", "photos")}
        shown = sorted(instance.photos.all(), key=lambda photo: (photo.position, photo.pk))
        rows = self.fields["photos"].to_representation(shown)  # one serializer for the page, not one for each garment
        return {"id": str(instance.pk), **found, "tags": tags, "photos": rows}

    def details(self, there: Garment | None) -> Details:
        """What is sent, over what is there."""
        given = dict(self.validated_data)
        old = {name: getattr(there, name) for name in ("name", "sku", "category", "colour", "status")} if there else {}
        tags = given.pop("tags", None)
        return Details(**{**old, **given, "tags": None if tags is None else tuple(tags)})


class Garments(MerchantViewSet):
    """``/garments``: list (``q category colour tag status missing``), create, retrieve, update, delete."""

    model = Garment
    serializer_class = GarmentSerializer

    def refine(self, rows: Any) -> Any:
        """Filtered as the page is; one garment is found whatever its status."""
        if self.action == "list":
            wanted = {key: value for key, value in self.request.query_params.items() if key != "sort"}
            rows = listing.matching(_checked_filters(wanted))
        return rows.prefetch_related("tags", "photos__asset")

    def list(self, request: Request) -> Response:
        """Newest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, pk: str) -> Response:
        """One garment."""
        return Response(self.get_serializer(self.get_object()).data)

    def create(self, request: Request) -> Response:
        """A new garment; photos are added to ``/photos``."""
        form = self.get_serializer(data=request.data)
        form.is_valid(raise_exception=True)
        made = garments.create_garment(merchant=self.actor.merchant, details=form.details(None))
        return Response(self.get_serializer(made).data, status=status.HTTP_201_CREATED)

    def update(self, request: Request, pk: str) -> Response:
        """Everything at once."""
        return self._change(request, partial=False)

    def partial_update(self, request: Request, pk: str) -> Response:
        """Only what is sent."""
        return self._change(request, partial=True)

    def _change(self, request: Request, *, partial: bool) -> Response:
        there = self.get_object()
        form = self.get_serializer(there, data=request.data, partial=partial)
        form.is_valid(raise_exception=True)
        garments.update_garment(garment=there, details=form.details(there))
        return Response(self.get_serializer(self.get_object()).data)

    def destroy(self, request: Request, pk: str) -> Response:
        """With its photos."""
        garments.delete_garments(garments=[self.get_object()])
        return Response(status=status.HTTP_204_NO_CONTENT)


def _checked_filters(wanted: dict[str, str]) -> listing.Filters:
    """Unlike the page, a program is told that its filter makes no sense."""
    found = listing.filters_from(wanted)
    for key in ("category", "status", "missing"):
        if wanted.get(key, "").strip() and not getattr(found, key):
            raise Refused(f"{key}_unknown", _("There is no such %(field)s.") % {"field": key}, field=key)
    return found


class NewPhoto(serializers.Serializer[Any]):
    """``file`` (multipart) or ``url`` (https), for a garment."""

    garment = serializers.CharField()
    file = serializers.FileField(required=False)
    url = serializers.CharField(required=False, max_length=2000)
    view = serializers.ChoiceField(choices=View.choices, required=False)

    def validate(self, attrs: Any) -> Any:
        """One of the two."""
        if ("file" in attrs) == ("url" in attrs):
            raise serializers.ValidationError({"file": _("Send either a file or a url.")})
        return attrs


class Photos(MerchantViewSet):
    """``/photos``: add one by upload or by URL, see what was found on it, delete it."""

    model = GarmentPhoto
    serializer_class = PhotoSerializer
    parser_classes = (BoundedJSONParser, MultiPartParser)

    def refine(self, rows: Any) -> Any:
        """With its asset; ``?garment=`` narrows the list."""
        rows = rows.select_related("asset", "garment")
        garment = self.request.query_params.get("garment", "")
        if self.action == "list" and garment:
            rows = rows.filter(garment=access_garment(self.actor, garment, write=False))
        return rows

    def list(self, request: Request) -> Response:
        """Newest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, pk: str) -> Response:
        """One photo."""
        return Response(self.get_serializer(self.get_object()).data)

    def create(self, request: Request) -> Response:
        """201 for a new photo, 200 when the garment has these very bytes already."""
        form = NewPhoto(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data
        garment = access_garment(self.actor, given["garment"], write=True)
        file = given.get("file") or PUBLIC.fetch(given["url"])
        photo, new = photos.add_photo(
            garment=garment,
            merchant=self.actor.merchant,
            file=file,
            view=given.get("view", ""),
            file_name=getattr(file, "name", "") or "",
        )
        answer = self.get_serializer(access_photo(self.actor, photo.pk, write=True)).data
        return Response(answer, status=status.HTTP_201_CREATED if new else status.HTTP_200_OK)

    def destroy(self, request: Request, pk: str) -> Response:
        """Delete it."""
        photos.delete_photo(photo=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @action(detail=True, methods=["get"])
    def proposals(self, request: Request, pk: str) -> Response:
        """What the look at it found: parts with their masks, and whether there is a pose."""
        look = Look.objects.filter(asset_id=self.get_object().asset_id).first()
        found = look_json(look, bearer=True)
        for part in found["parts"]:
            part["url"] = request.build_absolute_uri(part["url"])
        if found.get("skeleton"):
            found["skeleton"] = request.build_absolute_uri(found["skeleton"])
        return Response(found)

    @action(detail=True, methods=["post"], url_path="look")
    def look_again(self, request: Request, pk: str) -> Response:
        """Have it looked at once more after that failed."""
        look = looks.look_again(asset=self.get_object().asset)
        return Response({"status": look.status}, status=status.HTTP_202_ACCEPTED)


class LibrarySerializer(serializers.Serializer[Any]):
    """A persona, scene or pose."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    title = serializers.CharField(source="label")
    own = serializers.SerializerMethodField()
    picture = serializers.SerializerMethodField()

    def get_own(self, row: Any) -> bool:
        """Whether it is the merchant's own."""
        return row.merchant_id is not None

    def get_picture(self, row: Any) -> str | None:
        """Its address; that of an own photo ends within five minutes."""
        url = media_url(row.asset, "small", bearer=True) if row.asset_id else row.picture_url
        return self.context["request"].build_absolute_uri(url) if url else None


class WordsSerializer(LibrarySerializer):
    """With the words that a prompt says."""

    words = serializers.CharField()


class PoseSerializer(LibrarySerializer):
    """With whether it can be used yet."""

    ready = serializers.SerializerMethodField()

    def get_ready(self, row: Pose) -> bool:
        """False until its photo has been looked at."""
        return libraries.is_ready(row)


class _Shelf(ReadOnlyMerchantViewSet):
    serializer_class: ClassVar[Any] = WordsSerializer

    def refine(self, rows: Any) -> Any:
        """Shared ones and the merchant's own."""
        return rows.select_related("asset")


class Personas(_Shelf):
    """``/personas``."""

    model = Persona


class Scenes(_Shelf):
    """``/scenes``."""

    model = Scene


class Poses(_Shelf):
    """``/poses``."""

    model = Pose
    serializer_class = PoseSerializer


register("garments", Garments)
register("photos", Photos)
register("personas", Personas)
register("scenes", Scenes)
register("poses", Poses)
