"""A training begins with what a version has learned: chosen on the page or by a program, of this very garment alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from accounts.scoping import merchant_scope, unscoped
from catalog.models import Asset
from imodel_site.lib import storage
from imodel_site.lib.errors import Conflict, Refused
from tests.api.conftest import error_of, program_of
from tests.training import scripted
from tests.training.conftest import all_of, carry_out_next, checked, fresh, furnish, new_set, trained
from training import orders
from training.models import AdapterVersion, Training, TrainingSource
from training.plans import Wishes
from training.services import trainings

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def version(atelier: Any, executor: Any) -> AdapterVersion:
    """What a first training came to: rank 2, attention alone."""
    trained(atelier)
    return all_of(AdapterVersion)[0]


def begun(shop: Any, version: AdapterVersion, found: Any = None, **wishes: Any) -> Training:
    """A training of all photos, or of a set, that begins with a version."""
    found = found or new_set(shop)
    checked(shop, found)
    with merchant_scope(shop.merchant):
        version = AdapterVersion.objects.select_related("adapter", "training").get(pk=version.pk)
        asked = Wishes(steps=30, **wishes)
        return trainings.order_training(actor=shop.actor, found=found, wishes=asked, key=None, begin=version)


def test_the_worker_is_given_the_versions_file(atelier, executor, version):
    assert executor["train"].asked[-1]["start"] is None  # the first was begun anew
    given: list[bytes] = []

    def plays(link: Any, message: dict[str, Any]) -> None:
        given.append(Path(message["start"]).read_bytes())
        scripted.trains(link, message)

    executor["train"].script = plays
    training = begun(atelier, version)
    carry_out_next()
    training = fresh(training)
    assert training.status == "succeeded"
    assert given == [storage.read(version.key)]
    assert training.of_version_id == version.pk
    assert training.order["start"] == {
        "version": str(version.pk), "number": 1, "key": version.key, "sha256": version.sha256,
    }  # fmt: skip
    assert version.key in set(orders.keys_of(training.order))


def test_the_plan_is_as_wide_as_what_it_begins_with(atelier, executor, version):
    storage.put(version.key, scripted.adapter_bytes(rank=24, module="unet.mid_block.resnets.0.conv1"))
    plan = begun(atelier, version).order["plan"]
    assert (plan["rank"], plan["modules"]) == (24, "attention+conv")
    with pytest.raises(Refused) as refused:
        begun(atelier, version, rank=8)
    assert (refused.value.code, refused.value.field) == ("begin_differs", "begin_from")
    with pytest.raises(Refused):
        begun(atelier, version, convolution=False)


def test_a_version_of_another_garment_is_refused(atelier, executor, version):
    other = furnish(atelier.actor, name="Plain skirt", sku="PS-1")
    with pytest.raises(Refused) as refused:
        begun(other, version)
    assert refused.value.code == "begin_differs"
    assert len(all_of(Training)) == 1


def test_moderation_reaches_what_was_begun_with_a_rejected_photo(atelier, executor, version):
    """The second set leaves the photo out, but what it begins with has learned from it."""
    found = new_set(atelier)
    with merchant_scope(atelier.merchant):
        gone = found.pictures.order_by("position").first()
        found.pictures.filter(pk=gone.pk).update(left_out=True)
    training = begun(atelier, version, found)
    assert str(gone.asset_id) not in {entry["asset"] for entry in training.order["entries"]}
    assert gone.asset_id in {source.asset_id for source in all_of(TrainingSource, training=training)}
    with unscoped("test"):
        Asset.objects.filter(pk=gone.asset_id).update(moderation="rejected")
    carry_out_next()
    assert (fresh(training).status, fresh(training).error_code) == ("failed", "photo_rejected")
    with pytest.raises(Conflict) as refused:
        begun(atelier, version)
    assert refused.value.code == "photo_rejected"


def test_the_page_offers_the_garments_versions_and_starts_with_the_chosen_one(alice, atelier, executor, version):
    found = new_set(atelier)
    checked(atelier, found)
    page = alice.get(f"/training/sets/{found.pk}/?begin={version.pk}").content.decode()
    assert f'<option value="{version.pk}" selected>' in page
    answer = alice.post(f"/training/sets/{found.pk}/start", {"begin": str(version.pk), "once": "x1", "effort": "quick"})
    training = all_of(Training)[-1]
    assert answer["Location"] == f"/training/{training.pk}/"
    assert training.of_version_id == version.pk
    assert "begun with version 1" in alice.get(answer["Location"]).content.decode()


def test_programs_say_begin_from_and_foreign_versions_are_as_missing_as_none(atelier, bazaar, executor, version):
    found = new_set(atelier)
    checked(atelier, found)
    program = program_of(atelier.merchant, atelier.actor.user)
    asked = {"set": str(found.pk), "steps": 30, "begin_from": str(version.pk)}
    dry = program.post("trainings", {**asked, "dry_run": True})
    assert dry.status_code == 200 and dry.json()["plan"]["rank"] >= 2
    made = program.post("trainings", asked, once="one")
    assert (made.status_code, made.json()["begun_from"]) == (202, str(version.pk))
    anew = program.post("trainings", {**asked, "begin_from": None}, once="two")
    assert (anew.status_code, anew.json()["begun_from"]) == (202, None)

    theirs = new_set(bazaar)
    checked(bazaar, theirs)
    foreign = program_of(bazaar.merchant, bazaar.actor.user)
    refused = foreign.post("trainings", {**asked, "set": str(theirs.pk)})
    assert (refused.status_code, error_of(refused)["field"]) == (404, "begin_from")
