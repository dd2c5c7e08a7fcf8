"""A shoot reserves its price when it is accepted; how it ends decides what of it is paid."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django_q.models import OrmQ

from accounts.models import Merchant
from accounts.scoping import merchant_scope
from accounts.services.merchants import choose_threshold
from generation import pricing, services
from generation.expert import ExpertChoices
from generation.models import Picture, Shoot
from generation.orders import Choices
from imodel_site.lib.errors import Conflict, Refused
from imodel_site.lib.jobs.claims import claim_next
from imodel_site.lib.jobs.losses import lose
from imodel_site.lib.jobs.transitions import rows
from tests.credits.conftest import balance_of, entries, leave, sums_of
from tests.generation import scripted
from tests.generation.conftest import House, carry_out_next

pytestmark = pytest.mark.django_db


def order(house: House, *, key: str | None = None, **choices: Any) -> Shoot:
    """A shoot of the house's photo, accepted."""
    with merchant_scope(house.merchant):
        return services.order_shoot(actor=house.actor, choices=Choices(photo=house.photo.pk, **choices), key=key)


def costs(shoot: Shoot) -> list[int]:
    """What its pictures cost, by index."""
    with merchant_scope(shoot.merchant_id):
        return list(Picture.objects.filter(shoot=shoot).order_by("index").values_list("cost", flat=True))


def verdicts(*found: str) -> scripted.Script:
    """An executor whose pictures come with these verdicts."""

    def script(link: scripted.Link, message: dict[str, Any]) -> None:
        from pathlib import Path

        out = Path(message["out"])
        for event, verdict in zip(scripted.shots(message, out, verdict="good"), found, strict=True):
            link.say("shot", **event | {"report": event["report"] | {"verdict": verdict}})
        link.say("done", timings={"total": 0.1}, files=scripted.papers(out))

    return script


def test_accepting_reserves_the_price_of_every_candidate(house: House) -> None:
    shoot = order(house, count=2, best_of=3)
    assert shoot.price == 6 == pricing.price_of(Choices(count=2, best_of=3))
    assert balance_of(house.merchant) == (94, 6) == sums_of(house.merchant)


def test_an_expert_pays_for_batch_times_iterations(house: House) -> None:
    choices = ExpertChoices(prompt="a shirt", batch_size=2, iterations=3)
    with merchant_scope(house.merchant):
        shoot = services.order_expert(actor=house.actor, choices=choices, key=None)
    assert shoot.price == 6 == pricing.price_of(choices) and balance_of(house.merchant) == (94, 6)


def test_what_can_not_be_paid_for_leaves_nothing_behind(house: House) -> None:
    leave(house.merchant, 3)
    with pytest.raises(Refused) as caught:
        order(house, count=4, key="once")
    assert (caught.value.code, caught.value.status) == ("credits_short", 402)
    with merchant_scope(house.merchant):
        assert not Shoot.objects.exists() and not OrmQ.objects.exists()
    assert order(house, count=3, key="once").price == 3, "the key was not used up"
    assert balance_of(house.merchant) == (0, 3)


def test_the_same_key_reserves_once(house: House) -> None:
    assert order(house, key="once").pk == order(house, key="once").pk
    assert balance_of(house.merchant) == (98, 2)


def test_success_pays_for_the_pictures(house: House, executor: scripted.Scripted) -> None:
    shoot = order(house, count=2, best_of=3)
    carry_out_next()
    assert costs(shoot) == [3, 3]
    assert balance_of(house.merchant) == (94, 0) == sums_of(house.merchant)
    assert entries(house.merchant, shoot.pk) == [("hold", -6, 6), ("capture", 0, -6)]


@pytest.mark.parametrize(
    ("pays_from", "expected", "balance"), [("check", [1, 1, 0], 98), ("good", [1, 0, 0], 99)]
)  # fmt: skip
def test_a_picture_below_the_threshold_costs_nothing(
    house: House, executor: scripted.Scripted, pays_from: str, expected: list[int], balance: int
) -> None:
    choose_threshold(merchant=house.merchant, pays_from=pays_from)
    shoot = order(house, count=3)
    executor.script = verdicts("good", "check", "reject")
    carry_out_next()
    assert costs(shoot) == expected
    assert balance_of(house.merchant) == (balance, 0) == sums_of(house.merchant)


