"""A small API over merchants' rows, for testing its base: an urlconf of its own."""

from __future__ import annotations

from typing import Any

from django.urls import include, path
from rest_framework import mixins, routers, serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from catalog.models import Garment, GarmentTag, Scene
from imodel_site.api import MerchantViewSet, ReadOnlyMerchantViewSet, ScopedRelatedField
from imodel_site.lib.errors import Conflict
from imodel_site.urls import urlpatterns as site
from studio.errors import StudioError


class GarmentSerializer(serializers.ModelSerializer[Garment]):
    """A garment."""

    class Meta:
        model = Garment
        fields = ("id", "name")


class TagSerializer(serializers.ModelSerializer[GarmentTag]):
    """A tag, which names its garment."""

    garment = ScopedRelatedField(Garment)

    class Meta:
        model = GarmentTag
        fields = ("id", "name", "garment")


class BulkSerializer(serializers.Serializer[Any]):
    """Several garments at once."""

    garments = ScopedRelatedField(Garment, many=True)


class Garments(mixins.CreateModelMixin, ReadOnlyMerchantViewSet):
    """Garments by name."""

    model = Garment
    serializer_class = GarmentSerializer

    def refine(self, rows: Any) -> Any:
        """``?q=``."""
        return rows.filter(name__contains=self.request.query_params.get("q", ""))

    @action(detail=True, methods=["post"])
    def fail(self, request: Any, pk: str) -> Response:
        """Every way to fail."""
        raise {
            "ours": Conflict("busy", "Busy.", retryable=True),
            "studio": StudioError("bad_thing", "A bad thing."),
            "bug": RuntimeError("secret detail"),
        }[request.data["how"]]

    @action(detail=False, methods=["post"])
    def bulk(self, request: Any) -> Response:
        """How many were named."""
        asked = BulkSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return Response({"count": len(asked.validated_data["garments"])})


class Tags(mixins.CreateModelMixin, MerchantViewSet):
    """Tags."""

    model = GarmentTag
    serializer_class = TagSerializer


class SceneSerializer(serializers.ModelSerializer[Scene]):
    """A scene."""

    class Meta:
        model = Scene
        fields = ("id", "name")


class Scenes(ReadOnlyMerchantViewSet):
    """The shared library and one's own."""

    model = Scene
    serializer_class = SceneSerializer


router = routers.SimpleRouter(trailing_slash=False)
router.register("garments", Garments, basename="t-garments")
router.register("tags", Tags, basename="t-tags")
router.register("scenes", Scenes, basename="t-scenes")
urlpatterns = [path("api/test/", include(router.urls)), *site]
handler404 = "imodel_site.refusals.not_here"
