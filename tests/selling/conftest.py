"""A shop with approved pictures."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.scoping import merchant_scope
from accounts.services import credits
from generation import services as generation
from generation.models import Picture
from imodel_site.lib import storage
from selling import services
from selling.models import Publication
from tests.generation.conftest import (  # noqa: F401  fixtures
    House,
    add_photo,
    alice,
    executor,
    house,
    library,
    made,
    neighbour,
)


@pytest.fixture(autouse=True)
def rich(request: Any) -> None:
    """Enough credits."""
    cast = request.getfixturevalue("cast")
    for merchant in (cast.atelier, cast.bazaar):
        credits.account(merchant.pk)
        credits.grant(merchant_id=merchant.pk, amount=5000, by=None, note="test")


def approved(found: House, count: int = 1) -> list[Picture]:
    """So many approved pictures of the house's garment, oldest index first."""
    shoot = made(found, count=count)
    with merchant_scope(found.merchant):
        pictures = list(Picture.objects.filter(shoot=shoot).order_by("index"))
        generation.review_pictures(actor=found.actor, pictures=pictures, review="approved")
        return list(Picture.objects.filter(shoot=shoot).select_related("garment").order_by("index"))


def publish(found: House, picture: Picture, position: int | None = None) -> Publication:
    """As a merchant does."""
    with merchant_scope(found.merchant):
        fresh = Picture.objects.select_related("garment").get(pk=picture.pk)
        return services.publish(actor=found.actor, picture=fresh, position=position)


def address(found: House, position: int = 1, name: str = "card.webp") -> str:
    """Where a stranger asks."""
    return f"/p/{found.merchant.pk}/{found.garment.pk}/{position}/{name}"


def seen(found: House, position: int = 1, name: str = "card.webp") -> bytes | None:
    """What a stranger gets; None for 404."""
    answer = Client().get(address(found, position, name))
    assert answer.status_code in (200, 404), answer.content[:300]
    return b"".join(answer.streaming_content) if answer.status_code == 200 else None


def published_files(found: House) -> list[str]:
    """Keys of the public files in storage."""
    return sorted(file.key for file in storage.private().listed(f"m/{found.merchant.pk}/published/"))
