"""A picture that was paid for and rejected with a reason is made again for nothing: once, and not without bounds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import LedgerEntry, Plan
from accounts.scoping import merchant_scope, unscoped
from generation import services
from generation.models import Batch, Picture, Shoot
from generation.services import redoing
from imodel_site.lib.errors import Refused
from tests.batches.conftest import account, finish_all, fresh, garments, ids, looks, order, pictures, shoots
from tests.batches.test_api import Program
from tests.generation import scripted
from tests.generation.conftest import House, carry_out_next
from tests.generation.scripted import Scripted

pytestmark = pytest.mark.django_db(transaction=True)


def reject(found: House, picture: Picture, reason: str = "body") -> None:
    with merchant_scope(found.merchant):
        services.review_pictures(actor=found.actor, pictures=[picture], review="rejected", reason=reason)


def redo(found: House, picture: Picture) -> Shoot:
    with merchant_scope(found.merchant):
        row = Picture.objects.select_related("shoot").get(pk=picture.pk)
        return services.redo(actor=found.actor, picture=row)


def entries(found: House, shoot: Shoot) -> list[tuple[str, int, int, str]]:
    with merchant_scope(found.merchant):
        rows = LedgerEntry.objects.filter(job_id=shoot.pk).order_by("id")
        return [(row.kind, row.available_change, row.held_change, row.note) for row in rows]


def code_of(call: Any) -> str:
    with pytest.raises(Refused) as refused:
        call()
    return refused.value.code


@pytest.fixture
def batch(house: House, executor: Scripted) -> Batch:
    """A finished batch of two pictures of one shoot."""
    made = order(house, count=2)
    finish_all()
    return made


def test_the_retry_has_another_seed_costs_nothing_and_the_ledger_says_why(house: House, batch: Batch) -> None:
    picture, other = pictures(batch)
    reject(house, picture)
    before = account(house)
    again = redo(house, picture)
    assert account(house) == before and entries(house, again) == [("free", 0, 0, "Hands, arms or legs look wrong")]
    assert (again.made_as, again.price, again.count, again.batch_id) == ("redo", 0, 1, batch.pk)
    first, second = shoots(batch)[0].order["body"]["order"], again.order["body"]["order"]
    assert second["seed"] != first["seed"] and second | {"seed": 0, "count": 0} == first | {"seed": 0, "count": 0}
    finish_all()
    assert account(house) == before and [row.cost for row in pictures(batch)] == [1, 1, 0]
    assert len(entries(house, again)) == 1 and fresh(batch).status == "finished"


def test_asked_twice_it_is_made_once_and_the_rejected_one_stays_rejected(house: House, batch: Batch) -> None:
    picture, _other = pictures(batch)
    reject(house, picture)
    assert redo(house, picture).pk == redo(house, picture).pk and len(shoots(batch)) == 2
    with merchant_scope(house.merchant):
        for review in ("approved", ""):
            assert (
                code_of(lambda: services.review_pictures(actor=house.actor, pictures=[picture], review=review))  # noqa: B023
                == "made_again"
            )
    assert [row.review for row in pictures(batch)] == ["rejected", ""]


def test_a_retry_has_no_retry_and_neither_has_what_cost_nothing(house: House, batch: Batch) -> None:
    picture, other = pictures(batch)
    reject(house, picture), redo(house, picture), finish_all()
    made = pictures(batch)[-1]
    reject(house, made)
    assert code_of(lambda: redo(house, made)) == "not_redoable"
    with merchant_scope(house.merchant):
        Picture.objects.filter(pk=other.pk).update(cost=0)
    reject(house, other)
    assert code_of(lambda: redo(house, other)) == "not_redoable"


def test_it_wants_a_rejection_with_a_reason_and_not_an_old_picture(house: House, batch: Batch) -> None:
    picture, _other = pictures(batch)
    assert code_of(lambda: redo(house, picture)) == "reject_first"
    reject(house, picture, "")
    assert code_of(lambda: redo(house, picture)) == "reject_first"
    reject(house, picture)
    with merchant_scope(house.merchant):
        Picture.objects.filter(pk=picture.pk).update(created_at=timezone.now() - timedelta(days=15))
    assert code_of(lambda: redo(house, picture)) == "not_redoable"
    assert len(shoots(batch)) == 1 and fresh(batch).status == "finished"


def test_a_month_has_so_many_and_then_nothing_is_left_behind(house: House, executor: Scripted) -> None:
    with unscoped("test"):
        assert redoing.most_of(house.merchant) == 10
        Plan.objects.filter(name="roomy").update(monthly_credits=110)
        house.merchant.plan.refresh_from_db()
        assert redoing.most_of(house.merchant) == 11
    batch = order(house, garments=ids(garments(house, 2)), count=6)
    finish_all()
    found = pictures(batch)
    for picture in found:
        reject(house, picture)
    for picture in found[:11]:
        redo(house, picture)
    assert code_of(lambda: redo(house, found[11])) == "free_used_up"
    assert len(shoots(batch)) == 2 + 11


def test_one_that_failed_can_be_tried_again_for_nothing(house: House, batch: Batch, executor: Scripted) -> None:
    picture, _other = pictures(batch)
    reject(house, picture)
    again, before = redo(house, picture), account(house)
    executor.script = scripted.fails("engine", "out_of_memory", retryable=False)
    carry_out_next()
    executor.script = scripted.paints
    with merchant_scope(house.merchant):
        again.refresh_from_db()
        assert again.status == "failed"
        services.retry_shoot(actor=house.actor, shoot=again)
    finish_all()
    assert account(house) == before and len(entries(house, again)) == 1 and len(pictures(batch)) == 3


def test_the_batch_goes_on_and_the_new_picture_stands_in_the_cell_of_the_rejected_one(
    alice: Client, house: House, executor: Scripted
) -> None:
    batch = order(house, **looks(2))
    finish_all()
    first, _second = pictures(batch)
    review = reverse("generation:batch_review", args=[batch.pk])
    board = reverse("generation:batch", args=[batch.pk])
    told = alice.post(review, {"rejected": first.pk, "reason": "face"}, headers={"Accept": "application/json"})
    assert told.json() == {"review": "rejected", "reason": "The face looks wrong", "redo": True}
    assert "Try again, free" in alice.get(board).content.decode()
    shown = alice.post(review, {"redo": first.pk}, follow=True).content.decode()
    assert "It is being made again, free" in shown and fresh(batch).status == "open"
    assert shown.count("data-cell=") == 2 and "Being made again, free." in shown
    finish_all()
    shown = alice.get(board).content.decode()
    assert shown.count("data-cell=") == 2 and shown.count("data-tile=") == 3 and "Made again, free." in shown
    cells = shown.split("data-cell=")[1:]
    assert cells[0].count("data-tile=") == 2 and cells[1].count("data-tile=") == 1
    assert f'name="clear" value="{first.pk}"' not in shown  # it can not be taken back any more


def test_what_is_refused_is_said_on_the_board(alice: Client, house: House, batch: Batch) -> None:
    picture, _other = pictures(batch)
    address = reverse("generation:batch_review", args=[batch.pk])
    shown = alice.post(address, {"redo": picture.pk}, follow=True).content.decode()
    assert "Reject this picture first, and say why." in shown
    assert alice.post(address, {"rejected": picture.pk, "reason": "x"}).status_code == 400
    assert pictures(batch)[0].review == ""


def test_programs_reject_with_a_reason_and_ask_for_the_retry(house: House, neighbour: House, batch: Batch) -> None:
    picture, _other = pictures(batch)
    program, foreign = Program(house), Program(neighbour)
    address = f"/api/v1/pictures/{picture.pk}"
    body = {"review": "rejected", "reason": "pose"}
    for caller, status in ((foreign, 404), (program, 200)):
        answer = Client().patch(address, body, content_type="application/json", headers=caller.headers)
        assert answer.status_code == status
    assert answer.json()["review_reason"] == "pose"
    assert Client().post(address + "/redo", headers=foreign.headers).status_code == 404
    answer = Client().post(address + "/redo", headers=program.headers)
    assert answer.status_code == 202 and answer.json()["made_as"] == "redo" and answer.json()["price"] == 0
    answer = Client().patch(address, {"review": "approved"}, content_type="application/json", headers=program.headers)
    assert answer.status_code == 409 and answer.json()["error"]["code"] == "made_again"


def test_a_lists_order_is_the_reports_and_can_be_narrowed_to_one_garment(
    alice: Client, house: House, executor: Scripted
) -> None:
    wanted = garments(house, 2)
    batch = order(house, garments=ids(wanted), **looks(2))
    finish_all()
    found = pictures(batch)
    figures = [(0.9, 5.0), (0.9, 2.0), (None, 1.0), (0.95, 9.0)]
    with merchant_scope(house.merchant):
        for picture, (pck, seam) in zip(found, figures, strict=True):
            report = picture.report | {"pose": {"pck": pck}, "seam": {"delta_e_mean": seam}}
            Picture.objects.filter(pk=picture.pk).update(report=report)
    board = reverse("generation:batch", args=[batch.pk])

    def places(**query: Any) -> list[int]:
        shown = alice.get(board, query).content.decode()
        at = {place: shown.find(f'data-tile="{row.pk}"') for place, row in enumerate(found)}
        return sorted((place for place in at if at[place] >= 0), key=at.__getitem__)

    assert places(show="best") == [3, 1, 0, 2]
    assert places(show="worst") == [2, 0, 1, 3]
    assert places(show="worst", garment=wanted[1].pk) == [2, 3]
