"""Versions are deleted for good; what a job needs, and what moderation must reach, stays."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from accounts.scoping import merchant_scope, unscoped
from generation import orders as shoot_orders
from generation import services as shooting
from generation.expert import AdapterChoice, ExpertChoices
from generation.models import Kind, Picture, Shoot
from generation.orders import Choices
from imodel_site.lib.jobs import services as jobs
from tests.api.conftest import program_of
from tests.training.conftest import Atelier, all_of, carry_out_next, fresh
from tests.training.deleting_things import (
    begun,
    drop_adapter,
    drop_training,
    drop_version,
    order,
    refused_with,
    there,
    version,
)
from training.models import (
    Adapter,
    AdapterVersion,
    Checkpoint,
    Promotion,
    Training,
)
from training.services import adapters, deleting, holding, trainings

pytestmark = pytest.mark.django_db(transaction=True)


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
