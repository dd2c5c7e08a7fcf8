"""A mask of the merchant's own stands before what was found, in every way of ordering."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from accounts.scoping import merchant_scope
from catalog.models import GarmentMask
from catalog.services import masks
from generation import services
from generation.batches import Wishes, plan
from generation.models import Shoot
from generation.orders import Choices
from generation.services import batches
from imodel_site.lib import collecting, storage
from imodel_site.lib.errors import Refused
from tests.generation.conftest import House, carry_out_next, mask_png
from tests.generation.reading import orders, page

pytestmark = pytest.mark.django_db(transaction=True)


def mark(house: House, data: bytes = b"") -> GarmentMask:
    """A mask that covers something else than the proposals do."""
    with merchant_scope(house.merchant):
        there = masks.mask_of(house.photo.asset)
        return masks.save_mask(
            actor=house.actor, asset=house.photo.asset, data=data or mask_png(), base=there.sha256 if there else "",
            edits={"parts": []},
        )  # fmt: skip


def order(house: House, **choices: object) -> Shoot:
    with merchant_scope(house.merchant):
        return services.order_shoot(actor=house.actor, choices=Choices(photo=house.photo.pk, **choices), key=None)


def mask_in(shoot: Shoot) -> tuple[str, str]:
    return shoot.order["files"]["order.mask"], shoot.order["body"]["order"]["garment"]


@pytest.mark.parametrize("part", ["auto", "own"])
def test_it_is_what_a_shoot_keeps(house, part):
    mask = mark(house)
    assert mask_in(order(house, part=part)) == (mask.key, "auto")


def test_a_part_that_is_asked_for_by_name_is_the_one_that_was_found(house):
    mask = mark(house)
    key, garment = mask_in(order(house, part="full"))
    assert garment == "full" and key != mask.key


def test_without_one_auto_is_what_was_found_and_own_is_refused_by_its_field(house):
    assert mask_in(order(house, part="auto"))[1] == "upper"
    with pytest.raises(Refused) as refused:
        order(house, part="own")
    assert (refused.value.code, refused.value.field) == ("own_mask_missing", "part")


def test_a_batch_keeps_it_too(house):
    mask = mark(house)
    with merchant_scope(house.merchant):
        wishes = Wishes(garments=(house.garment.pk,))
        batch = batches.order_batch(actor=house.actor, wishes=wishes, skip_unusable=False, key=None)
        assert plan(house.actor, Wishes(photos=(house.photo.pk,))).photos == [house.photo]
    assert {mask_in(shoot) for shoot in orders() if shoot.batch_id == batch.pk} == {(mask.key, "auto")}


def test_the_page_offers_it_where_there_is_one_and_lays_it_over_the_photo(house, alice):
    assert "Marked by hand" not in page(alice, "new")
    mask = mark(house)
    text = page(alice, "new")
    assert "Marked by hand" in text
    alice.post(reverse("generation:new"), {"photo": house.photo.pk, "part": "own", "once": "x"})
    assert mask_in(orders()[0]) == (mask.key, "auto")


def test_the_worker_gets_its_file(house, executor):
    mark(house)
    order(house)
    carry_out_next()
    (message,) = [message for message in executor.asked if message.get("op") == "shoot"]
    assert message["order"]["mask"].endswith(".png") and message["order"]["garment"] == "auto"


def test_an_order_keeps_the_mask_that_was_there_when_it_was_made(house):
    first = mark(house)
    shoot = order(house)
    second = mark(house, _other())
    assert second.sha256 != first.sha256
    third = mark(house)
    tomorrow = datetime.now(UTC) + timedelta(days=2)
    collecting.collect(now=tomorrow, delete_them=True)
    assert storage.read(mask_in(shoot)[0])  # the order's
    assert storage.read(third.key)  # the one that counts
    with pytest.raises(FileNotFoundError):
        storage.read(second.key)  # nobody's


def _other() -> bytes:
    from tests.catalog.cutting import mask_png as box

    return box((0, 0, 30, 30), (64, 96))


def test_one_that_is_taken_away_leaves_what_was_found(house):
    mark(house)
    with merchant_scope(house.merchant):
        assert masks.reset_mask(actor=house.actor, asset=house.photo.asset)
        assert not masks.reset_mask(actor=house.actor, asset=house.photo.asset)
    assert mask_in(order(house))[1] == "upper"
