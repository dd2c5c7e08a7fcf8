"""The base of the REST API: ``/api/v1/`` (docs/api.md). Apps register their viewsets from their own ``api.py``.

    class GarmentFilters(serializers.Serializer):      # the list's query parameters; a senseless value is a 400
        status = serializers.ChoiceField(choices=..., required=False, help_text="What it narrows to.")

    class Garments(MerchantViewSet):
        \"\"\"The articles of the catalog.\"\"\"       # the section of the documentation

        model = Garment                                # MerchantOwned or LibraryItem
        serializer_class = GarmentSerializer
        filters = GarmentFilters

        def refine(self, rows):                        # narrows, never widens; self.wanted holds the filters
            return rows.filter(**self.wanted).prefetch_related("tags")

        @answers({201: GarmentSerializer}, takes=GarmentSerializer)
        def create(self, request): ...                 # parse, access, one service, Response

    register("garments", Garments)

``Idempotency-Key`` needs nothing from a viewset: every changing handler is wrapped (accounts/once.py), its answer kept
in the transaction of its changes. Handlers that wait for the network or decode pictures wear ``@takes_long``.
"""

from __future__ import annotations

from functools import cached_property, partial
from typing import Any, ClassVar, final

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.urls import path
from django.utils.translation import gettext as _
from rest_framework import mixins, pagination, routers, serializers, views, viewsets
from rest_framework.exceptions import NotFound
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import SAFE_METHODS
from rest_framework.response import Response

from accounts import access, once
from accounts.actors import Actor
from accounts.scoping import LibraryItem, MerchantOwned
from imodel_site.lib.api_parsers import BoundedJSONParser
from imodel_site.lib.errors import NotHere, Refused
from imodel_site.lib.signing import Bearers

_LOCKED = ("get_queryset", "filter_queryset", "get_object", "initial", "check_permissions", "perform_authentication")
router = routers.SimpleRouter(trailing_slash=False)


_single: list[Any] = []


def register(prefix: str, viewset: type[MerchantViewSet]) -> None:
    """``/api/v1/<prefix>`` and ``/api/v1/<prefix>/<id>``; apps call it in their ``api.py``."""
    router.register(prefix, viewset, basename=f"api-{prefix.replace('/', '-')}")


def register_single(name: str, view: type[MerchantView]) -> None:
    """``/api/v1/<name>``, for what a merchant has one of."""
    _single.append(path(name, view.as_view(), name=f"api-{name}"))


class NewestFirst(pagination.CursorPagination):
    """By id, which sorts by time; ``?page_size=`` up to 200. A cursor that was tampered with is refused."""

    ordering = "-id"
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200

    def get_page_size(self, request: Any) -> int:
        """As asked for; a senseless size is refused rather than replaced."""
        asked = request.query_params.get(self.page_size_query_param, str(self.page_size))
        if not (asked.isascii() and asked.isdigit() and len(asked) < 6 and 0 < int(asked) <= self.max_page_size):
            words = _("Give a number from %(least)d to %(most)d.") % {"least": 1, "most": self.max_page_size}
            raise Refused("page_size_invalid", words, field=self.page_size_query_param)
        return int(asked)

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
        properties = {
            "items": schema,
            "next": {**link, "description": "The next page's address; null on the last."},
            "previous": {**link, "description": "The page before; null on the first."},
        }
        return {"type": "object", "required": list(properties), "properties": properties}

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """The two parameters with their limits."""
        size = {"type": "integer", "minimum": 1, "maximum": self.max_page_size, "default": self.page_size}
        cursor = "From the address that a page gives as next or previous; the first page needs none."
        return [
            {"name": "page_size", "in": "query", "schema": size, "description": "Items on a page."},
            {"name": "cursor", "in": "query", "schema": {"type": "string"}, "description": cursor},
        ]


class MerchantView(views.APIView):
    """What a merchant has one of; it has no rows to choose from. Subclasses define ``get``."""

    @property
    def actor(self) -> Actor:
        """Who acts; HasMerchant has made sure that somebody does."""
        return access.acting(self.request._request)


class MerchantViewSet(viewsets.GenericViewSet):
    """Ring 3 for the API: rows come out of the open scope only, and nothing below can widen that.

    Subclasses set ``model`` and may narrow with ``refine``. Reading needs any member or key; every other method needs a
    role or a key that may change things (``accounts.authentication.HasMerchant``).
    """

    model: ClassVar[type[Model]]
    filters: ClassVar[type[serializers.Serializer[Any]] | None] = None
    uploads: ClassVar[tuple[str, ...]] = ()  # actions that take a form with files besides JSON
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

    @final
    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        """After who asks and what they may, so that a stored answer is never told to a stranger: at most once."""
        super().initial(request, *args, **kwargs)
        method = request.method.lower()
        if request.method in SAFE_METHODS or not hasattr(self, method):
            return
        if key := once.key_of(request):
            setattr(self, method, partial(once.once, getattr(self, method), key))

    def get_parsers(self) -> list[Any]:
        """JSON; a form too, where files are taken. DRF asks before it has told us which action it is."""
        action = getattr(self, "action", None) or self.action_map.get(self.request.method.lower())
        return [parser() for parser in (BoundedJSONParser, MultiPartParser)[: 1 + (action in self.uploads)]]

    @property
    def actor(self) -> Actor:
        """Who acts; HasMerchant has made sure that somebody does."""
        return access.acting(self.request._request)

    @cached_property
    def wanted(self) -> dict[str, Any]:
        """The list's filters that were given, checked; nothing for other calls."""
        if self.filters is None or self.action != "list":
            return {}
        # As a plain dict: of a form's data DRF takes a missing checkbox for False.
        given = self.filters(data=self.request.query_params.dict())
        given.is_valid(raise_exception=True)
        return dict(given.validated_data)

    @final
    def get_queryset(self) -> Any:
        """The scope's rows, narrowed. The manager is asked here and now: there is no queryset from import time."""
        rows = self.model.objects.all()  # type: ignore[attr-defined]  # a Model subclass with our manager
        narrowed = self.refine(rows)
        if narrowed.model is not self.model:
            raise TypeError(f"{type(self).__name__}.refine must narrow the rows it was given")
        return narrowed

    def get_serializer_context(self) -> dict[str, Any]:
        """With the maker of file addresses, one for the whole answer."""
        context = super().get_serializer_context()
        return context if self.request is None else {**context, "bearers": Bearers(self.request)}

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


def urls() -> list[Any]:
    """Everything that was registered; ``imodel_site.urls`` imports the apps' ``api.py`` first."""
    return [*_single, *router.urls]
