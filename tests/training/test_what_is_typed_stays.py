"""What somebody types on a set's page is kept: while a check runs, and when one of many fields is refused."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from accounts.models import Merchant
from accounts.scoping import merchant_scope
from catalog.models import Asset
from imodel_site.lib.errors import Refused
from tests.generation.conftest import png
from tests.training import scripted
from tests.training.conftest import all_of, carry_out_next, checked, fresh, new_set
from tests.training.test_pages import address, form_of
from training.models import TrainingPicture, TrainingSet
from training.services import preflights, sets

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_check_does_not_write_over_what_was_changed_while_it_ran(atelier, executor):
    found = new_set(atelier)

    def slow(link: Any, message: dict[str, Any]) -> None:
        with merchant_scope(atelier.merchant):
            picture = TrainingPicture.objects.filter(set=found).select_related("set").order_by("position")[0]
            sets.change_picture(
                actor=atelier.actor, picture=picture, caption="my own words", view="back", held_out=True
            )
        connection.close()
        scripted.inspects(link, message)

    executor["light"].script = slow
    with merchant_scope(atelier.merchant):
        look = preflights.start_preflight(actor=atelier.actor, found=found)
    carry_out_next("light")

    assert fresh(look).status == "succeeded"
    first, *others = all_of(TrainingPicture, set=found)
    assert (first.caption, first.view, first.held_out) == ("my own words", "back", True)
    assert not any(picture.held_out for picture in others)

    executor["light"].script = scripted.plays
    with merchant_scope(atelier.merchant):
        again = preflights.start_preflight(actor=atelier.actor, found=found)
        assert again.pk != look.pk
    carry_out_next("light")
    first, second, *_others = all_of(TrainingPicture, set=found)
    assert (first.caption, first.view, first.held_out) == ("my own words", "back", True)
    assert second.caption.startswith(found.trigger)


def test_a_refused_caption_keeps_what_was_typed_beside_it_on_the_page_and_nothing_in_the_rows(alice, atelier, executor):
    found = new_set(atelier)
    checked(atelier, found)
    pictures = all_of(TrainingPicture, set=found)
    captions = [f"mine {n}" if n != 3 else "bad \u200b one" for n in range(len(pictures))]
    changes = {f"caption-{picture.pk.hex}": said for picture, said in zip(pictures, captions, strict=True)}
    answer = alice.post(address("set_change", found.pk), form_of(found, trigger="abc12", **changes))

    page = answer.content.decode()
    assert answer.status_code == 422
    assert all(said in page for said in captions) and 'value="abc12"' in page
    assert "Picture 4: A caption is one line" in page
    assert f'name="caption-{pictures[3].pk.hex}" aria-invalid="true"' in page
    assert "disabled data-start" in page
    assert not any("mine" in picture.caption for picture in all_of(TrainingPicture, set=found))
    assert fresh(found).trigger == found.trigger


def test_another_trigger_takes_the_place_of_the_old_one_beside_commas_too(atelier):
    found = new_set(atelier)
    with merchant_scope(atelier.merchant):
        old = found.trigger
        said = f"photo of {old}, red, not x{old} nor {old}-like"
        TrainingPicture.objects.filter(set=found).update(caption=said)
        sets.set_trigger(actor=atelier.actor, found=found, trigger="abc12")
    assert all_of(TrainingPicture, set=found)[0].caption == f"photo of abc12, red, not x{old} nor {old}-like"
    assert all_of(TrainingSet)[0].trigger == "abc12"


@pytest.mark.parametrize(
    ("deed", "code"),
    [("edit", 422), ("crop:nothing", 404), ("remove:nothing", 404), ("crop", 422), ("check", 422)],
)
def test_a_deed_that_is_refused_saves_nothing_of_what_was_typed_beside_it(alice, atelier, executor, deed, code):
    """An edit without a word to edit, a picture that is not there, parts that are not proposed, nothing to check."""
    found = new_set(atelier)
    first = all_of(TrainingPicture, set=found)[0]
    changes = {f"caption-{first.pk.hex}": "typed beside it", "trigger": "abc12"}
    changes["deed"] = f"crop:{first.pk}" if deed == "crop" else deed.replace("nothing", str(found.pk))
    if deed == "check":
        changes |= {f"use-{picture.pk.hex}": "-" for picture in all_of(TrainingPicture, set=found)}
    before = fresh(found)
    answer = alice.post(address("set_change", found.pk), form_of(found, **changes))

    assert answer.status_code == code
    assert code == 404 or "typed beside it" in answer.content.decode()
    after = fresh(found)
    assert (after.trigger, after.edition) == (before.trigger, before.edition)
    assert [picture.caption for picture in all_of(TrainingPicture, set=found)] == [""] * 7
    assert not all(picture.left_out for picture in all_of(TrainingPicture, set=found))


def test_a_deed_that_is_carried_out_saves_what_was_typed_first(alice, atelier):
    found = new_set(atelier)
    first = all_of(TrainingPicture, set=found)[0]
    changes = {f"caption-{first.pk.hex}": "typed beside it", "deed": "edit", "find": "typed", "replace": "said"}
    answer = alice.post(address("set_change", found.pk), form_of(found, **changes), follow=True)
    assert fresh(first).caption == "said beside it"
    assert "1 caption was changed." in answer.content.decode()


def test_a_picture_that_a_full_set_refuses_is_not_kept(atelier, monkeypatch):
    found = new_set(atelier)
    monkeypatch.setattr(sets, "MOST_PICTURES", 7)
    kept, used = len(all_of(Asset)), Merchant.objects.get(pk=atelier.merchant.pk).used_bytes
    with merchant_scope(atelier.merchant), pytest.raises(Refused) as refused:
        sets.add_upload(actor=atelier.actor, found=found, file=png((1, 2, 3)))
    assert refused.value.code == "too_many_pictures"
    assert (len(all_of(Asset)), Merchant.objects.get(pk=atelier.merchant.pk).used_bytes) == (kept, used)
