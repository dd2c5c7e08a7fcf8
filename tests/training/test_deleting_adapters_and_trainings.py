"""Whole adapters, trainings and uploads are deleted for good; what others still need stays."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from accounts.scoping import merchant_scope, unscoped
from catalog.models import Asset
from imodel_site.lib.errors import NotHere, Refused
from imodel_site.lib.signing import media_url
from tests.api.conftest import program_of
from tests.training.conftest import all_of, carry_out_next, fresh, trained
from tests.training.deleting_things import (
    drop_adapter,
    drop_training,
    order,
    refused_with,
    there,
    version,
)
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
from training.services import adapters, comparisons, deleting, sets, trainings

pytestmark = pytest.mark.django_db(transaction=True)


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
