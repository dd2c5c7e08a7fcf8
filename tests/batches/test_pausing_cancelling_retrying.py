"""What is done with a batch that is under way, and what is told at its end."""

from __future__ import annotations

from collections import Counter

import pytest

from accounts.models import LedgerEntry, Merchant, WebhookEvent
from accounts.scoping import merchant_scope, unscoped
from accounts.services import credits
from generation import services
from generation.models import Batch, Picture, Shoot
from generation.orders import Choices
from generation.services import batches
from imodel_site.lib.errors import Conflict, Refused
from imodel_site.lib.jobs.claims import claim_next
from tests.batches.conftest import (
    account,
    do,
    finish_all,
    fresh,
    garments,
    ids,
    looks,
    order,
    pictures,
    shoots,
    statuses,
)
from tests.generation import scripted
from tests.generation.conftest import House, carry_out_next
from tests.generation.scripted import Scripted

pytestmark = pytest.mark.django_db(transaction=True)


def four(house: House) -> Batch:
    return order(house, garments=ids(garments(house, 2)), **looks(2))


def finishes(batch: Batch) -> list[WebhookEvent]:
    with unscoped("test"):
        return list(WebhookEvent.objects.filter(type="batch.finished", subject_id=batch.pk).order_by("round"))


def test_it_is_finished_by_its_last_shoot_and_that_is_told_once(house: House, executor: Scripted) -> None:
    batch = four(house)
    for _ in range(3):
        carry_out_next()
    assert fresh(batch).status == "open" and not finishes(batch)
    assert len(pictures(batch)) == 3, "what is done is there while the rest waits"
    carry_out_next()
    done = fresh(batch)
    assert (done.status, done.finished_at is not None) == ("finished", True)
    told = finishes(batch)[0].payload
    assert len(finishes(batch)) == 1 and told["status"] == "finished"
    assert told["shoots"]["succeeded"] == 4 and told["pictures"]["good"] == 4


def test_a_paused_batch_starts_nothing_until_it_is_resumed(house: House, executor: Scripted) -> None:
    batch = four(house)
    carry_out_next()
    running = claim_next("generate", "w")
    assert running is not None
    do(house, batches.pause_batch, batch)
    assert claim_next("generate", "w") is None
    assert statuses(batch) == ["succeeded", "running", "paused", "paused"] and fresh(batch).status == "paused"
    with merchant_scope(house.merchant):
        running.finish()
    assert fresh(batch).status == "paused" and not finishes(batch)
    do(house, batches.resume_batch, batch)
    assert statuses(batch)[2:] == ["queued", "queued"] and fresh(batch).status == "open"
    assert finish_all() == 2 and fresh(batch).status == "finished"


def test_pausing_keeps_what_is_reserved_and_cancelling_gives_it_back(house: House, executor: Scripted) -> None:
    available, _ = account(house)
    batch = four(house)
    carry_out_next()
    do(house, batches.pause_batch, batch)
    assert account(house) == (available - 4, 3)
    do(house, batches.cancel_batch, batch)
    assert account(house) == (available - 1, 0)
    assert statuses(batch) == ["succeeded", "cancelled", "cancelled", "cancelled"]
    assert fresh(batch).status == "cancelled" and len(pictures(batch)) == 1
    with unscoped("test"):
        events = Counter(WebhookEvent.objects.values_list("type", flat=True))
        assert LedgerEntry.objects.filter(kind="release").count() == 3
    assert events == {"shoot.succeeded": 1, "shoot.cancelled": 3, "batch.finished": 1}
    assert finishes(batch)[0].payload["status"] == "cancelled"


def test_cancelling_asks_the_running_one_to_stop_and_ends_with_it(house: House, executor: Scripted) -> None:
    available, _ = account(house)
    batch = four(house)
    running = claim_next("generate", "w")
    assert running is not None
    do(house, batches.cancel_batch, batch)
    assert statuses(batch) == ["running", "cancelled", "cancelled", "cancelled"] and not finishes(batch)
    with merchant_scope(house.merchant):
        running.beat()
        assert running.should_stop()
        running.hand_back()
    assert statuses(batch)[0] == "cancelled" and len(finishes(batch)) == 1
    assert account(house) == (available, 0)
    do(house, batches.cancel_batch, batch)
    assert len(finishes(batch)) == 1, "a second click does no harm"


