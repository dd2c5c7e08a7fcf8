"""Stop keeps what there is: nothing before the first checkpoint, between two workers all that is stored."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now

from accounts.models import LedgerEntry
from accounts.scoping import merchant_scope, unscoped
from accounts.services import credits
from tests.generation.scripted import Link
from tests.training import scripted
from tests.training.conftest import Atelier, all_of, carry_out_next, fresh, ordered
from tests.training.test_a_training_goes_on_or_stops import meanwhile, until
from training.models import AdapterVersion, Training, TrainingNote
from training.services import trainings

pytestmark = pytest.mark.django_db(transaction=True)


def stop(shop: Atelier, training: Training) -> None:
    """As the button does."""
    with merchant_scope(shop.merchant):
        trainings.stop_training(actor=shop.actor, training=training)


def test_before_its_first_checkpoint_it_is_cancelled_and_costs_nothing(atelier: Atelier, executor: Any) -> None:
    def loads(link: Link, message: dict[str, Any]) -> None:
        link.say("log", code="loading")
        heard = link.request()
        assert heard is not None and heard["ask"] == "stop"
        link.say("error", kind="cancelled", code="cancelled", message="Cancelled as asked.", retryable=False)

    executor["train"].script = loads
    training = ordered(atelier)

    def steer() -> None:
        until(lambda: all_of(TrainingNote))
        stop(atelier, training)
        connection.close()

    thread = meanwhile(steer)
    carry_out_next()
    thread.join(20)

    training = fresh(training)
    assert (training.status, training.error_code) == ("cancelled", "")
    assert all_of(AdapterVersion) == []
    with merchant_scope(atelier.merchant):
        assert (credits.account(atelier.merchant.pk).held, credits.balance(atelier.merchant)) == (0, 100)


def test_an_executor_that_gives_up_unasked_is_still_our_fault(atelier: Atelier, executor: Any) -> None:
    def gives_up(link: Link, message: dict[str, Any]) -> None:
        link.say("error", kind="cancelled", code="cancelled", message="Cancelled as asked.", retryable=False)

    executor["train"].script = gives_up
    training = ordered(atelier)
    carry_out_next()
    assert (fresh(training).status, fresh(training).error_code) == ("failed", "internal")


def test_after_its_worker_was_lost_it_keeps_what_was_stored(atelier: Atelier, executor: Any) -> None:
    training = ordered(atelier)
    executor["train"].script = partial(scripted.trains, until=20)
    carry_out_next()
    assert fresh(training).status == "queued"
    stop(atelier, training)
    assert fresh(training).status == "queued" and fresh(training).stop_asked_at

    def ends(link: Link, message: dict[str, Any]) -> None:
        heard = link.request()
        assert heard is not None and heard["ask"] == "stop"
        told = scripted.all_told(Path(message["out"]))
        link.say("done", **scripted.ending(told, steps=20, best=20, stopped=True))

    executor["train"].script = ends
    with unscoped("test"):
        Training.objects.filter(pk=training.pk).update(queued_at=Now())
    carry_out_next()

    training = fresh(training)
    assert (training.status, training.stopped_early, training.steps_done) == ("succeeded", True, 20)
    assert [one.step for one in all_of(AdapterVersion)] == [20]
    assert [entry.kind for entry in all_of(LedgerEntry)].count("capture") == 1
