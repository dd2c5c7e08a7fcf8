"""Addresses that stay: of a picture in its place, and of a shop's feeds."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from selling.models import Publication, Storefront
from selling.sizes import FORMATS, SIZES


def picture_url(publication: Publication, size: str, suffix: str, *, version: bool = False) -> str:
    """Where one size of whatever stands in this place is; it stays the same when another picture comes.

    Args:
        version: with an end that changes with the picture, for readers that fetch an address once and never again.
    """
    place = [publication.merchant_id, publication.garment_id, publication.position, size, suffix]
    end = f"?v={publication.pk.hex[-12:]}" if version else ""
    return settings.SITE_URL + reverse("selling:picture", args=place) + end


def sizes_of(publication: Publication, *, version: bool = False) -> dict[str, dict[str, Any]]:
    """By size: width, height, and an address for each format."""
    found: dict[str, dict[str, Any]] = {}
    for size in SIZES:
        file = publication.files.get(f"{size}.jpg")
        if file is not None:
            urls = {suffix: picture_url(publication, size, suffix, version=version) for suffix in FORMATS}
            found[size] = {"width": file["width"], "height": file["height"], **urls}
    return found


def feed_url(storefront: Storefront, name: str) -> str:
    """The secret address of a feed."""
    return settings.SITE_URL + reverse("selling:feed", args=[storefront.merchant_id, storefront.feed_token, name])


def pictures_url(merchant_id: UUID) -> str:
    """Where a product page asks for a garment's pictures."""
    return settings.SITE_URL + reverse("selling:pictures_json", args=[merchant_id])
