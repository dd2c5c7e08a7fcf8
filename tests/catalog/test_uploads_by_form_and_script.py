"""The upload address: many files, each with its own fate; forms and scripts alike."""

from __future__ import annotations

import pytest
from django.test import Client

from catalog.models import Garment, GarmentPhoto, Look
from catalog.services import garments
from catalog.services.garments import Details
from catalog.services.photos import name_of, view_in
from imodel_site.lib.scope import merchant_scope
from tests.catalog.pictures import jpeg, upload

SCRIPT = {"HTTP_X_REQUESTED_WITH": "XMLHttpRequest", "HTTP_ACCEPT": "application/json"}


@pytest.fixture
def alice(signed_in) -> Client:
    return signed_in("alice")


def test_each_file_becomes_a_draft_named_after_it(alice, atelier):
    files = [upload(jpeg(1), "linen-shirt_back.JPG"), upload(jpeg(2), "Wool coat.jpg"), upload(b"no", "x.jpg")]
    answer = alice.post("/catalog/upload", {"photos": files}, follow=True)
    assert answer.redirect_chain == [("/catalog/", 302)]
    assert b"2 photos added." in answer.content and b"This is not a JPEG" in answer.content
    found = {garment.name: garment.photos.get().view for garment in Garment.objects.all()}
    assert found == {"Linen shirt": "back", "Wool coat": "front"}
    assert set(Garment.objects.values_list("status", flat=True)) == {"draft"}


def test_a_script_hears_of_each_file_and_where_to_go(alice, atelier):
    files = [upload(jpeg(1), "a.jpg"), upload(b"no", "b.jpg")]
    answer = alice.post("/catalog/upload", {"photos": files}, **SCRIPT)
    assert answer.status_code == 201
    good, bad = answer.json()["items"]
    assert (bad["name"], bad["error"]["code"]) == ("b.jpg", "photo_format_unsupported")
    status = alice.get(good["status_url"]).json()
    assert (status["status"], status["parts"], status["done"]) == ("queued", [], False)
    assert answer.json()["next"] == "/catalog/"


def test_a_single_bad_file_is_the_answers_error(alice, atelier):
    answer = alice.post("/catalog/upload", {"photos": upload(b"no", "b.jpg")}, **SCRIPT)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["code"], error["retryable"]) == ("photo_format_unsupported", False)
    assert alice.post("/catalog/upload", {}, **SCRIPT).json()["error"]["code"] == "no_file"


def test_a_file_that_is_sent_twice_makes_one_garment(alice, atelier):
    for _ in range(2):
        assert alice.post("/catalog/upload", {"photos": upload(jpeg(1), "a.jpg")}, **SCRIPT).status_code == 201
    assert Garment.objects.count() == GarmentPhoto.objects.count() == Look.objects.count() == 1


def test_25_mb_are_taken_in_and_one_byte_more_is_not_kept(alice, atelier):
    data = jpeg(1)
    large = data + bytes(25 * 2**20 - len(data) + 1)
    files = [upload(large, "large.jpg"), upload(jpeg(2), "b.jpg")]
    items = alice.post("/catalog/upload", {"photos": files}, **SCRIPT).json()["items"]
    assert items[0]["error"]["code"] == "photo_file_too_large" and "photo" in items[1]
    exact = alice.post("/catalog/upload", {"photos": upload(large[:-1], "exact.jpg")}, **SCRIPT)
    assert exact.status_code == 201


def test_more_than_sixty_files_are_refused_whole(alice, atelier):
    files = [upload(jpeg(1), f"{number}.jpg") for number in range(61)]
    assert alice.post("/catalog/upload", {"photos": files}).status_code == 400
    assert not Garment.objects.exists()


def test_a_stranger_may_not_even_send_a_large_body(cast, alice):
    big = {"photos": upload(jpeg(1) + bytes(2 * 2**20))}
    stranger = Client(enforce_csrf_checks=True)
    stranger.get("/account/login/")  # with its CSRF cookie the body is read to look for the token
    assert stranger.post("/catalog/upload", big).status_code == 400
    assert Client(enforce_csrf_checks=True).post("/catalog/upload", {"photos": upload(jpeg(1))}).status_code == 403


