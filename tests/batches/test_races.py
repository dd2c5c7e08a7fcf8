"""Many at once: each end is told once, a pause is a pause, and one key is one batch."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from accounts.models import WebhookEvent
from accounts.scoping import merchant_scope, unscoped
from generation.batches import Wishes
from generation.models import Batch
from generation.services import batches
from imodel_site.lib.errors import Conflict
from imodel_site.lib.jobs.claims import claim_next
from tests.batches.conftest import account, do, fresh, garments, ids, looks, order, shoots, statuses
from tests.generation.conftest import House

pytestmark = pytest.mark.django_db(transaction=True)


def together(*acts: Callable[[], Any]) -> None:
    """All at the same moment, each over its own connection; the first that raised is raised."""
    start, errors = threading.Barrier(len(acts)), []

    def run(act: Callable[[], Any]) -> None:
        try:
            start.wait()
            act()
        except BaseException as error:  # noqa: BLE001  raised again below
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def told(batch: Batch) -> int:
    with unscoped("test"):
        return WebhookEvent.objects.filter(type="batch.finished", subject_id=batch.pk).count()


def test_the_last_shoots_of_a_batch_ending_at_once_finish_it_exactly_once(house: House) -> None:
    for _round in range(5):
        batch = order(house, **looks(4))
        works = [claim_next("generate", f"w{n}") for n in range(4)]

        def end(work: Any) -> None:
            with merchant_scope(house.merchant):
                work.finish()

        together(*(lambda work=work: end(work) for work in works))
        assert (fresh(batch).status, told(batch)) == ("finished", 1)
    assert account(house)[1] == 0


def test_nothing_is_claimed_once_a_pause_has_committed(house: House) -> None:
    batch = order(house, garments=ids(garments(house, 10)), **looks(4))
    paused = threading.Event()
    late: list[Any] = []

    def claim() -> None:
        while True:
            after = paused.is_set()  # looked at before the claim: whatever is claimed then came after the commit
            work = claim_next("generate", "w")
            if work is None:
                return
            if after:
                late.append(work)
            with merchant_scope(house.merchant):
                work.finish()

    def pause() -> None:
        do(house, batches.pause_batch, batch)
        paused.set()

    together(claim, claim, pause)
    assert not late and set(statuses(batch)) <= {"paused", "succeeded"}
    do(house, batches.resume_batch, batch)
    claim()
    assert fresh(batch).status == "finished" and told(batch) == 1


def test_cancelling_while_shoots_start_and_end_leaves_none_behind(house: House) -> None:
    available, _ = account(house)
    batch = order(house, garments=ids(garments(house, 10)), **looks(4))

    def work_on() -> None:
        while work := claim_next("generate", "w"):
            with merchant_scope(house.merchant):
                work.finish()

    together(work_on, work_on, lambda: do(house, batches.cancel_batch, batch))
    assert set(statuses(batch)) <= {"succeeded", "cancelled"} and told(batch) == 1
    assert account(house) == (available, 0), "none of them made a picture, so nothing was paid"


def test_pausing_resuming_and_cancelling_one_by_one_never_block_one_another(house: House) -> None:
    from generation import services

    batch = order(house, garments=ids(garments(house, 5)), **looks(4))

    def cancel_singly() -> None:
        for shoot in shoots(batch):
            with merchant_scope(house.merchant):
                services.cancel_shoot(actor=house.actor, shoot=shoot)

    def pause_and_resume() -> None:
        for service in (batches.pause_batch, batches.resume_batch) * 5:
            try:
                do(house, service, fresh(batch))
            except Conflict:
                return

    together(cancel_singly, pause_and_resume)
    assert set(statuses(batch)) == {"cancelled"} and told(batch) == 1 and fresh(batch).status == "finished"


def test_one_key_sent_by_many_at_once_is_one_batch_and_one_hold(house: House) -> None:
    available, _ = account(house)
    found: list[Any] = []

    def send() -> None:
        with merchant_scope(house.merchant):
            wishes = Wishes(garments=(house.garment.pk,), **looks(3))
            found.append(batches.order_batch(actor=house.actor, wishes=wishes, skip_unusable=False, key="k").pk)

    together(*[send] * 8)
    with unscoped("test"):
        assert Batch.objects.count() == 1
    assert len(found) == 8 and len(set(found)) == 1 and account(house) == (available - 3, 3)
