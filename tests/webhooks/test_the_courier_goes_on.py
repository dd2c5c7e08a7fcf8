"""Real workers, real kills: every event arrives, under one id, whoever dies; and nobody waits for others."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import WebhookEndpoint
from accounts.scoping import merchant_scope
from accounts.services.webhooks import sending
from imodel_site.lib.fetch import Fetcher
from imodel_site.worker.courier import ROOMS, Courier
from tests.jobs.house import PATIENCE, Databases, House
from tests.webhooks.conftest import happened
from tests.webhooks.drive import ask
from tests.webhooks.receiver import receiving, says


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    made = Databases(tmp_path_factory.mktemp("houses"))
    yield made
    made.close()


@pytest.fixture(params=["sqlite", "postgres"])
def house(databases: Databases, request: Any) -> Iterator[House]:
    made = House(databases.place(), getattr(databases, request.param)(), IMODEL_WEBHOOK_HTTP="1")
    yield made
    made.close()


def until(holds: Callable[[], Any], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, f"waited for {what}"
        time.sleep(0.05)


def all_delivered(house: House) -> bool:
    return all(row["status"] == "delivered" for row in ask(house.env, "state"))


def test_killed_between_sending_and_writing_down_it_is_sent_again_under_the_same_id(house: House) -> None:
    release = threading.Event()

    def answers_late(handler: Any) -> None:
        release.wait(PATIENCE)
        says(204)(handler)

    with receiving(answers_late, says(204)) as shop:
        merchant = ask(house.env, "listen", urls=[shop.url])
        worker = house.start()
        ask(house.env, "happen", merchant=merchant, count=1)
        until(lambda: shop.came, "the first try")
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
        release.set()
        assert [(row["status"], row["tries"]) for row in ask(house.env, "state")] == [("waiting", [])]
        ask(house.env, "time_passes")
        house.start()
        until(lambda: all_delivered(house), "the second try")
        (row,) = ask(house.env, "state")
    assert shop.ids == [row["event"]] * 2
    assert row["tries"] == [2]  # the first one was never written down, and its number is not used again


def test_two_workers_send_each_event_once_and_respect_the_limit_together(house: House) -> None:
    busy, most, lock = [0], [0], threading.Lock()

    def counts(handler: Any) -> None:
        with lock:
            busy[0] += 1
            most[0] = max(most[0], busy[0])
        time.sleep(0.03)  # long enough for a third one to come in, if it were let
        with lock:
            busy[0] -= 1
        says(204)(handler)

    with receiving(counts) as shop:
        merchant = ask(house.env, "listen", urls=[shop.url])
        for lane in ("light", "train"):
            house.start("--lanes", lane, "--no-executors")
        ask(house.env, "happen", merchant=merchant, count=60)
        until(lambda: len(shop.came) >= 60 and all_delivered(house), "sixty events")
    assert len(set(shop.ids)) == len(shop.ids) == 60
    assert most[0] <= 2


def test_a_worker_that_is_asked_to_stop_writes_down_what_is_on_its_way(house: House) -> None:
    release = threading.Event()

    def answers_late(handler: Any) -> None:
        release.wait(PATIENCE)
        says(204)(handler)

    with receiving(answers_late) as shop:
        merchant = ask(house.env, "listen", urls=[shop.url])
        worker = house.start()
        ask(house.env, "happen", merchant=merchant, count=3)
        until(lambda: shop.came, "the first try")
        os.kill(worker.pid, signal.SIGTERM)
        house.until_logged("stopping")
        release.set()
        worker.wait()
        rows = ask(house.env, "state")
    assert [row["status"] for row in rows if row["event"] in shop.ids] == ["delivered"] * len(shop.came)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("known", [{}, {"last_milliseconds": 20}, {"last_milliseconds": 4000}])
def test_a_shop_that_does_not_answer_delays_no_other(cast: Any, endpoint: Any, deliveries: Any, known: Any) -> None:
    """Neither one that answers quickly, nor one that is slow, nor one that was never tried."""
    release = threading.Event()
    courier = Courier(patient_line())
    with receiving(lambda handler: release.wait(PATIENCE)) as dead, receiving() as well:
        for number in range(8):
            row = endpoint(f"{dead.url}&n={number}", "shoot.failed").row
            settle(row, failing_since=timezone.now(), last_milliseconds=10_000)
        settle(endpoint(well.url, "shoot.succeeded", merchant=cast.bazaar).row, **known)
        for _ in range(3):
            happened(cast.atelier, "shoot.failed")
        courier.start()
        try:
            until(lambda: len(dead.came) == ROOMS["stuck"], "every place that stuck ones may take is taken")
            for number in range(20):
                happened(cast.bazaar, "shoot.succeeded", number=number)
            until(lambda: len(well.came) == 20, "the other shop's events")
            assert len(dead.came) == ROOMS["stuck"] and not release.is_set()
        finally:
            release.set()
            courier.stop(PATIENCE)
    mine = [row.status for row in deliveries() if row.merchant_id == cast.bazaar.pk]
    assert mine == ["delivered"] * 20


def patient_line() -> Fetcher:
    """The dead keep their places for as long as the test lasts, on however busy a machine."""
    whole = sending.line()
    return Fetcher(whole.ports, allowed=whole.allowed, seconds=2 * PATIENCE, schemes=whole.schemes)


def settle(row: WebhookEndpoint, **fields: Any) -> None:
    with merchant_scope(row.merchant_id):
        WebhookEndpoint.objects.filter(pk=row.pk).update(**fields)


@pytest.mark.django_db(transaction=True)
def test_a_try_that_can_not_be_written_down_holds_up_no_other(
    cast: Any, endpoint: Any, deliveries: Any, monkeypatch: Any
) -> None:
    from accounts.services.webhooks import outcomes

    real, first = outcomes.record, []

    def breaks_once(parcel: Any, outcome: Any) -> Any:
        if not first:
            first.append(parcel)
            raise ValueError("a bug of ours")
        return real(parcel, outcome)

    monkeypatch.setattr(outcomes, "record", breaks_once)
    courier = Courier()
    with receiving() as shop:
        endpoint(shop.url)
        for _ in range(3):
            happened(cast.atelier)
        courier.start()
        try:
            until(lambda: len(shop.came) == 3, "all three")
        finally:
            courier.stop(PATIENCE)
    assert sorted(row.status for row in deliveries()) == ["delivered", "delivered", "waiting"]
