"""A garment's photos become a set, a look, a training, an adapter and a grid, over the true protocol."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from accounts.models import WebhookEvent
from accounts.scoping import merchant_scope
from accounts.services import credits
from imodel_site.lib import storage
from imodel_site.lib.errors import Conflict, Refused
from tests.training import scripted
from tests.training.conftest import all_of, carry_out_next, checked, fresh, new_set, ordered, trained
from training.models import (
    AdapterVersion,
    Checkpoint,
    Comparison,
    ComparisonCell,
    Training,
    TrainingNote,
    TrainingPicture,
    TrainingPoint,
    TrainingSample,
)
from training.plans import Wishes
from training.services import trainings

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_set_begins_with_the_garments_photos_and_a_word_of_its_own(atelier):
    found = new_set(atelier)

    pictures = all_of(TrainingPicture, set=found)
    assert [picture.view for picture in pictures] == ["front", "front", "front", "side", "side", "back", "back"]
    assert len(found.trigger) == 5 and found.trigger[3:].isdigit()
    again = new_set(atelier)
    assert again.trigger == found.trigger  # a garment keeps its word


def test_the_check_writes_captions_but_not_over_ones_of_the_merchants_own(atelier, executor):
    from training.services import sets

    found = new_set(atelier)
    with merchant_scope(atelier.merchant):
        first = found.pictures.order_by("position").first()
        sets.change_picture(actor=atelier.actor, picture=first, caption="my very own words")

    look = checked(atelier, found)

    pictures = all_of(TrainingPicture, set=found)
    assert pictures[0].caption == "my very own words"
    assert pictures[1].caption == f"{found.trigger} dress, picture 1"
    assert [picture.held_out for picture in pictures] == [False] * 6 + [True]
    asked = executor["light"].asked[0]
    assert asked["photos"][0]["caption"] == "my very own words"
    assert asked["photos"][1]["caption"] is None
    assert all(photo["mask"] for photo in asked["photos"])
    assert asked["garment"]["category"] == "dress"
    assert look.found["problems"][0]["pictures"] == [str(pictures[0].pk)]


def test_two_people_become_two_pictures_with_their_masks(atelier, executor):
    from training.services import sets

    found = new_set(atelier)
    look = checked(atelier, found)
    with merchant_scope(atelier.merchant):
        picture = found.pictures.order_by("position").first()
        crops = look.found["pictures"][0]["crops"]
        parts = sets.accept_crops(actor=atelier.actor, picture=picture, crops=crops)
        picture.refresh_from_db()
        with pytest.raises(Conflict) as refused:
            sets.accept_crops(actor=atelier.actor, picture=picture, crops=crops)

    assert refused.value.code == "no_crops"
    assert picture.left_out
    assert [part.crop for part in parts] == [[0, 0, 20, 40], [30, 0, 50, 40]]
    assert storage.read(parts[0].mask_key)

    checked(atelier, found)
    sizes = [photo for photo in executor["light"].asked[-1]["photos"] if photo["path"].endswith("006.png")]
    assert len(executor["light"].asked[-1]["photos"]) == 8 and sizes


def test_nothing_starts_before_the_set_was_looked_at_as_it_is(atelier, executor):
    from training.services import sets

    found = new_set(atelier)
    with merchant_scope(atelier.merchant):
        picture = found.pictures.first()
    checked(atelier, found)
    with merchant_scope(atelier.merchant):
        sets.change_picture(actor=atelier.actor, picture=picture, left_out=True)
        with pytest.raises(Conflict) as refused:
            trainings.order_training(actor=atelier.actor, found=found, wishes=Wishes(), key=None)
    assert refused.value.code == "check_first"
    assert all_of(Training) == []


def test_a_training_leaves_curves_samples_checkpoints_a_version_and_a_grid(atelier, executor):
    training = trained(atelier)

    assert (training.status, training.error_code) == ("succeeded", "")
    assert training.steps_done == 30
    assert training.chosen_step == 20
    assert training.memory_bytes == 2**20
    points = {point.step: point for point in all_of(TrainingPoint)}
    assert set(points) == {0, 9, 10, 19, 20, 29, 30}
    assert points[20].loss == pytest.approx(1 / 21)
    assert points[20].validation == 0.5
    assert points[9].smoothed is None and points[0].validation == 0.9
    assert [sample.step for sample in all_of(TrainingSample)] == [10, 20, 30]
    checkpoints = all_of(Checkpoint)
    assert [one.step for one in checkpoints] == [10, 20, 30]
    for one in checkpoints:
        assert hashlib.sha256(storage.read(one.key)).hexdigest() == one.sha256
        assert one.key.startswith(f"m/{atelier.merchant.pk}/trainings/{training.pk}/{training.token}/")
    assert [note.code for note in all_of(TrainingNote)] == ["loading"]
    version = all_of(AdapterVersion)[0]
    assert (version.number, version.step, version.promoted, version.noun) == (1, 20, True, "dress")
    assert version.key == checkpoints[1].key
    grid = all_of(Comparison)[0]
    assert grid.automatic and grid.price == 0 and grid.status == "queued"
    assert grid.cells_total == 3 * 3 * 2


def test_only_the_newest_checkpoint_keeps_the_tensors_of_its_state(atelier, executor):
    trained(atelier)

    states = [sorted(one.state) for one in all_of(Checkpoint)]
    assert states == [["state.json"], ["state.json"], ["state.json", "state.safetensors"]]


def test_the_executor_is_given_the_pictures_in_kohyas_folders(atelier, executor):
    seen = {}

    def looks(link, message):
        from pathlib import Path

        from studio.dataset.folders import read_folder

        seen["set"] = read_folder(Path(message["dataset"]))
        scripted.trains(link, message)

    executor["train"].script = looks
    training = trained(atelier)

    dataset = seen["set"]
    assert dataset.trigger == training.trigger
    assert dataset.class_word == "dress"
    assert (len(dataset.trained), len(dataset.held_out)) == (6, 1)
    assert all(entry.mask for entry in dataset.entries)
    assert dataset.trained[0].caption == f"{training.trigger} dress, picture 0"


def test_it_is_paid_on_success_and_told_once(atelier, executor):
    training = ordered(atelier)
    with merchant_scope(atelier.merchant):
        assert credits.account(atelier.merchant.pk).held == training.price == 2 + 7

    carry_out_next()

    with merchant_scope(atelier.merchant):
        account = credits.account(atelier.merchant.pk)
        assert (account.held, account.available) == (0, 100 - 9)
    told = [event for event in all_of(WebhookEvent) if event.type == "training.finished"]
    assert len(told) == 1
    assert told[0].payload["version"] == str(all_of(AdapterVersion)[0].pk)
    assert told[0].payload["links"]["training"].endswith(f"/api/v1/trainings/{training.pk}")


def test_the_same_key_is_the_same_training_and_other_wishes_are_refused(atelier, executor):
    found = new_set(atelier)
    checked(atelier, found)
    with merchant_scope(atelier.merchant):
        order = {"actor": atelier.actor, "found": found, "key": "once"}
        first = trainings.order_training(**order, wishes=Wishes(steps=30))
        assert trainings.order_training(**order, wishes=Wishes(steps=30)).pk == first.pk
        with pytest.raises(Refused) as refused:
            trainings.order_training(**order, wishes=Wishes(steps=40))
        assert refused.value.code == "idempotency_key_reused"
        assert credits.account(atelier.merchant.pk).held == first.price


def test_the_grid_is_painted_and_its_weight_becomes_the_versions(atelier, executor):
    trained(atelier)
    carry_out_next("generate")

    grid = all_of(Comparison)[0]
    assert (grid.status, grid.error_message) == ("succeeded", "")
    cells = {cell.number: cell for cell in all_of(ComparisonCell)}
    assert len(cells) == 18
    best = cells[grid.best]
    assert best.weight == 0.6
    assert storage.read(grid.papers["csv"]) == b"n,score\r\n"
    version = all_of(AdapterVersion)[0]
    assert (version.step, version.weight, version.weight_from) == (20, 0.6, "grid")  # of its own cells
    asked = executor["generate"].asked[0]
    assert {cell["checkpoint"] for cell in asked["cells"]} == {10, 20, 30}
    assert asked["cells"][0]["prompt"] == f"{version.trigger} dress"
    assert len(asked["references"]) == 1  # the picture that was held out


def test_the_merchant_may_overrule_the_scores(atelier, executor):
    from training.services import comparisons

    trained(atelier)
    carry_out_next("generate")
    with merchant_scope(atelier.merchant):
        grid = Comparison.objects.select_related("training").get()
        cell = ComparisonCell.objects.filter(comparison=grid, step=30, weight=1.0).first()
        comparisons.pick_cell(actor=atelier.actor, comparison=grid, number=cell.number)

    versions = all_of(AdapterVersion)
    assert [(one.number, one.step, one.promoted) for one in versions] == [(1, 20, True), (2, 30, False)]
    assert (versions[1].weight, versions[1].weight_from) == (1.0, "merchant")
    training = all_of(Training)[0]
    assert (training.chosen_step, training.overruled) == (30, True)
    assert fresh(grid).winner == cell.number


def test_a_small_set_and_a_stranger_word_are_refused(atelier, executor):
    from training.services import sets

    with merchant_scope(atelier.merchant):
        found = sets.create_set(actor=atelier.actor, garment=atelier.garment, photos=atelier.photos[:3])
        with pytest.raises(Refused) as few:
            trainings.order_training(actor=atelier.actor, found=found, wishes=Wishes(), key=None)
        with pytest.raises(Refused) as word:
            sets.set_trigger(actor=atelier.actor, found=found, trigger="Not A Word")
    assert few.value.code == "too_few_pictures"
    assert word.value.code == "trigger_invalid"


def test_a_garment_with_writing_is_not_mirrored(alice, atelier, executor):
    """Said once of the set: the trainer's pictures, the check, the next set and the zip all know."""
    found = new_set(atelier)
    alice.post(f"/training/sets/{found.pk}/change", {"trigger": found.trigger, "shown-mirrored": "1"})
    found = fresh(found)
    assert not found.mirrored
    checked(atelier, found)
    assert executor["light"].asked[-1]["garment"]["flip"] is False
    flips = []

    def looks(link, message):
        from studio.dataset.folders import read_folder

        flips.extend(entry.flip for entry in read_folder(Path(message["dataset"])).entries)
        scripted.trains(link, message)

    executor["train"].script = looks
    with merchant_scope(atelier.merchant):
        trainings.order_training(actor=atelier.actor, found=found, wishes=Wishes(steps=30), key=None)
    carry_out_next()
    assert len(flips) == 7 and not any(flips)
    with merchant_scope(atelier.merchant):
        version = AdapterVersion.objects.select_related("adapter__garment", "training").get()
        assert not fresh(trainings.retrain(actor=atelier.actor, version=version)).mirrored
