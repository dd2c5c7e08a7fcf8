"""Whom the merchant holds out is told to the check, which counts what will be trained, as the order then does."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.scoping import merchant_scope
from tests.training import scripted
from tests.training.conftest import Atelier, all_of, checked, new_set
from training import inspecting, orders, showing
from training.models import PictureKind, TrainingPicture, TrainingSet
from training.plans import Wishes
from training.services import sets, trainings

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _a_family_whose_steps_follow_the_pictures(settings: Any) -> None:
    """The bundled one always takes as many."""
    settings.ENGINE = "sdxl"


def large(shop: Atelier) -> TrainingSet:
    """A set of seven photos, so many that each counts in the steps."""
    found = new_set(shop)
    with merchant_scope(shop.merchant):
        rows = list(TrainingPicture.objects.filter(set=found).order_by("position"))
        for number in range(7):
            TrainingPicture.objects.create(
                set=found, asset=rows[number].asset, position=7 + number, crop=[0, 0, 40, 60], view=rows[number].view
            )
    return found


def hold_out(shop: Atelier, found: TrainingSet, *places: int) -> None:
    with merchant_scope(shop.merchant):
        rows = list(TrainingPicture.objects.filter(set=found).select_related("set").order_by("position"))
        for place in places:
            sets.change_picture(actor=shop.actor, picture=rows[place], held_out=True)


def honours(link: Any, message: dict[str, Any]) -> None:
    """As the studio does it: those that are held out are, and where there are none the last one is."""
    chosen = [n for n, photo in enumerate(message["photos"]) if photo["held_out"]] or [len(message["photos"]) - 1]
    say = link.say

    def with_chosen(event: str, **fields: Any) -> None:
        if event == "done":
            fields["preflight"]["held_out"] = chosen
        say(event, **fields)

    link.say = with_chosen
    scripted.inspects(link, message)


@pytest.mark.parametrize("places", [(), (1, 3, 5)])
def test_what_the_check_predicts_is_what_is_ordered(atelier, executor, places):
    executor["light"].script = honours
    found = large(atelier)
    hold_out(atelier, found, *places)
    look = checked(atelier, found)

    asked = executor["light"].asked[-1]
    assert [n for n, photo in enumerate(asked["photos"]) if photo["held_out"]] == list(places)
    with merchant_scope(atelier.merchant):
        training = trainings.order_training(actor=atelier.actor, found=found, wishes=Wishes(), key=None)
        page = showing.set_page(found)
    held = [entry["held_out"] for entry in training.order["entries"]]
    assert [n for n, out in enumerate(held) if out] == list(places or (13,))
    trained = 14 - held.count(True)
    assert training.steps_total == look.found["steps"] == 120 * trained // 2 // 50 * 50
    assert sum(one["count"] for one in page["coverage"]) == trained
    advised = next(offer for offer in page["offers"] if offer.checked)
    assert advised.steps == look.found["steps"]
    assert look.found["seconds"] > 60.0  # of these steps on that family, not what the script says


def test_a_second_check_keeps_to_whom_the_first_one_chose(atelier, executor):
    """They are held out in the rows by then: the check plans with them, and with nobody else."""
    executor["light"].script = honours
    found = new_set(atelier)
    checked(atelier, found)
    hold_out(atelier, found, 0)
    look = checked(atelier, found)
    rows = all_of(TrainingPicture, set=found)
    assert [row.held_out for row in rows] == [True, False, False, False, False, False, True]
    assert look.found["held_out"] == [str(rows[0].pk), str(rows[6].pk)]


def test_a_picture_of_others_is_never_held_out(atelier, executor):
    executor["light"].script = honours
    found = new_set(atelier)
    with merchant_scope(atelier.merchant):
        TrainingPicture.objects.filter(set=found, position=2).update(kind=PictureKind.PRIOR, held_out=True)
    look = checked(atelier, found)
    assert not any(photo["held_out"] for photo in executor["light"].asked[-1]["photos"])
    rows = all_of(TrainingPicture, set=found)
    assert [orders.held_out(row) for row in rows] == [False] * 6 + [True]
    assert inspecting.repeats_of(look.found)[str(rows[6].pk)] == 1
