"""The pages of batches in a browser without scripts: the list, a new batch, the board and what is done on it."""

from __future__ import annotations

import io
import json
import re
import zipfile
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.scoping import merchant_scope, unscoped
from catalog.listing import Filters
from catalog.models import Garment, Persona, Scene
from generation.models import Batch, Picture
from tests.batches.conftest import finish_all, fresh, garments, ids, looks, order, pictures, shoots, statuses
from tests.generation import scripted
from tests.generation.conftest import House, carry_out_next, first_of, sign_in
from tests.generation.scripted import Scripted

pytestmark = pytest.mark.django_db(transaction=True)
NEW = "/batches/new"


def page(client: Client, address: str, **query: Any) -> str:
    answer = client.get(address, query)
    assert answer.status_code == 200, answer.content[:800]
    return answer.content.decode()


def board(batch: Batch) -> str:
    return reverse("generation:batch", args=[batch.pk])


def act(client: Client, batch: Batch, action: str) -> Any:
    return client.post(reverse("generation:batch_act", args=[batch.pk]), {"action": action}, follow=True)


def test_an_empty_list_leads_to_a_new_batch_and_a_batch_stands_in_it(alice: Client, house: House) -> None:
    assert NEW in page(alice, "/batches/")
    order(house, name="Autumn")
    shown = page(alice, "/batches/")
    assert "Autumn" in shown and "0 / 1" in shown


def test_the_page_counts_and_prices_before_anything_starts(alice: Client, house: House) -> None:
    wanted = garments(house, 2)
    shown = page(alice, NEW)
    assert "Choose the garments." in shown
    data = {"garment": ids(wanted), "count": "2", "persona": looks(2)["personas"], "show": "1"}
    shown = alice.post(NEW, data).content.decode()
    assert "2 garments × 2 looks = 8 pictures" in shown and "8 credits of 5,010" in shown
    priced = alice.post("/batches/price", {**data, "count": "3"}).content.decode()
    assert "= 12 pictures" in priced and "<html" not in priced
    with unscoped("test"):
        assert not Batch.objects.exists()


