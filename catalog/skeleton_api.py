"""The pose on a photo over the REST API: what was seen, or what somebody says instead (docs/pose.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.access import access_photo
from catalog.services import skeletons
from catalog.services.masks import refuse_rejected
from catalog.services.skeletons import Standing
from imodel_site.lib.api_answers import answers
from imodel_site.lib.errors import NotHere
from studio.pose.types import LANDMARKS

ROWS_HELP = "33 rows in MediaPipe's order: x and y in pixels of the photo, z, and a confidence from 0 to 1."


def _rows(**options: Any) -> serializers.ListField:
    row = serializers.ListField(child=serializers.FloatField(), min_length=4, max_length=4)
    return serializers.ListField(child=row, min_length=LANDMARKS, max_length=LANDMARKS, help_text=ROWS_HELP, **options)


class SkeletonSerializer(serializers.Serializer[Any]):
    """How somebody stands on a photo."""

    landmarks = _rows()
    by_hand = serializers.BooleanField(help_text="Whether somebody corrected what was seen.")
    version = serializers.CharField(allow_blank=True, help_text="Of what was corrected; empty for what was seen.")
    width = serializers.IntegerField(help_text="The photo's, in pixels.")
    height = serializers.IntegerField()

    def to_representation(self, instance: Standing) -> Any:
        """By hand, as the others."""
        width, height = skeletons.size_of(instance.asset)
        return {
            "landmarks": [[float(value) for value in row[:4]] for row in instance.rows],
            "by_hand": instance.saved is not None,
            "version": instance.version,
            "width": width,
            "height": height,
        }


class NewSkeleton(serializers.Serializer[Any]):
    """How somebody stands, corrected."""

    landmarks = _rows()
    base = serializers.CharField(
        required=False, allow_blank=True, max_length=64,
        help_text="version of the skeleton that you changed, empty for none: another one there by now is a 409.",
    )  # fmt: skip


if TYPE_CHECKING:
    from imodel_site.api import MerchantViewSet as Viewset
else:
    Viewset = object  # one more viewset would want a model and a name of its own


class SkeletonActions(Viewset):
    """Mixed into the photos' viewset."""

    @action(detail=True, methods=["get"])
    @answers({200: SkeletonSerializer})
    def skeleton(self, request: Request, pk: str) -> Response:
        """Look up how somebody stands: as corrected, else as seen; 404 where nobody was seen."""
        asset = self.get_object().asset
        refuse_rejected(asset)
        standing = skeletons.standing_on(asset)
        if standing.saved is None and standing.seen is None:
            raise NotHere()
        return Response(SkeletonSerializer(standing).data)

    @skeleton.mapping.put
    @answers({200: SkeletonSerializer}, takes=NewSkeleton)
    def put_skeleton(self, request: Request, pk: str) -> Response:
        """Correct how somebody stands.

        Shoots of this photo in the pose as photographed then stand exactly so.
        """
        photo = access_photo(self.actor, pk, write=True)
        form = NewSkeleton(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data
        skeletons.save_skeleton(asset=photo.asset, landmarks=given["landmarks"], base=given.get("base"))
        return Response(SkeletonSerializer(skeletons.standing_on(photo.asset)).data)

    @skeleton.mapping.delete
    @answers({204: None})
    def delete_skeleton(self, request: Request, pk: str) -> Response:
        """Take the correction away, so that what was seen counts again; gone already is no error."""
        skeletons.reset_skeleton(asset=access_photo(self.actor, pk, write=True).asset)
        return Response(status=status.HTTP_204_NO_CONTENT)