def test_photos_are_turned_ordered_replaced_and_deleted(alice, atelier):
    garment = garments.create_garment(merchant=atelier, details=Details("One"))
    for number in range(3):
        body = {"photos": upload(jpeg(number), f"{number}.jpg"), "garment": garment.pk}
        assert alice.post("/catalog/upload", body).status_code == 302
    first, second, third = garment.photos.order_by("position")
    assert [photo.view for photo in (first, second, third)] == ["front", "back", "side"]

    def order() -> list:
        return [photo.pk for photo in garment.photos.order_by("position", "id")]

    alice.post(f"/catalog/garments/{garment.pk}/order", {"photo": [third.pk, first.pk, second.pk]})
    assert order() == [third.pk, first.pk, second.pk]
    alice.post(f"/catalog/garments/{garment.pk}/order", {"move": second.pk, "by": "-1"})
    assert order() == [third.pk, second.pk, first.pk]
    assert alice.post(f"/catalog/garments/{garment.pk}/order", {"photo": [third.pk]}).status_code == 400
    alice.post(f"/catalog/photos/{second.pk}/view", {"view": "detail"})
    assert alice.post(f"/catalog/photos/{second.pk}/view", {"view": "inside"}).status_code == 400
    old = second.asset_id
    alice.post(f"/catalog/photos/{second.pk}/replace", {"photos": upload(jpeg(9))})
    second.refresh_from_db()
    assert second.asset_id != old and second.view == "detail" and not Look.objects.filter(asset=old).exists()
    taken = alice.post(f"/catalog/photos/{second.pk}/replace", {"photos": upload(jpeg(0))}, **SCRIPT)
    assert taken.json()["error"]["code"] == "photo_twice"
    alice.post(f"/catalog/photos/{third.pk}/delete")
    assert order() == [second.pk, first.pk]


def test_renaming_in_place_answers_with_the_name(alice, atelier):
    garment = garments.create_garment(merchant=atelier, details=Details("Old", sku="S1", tags=("a",)))
    answer = alice.post(f"/catalog/garments/{garment.pk}/rename", {"name": "  New\tname "}, **SCRIPT)
    assert answer.json() == {"name": "New name"}
    assert alice.post(f"/catalog/garments/{garment.pk}/rename", {"name": " "}, **SCRIPT).status_code == 422
    garment.refresh_from_db()
    assert (garment.name, garment.sku, garment.search) == ("New name", "S1", "new name s1 a")


def test_a_garment_is_made_changed_and_its_sku_stays_its_own(alice, atelier):
    body = {"name": "Dress", "sku": "D1", "category": "dress", "colour": "Red", "tags": "Summer, , linen,summer"}
    made = alice.post("/catalog/new", {**body, "status": "active"})
    garment = Garment.objects.get()
    assert made["Location"] == f"/catalog/garments/{garment.pk}"
    assert [tag.name for tag in garment.tags.order_by("id")] == ["summer", "linen"]
    other = garments.create_garment(merchant=atelier, details=Details("Other"))
    answer = alice.post(f"/catalog/garments/{other.pk}/edit", {**body, "status": "active"})
    assert answer.status_code == 422 and b"Another garment has the SKU D1" in answer.content
    other.refresh_from_db()
    assert (other.name, other.sku) == ("Other", "")


def test_bulk_actions_change_what_was_chosen_and_deleting_asks_first(alice, atelier):
    one, two, three = (garments.create_garment(merchant=atelier, details=Details(name)) for name in "abc")
    chosen = {"garment": [one.pk, two.pk]}
    alice.post("/catalog/bulk", {**chosen, "action": "archive"})
    alice.post("/catalog/bulk", {**chosen, "action": "tag", "to_tag": "Sale, Autumn"})
    alice.post("/catalog/bulk", {**chosen, "action": "untag", "to_tag": "autumn, unknown"})
    alice.post("/catalog/bulk", {**chosen, "action": "category", "to_category": "coat"})
    one.refresh_from_db()
    three.refresh_from_db()
    assert (one.status, one.category, one.search) == ("archived", "coat", "a sale")
    assert (three.status, three.category, three.tags.count()) == ("active", "other", 0)
    asked = alice.post("/catalog/bulk", {**chosen, "action": "delete"})
    assert asked.status_code == 200 and b"Delete 2 garments?" in asked.content and Garment.objects.count() == 3
    gone = alice.post("/catalog/bulk", {**chosen, "action": "delete", "sure": "yes", "next": "//evil.example/"})
    assert gone["Location"] == "/catalog/" and list(Garment.objects.all()) == [three]


def test_the_samples_come_once_and_whole(alice, cast):
    for _ in range(2):
        assert alice.post("/catalog/samples").status_code == 302
    with merchant_scope(cast.atelier.pk):
        assert (Garment.objects.count(), GarmentPhoto.objects.count()) == (13, 21)  # one garment has photos to learn it
        assert set(Garment.objects.values_list("status", flat=True)) == {"active"}
        assert {photo.asset.height for photo in GarmentPhoto.objects.select_related("asset")} == {1200, 1800}


@pytest.mark.parametrize(
    ("file", "name", "view"),
    [
        ("linen-shirt_back.JPG", "Linen shirt", "back"),
        ("C:\\fakepath\\Rotes Kleid.jpeg", "Rotes Kleid", ""),
        ("红裙 正面.png", "红裙", "front"),
        ("back.jpg", "Back", "back"),
        ("backpack.jpg", "Backpack", ""),
        (".jpg", "New garment", ""),
        ("a\u202ebc\x00.jpg", "A bc", ""),
    ],
)
def test_a_file_name_gives_name_and_side(file, name, view):
    assert (name_of(file), view_in(file)) == (name, view)