def test_one_button_starts_it_and_pressing_twice_starts_it_once(alice: Client, house: House) -> None:
    wanted, look = garments(house, 2), looks(2, 2)
    data = {"garment": ids(wanted), "persona": look["personas"], "scene": look["scenes"], "pose": "", "once": "abc"}
    answers = [alice.post(NEW, data) for _click in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert answers[0]["Location"] == answers[1]["Location"]
    with unscoped("test"):
        assert Batch.objects.get().shoots_total == 8


def test_a_search_keeps_what_was_chosen_and_all_that_match_need_not_be_ticked(alice: Client, house: House) -> None:
    garments(house, 4)
    shown = alice.post(NEW, {"garment": house.garment.pk, "q": "garment 1", "show": "1"}).content.decode()
    assert "Chosen before" in shown and f'value="{house.garment.pk}" checked' in shown and "Garment 2" not in shown
    answer = alice.post(NEW, {"garment": house.garment.pk, "q": "garment", "all": "1"})
    with unscoped("test"):
        batch = Batch.objects.get()
        names = [shoot.garment.name for shoot in shoots(batch)]
    assert answer.status_code == 302 and sorted(names) == ["Garment 0", "Garment 1", "Garment 2", "Linen shirt"]


def test_garments_chosen_in_the_catalog_arrive_chosen(alice: Client, house: House) -> None:
    catalog = page(alice, "/catalog/")
    assert f'formaction="{NEW}"' in catalog
    form = catalog.split(f'formaction="{NEW}"')[1].split("</form>")[0]
    posted = set(re.findall(r'name="(\w+)"', form))
    assert posted and not posted & set(vars(Filters()))  # or the next page would search for what was only typed here
    shown = alice.post(NEW, {"garment": [house.garment.pk], "show": "1", "next": "/catalog/"}).content.decode()
    assert f'value="{house.garment.pk}" checked' in shown and "1 garment × 1 look = 1 picture" in shown


def test_what_can_not_be_shot_is_named_before_it_starts_and_then_left_out(alice: Client, house: House) -> None:
    with merchant_scope(house.merchant):
        bare = Garment.objects.create(name="Bare", search="bare")
    data = {"garment": [house.garment.pk, bare.pk]}
    shown = alice.post(NEW, {**data, "show": "1"}).content.decode()
    assert "1 garment is left out" in shown and "no photo of the front" in shown
    assert alice.post(NEW, data).status_code == 302
    with unscoped("test"):
        assert Batch.objects.get().shoots_total == 1


def test_what_is_refused_is_said_on_the_page_with_the_choices_kept(alice: Client, house: House) -> None:
    answer = alice.post(NEW, {"name": "Kept name"})
    assert answer.status_code == 422
    shown = answer.content.decode()
    assert "Choose at least one garment." in shown and "Kept name" in shown
    assert alice.post(NEW, {"garment": "no-id"}).status_code == 404


def test_the_board_shows_every_garment_in_every_look_as_it_fills(
    alice: Client, house: House, executor: Scripted
) -> None:
    batch = order(house, garments=ids(garments(house, 2)), **looks(2))
    carry_out_next()
    executor.script = scripted.fails("input", "garment_not_found", retryable=False)
    carry_out_next()
    shown = page(alice, board(batch))
    with unscoped("test"):
        names = [row.title for row in Persona.objects.order_by("position")[:2]]
    assert all(f'<th scope="col">{name}</th>' in shown for name in names)
    assert shown.count("data-cell=") == 4 and shown.count("data-tile=") == 1
    assert "Garment untouched" in shown and "1 credit<" in shown and "No garment was found in this photo" in shown
    assert "2 of 4 shoots done" in shown and "1 failed" in shown


def test_looks_are_named_by_what_tells_them_apart(house: House, alice: Client) -> None:
    with unscoped("test"):
        scenes = [row.title for row in Scene.objects.order_by("position")[:2]]
    shown = page(alice, board(order(house, **looks(1, 2))))
    assert all(f'<th scope="col">{name}</th>' in shown for name in scenes)


def test_only_cells_that_changed_are_drawn_again(alice: Client, house: House, executor: Scripted) -> None:
    batch = order(house, **looks(2))
    address = reverse("generation:batch_progress", args=[batch.pk])
    first = alice.get(address, {"page": 1})
    before = json.loads(first.content)
    assert before["percent"] == 0 and not before["done"]
    assert alice.get(address, {"page": 1}, headers={"If-None-Match": first["ETag"]}).status_code == 304
    carry_out_next()
    after = json.loads(alice.get(address, {"page": 1}).content)
    changed = [key for key in after["marks"] if after["marks"][key] != before["marks"][key]]
    assert changed == [str(shoots(batch)[0].pk)] and after["percent"] == 50
    drawn = page(alice, reverse("generation:batch_cells", args=[batch.pk]), shoot=changed)
    assert drawn.count("data-cell=") == 1 and after["marks"][changed[0]] in drawn and "data-tile=" in drawn


def test_a_picture_is_approved_rejected_and_taken_back_with_one_click(
    alice: Client, house: House, executor: Scripted
) -> None:
    batch = order(house, **looks(2))
    finish_all()
    one, other = pictures(batch)
    address = reverse("generation:batch_review", args=[batch.pk])
    assert alice.post(address, {"approved": one.pk}).status_code == 302
    told = alice.post(address, {"rejected": other.pk}, headers={"Accept": "application/json"})
    assert json.loads(told.content) == {"review": "rejected", "reason": "", "redo": False}
    assert [row.review for row in pictures(batch)] == ["approved", "rejected"]
    assert str(other.pk) not in page(alice, board(batch), show="approved")
    assert str(other.pk) in page(alice, board(batch), show="rejected")
    alice.post(address, {"clear": one.pk})
    assert [row.review for row in pictures(batch)] == ["", "rejected"]


def test_a_picture_of_another_batch_or_shop_is_not_reviewed_here(
    alice: Client, house: House, neighbour: House, executor: Scripted
) -> None:
    batch, elsewhere, theirs = order(house), order(house), order(neighbour)
    finish_all()
    address = reverse("generation:batch_review", args=[batch.pk])
    for foreign in (pictures(elsewhere)[0], pictures(theirs)[0]):
        answer = alice.post(address, {"approved": [pictures(batch)[0].pk, foreign.pk]})
        assert answer.status_code == 404
    with unscoped("test"):
        assert not Picture.objects.exclude(review="").exists()


def test_best_first_sorts_by_verdict(alice: Client, house: House, executor: Scripted) -> None:
    batch = order(house, **looks(4))
    finish_all()
    with merchant_scope(house.merchant):
        for picture, verdict in zip(pictures(batch), ("reject", "check", "good", "none"), strict=True):
            Picture.objects.filter(pk=picture.pk).update(verdict=verdict)
    shown = page(alice, board(batch), show="best")
    places = [shown.index(f'data-tile="{row.pk}"') for row in pictures(batch)]
    assert sorted(range(4), key=places.__getitem__) == [2, 3, 1, 0]


def test_buttons_pause_resume_cancel_and_retry(alice: Client, house: House, executor: Scripted) -> None:
    batch = order(house, **looks(3))
    executor.script = scripted.fails("engine", "out_of_memory", retryable=True)
    carry_out_next()
    assert 'value="retry"' in page(alice, board(batch))
    assert "Paused." in act(alice, batch, "pause").content.decode() and statuses(batch)[1:] == ["paused", "paused"]
    act(alice, batch, "resume")
    assert statuses(batch)[1:] == ["queued", "queued"]
    act(alice, batch, "retry"), act(alice, batch, "cancel")
    assert set(statuses(batch)) == {"cancelled"} and fresh(batch).status == "cancelled"
    assert "3 of 3 shoots done · 3 cancelled" in page(alice, board(batch))
    assert "has ended" not in act(alice, batch, "cancel").content.decode()
    assert "Nothing of this batch has failed" in act(alice, batch, "retry").content.decode()
    assert alice.post(reverse("generation:batch_act", args=[batch.pk]), {"action": "x"}).status_code == 400


def test_one_zip_holds_all_or_the_approved(alice: Client, house: House, executor: Scripted) -> None:
    batch = order(house, **looks(3))
    address = reverse("generation:batch_zip", args=[batch.pk])
    assert alice.get(address).status_code == 302
    finish_all()
    good, _other, bad = pictures(batch)
    with merchant_scope(house.merchant):
        Picture.objects.filter(pk=good.pk).update(review="approved")
        Picture.objects.filter(pk=bad.pk).update(moderation="rejected", review="approved")

    def names(**query: str) -> list[str]:
        body = b"".join(alice.get(address, query).streaming_content)
        return zipfile.ZipFile(io.BytesIO(body)).namelist()

    assert len(names()) == 2 and len(names(only="approved")) == 1


def test_a_viewer_sees_the_board_and_changes_nothing(house: House, cast: Any, executor: Scripted) -> None:
    batch = order(house)
    finish_all()
    vera = sign_in(cast.vera)
    shown = page(vera, board(batch))
    assert "data-tile=" in shown and "data-review=" not in shown and 'value="approve_good"' not in shown
    for address in (NEW, "/batches/price", board(batch) + "act", board(batch) + "review"):
        assert vera.post(address, {"approved": pictures(batch)[0].pk, "action": "cancel"}).status_code == 403


def test_another_shops_batch_is_not_there(alice: Client, neighbour: House) -> None:
    batch = order(neighbour)
    paths = ("", "progress", "cells", "pictures.zip")
    assert {alice.get(board(batch) + path).status_code for path in paths} == {404}
    assert {alice.post(board(batch) + path, {"action": "cancel"}).status_code for path in ("act", "review")} == {404}
    assert statuses(batch) == ["queued"]


def test_the_board_asks_the_database_as_much_for_forty_cells_as_for_four(
    alice: Client, house: House, executor: Scripted
) -> None:
    small, large = order(house, **looks(4)), order(house, garments=ids(garments(house, 10)), **looks(4))
    finish_all()
    page(alice, "/batches/")  # what the first page of a session asks for besides
    counts = []
    for batch in (small, large):
        with CaptureQueriesContext(connection) as seen:
            page(alice, board(batch))
        counts.append(len(seen))
    assert counts[0] == counts[1] < 25, counts


def test_a_deleted_garment_and_persona_leave_the_board_standing(
    alice: Client, house: House, executor: Scripted
) -> None:
    batch = order(house)
    finish_all()
    with merchant_scope(house.merchant):
        Garment.objects.all().delete()
    shown = page(alice, board(batch))
    assert "Deleted garment" in shown and "data-tile=" in shown
    assert first_of(Persona) is not None
