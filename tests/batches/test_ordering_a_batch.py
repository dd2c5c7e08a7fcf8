"""From wishes to shoots: every garment in every look, one price, all of it or nothing."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Plan
from accounts.scoping import merchant_scope, unscoped
from catalog.models import Asset, Garment, GarmentPhoto, Pose
from generation.batches import Wishes, plan
from generation.models import Batch, Shoot
from imodel_site.lib.errors import NotHere, Refused
from tests.batches.conftest import account, garments, ids, looks, order, shoots
from tests.generation.conftest import House, add_photo, first_of

pytestmark = pytest.mark.django_db(transaction=True)


def nothing_happened(house: House, before: tuple[int, int]) -> bool:
    with unscoped("test"):
        return not Batch.objects.exists() and not Shoot.objects.exists() and account(house) == before


def test_every_garment_is_shot_in_every_look_row_by_row(house: House) -> None:
    wanted, pose = garments(house, 3), first_of(Pose)
    batch = order(house, garments=ids(wanted), poses=(None, pose.pk), count=2, best_of=3, **looks(2, 2))
    cells = shoots(batch)
    assert (batch.shoots_total, batch.pictures_total, batch.price) == (24, 48, 144)
    assert [cell.garment_id for cell in cells] == [row.pk for row in wanted for _look in range(8)]
    columns = [(cell.persona_id, cell.scene_id, cell.pose_id) for cell in cells]
    assert len(set(columns)) == 8 and columns[:8] == columns[8:16] == columns[16:]
    assert [cell.pose_id for cell in cells[:2]] == [None, pose.pk]
    assert {cell.price for cell in cells} == {6} and {cell.priority for cell in cells} == {-1}
    assert len({cell.order["body"]["order"]["seed"] for cell in cells}) == 24, "each cell draws its own seed"
    assert cells[0].order["files"]["order.mask"], "what was seen on the photo is used, as for a single shoot"


def test_its_price_is_reserved_at_once_shoot_by_shoot(house: House) -> None:
    available, _held = account(house)
    order(house, garments=ids(garments(house, 2)), count=2, **looks(3))
    assert account(house) == (available - 12, 12)


def test_what_can_not_be_paid_for_leaves_nothing_behind(house: House) -> None:
    before = account(house)
    with pytest.raises(Refused, match="credits") as refused:
        order(house, garments=ids(garments(house, 40)), count=8, best_of=3, **looks(6))
    assert (refused.value.code, refused.value.status) == ("credits_short", 402)
    assert nothing_happened(house, before)


def test_more_shoots_than_the_plan_allows_are_refused_with_the_limit(house: House) -> None:
    Plan.objects.update(batch_shoots=5)
    house.merchant.refresh_from_db()
    before = account(house)
    with pytest.raises(Refused, match="6 shoots, and your plan allows 5") as refused:
        order(house, garments=ids(garments(house, 2)), **looks(3))
    assert refused.value.code == "batch_too_large" and nothing_happened(house, before)


@pytest.mark.parametrize("field", ["garments", "photos", "personas", "scenes", "poses"])
def test_one_foreign_id_anywhere_refuses_the_whole_call_as_a_missing_one(
    house: House, neighbour: House, field: str
) -> None:
    foreign = {
        "garments": neighbour.garment.pk,
        "photos": neighbour.photo.pk,
        **{name: uuid4() for name in ("personas", "scenes", "poses")},
    }
    before = account(house)
    with pytest.raises(NotHere) as one:
        order(house, **{"garments": (house.garment.pk,), field: (house.garment.pk, foreign[field])})
    with pytest.raises(NotHere) as other:
        order(house, **{field: (uuid4(),)})
    assert str(one.value) == str(other.value) and nothing_happened(house, before)


def test_another_merchants_own_persona_is_not_there(house: House, neighbour: House) -> None:
    with merchant_scope(neighbour.merchant):
        theirs = Pose.objects.create(name="secret", title="Secret", landmarks=[[0, 0]])
    with pytest.raises(NotHere):
        order(house, poses=(theirs.pk,))


def test_the_first_photo_of_the_front_is_used_or_the_one_that_was_chosen(house: House) -> None:
    back = add_photo(house.actor, name="Same", sku="S-1")
    with merchant_scope(house.merchant):
        GarmentPhoto.objects.filter(pk=back.pk).update(garment=house.garment, view="back", position=0)
        GarmentPhoto.objects.filter(pk=house.photo.pk).update(position=1)
    assert [cell.photo_id for cell in shoots(order(house))] == [house.photo.pk]
    assert [cell.photo_id for cell in shoots(order(house, photos=(back.pk,)))] == [back.pk]


def test_garments_that_can_not_be_shot_are_named_then_refused_or_skipped_as_asked(house: House) -> None:
    rejected = add_photo(house.actor, name="Banned", sku="B-1")
    with merchant_scope(house.merchant):
        bare = Garment.objects.create(name="Bare", search="bare")
        Asset.objects.filter(pk=rejected.asset_id).update(moderation="rejected")
        wanted = (house.garment.pk, bare.pk, rejected.garment_id)
        found = plan(house.actor, Wishes(garments=wanted))
    reasons = [(one.garment.name, one.reason) for one in found.left_out]
    assert reasons == [("Bare", "no_front_photo"), ("Banned", "photo_rejected")]
    with pytest.raises(Refused, match=r"2 garments.*Bare.*Banned") as refused:
        order(house, garments=wanted)
    assert refused.value.code == "garments_unusable"
    batch = order(house, garments=wanted, skip=True)
    assert [cell.garment_id for cell in shoots(batch)] == [house.garment.pk]
    assert {one["garment"] for one in batch.choices["left_out"]} == {str(bare.pk), str(rejected.garment_id)}
    with pytest.raises(Refused):
        order(house, garments=(bare.pk,), skip=True)


def test_the_same_key_is_the_same_batch_and_another_wish_under_it_is_refused(house: House) -> None:
    one = order(house, key="k1", count=2)
    held = account(house)
    assert order(house, key="k1", count=2).pk == one.pk and account(house) == held
    with pytest.raises(Refused) as refused:
        order(house, key="k1", count=3)
    assert (refused.value.code, refused.value.status) == ("idempotency_key_reused", 422)
    assert len(shoots(one)) == 1 and order(house).pk != order(house).pk


def test_a_thousand_cells_are_accepted_in_as_many_statements_as_ten(house: House) -> None:
    """On SQLite rows go in as many INSERTs as its limit on variables asks for; everything else is constant."""
    wanted = ids(garments(house, 50))

    def statements(count: int, **look: object) -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            order(house, garments=wanted[:count], **look)
        return sum(not query["sql"].startswith("INSERT") for query in seen.captured_queries)

    few, many = statements(5, **looks(2)), statements(50, **looks(5, 4))
    with unscoped("test"):
        assert Shoot.objects.count() == 1010
    assert many <= few < 45, (few, many)


def test_a_viewer_orders_nothing(house: House) -> None:
    from dataclasses import replace

    viewer = House(replace(house.actor, scopes=frozenset({"read"})), house.garment, house.photo)
    with pytest.raises(Refused, match="look"):
        order(viewer)
