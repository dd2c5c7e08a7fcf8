"""Every address and every id in a body, with the other merchant's ids."""

from __future__ import annotations

import uuid

import pytest

from catalog.models import Garment, GarmentPhoto, Persona, Pose, Scene
from catalog.services import assets, garments, importing, libraries, photos
from catalog.services.garments import Details
from catalog.services.importing import Choices
from catalog.traits import Traits
from imodel_site.lib.scope import merchant_scope
from tests.catalog.pictures import jpeg, upload

MISSING = str(uuid.UUID(int=1))


@pytest.fixture
def theirs(cast):
    """One of each of Bazaar's things."""
    with merchant_scope(cast.bazaar.pk):
        garment = garments.create_garment(merchant=cast.bazaar, details=Details("CANARY", sku="CANARY-SKU"))
        photo, _ = photos.add_photo(garment=garment, merchant=cast.bazaar, file=jpeg(1))
        token = importing.keep_file(merchant=cast.bazaar, file=upload(b"name\nCANARY\n", "c.csv", "text/csv"))
        key, name = importing.kept_file(merchant=cast.bazaar, token=token)
        run = importing.start(merchant=cast.bazaar, by=cast.charlie, key=key, name=name, choices=Choices())
        outfit = {"below": "navy trousers", "above": "white shirt"}
        persona = libraries.make_persona(merchant=cast.bazaar, title="CANARY", traits=Traits(), **outfit)
        scene = libraries.make_scene(merchant=cast.bazaar, title="CANARY", place="park", light="", tone="")
        pose = libraries.copy_pose(
            merchant=cast.bazaar, pose=Pose.objects.get(name="front"), title="CANARY", mirrored=True
        )
    return {
        "garment": garment,
        "photo": photo,
        "import": run,
        "token": token,
        "persona": persona,
        "scene": scene,
        "pose": pose,
    }


ROUTES = [
    ("get", "/catalog/garments/{garment}"),
    ("get", "/catalog/garments/{garment}/edit"),
    ("post", "/catalog/garments/{garment}/edit"),
    ("post", "/catalog/garments/{garment}/rename"),
    ("post", "/catalog/garments/{garment}/status"),
    ("get", "/catalog/garments/{garment}/delete"),
    ("post", "/catalog/garments/{garment}/delete"),
    ("post", "/catalog/garments/{garment}/order"),
    ("get", "/catalog/photos/{photo}"),
    ("post", "/catalog/photos/{photo}/view"),
    ("post", "/catalog/photos/{photo}/replace"),
    ("post", "/catalog/photos/{photo}/delete"),
    ("post", "/catalog/photos/{photo}/look"),
    ("get", "/catalog/imports/{import}"),
    ("get", "/catalog/imports/{import}/status"),
    ("get", "/catalog/imports/{import}/problems.csv"),
    ("post", "/catalog/imports/{import}/cancel"),
    ("get", "/catalog/library/personas/{persona}"),
    ("post", "/catalog/library/personas/{persona}"),
    ("get", "/catalog/library/poses/{pose}/copy"),
    ("post", "/catalog/library/poses/{pose}/copy"),
    ("post", "/catalog/library/personas/{persona}/delete"),
    ("post", "/catalog/library/scenes/{scene}/delete"),
    ("post", "/catalog/library/poses/{pose}/delete"),
    ("get", "/api/v1/garments/{garment}"),
    ("patch", "/api/v1/garments/{garment}"),
    ("put", "/api/v1/garments/{garment}"),
    ("delete", "/api/v1/garments/{garment}"),
    ("get", "/api/v1/photos?garment={garment}"),
    ("get", "/api/v1/photos/{photo}"),
    ("get", "/api/v1/photos/{photo}/proposals"),
    ("post", "/api/v1/photos/{photo}/look"),
    ("delete", "/api/v1/photos/{photo}"),
    ("get", "/api/v1/personas/{persona}"),
    ("get", "/api/v1/scenes/{scene}"),
    ("get", "/api/v1/poses/{pose}"),
]


def send(client, method: str, address: str, body: dict | None = None):
    if method == "get":
        return client.get(address)
    if address.startswith("/api/"):
        return getattr(client, method)(address, body or {"name": "Mine now"}, content_type="application/json")
    return getattr(client, method)(address, body or {"name": "Mine now", "status": "archived"})


@pytest.mark.parametrize("method,route", ROUTES)
def test_the_answer_is_that_for_a_missing_one(cast, signed_in, theirs, method, route):
    alice = signed_in("alice")
    alice.get("/catalog/")  # shows, and so uses up, the greeting after signing in
    real = route.format(**{name: getattr(row, "pk", row) for name, row in theirs.items()})
    none = route.format(**dict.fromkeys(theirs, MISSING))
    answers = [send(alice, method, address) for address in (real, none)]
    status = 200 if "?" in route else 404  # a filter that nothing meets is an empty list
    assert [answer.status_code for answer in answers] == [status, status]
    assert b"CANARY" not in answers[0].content
    first, second = (_without_ids(answer.content, (real, none)) for answer in answers)
    assert first == second
    with merchant_scope(cast.bazaar.pk):
        assert Garment.objects.get().name == "CANARY" and GarmentPhoto.objects.count() == 1
        for model in (Persona, Scene, Pose):
            assert model.objects.filter(merchant=cast.bazaar, title="CANARY").count() == 1


