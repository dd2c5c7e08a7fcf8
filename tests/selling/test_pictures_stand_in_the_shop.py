"""A published picture is everybody's at an address that stays, in three sizes, labelled; gone as soon as it must be."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from PIL import Image

from accounts.models import Merchant, WebhookEvent
from accounts.scoping import merchant_scope, unscoped
from catalog.services.garments import delete_garments
from generation import services as generation
from generation.models import Picture
from imodel_site.lib import storage
from imodel_site.lib.collecting import collect
from imodel_site.lib.errors import Refused
from selling import services
from selling.models import Publication
from studio.provenance import SourceType, label, read_labels
from tests.generation.conftest import House
from tests.generation.scripted import Scripted
from tests.selling.conftest import address, approved, publish, published_files, seen

pytestmark = pytest.mark.django_db(transaction=True)


def code_of(call: Any) -> str:
    with pytest.raises(Refused) as refused:
        call()
    return refused.value.code


def change(found: House, picture: Picture, **columns: Any) -> None:
    with merchant_scope(found.merchant):
        Picture.objects.filter(pk=picture.pk).update(**columns)


def large(found: House, picture: Picture, width: int = 1000) -> None:
    """Give a picture a labelled full file of that width, as the executor writes one."""
    image = Image.radial_gradient("L").resize((width, width * 3 // 2)).convert("RGB")
    data = label(image, format="png", composite=True, producer="iModel studio", content_id="x")
    storage.put(picture.files["full"]["key"], data)


def events(found: House) -> list[tuple[str, Any]]:
    with merchant_scope(found.merchant):
        rows = WebhookEvent.objects.filter(type__startswith="publication.").order_by("id")
        return [(row.type, row.payload) for row in rows]


def test_three_sizes_in_two_formats_never_enlarged_and_labelled_as_the_picture(
    house: House, executor: Scripted
) -> None:
    (picture,) = approved(house)
    large(house, picture)
    publish(house, picture)
    widths = {"list": 400, "card": 800, "detail": 1000}
    for size, width in widths.items():
        for suffix, kind in (("webp", "WEBP"), ("jpg", "JPEG")):
            data = seen(house, 1, f"{size}.{suffix}")
            assert data is not None
            with Image.open(io.BytesIO(data)) as image:
                assert (image.format, image.size) == (kind, (width, width * 3 // 2))
            found = read_labels(data)
            assert found.source_type is SourceType.COMPOSITE and found.aigc is not None and found.aigc.label == "1"
    assert len(published_files(house)) == 6


def test_the_answer_may_be_kept_for_a_minute_by_anybody_and_says_nothing_of_who_asked(
    house: House, executor: Scripted, alice: Client
) -> None:
    publish(house, approved(house)[0])
    for client in (Client(), alice):
        answer = client.get(address(house))
        assert answer["Cache-Control"] == "public, max-age=60" and answer["Access-Control-Allow-Origin"] == "*"
        assert answer["Cross-Origin-Resource-Policy"] == "cross-origin" and answer["Content-Type"] == "image/webp"
        assert not answer.cookies and not {"Vary", "Content-Language", "X-Account"} & set(answer.headers)
        again = client.get(address(house), headers={"If-None-Match": answer["ETag"]})
        assert again.status_code == 304 and again["Cache-Control"] == "public, max-age=60"
    missing = Client().get(address(house, 2))
    assert missing.status_code == 404 and missing["Cache-Control"] == "public, max-age=60"
    assert Client().post(address(house)).status_code == 405


def test_another_picture_in_the_place_has_the_same_address_and_a_roll_back_brings_the_first_again(
    house: House, executor: Scripted
) -> None:
    first, second = approved(house, 2)
    publish(house, first, 1)
    one = seen(house)
    made = publish(house, second, 1)
    two = seen(house)
    assert one and two and one != two and len(published_files(house)) == 6
    with merchant_scope(house.merchant):
        services.roll_back(actor=house.actor, garment=house.garment, position=1)
    assert seen(house) == one
    with merchant_scope(house.merchant):
        rows = list(Publication.objects.order_by("id"))
        assert [row.picture_id for row in rows] == [first.pk, second.pk, first.pk]
        assert [row.ended_as for row in rows] == ["replaced", "rolled_back", ""] and rows[1].pk == made.pk
        assert {row.published_by_id for row in rows} == {house.actor.user.pk} and rows[0].files == {}
        again = lambda: services.roll_back(actor=house.actor, garment=house.garment, position=1)  # noqa: E731
        assert code_of(again) == "nothing_earlier"


def test_a_roll_back_goes_further_back_and_passes_over_what_may_not_be_shown(house: House, executor: Scripted) -> None:
    pictures = approved(house, 4)
    shown = []
    for picture in pictures:
        publish(house, picture, 1)
        shown.append(seen(house))
    change(house, pictures[1], moderation="rejected")

    def back() -> bytes | None:
        with merchant_scope(house.merchant):
            services.roll_back(actor=house.actor, garment=house.garment, position=1)
        return seen(house)

    assert [back(), back()] == [shown[2], shown[0]]


def test_withdrawn_is_gone_at_once_and_can_be_put_back(house: House, executor: Scripted) -> None:
    made = publish(house, approved(house)[0])
    before = seen(house)
    with merchant_scope(house.merchant):
        services.withdraw(actor=house.actor, publication=made)
        services.withdraw(actor=house.actor, publication=made)
    assert seen(house) is None and published_files(house) == []
    with merchant_scope(house.merchant):
        services.roll_back(actor=house.actor, garment=house.garment, position=1)
    assert seen(house) == before


@pytest.mark.parametrize(
    "columns",
    [
        {"review": "rejected"},
        {"moderation": "rejected"},
        {"moderation": "flagged"},
        {"deleted_at": timezone.now()},
    ],
    ids=lambda columns: "-".join(map(str, columns)),
)
def test_what_is_rejected_or_binned_is_gone_with_the_next_request(
    house: House, executor: Scripted, columns: dict[str, Any]
) -> None:
    (picture,) = approved(house)
    publish(house, picture)
    etag = Client().get(address(house))["ETag"]
    change(house, picture, **columns)
    assert seen(house) is None
    assert Client().get(address(house), headers={"If-None-Match": etag}).status_code == 404
    assert Client().get(f"/p/{house.merchant.pk}/pictures.json", {"sku": "LS-1"}).json() == {"items": []}
    assert services.end_gone() == (0 if columns == {"moderation": "flagged"} else 1)
    assert services.end_gone() == 0 and bool(published_files(house)) == (columns == {"moderation": "flagged"})


def test_a_purged_picture_leaves_no_public_file(house: House, executor: Scripted) -> None:
    (picture,) = approved(house)
    publish(house, picture)
    change(house, picture, deleted_at=timezone.now() - timedelta(days=31))
    assert generation.purge_deleted() == 1 and seen(house) is None
    assert services.end_gone() == 1 and published_files(house) == []
    with merchant_scope(house.merchant):
        row = Publication.objects.get()
        assert (row.picture_id, row.ended_as) == (None, "removed")
    assert [type_ for type_, _data in events(house)] == ["publication.published", "publication.withdrawn"]


def test_a_suspended_shop_shows_nothing_and_a_deleted_garment_neither(house: House, executor: Scripted) -> None:
    publish(house, approved(house)[0])
    assert seen(house)
    Merchant.objects.filter(pk=house.merchant.pk).update(status="suspended")
    assert seen(house) is None and Client().get(f"/p/{house.merchant.pk}/pictures.json").status_code == 404
    Merchant.objects.filter(pk=house.merchant.pk).update(status="active")
    assert seen(house)
    with merchant_scope(house.merchant):
        delete_garments(garments=[house.garment])
    assert seen(house) is None
    assert len(published_files(house)) == 6
    collect(now=timezone.now() + timedelta(days=2), delete_them=True)
    assert published_files(house) == []


def test_the_collector_leaves_what_stands_in_the_shop(house: House, executor: Scripted) -> None:
    publish(house, approved(house)[0])
    collect(now=timezone.now() + timedelta(days=2), delete_them=True)
    assert seen(house) and len(published_files(house)) == 6


def test_nothing_unpublished_is_to_be_guessed(house: House, neighbour: House, executor: Scripted) -> None:
    publish(house, approved(house)[0])
    theirs = approved(neighbour)[0]
    shop, garment = house.merchant.pk, house.garment.pk
    for path in (
        f"/p/{neighbour.merchant.pk}/{neighbour.garment.pk}/1/card.webp",  # theirs is approved, and not published
        f"/p/{neighbour.merchant.pk}/{garment}/1/card.webp",  # this garment under another shop
        f"/p/{shop}/{neighbour.garment.pk}/1/card.webp",
        f"/p/{shop}/{garment}/2/card.webp",
        f"/p/{shop}/{garment}/1/full.png",
        f"/p/{shop}/{garment}/1/card.png",
        f"/p/{shop}/{theirs.pk}/1/card.webp",
    ):
        answer = Client().get(path)
        assert (answer.status_code, answer.content) == (404, b"Not here.\n"), path


def test_only_approved_pictures_go_in_and_twice_is_once(house: House, executor: Scripted) -> None:
    first, second = approved(house, 2)
    change(house, second, review="")
    assert code_of(lambda: publish(house, second)) == "not_approved"
    for columns, code in (
        ({"deleted_at": timezone.now()}, "picture_in_bin"),
        ({"deleted_at": None, "moderation": "flagged"}, "picture_held_back"),
        ({"moderation": "rejected"}, "picture_rejected"),
        ({"moderation": "clear", "garment": None}, "garment_missing"),
    ):
        change(house, second, **columns)
        assert code_of(lambda: publish(house, second)) == code
    assert code_of(lambda: publish(house, first, 21)) == "position_out_of_range"
    made = publish(house, first)
    assert publish(house, first).pk == made.pk and publish(house, first, 1).pk == made.pk
    assert code_of(lambda: publish(house, first, 2)) == "already_published"
    assert len(published_files(house)) == 6


def test_places_are_taken_one_after_the_other_and_run_out(house: House, executor: Scripted, monkeypatch: Any) -> None:
    monkeypatch.setattr("selling.services.publishing.PLACES", 2)
    first, second, third = approved(house, 3)
    assert [publish(house, picture).position for picture in (first, second)] == [1, 2]
    assert code_of(lambda: publish(house, third)) == "places_full" and len(published_files(house)) == 12
    assert publish(house, third, 2).position == 2


def test_programs_are_told_with_addresses_that_stay(house: House, executor: Scripted) -> None:
    made = publish(house, approved(house)[0])
    with merchant_scope(house.merchant):
        services.withdraw(actor=house.actor, publication=made)
    (told, first), (ended, last) = events(house)
    assert (told, ended) == ("publication.published", "publication.withdrawn")
    assert first["sku"] == "LS-1" and first["urls"]["card"]["webp"] == "http://testserver" + address(house)
    assert last["id"] == first["id"] and last["reason"] == "withdrawn"


def test_files_that_could_not_all_be_stored_leave_nothing(house: House, executor: Scripted, monkeypatch: Any) -> None:
    from studio.errors import StorageError

    (picture,) = approved(house)
    put, count = storage.put, []

    def full(key: str, data: bytes) -> str:
        count.append(key)
        if len(count) == 4:
            raise StorageError("disk_full", "full", retryable=True)
        return put(key, data)

    monkeypatch.setattr(storage, "put", full)
    with pytest.raises(StorageError):
        publish(house, picture)
    with unscoped("test"):
        assert published_files(house) == [] and not Publication.objects.exists()
