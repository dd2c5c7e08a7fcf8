"""What everybody may have: published pictures, the list of a garment's, and feeds for whoever knows their secret.

Nothing here asks who is there. Each request looks at the rows: what was withdrawn, rejected or deleted a moment ago, or
belongs to a shop that is suspended, answers 404, as what never was. Whoever is between may keep an answer for a minute.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from accounts.models import Merchant
from accounts.scoping import merchant_scope
from catalog.models import Garment
from imodel_site.lib.errors import NotHere
from imodel_site.lib.signing import File
from imodel_site.media import sent
from selling.feeds.formats import FORMATS as FEEDS
from selling.feeds.formats import item_json
from selling.feeds.items import items, some
from selling.models import Publication, Storefront
from selling.sizes import FORMATS, SIZES

KEPT = 60  # seconds; what is withdrawn is gone everywhere after it
SKUS = 50
View = Callable[..., HttpResponseBase]


def public(view: View) -> View:
    """GET and HEAD for everybody, from scripts of any site; what is not there may be kept as long as what is."""

    @csrf_exempt
    @require_safe
    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response = view(request, *args, **kwargs)
        except NotHere:
            response = HttpResponse("Not here.\n", status=404, content_type="text/plain")
        response["Cache-Control"] = f"public, max-age={KEPT}"
        response["Access-Control-Allow-Origin"] = "*"
        response["Cross-Origin-Resource-Policy"] = "cross-origin"
        response["X-Content-Type-Options"] = "nosniff"
        return response

    return inner


def _open_shop(shop_id: UUID) -> None:
    if not Merchant.objects.filter(pk=shop_id).exclude(status=Merchant.Status.SUSPENDED).exists():
        raise NotHere


@public
def picture(
    request: HttpRequest, shop_id: UUID, garment_id: UUID, position: int, size: str, suffix: str
) -> HttpResponseBase:
    """One size of what stands in this place now."""
    if size not in SIZES or suffix not in FORMATS:
        raise NotHere
    _open_shop(shop_id)
    with merchant_scope(shop_id):
        rows = Publication.objects.select_related("picture").filter(garment_id=garment_id, position=position)
        found = rows.filter(ended_at=None).first()
        file = found.files.get(f"{size}.{suffix}") if found is not None and found.visible else None
    if file is None:
        raise NotHere
    etag = f'"{file["sha256"][:32]}"'
    name = f"{garment_id.hex[-8:]}-{position}-{size}.{suffix}"
    response = sent(request, File(file["key"], FORMATS[suffix][1], name), etag)
    response["Content-Type"] = FORMATS[suffix][1]
    response["ETag"] = etag
    return response


@public
def pictures_json(request: HttpRequest, shop_id: UUID) -> HttpResponseBase:
    """What stands in the shop of some garments: ``?sku=`` or ``?garment=``, each as often as one likes (50)."""
    _open_shop(shop_id)
    skus, ids = _skus(request.GET.getlist("sku")), [_id(text) for text in request.GET.getlist("garment")[:SKUS]]
    with merchant_scope(shop_id):
        wanted = Garment.objects.filter(pk__in=ids) | Garment.objects.filter(sku__in=skus)
        garments = list(wanted.order_by("id").values_list("pk", flat=True)[: 2 * SKUS])
        storefront = Storefront.objects.first()
        language = str(storefront.language if storefront else Storefront.Language.ENGLISH)
        found = some(language, garments=garments)
    return JsonResponse({"items": [item_json(item) for item in found]}, json_dumps_params={"ensure_ascii": False})


def _skus(asked: list[str]) -> list[str]:
    """Those that a garment can have: no database stores a NUL, and PostgreSQL does not even look for one."""
    return [sku for sku in asked[:SKUS] if sku and "\0" not in sku]


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotHere from None


@csrf_exempt
@require_safe
def feed(request: HttpRequest, shop_id: UUID, token: str, feed_name: str) -> HttpResponseBase:
    """A whole feed, written while it is sent. A wrong secret answers as a shop that does not exist.

    Raises:
        NotHere: either of them.
    """
    _open_shop(shop_id)
    with merchant_scope(shop_id):
        found: Storefront | None = Storefront.objects.first()
    if feed_name not in FEEDS or found is None or not constant_time_compare(found.feed_token, token):
        raise NotHere
    return feed_response(found, feed_name)


def feed_response(storefront: Storefront, name: str) -> StreamingHttpResponse:
    """The feed of that name; nobody keeps it, and no search engine lists it."""
    format_ = FEEDS[name]
    body = format_.write(items(storefront.merchant_id, storefront.language))
    response = StreamingHttpResponse(body, content_type=format_.content_type)
    response["Content-Disposition"] = f'inline; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    response["X-Robots-Tag"] = "noindex"
    response["X-Content-Type-Options"] = "nosniff"
    return response
