"""Lost executors, stale workers, wishes while it runs, and how it ends when somebody has had enough."""

from __future__ import annotations

import shutil
import threading
import time
from functools import partial

import pytest

from accounts.models import LedgerEntry, WebhookEvent
from accounts.scoping import merchant_scope, unscoped
from accounts.services import credits
from catalog.models import Asset
from imodel_site.lib.errors import Conflict
from imodel_site.lib.jobs.claims import claim_next
from imodel_site.lib.jobs.work import LostLease
from tests.training import scripted
from tests.training.conftest import all_of, carry_out_next, fresh, ordered, trained
from training import listening, resuming
from training.models import AdapterVersion, Checkpoint, Training, TrainingNote, TrainingPoint, TrainingSample
from training.services import trainings

pytestmark = pytest.mark.django_db(transaction=True)


def due(training: Training) -> None:
    """The pause after a loss is over."""
    from django.db.models.functions import Now

    with unscoped("test"):
        Training.objects.filter(pk=training.pk).update(queued_at=Now())


def test_a_lost_executor_costs_the_steps_since_the_last_checkpoint_and_nothing_else(atelier, executor):
    training = ordered(atelier)
    executor["train"].script = partial(scripted.trains, until=20)
    carry_out_next()
    assert fresh(training).status == "queued"
    assert [one.step for one in all_of(Checkpoint)] == [10, 20]

    due(training)
    executor["train"].script = scripted.plays
    carry_out_next()

    training = fresh(training)
    assert (training.status, training.resumed, training.steps_done) == ("succeeded", 1, 30)
    assert [note.code for note in all_of(TrainingNote)] == ["loading", "resumed"]
    assert [one.step for one in all_of(Checkpoint)] == [10, 20, 30]
    assert len(all_of(AdapterVersion)) == 1
    assert len([event for event in all_of(WebhookEvent) if event.type == "training.finished"]) == 1
    assert [entry.kind for entry in all_of(LedgerEntry)].count("capture") == 1


def test_points_after_the_checkpoint_that_it_goes_on_from_are_made_again(atelier, executor):
    training = ordered(atelier)
    executor["train"].script = partial(scripted.trains, until=20)
    carry_out_next()
    with merchant_scope(atelier.merchant):
        TrainingPoint.objects.filter(step=29).update(loss=77.0)
        assert TrainingPoint.objects.filter(loss=77.0).exists()
    due(training)
    executor["train"].script = scripted.plays
    carry_out_next()
    assert all(point.loss != 77.0 for point in all_of(TrainingPoint))


def test_another_machine_goes_on_from_what_storage_holds(atelier, executor):
    from django.conf import settings

    training = ordered(atelier)
    executor["train"].script = partial(scripted.trains, until=20)
    carry_out_next()
    shutil.rmtree(settings.WORK_DIR / str(atelier.merchant.pk))  # the other machine has no such folder
    due(training)

    seen = {}

    def looks(link, message):
        seen["first"] = scripted.first_step(message)
        scripted.trains(link, message)

    executor["train"].script = looks
    carry_out_next()

    assert seen["first"] == 20
    assert fresh(training).status == "succeeded"


def test_each_claim_has_a_folder_of_its_own_with_what_the_one_before_left(atelier, executor):
    training = ordered(atelier)
    with merchant_scope(atelier.merchant):
        first = resuming.place(training, 1)
        (first / "step-000010").mkdir()
        (first / "step-000010" / "adapter.safetensors").write_bytes(b"x")
        second = resuming.place(training, 2)
        (first / "step-000020").mkdir()  # the stale executor goes on
        assert [found.name for found in second.iterdir()] == ["step-000010"]
        assert resuming.wanted(str(training.pk))
        resuming.forget(training)
        assert not first.exists() and not second.exists()


def test_the_folder_goes_with_the_training(atelier, executor):
    from django.conf import settings

    training = trained(atelier)
    assert list((settings.WORK_DIR).glob(f"*/kept-training-{training.pk}")) == []
    assert not resuming.wanted(str(training.pk))


def test_a_stale_worker_writes_nothing_more(atelier, executor, tmp_path):
    training = ordered(atelier)
    with merchant_scope(atelier.merchant):
        work = claim_next("train", "first")
        heard = listening.Heard(work, tmp_path)
        Training.objects.filter(pk=training.pk).update(token=work.token + 1)
        heard._point(3, loss=0.5)
        with pytest.raises(LostLease):
            heard.flush()
    assert all_of(TrainingPoint) == []


def test_files_outside_of_the_jobs_folder_are_not_taken(atelier, executor, tmp_path):
    from imodel_site.lib.jobs.work import Retry

    ordered(atelier)
    stranger = tmp_path / "secret.webp"
    stranger.write_bytes(b"secret")
    (tmp_path / "out").mkdir()
    with merchant_scope(atelier.merchant):
        heard = listening.Heard(claim_next("train", "w"), tmp_path / "out")
        with pytest.raises(Retry):
            heard.event({"event": "sampled", "step": 1, "n": 0, "seed": 1, "file": str(stranger)})
    assert all_of(TrainingSample) == []


