"""The pages of the shop without scripts, and the same over the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.scoping import merchant_scope, unscoped
from generation.models import Batch, Picture
from selling.models import Publication
from tests.batches.conftest import garments, ids, looks, order, pictures
from tests.batches.test_api import Program
from tests.generation.conftest import House, carry_out_next, made, sign_in
from tests.generation.scripted import Scripted
from tests.selling.conftest import approved, publish, seen

pytestmark = pytest.mark.django_db(transaction=True)
API = "/api/v1/publications"


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.content[:800]
    return answer.content.decode()


def live(found: House) -> list[Publication]:
    with merchant_scope(found.merchant):
        return list(Publication.objects.filter(ended_at=None).order_by("position"))


def test_a_picture_is_approved_and_published_on_its_page_and_taken_out_again(
    alice: Client, house: House, executor: Scripted
) -> None:
    assert "Nothing in the shop yet" in page(alice, "/shop/")
    shoot = made(house, count=1)
    with merchant_scope(house.merchant):
        picture = Picture.objects.get(shoot=shoot)
    shown = page(alice, f"/pictures/{picture.pk}/")
    assert "Approve and publish" in shown
    answer = alice.post("/shop/publish", {"picture": picture.pk, "approve": "1"}, follow=True)
    assert "In the shop, in place 1." in answer.content.decode() and seen(house)
    (row,) = live(house)
    assert "Linen shirt" in page(alice, "/shop/") and f"/p/{house.merchant.pk}/" in page(alice, "/shop/")
    answer = alice.post(f"/shop/publications/{row.pk}/withdraw", follow=True)
    assert "Out of the shop." in answer.content.decode() and seen(house) is None
    answer = alice.post(f"/shop/publications/{row.pk}/roll-back", follow=True)
    assert "The earlier picture is back." in answer.content.decode() and seen(house)
    history = page(alice, f"/shop/garments/{house.garment.pk}/")
    assert f"withdrawn, {house.actor.user.name or house.actor.user.email}" in history


def test_the_page_of_a_garment_offers_what_is_approved_and_what_stood_there_before(
    alice: Client, house: House, executor: Scripted
) -> None:
    first, second = approved(house, 2)
    publish(house, first)
    address = f"/shop/garments/{house.garment.pk}/"
    assert str(second.pk) in page(alice, address) and "Earlier picture" not in page(alice, address)
    alice.post("/shop/publish", {"picture": second.pk, "position": "1", "next": address})
    assert "Earlier picture" in page(alice, address)
    (row,) = live(house)
    assert row.picture_id == second.pk
    alice.post(f"/shop/publications/{row.pk}/roll-back")
    assert live(house)[0].picture_id == first.pk


def test_what_is_refused_is_said_where_the_button_was(alice: Client, house: House, executor: Scripted) -> None:
    (picture,) = approved(house)
    with merchant_scope(house.merchant):
        Picture.objects.filter(pk=picture.pk).update(review="rejected")
    answer = alice.post("/shop/publish", {"picture": picture.pk, "approve": "1"}, follow=True)
    assert "Approve this picture first." in answer.content.decode() and not live(house)


def test_what_is_approved_of_a_batch_goes_in_best_first(alice: Client, house: House, executor: Scripted) -> None:
    batch: Batch = order(house, count=3)
    carry_out_next()
    found = pictures(batch)
    with merchant_scope(house.merchant):
        for picture, (review, verdict) in zip(
            found, (("approved", "check"), ("approved", "good"), ("", "good")), strict=True
        ):
            Picture.objects.filter(pk=picture.pk).update(review=review, verdict=verdict)
    assert "Publish the approved" in page(alice, reverse("generation:batch", args=[batch.pk]))
    for _press in range(2):
        alice.post(f"/shop/batches/{batch.pk}/publish")
    assert [row.picture_id for row in live(house)] == [found[1].pk, found[0].pk]


def test_a_garment_whose_places_are_full_does_not_keep_others_out(
    alice: Client, house: House, executor: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    from selling.services import publishing

    monkeypatch.setattr(publishing, "PLACES", 1)
    batch: Batch = order(house, name="Spring", garments=ids(garments(house, 2)), **looks(2))
    while not all(shoot_ended(batch)):
        carry_out_next()
    with merchant_scope(house.merchant):
        Picture.objects.filter(shoot__batch=batch).update(review="approved")
    answer = alice.post(f"/shop/batches/{batch.pk}/publish", follow=True).content.decode()
    assert "2 pictures are in the shop now." in answer and "2 pictures were left out" in answer
    assert len({row.garment_id for row in live(house)}) == 2


def shoot_ended(batch: Batch) -> list[bool]:
    with merchant_scope(batch.merchant):
        return [shoot.ended for shoot in batch.shoots.all()]


def test_a_viewer_looks_and_another_shop_finds_nothing(
    cast: Any, house: House, neighbour: House, executor: Scripted
) -> None:
    first, second = approved(house, 2)
    row = publish(house, first)
    vera, charlie = sign_in(cast.vera), sign_in(cast.charlie)
    assert "Withdraw" not in page(vera, "/shop/") and "Linen shirt" in page(vera, "/shop/")
    for client, status in ((vera, 403), (charlie, 404)):
        assert client.post("/shop/publish", {"picture": second.pk}).status_code == status
        assert client.post(f"/shop/publications/{row.pk}/withdraw").status_code == status
        assert client.post(f"/shop/publications/{row.pk}/roll-back").status_code == status
    assert charlie.get(f"/shop/garments/{house.garment.pk}/").status_code == 404
    assert "Linen shirt" not in page(charlie, "/shop/") and len(live(house)) == 1


def test_programs_publish_withdraw_and_go_back(house: House, neighbour: House, executor: Scripted) -> None:
    first, second = approved(house, 2)
    mine, theirs, reader = Program(house), Program(neighbour), Program(house, "read")

    def post(program: Program, path: str = "", **body: Any) -> Any:
        return Client().post(API + path, body, content_type="application/json", headers=program.headers)

    assert (
        post(theirs, picture=str(first.pk)).status_code == 404
        and post(reader, picture=str(first.pk)).status_code == 403
    )
    one = post(mine, picture=str(first.pk), position=1)
    assert one.status_code == 201 and one.json()["visible"] and one.json()["sku"] == "LS-1"
    sizes = one.json()["sizes"]
    assert set(sizes) == {"list", "card", "detail"}
    assert Client().get(sizes["detail"]["jpg"].removeprefix("http://testserver")).status_code == 200
    two = post(mine, picture=str(second.pk), position=1).json()
    assert two["sizes"] == sizes  # addresses of the place, not of the picture
    assert post(theirs, f"/{two['id']}/roll-back").status_code == 404
    back = post(mine, f"/{two['id']}/roll-back")
    assert back.status_code == 201 and back.json()["picture"] == str(first.pk)
    refused = post(mine, f"/{two['id']}/roll-back")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "nothing_earlier")
    gone = post(mine, f"/{back.json()['id']}/withdraw").json()
    assert gone["ended_as"] == "withdrawn" and gone["sizes"] is None and not gone["visible"]

    def listed(**query: Any) -> list[str]:
        items = Client().get(API, query, headers=reader.headers).json()["items"]
        return [row["ended_as"] for row in items]

    assert listed() == ["withdrawn", "rolled_back", "replaced"] and listed(standing="true") == []
    assert len(listed(picture=first.pk)) == 2 and Client().get(API, headers=theirs.headers).json()["items"] == []
    with unscoped("test"):
        assert Publication.objects.count() == 3
