"""The base of the REST API: ``/api/v1/`` (docs/api.md). Apps register their viewsets from their own ``api.py``.

class Garments(MerchantViewSet):
    model = Garment                       # MerchantOwned or LibraryItem
    serializer_class = GarmentSerializer

    def refine(self, rows):               # filters, select_related; never widens
        return rows.prefetch_related("tags")

register("garments", Garments)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, final

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.urls import path
from django.utils.translation import gettext as _
from rest_framework import mixins, pagination, routers, serializers, viewsets
from rest_framework.decorators import api_view
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import access
from accounts.actors import Actor
from accounts.scoping import LibraryItem, MerchantOwned
from imodel_site.lib.errors import NotHere, Refused

_LOCKED = ("get_queryset", "filter_queryset", "get_object", "initial", "check_permissions", "perform_authentication")
router = routers.SimpleRouter(trailing_slash=False)


def register(prefix: str, viewset: type[MerchantViewSet]) -> None:
    """``/api/v1/<prefix>`` and ``/api/v1/<prefix>/<id>``; apps call it in their ``api.py``."""
    router.register(prefix, viewset, basename=f"api-{prefix}")


class NewestFirst(pagination.CursorPagination):
    """By id, which sorts by time; ``?page_size=`` up to 200. A cursor that was tampered with is refused."""

    ordering = "-id"
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> Any:
        """A senseless cursor is the caller's mistake, and says so."""
        try:
            return super().paginate_queryset(queryset, request, view)
        except (NotFound, ValidationError, ValueError):
            raise Refused(
                "bad_cursor", _("This cursor is not one of ours. Start again without it."), field="cursor"
            ) from None

    def get_paginated_response(self, data: Any) -> Response:
        """``{"items": [...], "next": url or null, "previous": url or null}``."""
        return Response({"items": data, "next": self.get_next_link(), "previous": self.get_previous_link()})

    def get_paginated_response_schema(self, schema: Any) -> Any:
        """The same for the schema."""
        link = {"type": "string", "nullable": True, "format": "uri"}
        return {"type": "object", "properties": {"items": schema, "next": link, "previous": link}}


class MerchantViewSet(viewsets.GenericViewSet):
    """Ring 3 for the API: rows come out of the open scope only, and nothing below can widen that.

    Subclasses set ``model`` and may narrow with ``refine``. Reading needs any member or key; every other method needs a
    role or a key that may change things (``accounts.authentication.HasMerchant``).
    """

    model: ClassVar[type[Model]]
    pagination_class = NewestFirst
    filter_backends: ClassVar[list[Any]] = []

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse a subclass that would choose its rows by itself."""
        super().__init_subclass__(**kwargs)
        taken = [name for name in (*_LOCKED, "queryset") if name in vars(cls)]
        if taken:
            raise TypeError(f"{cls.__name__} must not define {', '.join(taken)}: narrow the rows in refine() instead")
        model = getattr(cls, "model", None)
        if model is not None and not issubclass(model, MerchantOwned | LibraryItem):
            raise TypeError(f"{cls.__name__}.model must be MerchantOwned or LibraryItem")

    @property
    def actor(self) -> Actor:
        """Who acts; HasMerchant has made sure that somebody does."""
        return access.acting(self.request._request)

    @final
    def get_queryset(self) -> Any:
        """The scope's rows, narrowed. The manager is asked here and now: there is no queryset from import time."""
        rows = self.model.objects.all()  # type: ignore[attr-defined]  # a Model subclass with our manager
        narrowed = self.refine(rows)
        if narrowed.model is not self.model:
            raise TypeError(f"{type(self).__name__}.refine must narrow the rows it was given")
        return narrowed

    def refine(self, rows: Any) -> Any:
        """Narrow, order, select related; override this."""
        return rows

    @final
    def filter_queryset(self, queryset: Any) -> Any:
        """Nothing beyond ``refine``."""
        return queryset

    @final
    def get_object(self) -> Any:
        """The row of the address, or the one 404."""
        return access.access_row(self.get_queryset(), self.kwargs[self.lookup_field])


class ReadOnlyMerchantViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, MerchantViewSet):
    """Lists and shows."""


class ScopedRelatedField(serializers.PrimaryKeyRelatedField):
    """A foreign id in a body, resolved through the caller's scope: another merchant's is as missing as none.

    ``ScopedRelatedField(Garment)``; with ``many=True`` one foreign id refuses the whole call.
    """

    def __init__(self, model: type[Model], **kwargs: Any) -> None:
        self.model = model
        super().__init__(**kwargs)

    def get_queryset(self) -> Any:
        """The scope's rows, asked for now."""
        return self.model.objects.all()  # type: ignore[attr-defined]  # one of ours

    def to_internal_value(self, data: Any) -> Any:
        """The row, or 404 like an address that leads nowhere."""
        try:
            return access.access_row(self.get_queryset(), data)
        except NotHere:
            raise serializers.ValidationError(_("There is nothing with this id. It may have been deleted.")) from None


@api_view(["GET"])
def me(request: Request) -> Response:
    """Who is asking: the merchant, and the person or the key."""
    actor = access.acting(request._request)
    return Response(_describe(actor))


def _describe(actor: Actor) -> Mapping[str, Any]:
    key, user = actor.api_key, actor.user
    return {
        "merchant": {"id": str(actor.merchant.pk), "name": actor.merchant.name, "status": actor.merchant.status},
        "user": {"id": str(user.pk), "email": user.email, "name": user.name} if user else None,
        "role": actor.role or None,
        "key": {"id": str(key.pk), "name": key.name, "store": key.store, "live": key.live} if key else None,
        "scopes": sorted(actor.scopes),
    }


def urls() -> list[Any]:
    """Everything that was registered; ``imodel_site.urls`` imports the apps' ``api.py`` first."""
    return [path("me", me, name="api-me"), *router.urls]