def test_failed_ones_are_tried_again_and_the_new_end_is_told_again(house: House, executor: Scripted) -> None:
    available, _ = account(house)
    batch = four(house)
    executor.script = scripted.fails("engine", "out_of_memory", retryable=True)
    carry_out_next(), carry_out_next()
    executor.script = scripted.paints
    finish_all()
    assert fresh(batch).status == "finished" and account(house) == (available - 2, 0)
    assert do(house, batches.retry_failed, batch) == 2
    assert fresh(batch).status == "open" and account(house) == (available - 4, 2)
    assert finish_all() == 2 and account(house) == (available - 4, 0)
    assert [event.round for event in finishes(batch)] == [1, 2]
    assert finishes(batch)[1].payload["shoots"]["succeeded"] == 4
    with pytest.raises(Conflict) as refused:
        do(house, batches.retry_failed, batch)
    assert refused.value.code == "nothing_failed"


def test_failed_ones_that_can_not_be_paid_for_together_stay_as_they_were(house: House, executor: Scripted) -> None:
    batch = four(house)
    executor.script = scripted.fails("engine", "out_of_memory", retryable=True)
    finish_all()
    available, _ = account(house)
    credits.grant(merchant_id=house.merchant.pk, amount=3 - available, by=None, note="poor")
    with pytest.raises(Refused, match="4 credits"):
        do(house, batches.retry_failed, batch)
    assert statuses(batch) == ["failed"] * 4 and account(house) == (3, 0) and fresh(batch).status == "finished"


def test_one_failed_shoot_tried_again_by_itself_opens_its_batch_again(house: House, executor: Scripted) -> None:
    batch = four(house)
    executor.script = scripted.fails("engine", "out_of_memory", retryable=True)
    finish_all()
    with merchant_scope(house.merchant):
        services.retry_shoot(actor=house.actor, shoot=shoots(batch)[0])
    assert fresh(batch).status == "open" and fresh(batch).finished_at is None
    executor.script = scripted.paints
    carry_out_next()
    assert fresh(batch).status == "finished" and len(finishes(batch)) == 2


def test_failed_ones_of_a_paused_batch_wait_with_the_others(house: House, executor: Scripted) -> None:
    batch = four(house)
    executor.script = scripted.fails("engine", "out_of_memory", retryable=True)
    carry_out_next()
    do(house, batches.pause_batch, batch)
    do(house, batches.retry_failed, batch)
    assert statuses(batch) == ["paused"] * 4 and fresh(batch).status == "paused"
    assert claim_next("generate", "w") is None


@pytest.mark.parametrize("service", [batches.pause_batch, batches.resume_batch, batches.cancel_batch])
def test_a_batch_that_has_ended_is_neither_paused_nor_resumed_nor_cancelled(
    house: House, executor: Scripted, service: object
) -> None:
    batch = order(house)
    finish_all()
    with pytest.raises(Conflict) as refused:
        do(house, service, batch)
    assert refused.value.code == "batch_ended" and fresh(batch).status == "finished"


def test_single_shoots_of_the_same_shop_go_before_its_batch(house: House, executor: Scripted) -> None:
    four(house)
    with merchant_scope(house.merchant):
        single = services.order_shoot(actor=house.actor, choices=Choices(photo=house.photo.pk), key=None)
    first = claim_next("generate", "w")
    assert first is not None and first.job.pk == single.pk


def test_nothing_of_a_suspended_shop_starts(house: House, executor: Scripted) -> None:
    batch = four(house)
    Merchant.objects.filter(pk=house.merchant.pk).update(status="suspended")
    assert claim_next("generate", "w") is None and statuses(batch) == ["queued"] * 4


def test_every_good_picture_is_approved_at_once_and_no_other(house: House, executor: Scripted) -> None:
    batch = four(house)
    finish_all()
    good, bad, flagged, seen = pictures(batch)
    with merchant_scope(house.merchant):
        Picture.objects.filter(pk=bad.pk).update(verdict="reject")
        Picture.objects.filter(pk=flagged.pk).update(moderation="flagged")
        services.review_pictures(actor=house.actor, pictures=[seen], review="rejected")
    assert do(house, batches.approve_good, batch) == 1
    assert [row.review for row in pictures(batch)] == ["approved", "", "", "rejected"]
    with merchant_scope(house.merchant):
        kept = [row.pk for row in batches.to_download(batch, approved_only=False)]
        assert [row.pk for row in batches.to_download(batch, approved_only=True)] == [good.pk]
    assert kept == [good.pk, bad.pk], "what was rejected, and what staff hold back, is in no zip"


def test_a_single_shoot_does_not_touch_a_batch(house: House, executor: Scripted) -> None:
    batch = four(house)
    with merchant_scope(house.merchant):
        services.order_shoot(actor=house.actor, choices=Choices(photo=house.photo.pk), key=None)
    carry_out_next()
    with unscoped("test"):
        assert Shoot.objects.get(batch=None).status == "succeeded"
    assert statuses(batch) == ["queued"] * 4 and not finishes(batch)
