"""``/api/v1/pictures``: find, judge, tag, delete, and make more of one (docs/api.md)."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import once
from generation import services
from generation.access import access_picture
from generation.api_answers import (
    PictureSerializer,
    WholePictureSerializer,
    WholeShootSerializer,
    accepted,
    with_tags,
)
from generation.history import Filters
from generation.models import Complaint, Kind, Picture, Review, Verdict
from generation.services.pictures import LONGEST_TAG, MOST_TAGS
from imodel_site.api import MerchantViewSet, register
from imodel_site.lib.api_answers import answers, example
from imodel_site.lib.api_fields import Text, YesNo

# Filters that the Pictures page does not have.
MORE = {"batch": "shoot__batch_id", "review": "review"}


class PictureFilters(serializers.Serializer[Any]):
    """What the list can be narrowed to; the filters of the Pictures page and two more."""

    garment = serializers.UUIDField(required=False, help_text="Of this garment.")
    persona = serializers.UUIDField(required=False, help_text="Of this persona.")
    shoot = serializers.UUIDField(required=False, help_text="Of this shoot.")
    batch = serializers.UUIDField(required=False, help_text="Of this batch.")
    kind = serializers.ChoiceField(choices=Kind.choices, required=False, help_text="Of this kind.")
    verdict = serializers.ChoiceField(choices=Verdict.choices, required=False, help_text="With this verdict.")
    review = serializers.ChoiceField(
        choices=[value for value in Review.values if value], required=False, help_text="That you judged so."
    )
    since = serializers.DateField(required=False, help_text="Made on this day (UTC) or later.")
    until = serializers.DateField(required=False, help_text="Made on this day (UTC) or earlier.")
    favourite = serializers.BooleanField(required=False, help_text="true for favourites only.")
    tag = serializers.CharField(required=False, max_length=LONGEST_TAG, help_text="Carries this tag.")
    deleted = serializers.BooleanField(required=False, help_text="true for the bin instead.")


class PictureChange(serializers.Serializer[Any]):
    """What a shop thinks of a picture; what is left out stays."""

    favourite = YesNo(required=False)
    review = serializers.ChoiceField(choices=Review.choices, required=False, help_text="Empty takes it back.")
    reason = serializers.ChoiceField(choices=Complaint.choices, required=False, help_text="Why it is rejected.")
    tags = serializers.ListField(
        child=Text(max_length=LONGEST_TAG),
        required=False,
        max_length=MOST_TAGS,
        help_text="All that it shall carry.",
    )


class VaryOrder(serializers.Serializer[Any]):
    """How to vary."""

    persona = serializers.UUIDField(
        required=False, help_text="Somebody else in the very same picture; without it four near it."
    )


class Pictures(mixins.ListModelMixin, mixins.RetrieveModelMixin, MerchantViewSet):
    """Finished pictures."""

    model = Picture
    filters = PictureFilters

    def get_serializer_class(self) -> Any:
        """The report and the recipe come with one picture, not with a list."""
        return PictureSerializer if self.action == "list" else WholePictureSerializer

    def refine(self, rows: Any) -> Any:
        """A list leaves the bin out unless it is asked for."""
        if self.action != "list":
            return with_tags(rows)
        given = dict(self.wanted)
        more = {name: given.pop(key) for key, name in MORE.items() if key in given}
        return with_tags(Filters(**given).rows(Q(**more))).defer("report", "recipe")

    @answers({200: WholePictureSerializer}, takes=PictureChange, examples=[
        example("Approve and tag", {"review": "approved", "tags": ["front page"]}),
    ])  # fmt: skip
    def partial_update(self, request: Request, pk: str) -> Response:
        """Judge a picture: favourite, review, tags."""
        picture = access_picture(self.actor, pk, write=True)
        form = PictureChange(data=request.data)
        form.is_valid(raise_exception=True)
        services.change_picture(actor=self.actor, picture=picture, **form.validated_data)
        return self._told(picture)

    @answers({204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Put a picture into the bin, where it stays for 30 days."""
        services.delete_pictures(actor=self.actor, pictures=[access_picture(self.actor, pk, write=True)])
        return Response(status=status.HTTP_204_NO_CONTENT)

    @action(detail=True, methods=["post"])
    @answers({200: WholePictureSerializer})
    def restore(self, request: Request, pk: str) -> Response:
        """Take a picture out of the bin."""
        picture = access_picture(self.actor, pk, write=True)
        services.restore_pictures(actor=self.actor, pictures=[picture])
        return self._told(picture)

    @action(detail=True, methods=["post"])
    @answers({202: WholeShootSerializer})
    def redo(self, request: Request, pk: str) -> Response:
        """Make a picture again for nothing, with another seed: one that was paid for and rejected with a reason.

        Once for each picture, within two weeks, and so many a month; the rejected one stays rejected.
        """
        picture = access_picture(self.actor, pk, write=True)
        return accepted(services.redo(actor=self.actor, picture=picture), self.get_serializer_context())

    @action(detail=True, methods=["post"])
    @answers({202: WholeShootSerializer}, takes=VaryOrder, refuses=(402,))
    def vary(self, request: Request, pk: str) -> Response:
        """Order variations: four pictures near this one, or this very one with another persona."""
        picture = access_picture(self.actor, pk, write=True)
        form = VaryOrder(data=request.data)
        form.is_valid(raise_exception=True)
        other = form.validated_data.get("persona")
        made = services.vary(actor=self.actor, picture=picture, persona=other, key=once.key_of(request))
        return accepted(made, self.get_serializer_context())

    @action(detail=True, methods=["post"])
    @answers({202: WholeShootSerializer}, refuses=(402,))
    def replay(self, request: Request, pk: str) -> Response:
        """Make a picture again from its recipe; the new one's `same_bytes` says whether it came out the very same."""
        picture = access_picture(self.actor, pk, write=True)
        made = services.replay(actor=self.actor, picture=picture, key=once.key_of(request))
        return accepted(made, self.get_serializer_context())

    def _told(self, picture: Picture) -> Response:
        return Response(self.get_serializer(self.get_queryset().get(pk=picture.pk)).data)


register("pictures", Pictures)