def test_a_shoot_of_unusable_pictures_is_free(house: House, executor: scripted.Scripted) -> None:
    shoot = order(house, count=2)
    executor.script = partial(scripted.paints, verdict="reject")
    carry_out_next()
    assert costs(shoot) == [0, 0] and entries(house.merchant, shoot.pk)[1:] == [("release", 2, -2)]


def test_an_unknown_threshold_is_refused(house: House) -> None:
    with pytest.raises(Refused) as caught:
        choose_threshold(merchant=house.merchant, pays_from="never")
    assert (caught.value.code, caught.value.field) == ("threshold_unknown", "pays_from")
    assert Merchant.objects.get(pk=house.merchant.pk).pays_from == "check"


def test_failure_gives_everything_back_and_a_retry_reserves_anew(house: House, executor: scripted.Scripted) -> None:
    shoot = order(house)
    executor.script = scripted.fails("engine", "out_of_memory", retryable=True)
    carry_out_next()
    assert balance_of(house.merchant) == (100, 0)
    retry(house, shoot)
    assert balance_of(house.merchant) == (98, 2)
    executor.script = scripted.paints
    carry_out_next()
    assert balance_of(house.merchant) == (98, 0) == sums_of(house.merchant)
    kinds = [kind for kind, _available, _held in entries(house.merchant, shoot.pk)]
    assert kinds == ["hold", "release", "hold", "capture"]


def retry(house: House, shoot: Shoot) -> None:
    with merchant_scope(house.merchant):
        services.retry_shoot(actor=house.actor, shoot=shoot)


def test_a_retry_that_can_not_be_paid_leaves_the_shoot_as_it_was(house: House) -> None:
    shoot = order(house, count=4)
    with merchant_scope(house.merchant):
        services.cancel_shoot(actor=house.actor, shoot=shoot)
    leave(house.merchant, 3)
    with pytest.raises(Refused) as caught:
        retry(house, shoot)
    assert caught.value.code == "credits_short"
    with merchant_scope(house.merchant):
        assert Shoot.objects.get(pk=shoot.pk).status == "cancelled"
    assert balance_of(house.merchant) == (3, 0)


def test_a_retry_of_what_waits_reserves_nothing(house: House) -> None:
    shoot = order(house)
    with pytest.raises(Conflict):
        retry(house, shoot)
    assert balance_of(house.merchant) == (98, 2)


def test_a_cancelled_shoot_is_free_whether_it_waits_or_runs(house: House) -> None:
    waiting, running = order(house), order(house)
    work = claim_next("generate", "test-worker")
    assert work is not None
    with merchant_scope(house.merchant):
        for shoot in (waiting, running):
            services.cancel_shoot(actor=house.actor, shoot=shoot)
    assert balance_of(house.merchant) == (98, 2), "the running one holds until its worker has stopped"
    with merchant_scope(house.merchant):
        work.cancelled()
    assert balance_of(house.merchant) == (100, 0) == sums_of(house.merchant)


def test_a_lost_worker_keeps_the_hold_and_the_third_one_gives_it_back(house: House) -> None:
    shoot = order(house)
    for left in (98, 98, 100):
        assert claim_next("generate", "test-worker") is not None
        with merchant_scope(house.merchant):
            lose(rows(Shoot).get(pk=shoot.pk), why="test")
        assert balance_of(house.merchant) == (left, 100 - left)
    with merchant_scope(house.merchant):
        assert Shoot.objects.get(pk=shoot.pk).error_code == "gave_up"


def test_again_vary_and_replay_cost_what_they_paint(house: House, executor: scripted.Scripted) -> None:
    shoot = order(house, count=2, best_of=2)
    carry_out_next()
    with merchant_scope(house.merchant):
        picture = Picture.objects.filter(shoot=shoot).select_related("shoot").first()
        assert services.do_again(actor=house.actor, shoot=shoot, key=None).price == 4
        assert services.vary(actor=house.actor, picture=picture, persona="", key=None).price == 8
        assert services.replay(actor=house.actor, picture=picture, key=None).price == 1
    assert balance_of(house.merchant) == (100 - 4 - 13, 13)
