"""Addresses that were signed before die with the decision; flagged things stay within the shop; pages say why."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from accounts.scoping import merchant_scope
from accounts.services import api_keys
from catalog.models import Look
from generation.models import Picture
from imodel_site.lib.signing import media_url
from tests.generation.conftest import House
from tests.moderation.conftest import approve, flag, reject, state_of

VARIANTS = ("full", "display", "large", "medium", "small")
PAPERS = ("sheet", "source", "mask", "skeleton")


def fresh(row: Any) -> Any:
    with merchant_scope(row.merchant_id):
        return type(row).objects.get(pk=row.pk)


def addresses(row: Any, variants: tuple[str, ...], *, bearer: bool) -> list[str]:
    with merchant_scope(row.merchant_id):
        return [media_url(row, variant, bearer=bearer) for variant in variants]


def statuses(client: Client, urls: list[str]) -> set[int]:
    return {client.get(url).status_code for url in urls}


def test_a_picture_is_dead_at_every_address_signed_before(picture: Picture, alice: Client, stella: User) -> None:
    own, bearer = (addresses(picture, VARIANTS, bearer=b) for b in (False, True))
    sheets = addresses(picture.shoot, ("sheet",), bearer=True) + addresses(picture.shoot, ("sheet",), bearer=False)
    assert statuses(alice, own + bearer + sheets) == {200}
    etag = alice.get(own[0])["ETag"]
    reject(picture, stella)
    assert statuses(alice, own + bearer + sheets) == {404}
    assert statuses(Client(), bearer) == {404}
    assert alice.get(own[0], headers={"If-None-Match": etag}).status_code == 404
    assert set(addresses(fresh(picture), VARIANTS, bearer=False)) == {""}
    approve(picture, stella)
    assert statuses(alice, own + bearer + sheets) == {200}


def test_an_upload_takes_its_thumbnails_masks_and_light_tables_along(
    house: House, picture: Picture, alice: Client, stella: User
) -> None:
    asset = house.photo.asset
    with merchant_scope(house.merchant):
        look = Look.objects.get(asset=asset)
    live = [
        *addresses(asset, ("original", "small", "medium", "large"), bearer=True),
        *addresses(look, ("mask-upper", "mask-full", "skeleton"), bearer=True),
        *addresses(picture.shoot, PAPERS, bearer=True),
        *addresses(picture.shoot, PAPERS, bearer=False),
    ]
    assert statuses(alice, live) == {200}
    reject(asset, stella)
    assert statuses(alice, live) == {404}


def test_a_photo_that_was_replaced_still_closes_the_table_it_lies_on(
    house: House, picture: Picture, alice: Client, stella: User
) -> None:
    from tests.generation.conftest import add_photo

    old = house.photo.asset
    with merchant_scope(house.merchant):
        other = add_photo(house.actor, name="Other", sku="O-1")
        type(house.photo).objects.filter(pk=house.photo.pk).update(asset=other.asset)
    live = addresses(picture.shoot, ("source",), bearer=False)
    assert statuses(alice, live) == {200}
    reject(old, stella)
    assert statuses(alice, live) == {404}


def test_what_was_made_from_a_rejected_photo_waits_for_staff(house: House, picture: Picture, stella: User) -> None:
    reject(house.photo.asset, stella)
    assert state_of(picture) == "flagged"


def test_flagged_things_are_for_the_shops_own_people_only(picture: Picture, house: House, alice: Client) -> None:
    urls = addresses(picture, VARIANTS, bearer=True) + addresses(picture.shoot, ("sheet",), bearer=True)
    photos = addresses(house.photo.asset, ("original", "small"), bearer=True)
    flag(picture)
    flag(house.photo.asset)
    assert statuses(Client(), urls + photos) == {404}
    own = addresses(fresh(picture), VARIANTS, bearer=False) + addresses(
        fresh(house.photo.asset), ("small",), bearer=False
    )
    assert statuses(alice, own) == {200}
    assert statuses(Client(), own) == {404}


def test_downloads_and_zips_leave_it_out(house: House, executor: Any, alice: Client, stella: User) -> None:
    from tests.generation.conftest import made

    shoot = made(house, count=2)
    with merchant_scope(house.merchant):
        gone, kept = Picture.objects.filter(shoot=shoot).order_by("index")
    reject(gone, stella)
    for suffix in ("png", "webp", "jpg"):
        assert alice.get(f"/pictures/{gone.pk}/download/{suffix}").status_code == 409
        assert alice.get(f"/pictures/{kept.pk}/download/{suffix}").status_code == 200
    answer = alice.post("/pictures/bulk", {"action": "download", "pictures": [gone.pk, kept.pk]})
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        assert len([name for name in archive.namelist() if name.endswith(".png")]) == 1
        assert archive.read("missing.txt").decode().strip().endswith("-1.png")


def test_pages_show_a_placeholder_the_reason_and_what_to_do(
    house: House, picture: Picture, alice: Client, stella: User
) -> None:
    reject(picture, stella, "rights", "A face from an advertisement.")
    reject(house.photo.asset, stella)
    page = alice.get(f"/pictures/{picture.pk}/").content.decode()
    assert "Somebody else&#x27;s face, brand or photo" in page and "A face from an advertisement." in page
    assert "Ask for a second look" in page and "/media/" not in page and "/replay" not in page
    garment = alice.get(f"/catalog/garments/{house.garment.pk}").content.decode()
    assert "Nudity or sexual content" in garment and "/media/" not in garment
    for address in ("/pictures/", f"/shoots/{picture.shoot_id}/", "/catalog/", "/shoots/", "/shoot/"):
        found = alice.get(address)
        assert found.status_code == 200 and 'src=""' not in found.content.decode(), address
        assert "/media/" not in found.content.decode(), address


def test_the_api_gives_no_address_for_it(house: House, picture: Picture, stella: User) -> None:
    with merchant_scope(house.merchant):
        key = api_keys.make_key(
            merchant=house.merchant, by=house.actor.user, name="k", scope="read", store="", live=True, lifetime=None
        )  # fmt: skip
    client = Client(headers={"Authorization": f"Bearer {key.text}"})
    assert "/media/" in client.get(f"/api/v1/pictures/{picture.pk}").content.decode()
    flag(picture)
    assert "/media/" not in client.get(f"/api/v1/pictures/{picture.pk}").content.decode()
    reject(picture, stella)
    reject(house.photo.asset, stella)
    for address in (f"/pictures/{picture.pk}", "/pictures", f"/photos/{house.photo.pk}", "/photos", "/garments"):
        found = client.get(f"/api/v1{address}")
        assert found.status_code == 200 and "/media/" not in found.content.decode(), address


@pytest.mark.parametrize("status, code", [("suspended", 404), ("closing", 200)])
def test_a_suspended_shops_bearer_addresses_stop(picture: Picture, house: House, status: str, code: int) -> None:
    urls = addresses(picture, ("full",), bearer=True) + addresses(house.photo.asset, ("original",), bearer=True)
    type(house.merchant).objects.filter(pk=house.merchant.pk).update(status=status)
    assert statuses(Client(), urls) == {code}