def _without_ids(content: bytes, addresses: tuple[str, str]) -> bytes:
    import re

    for address in addresses:
        content = content.replace(address.encode(), b"ADDRESS")
    content = re.sub(rb'(nonce|csrfmiddlewaretoken" value|request_id": ?)="?[^" ]+"?', b"", content)
    return re.sub(rb'"request_id": ?"\w+"|[0-9a-f]{32}|value="[A-Za-z0-9]{64}"|nonce="[^"]+"', b"", content)


@pytest.mark.parametrize("action", ["archive", "activate", "category", "tag", "untag", "delete"])
def test_one_foreign_id_refuses_the_whole_bulk_call(cast, signed_in, theirs, action):
    with merchant_scope(cast.atelier.pk):
        mine = garments.create_garment(merchant=cast.atelier, details=Details("Mine", tags=("old",)))
    for other in (theirs["garment"].pk, MISSING, "no id at all"):
        body = {"action": action, "garment": [mine.pk, other], "to_tag": "old", "to_category": "coat", "sure": "yes"}
        assert signed_in("alice").post("/catalog/bulk", body).status_code == 404
    with merchant_scope(cast.atelier.pk):
        kept = Garment.objects.get()
        assert (kept.status, kept.category, kept.tags.get().name) == ("active", "other", "old")


def test_a_photo_can_not_be_put_on_anothers_garment_nor_into_its_order(cast, signed_in, theirs):
    alice = signed_in("alice")
    body = {"photos": upload(jpeg(9)), "garment": theirs["garment"].pk}
    assert alice.post("/catalog/upload", body).status_code == 404
    body = {"file": upload(jpeg(9)), "garment": theirs["garment"].pk}
    assert alice.post("/api/v1/photos", body).status_code == 404
    with merchant_scope(cast.atelier.pk):
        mine = garments.create_garment(merchant=cast.atelier, details=Details("Mine"))
        photos.add_photo(garment=mine, merchant=cast.atelier, file=jpeg(2))
    for body in ({"photo": [theirs["photo"].pk]}, {"move": theirs["photo"].pk, "by": "1"}):
        assert alice.post(f"/catalog/garments/{mine.pk}/order", body).status_code == 404
    with merchant_scope(cast.bazaar.pk):
        assert GarmentPhoto.objects.count() == 1


def test_a_preview_opens_for_its_own_merchant_only(signed_in, theirs):
    assert signed_in("charlie").get(f"/catalog/import/{theirs['token']}").status_code == 200
    for method, tail in (("get", ""), ("post", "/start")):
        answer = getattr(signed_in("alice"), method)(f"/catalog/import/{theirs['token']}{tail}")
        assert answer.status_code == 404 and b"CANARY" not in answer.content


def test_lists_hold_nothing_of_the_other(cast, signed_in, theirs):
    alice = signed_in("alice")
    for address in ("", "?q=canary", "library", "library/scenes", "library/poses", "import"):
        answer = alice.get(f"/catalog/{address}")
        assert answer.status_code == 200 and b"CANARY" not in answer.content.replace(b"canary", b"")
    for name in ("garments", "photos", "personas", "scenes", "poses"):
        assert b"CANARY" not in alice.get(f"/api/v1/{name}").content


def test_shared_library_items_can_be_copied_but_neither_changed_nor_deleted(signed_in, cast):
    with merchant_scope(cast.atelier.pk):
        persona, pose = Persona.objects.get(name="amelie"), Pose.objects.get(name="front")
    alice = signed_in("alice")
    assert alice.get(f"/catalog/library/personas/{persona.pk}").status_code == 404
    assert alice.post(f"/catalog/library/personas/{persona.pk}/delete").status_code == 404
    assert alice.post(f"/catalog/library/poses/{pose.pk}/delete").status_code == 404
    assert alice.get(f"/catalog/library/poses/{pose.pk}/copy").status_code == 200


def test_a_viewer_looks_and_changes_nothing(cast, signed_in):
    with merchant_scope(cast.atelier.pk):
        garment = garments.create_garment(merchant=cast.atelier, details=Details("Mine"))
        asset, _ = assets.add_asset(merchant=cast.atelier, file=jpeg(1))
    vera = signed_in("vera")
    page = vera.get("/catalog/")
    assert page.status_code == 200 and b"tile-pick" not in page.content and b"dropzone" not in page.content
    assert vera.get(f"/catalog/garments/{garment.pk}").status_code == 200
    for address in ("upload", "bulk", "samples", "import", f"garments/{garment.pk}/rename", "library/poses/new"):
        assert vera.post(f"/catalog/{address}", {"photos": upload(jpeg(3))}).status_code == 403
    assert vera.post("/api/v1/garments", {"name": "x"}, content_type="application/json").status_code == 403
    assert asset.pk