def meanwhile(work):
    """A thread that steers while this one carries the job out."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def until(found, seconds: float = 20.0):
    """What ``found`` gives, as soon as it gives something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if got := found():
            return got
        time.sleep(0.05)
    raise AssertionError("it never came")


def test_save_and_sample_now_are_passed_on_once_and_stop_keeps_what_was_learned(atelier, executor):
    executor["train"].script = scripted.trains_until_told
    training = ordered(atelier)
    with unscoped("test"):
        Training.objects.filter(pk=training.pk).update(steps_total=100, price=11)

    def steer():
        from django.db import connection

        until(lambda: all_of(Checkpoint))
        with merchant_scope(atelier.merchant):
            trainings.ask_for(actor=atelier.actor, training=training, save=True)
        until(lambda: len(all_of(Checkpoint)) == 2)
        with merchant_scope(atelier.merchant):
            trainings.ask_for(actor=atelier.actor, training=training, sample=True)
        until(lambda: all_of(TrainingSample))
        with merchant_scope(atelier.merchant):
            trainings.stop_training(actor=atelier.actor, training=training)
        connection.close()

    thread = meanwhile(steer)
    carry_out_next()
    thread.join(20)

    training = fresh(training)
    assert (training.status, training.stopped_early, training.steps_done) == ("succeeded", True, 15)
    assert [one.step for one in all_of(Checkpoint)] == [10, 12, 15]
    assert [one.step for one in all_of(TrainingSample)] == [12]
    assert all_of(AdapterVersion)[0].step == 15
    captured = [entry for entry in all_of(LedgerEntry) if entry.kind == "capture"]
    assert -captured[0].held_change == 11 - 85 // 25  # of 100 steps 85 were never made


def test_cancel_costs_nothing_and_leaves_no_version(atelier, executor):
    executor["train"].script = scripted.trains_until_told
    training = ordered(atelier)

    def steer():
        from django.db import connection

        until(lambda: all_of(Checkpoint))
        with merchant_scope(atelier.merchant):
            trainings.cancel_training(actor=atelier.actor, training=training)
        connection.close()

    thread = meanwhile(steer)
    carry_out_next()
    thread.join(20)

    assert fresh(training).status == "cancelled"
    assert all_of(AdapterVersion) == []
    with merchant_scope(atelier.merchant):
        assert (credits.account(atelier.merchant.pk).held, credits.balance(atelier.merchant)) == (0, 100)


def test_stop_cancels_one_that_still_waits(atelier, executor):
    training = ordered(atelier)
    with merchant_scope(atelier.merchant):
        trainings.stop_training(actor=atelier.actor, training=training)
        assert training.status == "cancelled"
        with pytest.raises(Conflict) as refused:
            trainings.ask_for(actor=atelier.actor, training=training, save=True)
    assert refused.value.code == "not_running"


def test_a_failed_one_is_released_and_can_be_tried_again_from_its_checkpoint(atelier, executor):
    def fails(link, message):
        from pathlib import Path

        scripted.checkpoint(link, Path(message["out"]), 10)
        link.say("error", kind="engine", code="out_of_memory", message="no room", retryable=True)

    executor["train"].script = fails
    training = ordered(atelier)
    carry_out_next()
    training = fresh(training)
    assert (training.status, training.error_code) == ("failed", "out_of_memory")
    with merchant_scope(atelier.merchant):
        assert credits.account(atelier.merchant.pk).held == 0
        trainings.retry_training(actor=atelier.actor, training=training)
        assert credits.account(atelier.merchant.pk).held == training.price

    executor["train"].script = scripted.plays
    carry_out_next()
    assert fresh(training).status == "succeeded"
    assert [note.code for note in all_of(TrainingNote)] == ["resumed"]


def test_a_photo_that_moderation_takes_down_ends_what_learns_from_it(atelier, executor):
    training = ordered(atelier)
    with unscoped("test"):
        Asset.objects.filter(pk=atelier.photos[0].asset_id).update(moderation="rejected")
    carry_out_next()
    training = fresh(training)
    assert (training.status, training.error_code) == ("failed", "photo_rejected")
    with merchant_scope(atelier.merchant), pytest.raises(Conflict):
        trainings.retry_training(actor=atelier.actor, training=training)


def test_a_photo_stays_while_a_training_learned_from_it(atelier, executor):
    from catalog.services.photos import delete_photo
    from training.services import sets

    training = trained(atelier)
    asset = atelier.photos[0].asset_id
    with merchant_scope(atelier.merchant):
        delete_photo(photo=atelier.photos[0])
        sets.delete_set(actor=atelier.actor, found=training.set)
        assert Asset.objects.filter(pk=asset).exists()
