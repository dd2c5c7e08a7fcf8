"""Adapters, versions, trainings and uploads are deleted: what a job needs stays, and no row is left without a file."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from accounts.scoping import merchant_scope, unscoped
from catalog.models import Asset
from catalog.services.shared_library import seed_library
from generation import orders as shoot_orders
from generation import services as shooting
from generation.expert import AdapterChoice, ExpertChoices
from generation.models import Kind, Picture, Shoot
from generation.orders import Choices
from imodel_site.lib import storage
from imodel_site.lib.errors import NotHere, Refused
from imodel_site.lib.jobs import services as jobs
from imodel_site.lib.signing import media_url
from tests.api.conftest import error_of, program_of
from tests.generation import scripted as painting
from tests.training import scripted
from tests.training.conftest import Atelier, all_of, carry_out_next, checked, fresh, new_set, trained
from tests.training.test_adapters import mini_adapter
from tests.training.test_uploads_take_room import bring
from training import grids
from training.models import (
    Adapter,
    AdapterUpload,
    AdapterVersion,
    Checkpoint,
    Comparison,
    ComparisonCell,
    Promotion,
    Training,
    TrainingNote,
    TrainingPoint,
    TrainingSample,
    TrainingSource,
)
from training.plans import Wishes
from training.services import adapters, comparisons, deleting, holding, sets, trainings

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def two(atelier, executor):
    """An adapter with three versions: steps 20 (in use), 30 and 10; its first grid is painted, then shoots are."""
    trained(atelier)
    with merchant_scope(atelier.merchant):
        for step in (30, 10):
            checkpoint = Checkpoint.objects.select_related("training__garment").get(step=step)
            trainings.choose_checkpoint(actor=atelier.actor, checkpoint=checkpoint)
    seed_library()
    carry_out_next("generate")
    executor["generate"].script = painting.paints
    return atelier


def version(shop: Atelier, number: int) -> AdapterVersion:
    with merchant_scope(shop.merchant):
        rows = AdapterVersion.objects.select_related("adapter__garment", "training")
        return rows.get(number=number)


def drop_version(shop: Atelier, number: int) -> None:
    with merchant_scope(shop.merchant):
        deleting.delete_version(actor=shop.actor, version=version(shop, number))


def drop_adapter(shop: Atelier) -> None:
    with merchant_scope(shop.merchant):
        deleting.delete_adapter(actor=shop.actor, adapter=Adapter.objects.get())


def drop_training(shop: Atelier, training: Training | None = None) -> None:
    with merchant_scope(shop.merchant):
        deleting.delete_training(actor=shop.actor, training=training or Training.objects.get())


def order(shop: Atelier, **choices: Any) -> Shoot:
    asked = Choices(**{"photo": shop.photos[0].pk, "count": 1, "seed": 5, "kind": Kind.OUTFIT, **choices})
    with merchant_scope(shop.merchant):
        return shooting.order_shoot(actor=shop.actor, choices=asked, key=None)


def refused_with(code: str, deed: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as caught:
        deed()
    assert caught.value.code == code
    return caught.value


def there(*keys: str) -> list[bool]:
    return [storage.private().exists(key) for key in keys]


# --- versions --------------------------------------------------------------------------------------------------------
def test_a_version_in_use_stays_and_another_goes_while_its_checkpoint_keeps_the_file(two):
    refused = refused_with("version_in_use", lambda: drop_version(two, 1))
    assert (refused.status, refused.retryable) == (409, False)
    key = version(two, 3).key
    drop_version(two, 3)
    assert [one.number for one in all_of(AdapterVersion)] == [1, 2]
    assert there(key) == [True]
    refused_with("not_found", lambda: deleting_again(two))
    drop_training(two)
    assert there(key) == [False]


def deleting_again(shop: Atelier) -> None:
    gone = version(shop, 2)
    drop_version(shop, 2)
    with merchant_scope(shop.merchant):
        deleting.delete_version(actor=shop.actor, version=gone)


def test_the_number_of_a_deleted_version_is_not_given_out_again(two):
    drop_version(two, 3)
    with merchant_scope(two.merchant):
        checkpoint = Checkpoint.objects.select_related("training__garment").get(step=10)
        made = trainings.choose_checkpoint(actor=two.actor, checkpoint=checkpoint)
    assert (made.number, made.key) == (4, checkpoint.key)


def test_the_way_back_leads_past_deleted_versions_and_never_to_the_one_in_use(two):
    with merchant_scope(two.merchant):
        for number in (2, 3):
            adapters.promote(actor=two.actor, version=version(two, number))
    drop_version(two, 2)
    with merchant_scope(two.merchant):
        assert adapters.roll_back(actor=two.actor, adapter=Adapter.objects.get()).number == 1
        adapters.promote(actor=two.actor, version=version(two, 3))
        adapters.promote(actor=two.actor, version=version(two, 1))
    drop_version(two, 3)  # what is left of the trail is version 1 alone
    with merchant_scope(two.merchant):
        refused_with("nothing_before", lambda: adapters.roll_back(actor=two.actor, adapter=Adapter.objects.get()))
    trail = [step.version_id for step in all_of(Promotion)]
    assert len(trail) == 6 and trail.count(None) == 3


def test_a_step_that_was_undone_stays_undone_when_the_version_it_led_back_to_goes(two):
    with merchant_scope(two.merchant):
        for number in (2, 3):
            adapters.promote(actor=two.actor, version=version(two, number))
        adapters.roll_back(actor=two.actor, adapter=Adapter.objects.get())  # from 3 to 2
        adapters.promote(actor=two.actor, version=version(two, 1))
    drop_version(two, 2)
    with merchant_scope(two.merchant):
        refused_with("nothing_before", lambda: adapters.roll_back(actor=two.actor, adapter=Adapter.objects.get()))


# --- what a job needs ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("state", ["queued", "paused", "running"])
def test_what_a_shoot_waits_for_can_not_be_deleted_until_it_has_ended(two, state):
    shoot = order(two)
    with unscoped("test"):
        Shoot.objects.filter(pk=shoot.pk).update(status=state)
    with merchant_scope(two.merchant):
        adapters.promote(actor=two.actor, version=version(two, 2))
    for deed in (lambda: drop_version(two, 1), lambda: drop_adapter(two)):
        refused = refused_with("adapter_busy", deed)
        assert (refused.status, refused.retryable) == (409, True)
    assert [one.number for one in all_of(AdapterVersion)] == [1, 2, 3]
    drop_version(two, 3)  # which nothing needs
    with unscoped("test"):
        Shoot.objects.filter(pk=shoot.pk).update(status="cancelled")
    drop_version(two, 1)


def test_every_adapter_of_an_experts_request_counts_and_so_does_a_replays(two):
    order(two)
    carry_out_next("generate")
    with merchant_scope(two.merchant):
        adapters.promote(actor=two.actor, version=version(two, 2))
        picture = Picture.objects.select_related("shoot").get()
        replay = shooting.replay(actor=two.actor, picture=picture, key=None)
        refused_with("adapter_busy", lambda: drop_version(two, 1))
        jobs.cancel(replay)
        both = tuple(AdapterChoice(version=version(two, number), weight=0.5) for number in (1, 3))
        expert = shooting.order_expert(
            actor=two.actor, choices=ExpertChoices(prompt="a dress", seed=1, adapters=both), key=None
        )
        for number in (1, 3):
            refused_with("adapter_busy", lambda number=number: drop_version(two, number))
        jobs.cancel(expert)
    drop_version(two, 3)


def test_a_training_that_begins_with_a_version_keeps_it_until_it_has_ended(two):
    training = begun(two, version(two, 2))
    refused_with("adapter_busy", lambda: drop_version(two, 2))
    refused_with("adapter_busy", lambda: drop_adapter(two))
    with merchant_scope(two.merchant):
        trainings.cancel_training(actor=two.actor, training=training)
    drop_version(two, 2)
    with merchant_scope(two.merchant):
        refused_with("adapter_gone", lambda: trainings.retry_training(actor=two.actor, training=training))
    assert fresh(training).status == "cancelled"


def begun(shop: Atelier, begin: AdapterVersion) -> Training:
    found = new_set(shop)
    checked(shop, found)
    with merchant_scope(shop.merchant):
        return trainings.order_training(actor=shop.actor, found=found, wishes=Wishes(steps=30), key=None, begin=begin)


def test_what_was_deleted_while_it_was_being_ordered_is_refused(two):
    """Between the look at the version and the row that needs it, it went."""
    begin = version(two, 3)
    drop_version(two, 3)
    refused_with("adapter_gone", lambda: begun(two, begin))
    with merchant_scope(two.merchant):
        asked = Choices(photo=two.photos[0].pk, kind=Kind.OUTFIT, count=1)
        frozen = shoot_orders.freeze(two.actor, asked)
    drop_adapter(two)
    with merchant_scope(two.merchant):
        refused_with("adapter_gone", lambda: shooting.order_frozen(actor=two.actor, frozen=frozen))
        balance = Shoot.objects.count()
    assert (balance, len(all_of(Training))) == (0, 1)


def test_who_holds_a_version_locks_its_row(two):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time anyway")
    seen: list[Any] = []

    def look() -> None:
        try:
            with merchant_scope(two.merchant), transaction.atomic():
                list(AdapterVersion.objects.select_for_update(nowait=True).filter(number=1))
        except OperationalError as error:
            seen.append(error)
        finally:
            connection.close()

    key = version(two, 1).key
    with merchant_scope(two.merchant), transaction.atomic():
        holding.hold([key])
        other = threading.Thread(target=look)
        other.start()
        other.join()
    assert len(seen) == 1


def test_pictures_and_shoots_open_after_their_version_is_gone_and_are_not_made_again(two, alice):
    shoot = order(two)
    carry_out_next("generate")
    gone = version(two, 1)
    failed = order(two)
    with merchant_scope(two.merchant):
        jobs.cancel(failed)
    drop_adapter(two)

    shoot, picture = fresh(shoot), all_of(Picture)[0]
    assert shoot.adapter_version == gone.pk
    for page in (f"/shoots/{shoot.pk}/", f"/pictures/{picture.pk}/", f"/pictures/{picture.pk}/recipe.json"):
        assert alice.get(page, follow=True).status_code == 200, page
    program = program_of(two.merchant, two.actor.user)
    assert program.get(f"shoots/{shoot.pk}").json()["adapter_version"] == str(gone.pk)
    assert program.get(f"pictures/{picture.pk}").status_code == 200
    with merchant_scope(two.merchant):
        picture = Picture.objects.select_related("shoot").get()
        deeds = [
            lambda: shooting.do_again(actor=two.actor, shoot=shoot, key=None),
            lambda: shooting.vary(actor=two.actor, picture=picture, persona=None, key=None),
            lambda: shooting.replay(actor=two.actor, picture=picture, key=None),
            lambda: shooting.retry_shoot(actor=two.actor, shoot=failed),
        ]
        for deed in deeds:
            assert refused_with("adapter_gone", deed).status == 409
    assert fresh(failed).status == "cancelled"
    assert len(all_of(Shoot)) == 2


# --- adapters --------------------------------------------------------------------------------------------------------
def test_an_adapter_goes_with_all_its_versions_and_the_garment_can_be_trained_again(two):
    keys = [one.key for one in all_of(AdapterVersion)]
    drop_adapter(two)
    assert (all_of(Adapter), all_of(AdapterVersion), all_of(Promotion)) == ([], [], [])
    assert there(*keys) == [True, True, True]  # of the training's checkpoints
    with merchant_scope(two.merchant):
        checkpoint = Checkpoint.objects.select_related("training__garment").get(step=30)
        made = trainings.choose_checkpoint(actor=two.actor, checkpoint=checkpoint)
    assert fresh(made).promoted


def test_an_upload_that_is_judged_while_its_adapter_goes_makes_a_new_one(two, monkeypatch):
    """Its adapter was found, and is gone when it is to be locked."""
    real, deleted = Adapter.objects.get_or_create, []

    def late(**fields: Any) -> Any:
        found = real(**fields)
        if not deleted:
            deleted.append(found)
            Adapter.objects.filter(pk=found[0].pk).delete()
        return found

    monkeypatch.setattr(type(Adapter.objects), "get_or_create", lambda self, **fields: late(**fields))
    with merchant_scope(two.merchant), transaction.atomic():
        found = adapters.adapter_for(two.garment, merchant_id=two.merchant.pk, family="mini")
    assert deleted and found.pk != deleted[0][0].pk
    assert all_of(Adapter) == [found]


# --- trainings -------------------------------------------------------------------------------------------------------
def test_a_training_goes_with_everything_but_its_versions_which_shoots_still_wear(two, executor):
    training, kept = all_of(Training)[0], [one.key for one in all_of(AdapterVersion)]
    samples = [one.key for one in all_of(TrainingSample)]
    grid = [one.key for one in all_of(ComparisonCell)] + list(all_of(Comparison)[0].papers.values())
    states = [key for one in all_of(Checkpoint) for key in one.state.values()]
    assert len(samples) == 3 and len(grid) == 20 and len(states) == 4
    drop_training(two)

    for model in (Training, Checkpoint, TrainingSample, TrainingPoint, TrainingNote, Comparison, ComparisonCell):
        assert all_of(model) == [], model
    assert not any(there(*samples, *grid, *states))
    assert all(there(*kept))
    shoot = order(two)
    carry_out_next("generate")
    assert fresh(shoot).status == "succeeded"
    drop_adapter(two)
    assert not any(there(*kept))
    with pytest.raises(NotHere):
        drop_training(two, training)


def test_a_training_that_runs_or_whose_grid_waits_stays(atelier, executor):
    training = trained(atelier)
    refused = refused_with("training_busy", lambda: drop_training(atelier))
    assert (refused.status, refused.retryable) == (409, True)
    with unscoped("test"):
        Comparison.objects.update(status="cancelled")
        Training.objects.update(status="running")
    refused_with("not_finished", lambda: drop_training(atelier))
    assert len(all_of(Checkpoint)) == 3
    with unscoped("test"):
        Training.objects.update(status="succeeded")
        grid = Comparison.objects.select_related("training").get()
    drop_training(atelier)
    axes = [{"name": "weight", "values": [0.5, 1.0]}]
    with merchant_scope(atelier.merchant):
        for late in (
            lambda: comparisons.order_comparison(actor=atelier.actor, training=training, axes=axes, base={}, key=None),
            lambda: comparisons.retry_comparison(actor=atelier.actor, comparison=grid),
            lambda: trainings.retry_training(actor=atelier.actor, training=training),
            lambda: trainings.stop_training(actor=atelier.actor, training=training),
        ):
            with pytest.raises(Refused):
                late()
    assert all_of(Comparison) == []


def test_a_grid_that_is_ordered_while_its_training_goes_is_refused(two, monkeypatch):
    training, order_of = all_of(Training)[0], grids.order_of

    def late(*args: Any, **more: Any) -> Any:
        found = order_of(*args, **more)
        drop_training(two, training)
        return found

    monkeypatch.setattr(grids, "order_of", late)
    axes = [{"name": "weight", "values": [0.5, 1.0]}]
    with merchant_scope(two.merchant), pytest.raises(NotHere):
        comparisons.order_comparison(actor=two.actor, training=training, axes=axes, base={}, key=None)
    assert all_of(Comparison) == []


def test_moderation_still_reaches_versions_whose_training_was_deleted(two, alice):
    asset = two.photos[3].asset_id
    drop_training(two)
    assert len(all_of(TrainingSource, asset_id=asset)) == 3
    with merchant_scope(two.merchant):
        assert adapters.in_use(two.garment, family="mini") is not None
        assert sets.needs_asset(Asset.objects.get(pk=asset))
        assert media_url(version(two, 1), "adapter")
    with unscoped("test"):
        Asset.objects.filter(pk=asset).update(moderation="rejected")
    with merchant_scope(two.merchant):
        assert adapters.in_use(two.garment, family="mini") is None
        assert adapters.all_in_use(family="mini") == []
        assert media_url(version(two, 1), "adapter") == ""
        refused_with("photo_rejected", lambda: adapters.promote(actor=two.actor, version=version(two, 2)))
    program = program_of(two.merchant, two.actor.user)
    listed = program.get("adapter-versions").json()["items"]
    assert [one["url"] for one in listed] == [None, None, None]


def test_an_upload_that_only_the_training_needed_goes_when_its_versions_have_gone_too(two):
    asset = two.photos[3].asset_id
    with merchant_scope(two.merchant):
        for found in list(sets.TrainingSet.objects.all()):
            sets.delete_set(actor=two.actor, found=found)
        two.photos[3].delete()
    drop_training(two)
    assert len(all_of(Asset, pk=asset)) == 1
    drop_adapter(two)
    assert all_of(Asset, pk=asset) == []


# --- uploads ---------------------------------------------------------------------------------------------------------
def test_an_uploads_record_goes_once_it_has_ended_and_its_version_stays(atelier, executor):
    made = bring(atelier, mini_adapter())
    with merchant_scope(atelier.merchant):
        refused = refused_with("not_finished", lambda: deleting.delete_upload(actor=atelier.actor, upload=made))
        assert refused.retryable
        carry_out_next("light")
        deleting.delete_upload(actor=atelier.actor, upload=made)
    assert all_of(AdapterUpload) == []
    assert there(all_of(AdapterVersion)[0].key) == [True]


# --- doors -----------------------------------------------------------------------------------------------------------
def test_the_pages_ask_first_and_say_what_will_be_lost(two, alice):
    adapter, third = all_of(Adapter)[0], version(two, 3)
    page = alice.get(f"/training/adapters/{adapter.pk}/").content.decode()
    assert f"/training/adapters/versions/{third.pk}/delete" in page
    assert f"/training/adapters/versions/{version(two, 1).pk}/delete" not in page  # in use
    asked = alice.get(f"/training/adapters/versions/{third.pk}/delete").content.decode()
    assert "Delete version 3 of Poppy dress?" in asked and "cannot be brought back" in asked
    assert len(all_of(AdapterVersion)) == 3
    answer = alice.post(f"/training/adapters/versions/{third.pk}/delete", follow=True)
    assert "Version 3 is deleted." in answer.content.decode()
    order(two)
    busy = alice.post(f"/training/adapters/{adapter.pk}/delete")
    assert busy.status_code == 409 and "has not ended needs it" in busy.content.decode()
    training = all_of(Training)[0]
    asked = alice.get(f"/training/{training.pk}/delete").content.decode()
    assert "3 checkpoints" in asked and "1 grid" in asked and "Versions that were made of it" in asked
    assert f"/training/{training.pk}/delete" in alice.get(f"/training/{training.pk}/").content.decode()
    assert "is deleted" in alice.post(f"/training/{training.pk}/delete", follow=True).content.decode()
    carry_out_next("generate")
    assert "2 versions with their files" in alice.get(f"/training/adapters/{adapter.pk}/delete").content.decode()
    assert "is deleted" in alice.post(f"/training/adapters/{adapter.pk}/delete", follow=True).content.decode()
    assert (all_of(Adapter), all_of(Training)) == ([], [])


def test_an_uploads_page_says_that_its_version_was_deleted(atelier, executor, alice):
    bring(atelier, mini_adapter())
    made = bring(atelier, mini_adapter(n="2"))
    carry_out_next("light")
    carry_out_next("light")
    drop_version(atelier, 2)
    page = alice.get(f"/training/adapters/uploads/{made.pk}/").content.decode()
    assert "Its version was deleted since." in page and "This file was not taken" not in page
    assert alice.get(f"/training/adapters/{all_of(Adapter)[0].pk}/").status_code == 200
    alice.post(f"/training/adapters/uploads/{made.pk}/delete")
    assert fresh_or_none(made) is None


def fresh_or_none(row: Any) -> Any:
    return next(iter(all_of(type(row), pk=row.pk)), None)


def test_programs_delete_by_id_and_anothers_is_as_missing_as_none(two, bazaar):
    program = program_of(two.merchant, two.actor.user)
    foreign = program_of(bazaar.merchant, bazaar.actor.user)
    addresses = [
        f"adapter-versions/{version(two, 3).pk}",
        f"trainings/{all_of(Training)[0].pk}",
        f"adapters/{all_of(Adapter)[0].pk}",
    ]
    for address in addresses:
        assert foreign("delete", address).status_code == 404
    refused = program("delete", f"adapter-versions/{version(two, 1).pk}")
    assert (refused.status_code, error_of(refused)["code"]) == (409, "version_in_use")
    shoot = order(two)
    refused = program("delete", addresses[2])
    assert (refused.status_code, error_of(refused)["retryable"]) == (409, True)
    with merchant_scope(two.merchant):
        jobs.cancel(shoot)
    for address in addresses:
        assert program("delete", address).status_code == 204
        assert program("delete", address).status_code == 404
    assert (all_of(Adapter), all_of(AdapterVersion), all_of(Training)) == ([], [], [])


def test_who_may_only_look_deletes_nothing(two, cast):
    from tests.training.conftest import actor_of

    viewer = actor_of(cast.vera)
    with merchant_scope(two.merchant), pytest.raises(Refused) as refused:
        deleting.delete_version(actor=viewer, version=version(two, 3))
    assert refused.value.status == 403
    assert len(all_of(AdapterVersion)) == 3


def test_a_training_that_finishes_later_joins_no_deleted_adapter(two, executor):
    training = begun(two, version(two, 2))
    with merchant_scope(two.merchant):
        Training.objects.filter(pk=training.pk).update(of_version_id=None)  # it begins anew
    drop_adapter(two)
    executor["train"].script = scripted.plays
    carry_out_next()
    made = all_of(AdapterVersion)
    assert [(one.training_id, one.promoted) for one in made] == [(training.pk, True)]
