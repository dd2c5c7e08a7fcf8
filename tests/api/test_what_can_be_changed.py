"""What a program may change: orders, pictures, its own presets, photos."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.scoping import merchant_scope, unscoped
from accounts.services import credits
from catalog.models import Asset, Persona, Pose, Scene
from generation.models import Picture, Shoot
from imodel_site.lib import storage
from tests.api.conftest import Program, count, error_of
from tests.api.stocked import stock
from tests.generation.conftest import House, first_of, png

pytestmark = pytest.mark.django_db


@pytest.fixture
def stocked(house: House) -> dict[str, list[str]]:
    return stock(house)


def test_a_dry_run_tells_price_and_plan_and_changes_nothing(shop: Program, house: House) -> None:
    order = {"photo": str(house.photo.pk), "count": 4, "best_of": 2, "crop": "knee-up", "dry_run": True}
    answer = shop.post("shoots", order)
    told = answer.json()
    assert (answer.status_code, told["price"], told["affordable"]) == (200, 8, True)
    plan = told["plan"]
    assert (plan["pictures"], plan["best_of"], plan["crop"]) == (4, 2, "knee-up")
    assert plan["garment"] == "Linen shirt" and plan["persona"]["id"] == str(first_of(Persona).pk)
    assert plan["pose"] is None and plan["steps"] > 0 and plan["estimated_seconds"] is None
    assert count(Shoot) == 0
    with merchant_scope(house.merchant):
        assert credits.balance(house.merchant) == told["balance"]


def test_the_price_of_a_dry_run_is_the_price_of_the_order(shop: Program, house: House) -> None:
    order = {"photo": str(house.photo.pk), "count": 3}
    assert shop.post("shoots", {**order, "dry_run": True}).json()["price"] == shop.post("shoots", order).json()["price"]


@pytest.mark.parametrize(
    "more, status, field",
    [
        ({"count": 9}, 400, "count"),
        ({"kind": "pose"}, 400, "pose"),
        ({"photo": "01a20613-63fd-7cbb-8c10-9d288b061a4a"}, 404, "photo"),
    ],
)
def test_a_dry_run_refuses_what_an_order_would(
    more: dict[str, Any], status: int, field: str | None, shop: Program, house: House
) -> None:
    answer = shop.post("shoots", {"photo": str(house.photo.pk), "dry_run": True, **more})
    assert (answer.status_code, error_of(answer)["field"]) == (status, field)


def test_neither_a_dry_run_nor_an_order_takes_a_rejected_photo(shop: Program, house: House) -> None:
    with unscoped("test"):
        Asset.objects.update(moderation="rejected")
    for more in ({"dry_run": True}, {}):
        answer = shop.post("shoots", {"photo": str(house.photo.pk), **more})
        assert (answer.status_code, error_of(answer)["code"]) == (409, "photo_rejected")


def test_what_can_not_be_paid_is_402_and_leaves_nothing_behind(shop: Program, house: House) -> None:
    with merchant_scope(house.merchant):
        left = credits.account(house.merchant.pk).available
        credits.grant(merchant_id=house.merchant.pk, amount=1 - left, by=None, note="test")
    order = {"photo": str(house.photo.pk), "count": 2}
    assert shop.post("shoots", {**order, "dry_run": True}).json()["affordable"] is False
    answer = shop.post("shoots", order, once="order-1")
    assert (answer.status_code, error_of(answer)["code"]) == (402, "credits_short")
    assert count(Shoot) == 0
    assert shop.post("shoots", {**order, "count": 1}, once="order-1").status_code == 202, "the key stayed free"


def test_a_failed_shoot_is_retried_and_any_is_repeated(shop: Program, stocked: Any) -> None:
    queued, failed, done = stocked["shoots"]
    again = shop.post(f"shoots/{done}/again")
    assert again.status_code == 202 and again.json()["made_as"] == "again" and again.json()["id"] not in (queued, done)
    assert again["Location"] == f"/api/v1/shoots/{again.json()['id']}"
    retried = shop.post(f"shoots/{failed}/retry")
    assert (retried.status_code, retried.json()["status"]) == (202, "queued")
    assert error_of(shop.post(f"shoots/{done}/retry"))["code"] == "not_retryable"


def test_a_picture_is_varied_and_replayed(shop: Program, stocked: Any) -> None:
    picture = stocked["pictures"][0]
    near = shop.post(f"pictures/{picture}/vary", {}).json()
    other = shop.post(f"pictures/{picture}/vary", {"persona": stocked["personas"][0]}).json()
    same = shop.post(f"pictures/{picture}/replay").json()
    assert [shoot["count"] for shoot in (near, other, same)] == [4, 1, 1]
    assert [shoot["made_as"] for shoot in (near, other, same)] == ["vary", "vary", "replay"]
    assert other["persona"] == stocked["personas"][0]
    with unscoped("test"):
        Picture.objects.update(moderation="rejected")
    for path in ("vary", "replay"):
        assert error_of(shop.post(f"pictures/{picture}/{path}", {}))["code"] == "picture_rejected"


def test_a_picture_is_judged_tagged_binned_and_taken_back(shop: Program, stocked: Any) -> None:
    address = f"pictures/{stocked['pictures'][0]}"
    wanted = {"favourite": True, "review": "approved", "tags": ["new", " front "]}
    told = shop("patch", address, wanted).json()
    assert (told["favourite"], told["review"], told["tags"]) == (True, "approved", ["front", "new"])
    told = shop("patch", address, {"tags": []}).json()
    assert (told["favourite"], told["review"], told["tags"]) == (True, "approved", [])
    assert shop("delete", address).status_code == 204
    assert len(shop.get("pictures").json()["items"]) == 2
    assert shop.post(f"{address}/restore").json()["deleted_at"] is None
    assert len(shop.get("pictures").json()["items"]) == 3


@pytest.mark.parametrize("body", [{"tags": ["x" * 41]}, {"review": "fine"}, {"favourite": 1}, {"tags": ["x"] * 21}])
def test_half_a_change_is_none(body: dict[str, Any], shop: Program, stocked: Any) -> None:
    address = f"pictures/{stocked['pictures'][0]}"
    assert shop("patch", address, {"favourite": True, "review": "approved", **body}).status_code == 400
    assert shop.get(address).json()["review"] == ""


def test_own_presets_are_made_changed_and_deleted(shop: Program) -> None:
    made = shop.post("personas", {"title": "Mira", "hair": "bob"}).json()
    assert made["own"] and "bob" in made["words"]
    changed = shop("patch", f"personas/{made['id']}", {"hair": "bun"}).json()
    assert changed["title"] == "Mira" and "bun" in changed["words"]
    scene = shop.post("scenes", {"title": "Dusk", "place": "park"}).json()
    told = shop("patch", f"scenes/{scene['id']}", {"place": "beach", "light": "golden hour"}).json()
    assert told["words"] == "beach, golden hour" and told["title"] == "Dusk"
    assert shop("patch", f"scenes/{scene['id']}", {"title": "Dawn"}).json()["words"] == "beach, golden hour"
    pose = shop.post("poses", {"title": "Mine", "copy_of": str(first_of(Pose).pk), "mirrored": True}).json()
    assert pose["ready"] and shop("patch", f"poses/{pose['id']}", {"title": "Ours"}).json()["title"] == "Ours"
    for name, row in (("personas", made), ("scenes", scene), ("poses", pose)):
        assert shop("delete", f"{name}/{row['id']}").status_code == 204
        assert shop.get(f"{name}/{row['id']}").status_code == 404


@pytest.mark.parametrize("name, model", [("personas", Persona), ("scenes", Scene), ("poses", Pose)])
def test_shared_presets_stay_as_they_are(name: str, model: Any, shop: Program) -> None:
    shared = first_of(model)
    assert shop("patch", f"{name}/{shared.pk}", {"title": "Mine"}).status_code == 404
    assert shop("delete", f"{name}/{shared.pk}").status_code == 404
    assert shop.get(f"{name}/{shared.pk}").status_code == 200


def test_a_pose_from_a_photo_waits_until_it_was_looked_at(shop: Program) -> None:
    client = Client(headers={"Authorization": f"Bearer {shop.key}"})
    file = SimpleUploadedFile("walk.png", png((1, 2, 3)), "image/png")
    made = client.post("/api/v1/poses", {"title": "Walk", "file": file})
    assert (made.status_code, made.json()["ready"]) == (201, False)
    broken = client.post("/api/v1/poses", {"title": "Walk", "file": SimpleUploadedFile("walk.png", b"no")})
    assert (broken.status_code, error_of(broken)["field"]) == (400, "file")
    assert error_of(shop.post("poses", {"title": "Walk"}))["field"] == "file"


def test_a_full_disk_is_ours_and_can_be_tried_again(
    shop: Program, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from studio.errors import StorageError

    def full(*_: Any) -> None:
        raise StorageError("disk_full", "No room.", retryable=True)

    monkeypatch.setattr(storage, "put", full)
    client = Client(headers={"Authorization": f"Bearer {shop.key}"})
    file = SimpleUploadedFile("coat.png", png((1, 2, 3)), "image/png")
    answer = client.post("/api/v1/photos", {"garment": str(house.garment.pk), "file": file})
    assert (answer.status_code, error_of(answer)["code"], error_of(answer)["retryable"]) == (503, "disk_full", True)


def test_a_photo_is_turned_to_another_side(shop: Program, house: House) -> None:
    address = f"photos/{house.photo.pk}"
    assert shop("patch", address, {"view": "back"}).json()["view"] == "back"
    assert error_of(shop("patch", address, {"view": "top"}))["field"] == "view"


def test_ids_of_another_shop_are_as_missing_as_none(shop: Program, house: House, neighbour: House) -> None:
    theirs = stock(neighbour)
    mine = {"photo": str(house.photo.pk)}
    for more in (
        {"photo": theirs["photos"][0]},
        *({name: theirs[f"{name}s"][0]} for name in ("persona", "scene", "pose")),
    ):
        for dry in (True, False):
            answer = shop.post("shoots", {**mine, **more, "dry_run": dry})
            assert (answer.status_code, error_of(answer)["field"]) == (404, *more), more
    assert shop.post("poses", {"title": "x", "copy_of": theirs["poses"][0]}).status_code == 404
    for path in (
        "shoots/{shoots}/retry",
        "shoots/{shoots}/again",
        "pictures/{pictures}/vary",
        "pictures/{pictures}/restore",
    ):
        address = path.format(**{name: found[0] for name, found in theirs.items()})
        assert shop.post(address, {}).status_code == 404, path
    for name in ("personas", "scenes", "poses", "pictures", "photos"):
        assert shop("patch", f"{name}/{theirs[name][0]}", {"title": "x"}).status_code == 404
        assert shop("delete", f"{name}/{theirs[name][0]}").status_code == 404
