"""``/api/v1/publications``: put pictures into the shop, take them out, go back (docs/selling.md)."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.once import takes_long
from generation.access import access_picture
from imodel_site.api import MerchantViewSet, register
from imodel_site.lib.api_answers import answers, example
from imodel_site.lib.errors import named
from selling import services
from selling.access import access_publication
from selling.addresses import sizes_of
from selling.models import Ended, Publication
from selling.services.publishing import PLACES

PICTURE = "01a20613-63fd-7cbb-8c10-9d288b061a4a"


class SizeSerializer(serializers.Serializer[Any]):
    """One size of a published picture, at addresses that stay."""

    width = serializers.IntegerField()
    height = serializers.IntegerField()
    webp = serializers.URLField()
    jpg = serializers.URLField()


class SizesSerializer(serializers.Serializer[Any]):
    """At most 400, 800 and 1600 px wide."""

    list = SizeSerializer()
    card = SizeSerializer()
    detail = SizeSerializer()


class PublicationSerializer(serializers.Serializer[Any]):
    """A picture in its place in the shop."""

    id = serializers.UUIDField()
    garment = serializers.UUIDField(source="garment_id")
    sku = serializers.CharField(source="garment.sku")
    position = serializers.IntegerField(help_text="Among the garment's pictures, from 1.")
    picture = serializers.UUIDField(source="picture_id", allow_null=True, help_text="Null when it was removed.")
    visible = serializers.BooleanField(help_text="Whether strangers see it now.")
    sizes = serializers.SerializerMethodField(help_text="Null when it has ended.")
    published_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    ended_as = serializers.ChoiceField(choices=Ended.choices, allow_blank=True, help_text="Empty while it stands.")

    @extend_schema_field(SizesSerializer(allow_null=True))
    def get_sizes(self, publication: Publication) -> Any:
        """Addresses by size."""
        return sizes_of(publication) or None


class PublishSerializer(serializers.Serializer[Any]):
    """What goes where."""

    picture = serializers.UUIDField(help_text="An approved picture of a garment.")
    position = serializers.IntegerField(
        min_value=1, max_value=PLACES, required=False, help_text="The first free place when left out."
    )


class PublicationFilters(serializers.Serializer[Any]):
    """What the list can be narrowed to."""

    garment = serializers.UUIDField(required=False, help_text="Of this garment.", source="garment_id")
    picture = serializers.UUIDField(required=False, help_text="Of this picture.", source="picture_id")
    standing = serializers.BooleanField(required=False, help_text="true for what stands now, false for the history.")


class Publications(mixins.ListModelMixin, mixins.RetrieveModelMixin, MerchantViewSet):
    """What stands in the shop, and what stood there before."""

    model = Publication
    serializer_class = PublicationSerializer
    filters = PublicationFilters

    def refine(self, rows: Any) -> Any:
        """With what an answer says."""
        given = dict(self.wanted)
        if "standing" in given:
            given["ended_at__isnull"] = given.pop("standing")
        return rows.filter(**given).select_related("garment", "picture")

    @takes_long
    @answers(
        {201: PublicationSerializer},
        takes=PublishSerializer,
        refuses=(404, 503),
        examples=[example("Into the first place", {"picture": PICTURE, "position": 1})],
    )
    def create(self, request: Request) -> Response:
        """Put an approved picture into the shop.

        Its sizes are made at once and stand at addresses that stay the same when another picture comes into the place.
        A picture that stands there already is left as it is.
        """
        form = PublishSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        with named("picture"):
            picture = access_picture(self.actor, form.validated_data["picture"], write=True)
        made = services.publish(actor=self.actor, picture=picture, position=form.validated_data.get("position"))
        return self._told(made, status.HTTP_201_CREATED)

    @action(detail=True, methods=["post"])
    @answers({200: PublicationSerializer})
    def withdraw(self, request: Request, pk: str) -> Response:
        """Take it out of the shop; its addresses answer 404 from now on."""
        found = access_publication(self.actor, pk, write=True)
        services.withdraw(actor=self.actor, publication=found)
        return self._told(found)

    @takes_long
    @action(detail=True, methods=["post"], url_path="roll-back", url_name="roll-back")
    @answers({201: PublicationSerializer})
    def roll_back(self, request: Request, pk: str) -> Response:
        """Bring back what stood in this one's place before, or the last one where nothing stands: a new publication."""
        found = access_publication(self.actor, pk, write=True)
        made = services.roll_back(actor=self.actor, garment=found.garment, position=found.position)
        return self._told(made, status.HTTP_201_CREATED)

    def _told(self, publication: Publication, code: int = status.HTTP_200_OK) -> Response:
        shown = Publication.objects.select_related("garment", "picture").get(pk=publication.pk)
        return Response(PublicationSerializer(shown).data, status=code)


register("publications", Publications)
