"""Many clients, one account: never below zero, never twice, whatever meets whatever; run on both databases."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Merchant
from accounts.scoping import merchant_scope, unscoped
from accounts.services import credits
from catalog.models import Persona, Scene
from generation import services
from generation.batches import Wishes
from generation.models import Batch, Picture, Shoot
from generation.orders import Choices
from generation.services import settling
from imodel_site.lib.errors import Refused
from imodel_site.lib.jobs.claims import claim_next
from imodel_site.lib.jobs.work import LostLease, Work
from tests.credits.conftest import balance_of, leave, new_job, sums_of
from tests.generation.conftest import House, carry_out_next

pytestmark = pytest.mark.django_db(transaction=True)
CLIENTS = 16


def together(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Start all of them at one moment, each with a connection of its own; what each returned or raised."""
    start, answers = threading.Barrier(len(calls)), [None] * len(calls)

    def run(place: int, call: Callable[[], Any]) -> None:
        start.wait()
        try:
            answers[place] = call()
        except Exception as error:  # noqa: BLE001  the test looks at it
            answers[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=entry) for entry in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def short(answers: Sequence[Any]) -> int:
    """How many were told that their credits do not reach; nothing else may have gone wrong."""
    refused = [answer for answer in answers if isinstance(answer, Refused) and answer.code == "credits_short"]
    assert [answer for answer in answers if isinstance(answer, Exception) and answer not in refused] == []
    return len(refused)


def test_the_first_clients_open_one_account(shop: Merchant) -> None:
    found = together([lambda: credits.account(shop.pk).pk] * CLIENTS)
    assert len(set(found)) == 1 and balance_of(shop) == (100, 0) == sums_of(shop)


def test_of_many_clients_exactly_as_many_are_served_as_the_balance_pays_for(shop: Merchant) -> None:
    leave(shop, 3 * 20 + 2)

    def client() -> list[bool]:
        answers = []
        for _time in range(4):
            try:
                credits.hold(merchant_id=shop.pk, job_id=new_job(), amount=3)
                answers.append(True)
            except Refused:
                answers.append(False)
        return answers

    answers = together([client] * CLIENTS)
    assert sum(served for answer in answers for served in answer) == 20
    assert balance_of(shop) == (2, 60) == sums_of(shop)


def test_every_client_settling_the_same_jobs_pays_for_each_once(shop: Merchant) -> None:
    jobs = [new_job() for _ in range(6)]
    credits.hold_many(merchant_id=shop.pk, jobs=[(job, 5) for job in jobs])

    def client() -> None:
        for job in jobs:
            credits.settle(merchant_id=shop.pk, job_id=job, paid=3)

    assert together([client] * CLIENTS) == [None] * CLIENTS
    assert balance_of(shop) == (100 - 18, 0) == sums_of(shop)


def test_holds_settlements_grants_and_months_meet_and_the_ledger_is_the_account(shop: Merchant) -> None:
    """Each client's own arithmetic, added up, is the balance."""
    leave(shop, 60)

    def client() -> int:
        paid = 0
        for step in range(6):
            job = new_job()
            try:
                credits.hold(merchant_id=shop.pk, job_id=job, amount=7)
            except Refused:
                credits.top_up_due()
                continue
            credits.settle(merchant_id=shop.pk, job_id=job, paid=step)
            paid += step
            credits.grant(merchant_id=shop.pk, amount=1, by=None, note="")
            paid -= 1
        return paid

    answers = together([client] * 8)
    assert short(answers) == 0
    assert balance_of(shop) == (60 - sum(answers), 0) == sums_of(shop)


def test_six_machines_give_a_month_once(shop: Merchant, monkeypatch: pytest.MonkeyPatch) -> None:
    leave(shop, 50)
    later = timezone.now() + timedelta(days=32)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert sum(together([credits.top_up_due] * 6)) == 1
    assert balance_of(shop) == (150, 0) == sums_of(shop)


# --- whole shoots ----------------------------------------------------------------------------------------------------
def order(house: House, *, key: str | None = None, count: int = 2) -> Shoot:
    with merchant_scope(house.merchant):
        choices = Choices(photo=house.photo.pk, count=count, seed=7)
        return services.order_shoot(actor=house.actor, choices=choices, key=key)


def test_fifty_twins_make_one_shoot_and_one_hold(house: House) -> None:
    answers = together([lambda: order(house, key="once").pk] * 50)
    assert short(answers) == 0 and len(set(answers)) == 1
    assert balance_of(house.merchant) == (98, 2) == sums_of(house.merchant)


def test_orders_beyond_the_balance_leave_no_shoot(house: House) -> None:
    leave(house.merchant, 9)
    answers = together([lambda: order(house)] * CLIENTS)
    assert short(answers) == CLIENTS - 4
    with merchant_scope(house.merchant):
        assert Shoot.objects.count() == 4
    assert balance_of(house.merchant) == (1, 8) == sums_of(house.merchant)


def test_finishes_cancels_and_new_orders_of_one_shop_meet_without_a_deadlock(house: House) -> None:
    """Ten shoots run, and end well; ten wait, and are cancelled; ten are ordered, all at one moment."""
    Merchant.objects.filter(pk=house.merchant.pk).update(concurrency=10)
    shoots = [order(house) for _ in range(20)]
    works = [work for _ in range(10) if (work := claim_next("generate", "test-worker"))]
    running = {work.job.pk for work in works}
    waiting = [shoot for shoot in shoots if shoot.pk not in running]
    calls: list[Callable[[], Any]] = [partial(finish, work) for work in works]
    calls += [partial(cancel, house, shoot) for shoot in waiting]
    calls += [partial(order, house, count=1)] * 10
    assert short(together(calls)) == 0
    assert balance_of(house.merchant) == (100 - 10 - 10, 10) == sums_of(house.merchant)


