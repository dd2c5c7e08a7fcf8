"""Garments and photos over REST."""

from __future__ import annotations

from django.test import Client

from accounts.services import api_keys
from catalog.models import Garment, GarmentPhoto
from imodel_site.lib.scope import merchant_scope
from tests.catalog.pictures import jpeg, upload


def program(cast, scope: str = "write") -> Client:
    with merchant_scope(cast.atelier.pk):
        made = api_keys.make_key(
            merchant=cast.atelier, by=cast.alice, name="shop", scope=scope, store="", live=True, lifetime=None
        )
    return Client(headers={"Authorization": f"Bearer {made.text}"})


def test_a_garment_is_made_found_changed_and_deleted(cast):
    shop = program(cast)
    body = {"name": "Dress", "sku": "D1", "category": "dress", "tags": ["Sale"]}
    made = shop.post("/api/v1/garments", body, content_type="application/json")
    assert made.status_code == 201, made.content
    address = f"/api/v1/garments/{made.json()['id']}"
    assert made.json()["tags"] == ["sale"] and made.json()["photos"] == []
    twin = shop.post("/api/v1/garments", body, content_type="application/json")
    assert (twin.status_code, twin.json()["error"]["code"], twin.json()["error"]["field"]) == (409, "sku_taken", "sku")
    changed = shop.patch(address, {"colour": "Red"}, content_type="application/json").json()
    assert (changed["colour"], changed["name"], changed["tags"]) == ("Red", "Dress", ["sale"])
    assert [item["sku"] for item in shop.get("/api/v1/garments?q=red+d1").json()["items"]] == ["D1"]
    assert shop.get("/api/v1/garments?category=coat").json()["items"] == []
    assert shop.get("/api/v1/garments?category=hat").json()["error"]["field"] == "category"
    assert shop.delete(address).status_code == 204 and shop.get(address).status_code == 404


def test_a_photo_goes_up_once_and_its_addresses_open_without_a_login(cast):
    shop = program(cast)
    garment = shop.post("/api/v1/garments", {"name": "Dress"}, content_type="application/json").json()["id"]
    made = shop.post("/api/v1/photos", {"garment": garment, "file": upload(jpeg(1), "x_back.jpg")})
    assert made.status_code == 201 and made.json()["view"] == "back"
    again = shop.post("/api/v1/photos", {"garment": garment, "file": upload(jpeg(1), "x_back.jpg")})
    assert (again.status_code, again.json()["id"]) == (200, made.json()["id"])
    url = made.json()["urls"]["small"].replace("http://testserver", "")
    assert Client().get(url)["Content-Type"] == "image/webp"
    found = shop.get(f"/api/v1/photos/{made.json()['id']}/proposals").json()
    assert (found["status"], found["done"]) == ("queued", False)
    assert shop.post("/api/v1/photos", {"garment": garment}).status_code == 400
    private = {"garment": garment, "url": "https://127.0.0.1/x.jpg"}
    refused = shop.post("/api/v1/photos", private, content_type="application/json")
    assert refused.json()["error"]["code"] == "url_not_public"
    bad = shop.post("/api/v1/photos", {"garment": garment, "file": upload(b"no")})
    assert bad.json()["error"]["code"] == "photo_format_unsupported"
    with merchant_scope(cast.atelier.pk):
        assert GarmentPhoto.objects.count() == 1


def test_a_read_key_reads_and_writes_nothing(cast):
    shop = program(cast, "read")
    assert shop.get("/api/v1/garments").status_code == 200
    assert shop.post("/api/v1/garments", {"name": "x"}, content_type="application/json").status_code == 403
    with merchant_scope(cast.atelier.pk):
        assert not Garment.objects.exists()


def test_the_libraries_can_be_read(cast):
    shop = program(cast)
    for name, one in (("personas", "amelie"), ("scenes", "park"), ("poses", "walking")):
        items = shop.get(f"/api/v1/{name}?page_size=100").json()["items"]
        item = next(item for item in items if item["name"] == one)
        assert item["own"] is False and item["picture"].endswith(f"library/{name}/{one}.webp")
