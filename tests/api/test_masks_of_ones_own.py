"""A shop's program marks the garment with a mask of its own."""

from __future__ import annotations

import hashlib
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from accounts.scoping import unscoped
from catalog.models import Asset, GarmentMask
from tests.api.conftest import Program, error_of
from tests.generation.conftest import House, mask_png, png


def put(shop: Program, house: House, data: bytes = b"", *, once: str = "", **fields: str) -> Any:
    headers = {"Authorization": f"Bearer {shop.key}", **({"Idempotency-Key": once} if once else {})}
    file = SimpleUploadedFile("mask.png", data or mask_png(), "image/png")
    body = encode_multipart(BOUNDARY, {"file": file, **fields})
    address = f"/api/v1/photos/{house.photo.pk}/mask"
    return Client(headers=headers).put(address, body, content_type=MULTIPART_CONTENT)


def test_put_look_order_and_delete(shop: Program, house: House) -> None:
    address = f"photos/{house.photo.pk}/mask"
    assert shop.get(address).status_code == 404
    made = put(shop, house)
    assert made.status_code == 200 and shop.get(address).json() == made.json()
    said = made.json()
    assert (said["width"], said["height"]) == (64, 96)
    file = Client().get(said["url"].replace("http://testserver", ""))
    assert hashlib.sha256(b"".join(file.streaming_content)).hexdigest() == said["sha256"]
    shoot = shop.post("shoots", {"photo": str(house.photo.pk), "part": "own"})
    assert shoot.status_code == 202
    assert shop("delete", address).status_code == 204 and shop("delete", address).status_code == 204
    refused = shop.post("shoots", {"photo": str(house.photo.pk), "part": "own"})
    assert (refused.status_code, error_of(refused)["code"], error_of(refused)["field"]) == (
        400,
        "own_mask_missing",
        "part",
    )


def test_it_is_replaced_unless_another_one_was_meant(shop: Program, house: House) -> None:
    first = put(shop, house).json()["sha256"]
    assert put(shop, house, base="").status_code == 200, "the same mask again is no other one"
    whole = png((255, 255, 255))
    refused = put(shop, house, whole, base="")
    assert (refused.status_code, error_of(refused)["code"]) == (409, "mask_changed")
    assert put(shop, house, whole, base=first).status_code == put(shop, house).status_code == 200


def test_the_same_key_marks_once_and_another_mask_under_it_is_refused(shop: Program, house: House) -> None:
    first, second = put(shop, house, once="m-1"), put(shop, house, once="m-1")
    assert second["Idempotent-Replayed"] == "true" and first.json()["saved_at"] == second.json()["saved_at"]
    assert put(shop, house, png(), once="m-1").status_code == 422


def test_what_is_no_mask_names_the_field(shop: Program, house: House) -> None:
    for data, code in ((png(size=(96, 64)), "mask_wrong_size"), (b"GIF89a" * 9, "mask_format_unsupported")):
        refused = put(shop, house, data)
        assert (refused.status_code, error_of(refused)["code"], error_of(refused)["field"]) == (400, code, "file")
    assert error_of(shop("put", f"photos/{house.photo.pk}/mask", {}))["field"] == "file"


def test_another_shops_photo_is_as_missing_as_none(shop: Program, house: House, neighbour: House) -> None:
    assert put(shop, neighbour).status_code == 404
    for method in ("get", "delete"):
        assert shop(method, f"photos/{neighbour.photo.pk}/mask").status_code == 404
    with unscoped("test"):
        assert not GarmentMask.objects.exists()


def test_a_photo_that_waits_for_staff_shows_no_mask_to_programs(shop: Program, house: House) -> None:
    put(shop, house)
    with unscoped("test"):
        Asset.objects.update(moderation="flagged")
    assert shop.get(f"photos/{house.photo.pk}/mask").json()["url"] is None