def test_a_batch_ends_in_every_way_at_once_and_its_credits_add_up(house: House) -> None:
    """Eight cells run and finish while the rest is cancelled, single shoots are ordered, and what failed is retried."""
    Merchant.objects.filter(pk=house.merchant.pk).update(concurrency=9)
    with merchant_scope(house.merchant):
        personas = tuple(Persona.objects.order_by("position").values_list("pk", flat=True)[:5])
        scenes = tuple(Scene.objects.order_by("position").values_list("pk", flat=True)[:4])
        wishes = Wishes(garments=(house.garment.pk,), personas=personas, scenes=scenes)
        batch = services.batches.order_batch(actor=house.actor, wishes=wishes, skip_unusable=False, key=None)
    works = [work for _ in range(9) if (work := claim_next("generate", "test-worker"))]
    with merchant_scope(house.merchant):
        works.pop().fail("engine", "for the test", retryable=True)
    assert balance_of(house.merchant) == (81, 19)
    calls: list[Callable[[], Any]] = [partial(finish, work) for work in works]
    calls += [partial(of_batch, house, service, batch) for service in ("cancel_batch", "retry_failed")]
    calls += [partial(order, house, count=1)] * 3
    answers = together(calls)
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    with merchant_scope(house.merchant):
        left = Shoot.objects.filter(status__in=("queued", "running")).count()
        paid = Shoot.objects.filter(status="succeeded").count()
    assert balance_of(house.merchant) == (100 - left - paid, left) == sums_of(house.merchant)


def of_batch(house: House, service: str, batch: Batch) -> None:
    with merchant_scope(house.merchant):
        getattr(services.batches, service)(actor=house.actor, batch=Batch.objects.get(pk=batch.pk))


def test_a_finish_and_a_cancel_of_one_shoot_end_it_once(house: House) -> None:
    for _round in range(4):
        shoot = order(house)
        work = claim_next("generate", "test-worker")
        before = balance_of(house.merchant)[0]
        together([partial(finish, work), partial(stop, work), partial(cancel, house, shoot)])
        with merchant_scope(house.merchant):
            shoot.refresh_from_db()
        assert balance_of(house.merchant) == (before + (1 if shoot.status == "succeeded" else 2), 0)
    assert balance_of(house.merchant) == sums_of(house.merchant)


def finish(work: Work) -> None:
    """Success with one picture of one credit."""
    with merchant_scope(work.job.merchant_id):
        work.finish(lambda: picture_of(work).save(force_insert=True))


def stop(work: Work) -> None:
    """What the worker does when it was told to stop."""
    with merchant_scope(work.job.merchant_id):
        with suppress(LostLease):
            work.cancelled()


def cancel(house: House, shoot: Shoot) -> None:
    with merchant_scope(house.merchant):
        services.cancel_shoot(actor=house.actor, shoot=Shoot.objects.get(pk=shoot.pk))


def picture_of(work: Work) -> Picture:
    job = work.job
    return Picture(
        merchant_id=job.merchant_id, shoot_id=job.pk, index=0, token=work.token, kind=job.kind, width=1, height=1,
        seed=1, verdict="good", cost=1,
    )  # fmt: skip


# --- killed in between -----------------------------------------------------------------------------------------------
@pytest.fixture
def killed() -> Iterator[Callable[[Callable[[], Any]], None]]:
    """Runs something in a process of its own, which must be killed by it."""

    def run(call: Callable[[], Any]) -> None:
        connection.close()  # no child may hold our connection
        child = os.fork()
        if child == 0:
            try:
                call()
            finally:
                os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL

    yield run


def die(**_asked: Any) -> None:
    """What a power cut is for a process."""
    os.kill(os.getpid(), signal.SIGKILL)


def after(service: Callable[..., Any]) -> Callable[..., None]:
    """The service, and then the end."""

    def run(**asked: Any) -> None:
        service(**asked)
        die()

    return run


@pytest.mark.parametrize("written", [False, True])
def test_a_server_killed_while_it_accepts_leaves_neither_shoot_nor_hold(
    house: House, killed: Any, monkeypatch: pytest.MonkeyPatch, written: bool
) -> None:
    credits.account(house.merchant.pk)
    monkeypatch.setattr(services.shoots.credits, "hold", after(credits.hold) if written else die)
    killed(lambda: order(house))
    with merchant_scope(house.merchant):
        assert not Shoot.objects.exists()
    assert balance_of(house.merchant) == (100, 0) == sums_of(house.merchant)


@pytest.mark.parametrize("written", [False, True])
def test_a_worker_killed_while_it_finishes_has_paid_nothing_and_the_next_one_pays_once(
    house: House, executor: Any, killed: Any, monkeypatch: pytest.MonkeyPatch, written: bool
) -> None:
    shoot = order(house)
    with monkeypatch.context() as patch:
        patch.setattr(settling.credits, "settle", after(credits.settle) if written else die)
        killed(carry_out_next)
    assert balance_of(house.merchant) == (98, 2) == sums_of(house.merchant)
    expire(shoot.pk)
    assert carry_out_next() is not None
    with merchant_scope(house.merchant):
        assert Shoot.objects.get(pk=shoot.pk).status == "succeeded" and Picture.objects.count() == 2
    assert balance_of(house.merchant) == (98, 0) == sums_of(house.merchant)


def expire(job: UUID) -> None:
    """Its lease is over, as it is half a minute after its worker was killed."""
    with unscoped("test"):
        assert Shoot.objects.filter(pk=job, status="running").update(lease_until=Now() - timedelta(seconds=1))
