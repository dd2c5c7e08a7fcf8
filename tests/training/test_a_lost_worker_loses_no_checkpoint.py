"""Whatever dies, and on whichever machine it goes on: every whole checkpoint counts, and the newest is gone on from."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db.models.functions import Now

from accounts.scoping import merchant_scope, unscoped
from tests.generation.scripted import Gone, Link
from tests.training import scripted
from tests.training.conftest import Atelier, all_of, carry_out_next, fresh, ordered
from training import resuming
from training.models import AdapterVersion, Checkpoint, Training
from training.services import trainings

pytestmark = pytest.mark.django_db(transaction=True)


def again(training: Training) -> None:
    """The pause after a loss is over, and the next worker takes it."""
    with unscoped("test"):
        Training.objects.filter(pk=training.pk).update(queued_at=Now())
    carry_out_next()


def steps() -> list[int]:
    """Of the checkpoints' rows."""
    return sorted(one.step for one in all_of(Checkpoint))


def with_state() -> list[int]:
    """Of those that can be gone on from."""
    return sorted(one.step for one in all_of(Checkpoint) if "state.safetensors" in one.state)


def looking(seen: dict[str, Any]) -> Any:
    """A training that goes well and remembers what it found."""

    def script(link: Link, message: dict[str, Any]) -> None:
        seen["first"] = scripted.first_step(message)
        seen["folders"] = sorted(found.name for found in Path(message["out"]).iterdir())
        scripted.trains(link, message)

    return script


@pytest.mark.parametrize(("untold", "then"), [([20], [10, 20, 30]), ([20, 30], [10, 20, 30])])
def test_a_checkpoint_that_nobody_heard_of_is_written_down_at_the_end(
    atelier: Atelier, executor: Any, untold: list[int], then: list[int]
) -> None:
    def dies(link: Link, message: dict[str, Any]) -> None:
        out = Path(message["out"])
        scripted.checkpoint(link, out, 10)
        for step in untold:  # on the disk, and the worker is lost before it can store them
            scripted.saved(out, step)
        raise Gone

    training = ordered(atelier)
    executor["train"].script = dies
    carry_out_next()
    assert steps() == [10]
    executor["train"].script = scripted.plays
    again(training)

    training = fresh(training)
    assert (training.status, training.error_code) == ("succeeded", "")
    assert steps() == then
    assert with_state() == [30]
    assert [one.step for one in all_of(AdapterVersion)] == [20]


def test_on_another_machine_the_best_is_chosen_from_all_checkpoints(atelier: Atelier, executor: Any) -> None:
    training = ordered(atelier)
    executor["train"].script = partial(scripted.trains, until=20)
    carry_out_next()
    shutil.rmtree(settings.WORK_DIR / str(atelier.merchant.pk))
    seen: dict[str, Any] = {}
    executor["train"].script = looking(seen)
    again(training)

    assert seen == {"first": 20, "folders": ["step-000010", "step-000020"]}
    assert fresh(training).status == "succeeded"
    assert steps() == [10, 20, 30]


def test_back_on_a_machine_whose_folder_is_older_it_goes_on_from_storage(
    atelier: Atelier, executor: Any, settings: Any
) -> None:
    training = ordered(atelier)
    executor["train"].script = partial(scripted.trains, until=10)
    carry_out_next()
    here = settings.WORK_DIR
    settings.WORK_DIR = here.parent / "another-machine"
    executor["train"].script = partial(scripted.trains, until=20)
    again(training)
    assert steps() == [10, 20]

    settings.WORK_DIR = here
    seen: dict[str, Any] = {}
    executor["train"].script = looking(seen)
    again(training)
    assert seen["first"] == 20
    assert fresh(training).status == "succeeded"


def test_a_folder_that_a_worker_left_half_made_is_not_gone_on_from(
    atelier: Atelier, executor: Any, monkeypatch: Any
) -> None:
    training = ordered(atelier)
    executor["train"].script = partial(scripted.trains, until=20)
    carry_out_next()
    shutil.rmtree(settings.WORK_DIR / str(atelier.merchant.pk))
    read = resuming.storage.read

    def dies(key: str) -> bytes:
        if "state-" in key and key.endswith(".safetensors"):
            raise KeyboardInterrupt
        return read(key)

    with merchant_scope(atelier.merchant):
        monkeypatch.setattr(resuming.storage, "read", dies)
        with pytest.raises(KeyboardInterrupt):
            resuming.place(training, 7)
        monkeypatch.setattr(resuming.storage, "read", read)
        whole = resuming.place(training, 8)
    assert sorted(path.name for path in (whole / "step-000020").iterdir()) == [
        "adapter.safetensors", "state.json", "state.safetensors",
    ]  # fmt: skip
    assert scripted.first_step({"out": str(whole)}) == 20


def test_what_an_executor_has_not_finished_writing_is_left_behind(atelier: Atelier, executor: Any) -> None:
    training = ordered(atelier)
    with merchant_scope(atelier.merchant):
        first = resuming.place(training, 1)
        scripted.saved(first, 10)
        (first / ".step-000020.abc.part").mkdir()
        assert [found.name for found in resuming.place(training, 2).iterdir()] == ["step-000010"]


def test_after_a_retry_it_goes_on_although_the_folder_is_gone(atelier: Atelier, executor: Any) -> None:
    def fails(link: Link, message: dict[str, Any]) -> None:
        for step in (10, 20):
            scripted.checkpoint(link, Path(message["out"]), step)
        link.say("error", kind="engine", code="out_of_memory", message="no room", retryable=True)

    training = ordered(atelier)
    executor["train"].script = fails
    carry_out_next()
    shutil.rmtree(settings.WORK_DIR / str(atelier.merchant.pk))
    with merchant_scope(atelier.merchant):
        trainings.retry_training(actor=atelier.actor, training=training)
    seen: dict[str, Any] = {}
    executor["train"].script = looking(seen)
    carry_out_next()
    assert seen["folders"] == ["step-000010", "step-000020"]
    assert fresh(training).status == "succeeded"
