"""Ordering, carrying out and publishing, with an executor that plays a script over the true protocol."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from accounts.scoping import merchant_scope, unscoped
from catalog.models import Persona, Scene
from generation import publishing, services
from generation.models import Picture, Shoot
from generation.orders import Choices
from imodel_site.lib import storage
from imodel_site.lib.jobs.work import Work
from studio.errors import Cancelled, StorageError
from tests.generation import scripted
from tests.generation.conftest import carry_out_next, first_of, made

pytestmark = pytest.mark.django_db(transaction=True)


def pictures_of(shoot: Shoot) -> list[Any]:
    with unscoped("test"):
        return list(Picture.objects.filter(shoot=shoot).order_by("index"))


def test_an_ordered_shoot_becomes_pictures_whose_files_are_stored_as_the_executor_wrote_them(house, executor):
    shoot = made(house, count=3, seed=70_000)

    assert shoot.status == "succeeded"
    found = pictures_of(shoot)
    assert [p.index for p in found] == [0, 1, 2]
    assert [p.seed for p in found] == [70_000, 70_001, 70_002]
    assert found == sorted(found, key=lambda p: p.pk, reverse=True)  # newest first shows them in their order
    assert {p.verdict for p in found} == {"good"}
    for picture in found:
        assert set(picture.files) == {"full", "display", "large", "medium", "small"}
        for file in picture.files.values():
            data = storage.read(file["key"])
            assert hashlib.sha256(data).hexdigest() == file["sha256"]
            assert len(data) == file["bytes"]
            assert file["key"].startswith(f"m/{house.merchant.pk}/shoots/{shoot.pk}/{shoot.token}/")
    assert set(shoot.table) == {"sheet", "source", "mask", "skeleton"}
    assert shoot.timings == {"total": 0.1}


def test_the_worker_gives_the_executor_paths_in_the_place_of_storage_keys(house, executor):
    made(house)

    order = executor.asked[0]["order"]
    with merchant_scope(house.merchant):
        keys = house.photo.asset.key, house.photo.asset.look.found["parts"][0]["key"]
    assert order["photo"].endswith(keys[0].rsplit("/", 1)[1])
    assert order["mask"].endswith(keys[1].rsplit("/", 1)[1])
    assert order["garment"] == "upper"  # the best part's mask, so its name goes along
    assert executor.asked[0]["id"].endswith("/1")


def test_editing_and_deleting_a_preset_changes_nothing_about_an_accepted_shoot(house, executor):
    with merchant_scope(house.merchant):
        persona = Persona.objects.create(
            name="own", title="Own", words="a woman in a hat", below="jeans", above="shirt"
        )
        scene = Scene.objects.create(name="yard", title="Yard", words="a yard")
        choices = Choices(photo=house.photo.pk, persona=persona.pk, scene=scene.pk)
        shoot = services.order_shoot(actor=house.actor, choices=choices, key=None)
        Persona.objects.filter(pk=persona.pk).update(words="somebody else entirely")
        scene.delete()

    carry_out_next()

    order = executor.asked[0]["order"]
    assert order["persona"] == {"name": "own", "words": "a woman in a hat", "below": "jeans", "above": "shirt"}
    assert order["scene"] == {"name": "yard", "words": "a yard"}
    assert len(pictures_of(shoot)) == 2


def test_a_double_click_makes_one_shoot(house):
    with merchant_scope(house.merchant):
        choices = Choices(photo=house.photo.pk)
        first = services.order_shoot(actor=house.actor, choices=choices, key="form-1")
        second = services.order_shoot(actor=house.actor, choices=choices, key="form-1")
        other = services.order_shoot(actor=house.actor, choices=choices, key="form-2")

        assert first.pk == second.pk != other.pk
        assert Shoot.objects.count() == 2


def overtake(shoot: Shoot) -> None:
    """Another worker takes the job over."""
    with unscoped("test"):
        Shoot.objects.filter(pk=shoot.pk).update(token=2)


def test_a_worker_that_lost_its_lease_while_it_painted_publishes_nothing(house, executor):
    def overtaken(link, message):
        overtake(shoot)
        scripted.paints(link, message)

    with merchant_scope(house.merchant):
        shoot = services.order_shoot(actor=house.actor, choices=Choices(photo=house.photo.pk), key=None)
    executor.script = overtaken
    carry_out_next()

    assert pictures_of(shoot) == []
    assert list(storage.private().listed(f"m/{house.merchant.pk}/shoots/")) == []


def test_a_worker_that_lost_its_lease_after_storing_is_fenced_out_and_takes_its_files_back(
    house, executor, monkeypatch
):
    true_store, stored = publishing.store, []

    def store(*args, **kwargs):
        stored.append(true_store(*args, **kwargs))
        overtake(shoot)
        return stored[0]

    monkeypatch.setattr(publishing, "store", store)
    with merchant_scope(house.merchant):
        shoot = services.order_shoot(actor=house.actor, choices=Choices(photo=house.photo.pk), key=None)
    carry_out_next()

    assert len(stored[0].keys()) == 2 * 5 + 4
    assert pictures_of(shoot) == []
    assert list(storage.private().listed(f"m/{house.merchant.pk}/shoots/")) == []


def test_two_tokens_of_one_shoot_never_make_a_picture_twice(house, executor):
    shoot = made(house)

    with merchant_scope(house.merchant), pytest.raises(IntegrityError), transaction.atomic():
        Picture.objects.create(
            shoot=shoot, index=0, token=2, kind="model", width=1, height=1, seed=0, verdict="none"
        )  # fmt: skip


def test_cancelling_while_it_paints_leaves_no_picture(house, executor):
    def cancelled_meanwhile(link, message):
        link.say("progress", stage="painting", fraction=0.3)
        with merchant_scope(house.merchant):
            services.cancel_shoot(actor=house.actor, shoot=shoot)
        link.wait_for_cancel()
        link.say("error", kind="cancelled", code="cancelled", message="Cancelled as asked.", retryable=False)

    with merchant_scope(house.merchant):
        shoot = services.order_shoot(actor=house.actor, choices=Choices(photo=house.photo.pk), key=None)
    executor.script = cancelled_meanwhile
    carry_out_next()

    with merchant_scope(house.merchant):
        shoot.refresh_from_db()
    assert shoot.status == "cancelled"
    assert pictures_of(shoot) == []


def test_cancelling_while_the_files_are_put_away_takes_them_back(house, executor, monkeypatch):
    asked = []

    def stop_at_the_third_file(work):
        asked.append(1)
        if len(asked) > 3:
            raise Cancelled

    monkeypatch.setattr(Work, "stop_if_asked", stop_at_the_third_file)
    monkeypatch.setattr(Work, "should_stop", lambda work: len(asked) > 3)
    shoot = made(house)

    assert shoot.status == "queued"  # handed back without blame: nobody asked the row to be cancelled
    assert pictures_of(shoot) == []
    assert list(storage.private().listed(f"m/{house.merchant.pk}/shoots/")) == []


def test_an_executor_that_dies_costs_a_loss_and_the_next_one_finishes(house, executor):
    executor.script = scripted.dies
    shoot = made(house)
    assert (shoot.status, shoot.losses) == ("queued", 1)

    executor.script = scripted.paints
    with unscoped("its delay is over"):
        Shoot.objects.update(queued_at=Now())
    carry_out_next()

    with merchant_scope(house.merchant):
        shoot.refresh_from_db()
    assert shoot.status == "succeeded"
    assert {p.token for p in pictures_of(shoot)} == {2}


@pytest.mark.parametrize(
    ("kind", "code", "retryable"),
    [("input", "garment_not_found", False), ("engine", "out_of_memory", True), ("weights", "weights_missing", False)],
)
def test_the_executors_refusal_is_the_shoots_end_with_its_code(house, executor, kind, code, retryable):
    executor.script = scripted.fails(kind, code, retryable=retryable)
    shoot = made(house)

    assert (shoot.status, shoot.error_code, shoot.error_retryable) == ("failed", code, retryable)


def test_a_picture_that_is_not_what_the_executor_wrote_is_not_published(house, executor):
    def garbled(link, message):
        out = Path(message["out"])
        events = scripted.shots(message, out)
        (out / "1-large.webp").write_bytes(b"half a pict")
        for event in events:
            link.say("shot", **event)
        link.say("done", timings={}, files=scripted.papers(out))

    executor.script = garbled
    shoot = made(house)

    assert (shoot.status, shoot.losses) == ("queued", 1)
    assert pictures_of(shoot) == []
    assert list(storage.private().listed(f"m/{house.merchant.pk}/shoots/")) == []


def test_a_file_outside_of_the_jobs_folder_is_not_taken(house, executor):
    def reaches_out(link, message):
        for event in scripted.shots(message, Path(message["out"])):
            event["files"]["small"] = "/etc/hostname"
            link.say("shot", **event)
        link.say("done", timings={}, files={})

    executor.script = reaches_out
    assert made(house).status == "queued"


def test_a_full_disk_puts_the_shoot_back_and_leaves_nothing_behind(house, executor, monkeypatch):
    true_put, count = storage.put, []

    def put(key, data):
        count.append(key)
        if len(count) == 4:
            raise StorageError("disk_full", "no room", retryable=True)
        return true_put(key, data)

    monkeypatch.setattr(storage, "put", put)
    shoot = made(house)

    # It waits for room: what the operator has to mend is nobody's loss (docs/jobs.md).
    assert (shoot.status, shoot.losses) == ("queued", 0) and shoot.queued_at > shoot.created_at
    assert pictures_of(shoot) == []
    assert list(storage.private().listed(f"m/{house.merchant.pk}/shoots/")) == []


def test_a_photo_that_was_deleted_meanwhile_is_named_as_the_reason(house, executor):
    with merchant_scope(house.merchant):
        shoot = services.order_shoot(actor=house.actor, choices=Choices(photo=house.photo.pk), key=None)
        storage.delete(house.photo.asset.key)
    carry_out_next()

    with merchant_scope(house.merchant):
        shoot.refresh_from_db()
    assert (shoot.status, shoot.error_code) == ("failed", "photo_gone")


def test_first_scene_and_persona_stand_in_for_what_was_not_chosen(house, executor):
    made(house)
    order = executor.asked[0]["order"]
    assert order["persona"]["name"] == first_of(Persona).name
    assert order["scene"]["words"] == first_of(Scene).words
    assert order["pose"] == "as-photographed"
