"""Where a merchant sees credits: the frame, the page, the CSV, the prices, and the words when they do not reach."""

from __future__ import annotations

import csv
import io
import re
from functools import partial
from typing import Any

import pytest
from django.test import Client

from accounts.models import Merchant
from accounts.scoping import merchant_scope
from accounts.services import credits
from generation import services
from generation.models import Picture, Shoot
from imodel_site.lib.spreadsheets import csv_stream, guarded
from tests.cast import Cast
from tests.credits.conftest import balance_of, leave, new_job
from tests.generation import scripted
from tests.generation.conftest import House, carry_out_next, made, sign_in

pytestmark = pytest.mark.django_db
PAGE = "/settings/credits"


def text(answer: Any) -> str:
    """What a reader sees: tags gone, white space as one space."""
    body = re.sub(r"<(script|style|template).*?</\1>", " ", answer.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def sheet(answer: Any) -> list[dict[str, str]]:
    """A streamed CSV, row by row."""
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))


def test_the_frame_shows_the_balance_for_one_query(house: House, alice: Client, django_assert_num_queries: Any) -> None:
    leave(house.merchant, 73)
    answer = alice.get("/settings/people")
    assert re.search(
        r'href="/settings/credits" title="Credits">.*?<span class="num">73</span>', answer.content.decode()
    )
    with django_assert_num_queries(1):
        assert credits.balance(house.merchant) == 73


def test_the_page_says_balance_reserved_paid_plan_and_what_each_picture_cost(
    house: House, alice: Client, executor: scripted.Scripted
) -> None:
    done = made(house, count=2, best_of=2)
    with merchant_scope(house.merchant):
        credits.hold(merchant_id=house.merchant.pk, job_id=done.batch_id or house.photo.pk, amount=5)
    answer = alice.get(PAGE)
    words = text(answer)
    assert "Credits 91" in words and "Reserved 5" in words and "Paid this month 4" in words
    assert "100 credits come on" in words and "Saved at most 300" in words
    assert f'<a href="/shoots/{done.pk}/">Linen shirt</a>' in answer.content.decode()
    assert "Pictures: 1 (2), 2 (2)" in words and "4 of those reserved" in words


def test_what_is_gone_has_no_link_and_its_movements_stay(
    house: House, alice: Client, executor: scripted.Scripted
) -> None:
    done = made(house, count=2)
    credits.hold(merchant_id=house.merchant.pk, job_id=new_job(), amount=1)
    with merchant_scope(house.merchant):
        first, second = Picture.objects.filter(shoot=done).order_by("index")
        services.delete_pictures(actor=house.actor, pictures=[first])
    body = alice.get(PAGE).content.decode()
    assert f"/pictures/{first.pk}/" not in body and f"/pictures/{second.pk}/" in body
    assert body.count(">Linen shirt</a>") == 2, "the hold and the capture of the shoot, not the job that nobody knows"


def test_chips_choose_and_pages_follow_without_a_gap(house: House, alice: Client) -> None:
    for number in range(60):
        credits.grant(merchant_id=house.merchant.pk, amount=1, by=None, note=f"gift {number}.")
    first = alice.get(PAGE)
    older = re.search(r'rel="next" href="([^"]+)"', first.content.decode())
    assert older is not None
    second = alice.get(PAGE + older[1].replace("&amp;", "&"))
    found = re.findall(r"gift (\d+)\.", text(first) + text(second))
    assert found == [str(number) for number in reversed(range(60))]
    assert "gift" in text(alice.get(f"{PAGE}?show=received")) and "gift" not in text(alice.get(f"{PAGE}?show=paid"))
    assert alice.get(f"{PAGE}?show=nonsense&before=nonsense").status_code == 200


def test_only_an_owner_chooses_the_threshold(cast: Cast, house: House, alice: Client) -> None:
    assert alice.post(f"{PAGE}/threshold", {"pays_from": "good"}).status_code == 302
    assert Merchant.objects.get(pk=house.merchant.pk).pays_from == "good"
    assert alice.post(f"{PAGE}/threshold", {"pays_from": "never"}).status_code == 422
    bob = sign_in(cast.bob)
    assert bob.post(f"{PAGE}/threshold", {"pays_from": "check"}).status_code == 403
    assert Merchant.objects.get(pk=house.merchant.pk).pays_from == "good"
    assert "Only good pictures" in text(bob.get(PAGE)) and "threshold" not in bob.get(PAGE).content.decode()


def test_the_export_is_the_whole_ledger_and_nothing_of_another_shop(
    house: House, neighbour: House, alice: Client, executor: scripted.Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.statement.AT_ONCE", 3)  # several pages of it
    credits.grant(merchant_id=neighbour.merchant.pk, amount=5, by=None, note="secret")
    executor.script = partial(scripted.paints, verdict="reject")
    free = made(house, count=2)
    executor.script = scripted.paints
    paid = made(house, count=2)
    rows = sheet(alice.get(f"{PAGE}.csv"))
    assert [row["kind"] for row in rows] == ["capture", "hold", "release", "hold", "monthly"]
    assert rows[0]["job"] == str(paid.pk) and rows[0]["what"] == "Linen shirt" and rows[0]["held_change"] == "-2"
    assert (rows[0]["picture_costs"], rows[2]["picture_costs"]) == ("1:1 2:1", "1:0 2:0")
    assert rows[2]["job"] == str(free.pk) and rows[4]["period"] == credits.month_of(free.created_at)
    assert sum(int(row["available_change"]) for row in rows) == int(rows[0]["available_after"]) == 98


def test_what_a_second_try_made_is_not_told_of_the_first(
    house: House, alice: Client, executor: scripted.Scripted
) -> None:
    executor.script = scripted.fails("engine", "out_of_memory", retryable=True)
    failed = made(house, count=1)
    executor.script = scripted.paints
    with merchant_scope(house.merchant):
        services.retry_shoot(actor=house.actor, shoot=failed)
    carry_out_next()
    costs = {row["kind"]: row["picture_costs"] for row in sheet(alice.get("/settings/credits.csv"))}
    assert costs["capture"] == "1:1" and costs["release"] == ""


def test_what_staff_take_away_is_not_called_granted(house: House, alice: Client) -> None:
    credits.grant(merchant_id=house.merchant.pk, amount=-5, by=None, note="billed twice")
    assert "Taken back billed twice" in text(alice.get(PAGE))
    credits.grant(merchant_id=house.merchant.pk, amount=5, by=None, note="a gift")
    assert "Granted a gift" in text(alice.get(PAGE))


def test_no_cell_is_a_formula(house: House, alice: Client) -> None:
    credits.grant(merchant_id=house.merchant.pk, amount=-5, by=None, note='=HYPERLINK("http://evil")')
    rows = sheet(alice.get(f"{PAGE}.csv"))
    assert rows[0]["note"] == '\'=HYPERLINK("http://evil")' and rows[0]["available_change"] == "-5"
    assert [guarded(cell) for cell in ("+1", "-1", "@x", "\tx", "plain")] == ["'+1", "'-1", "'@x", "'\tx", "plain"]
    assert b"".join(csv_stream([["a", 1], ["=b", -2]])).decode() == "\ufeffa,1\r\n'=b,-2\r\n"


@pytest.mark.parametrize(
    ("query", "price"),
    [("", "Costs 2 credits."), ("?count=1", "Costs 1 credit."), ("?count=3&best_of=4", "Costs 12 credits.")],
)
def test_the_shoot_page_says_the_price_of_what_is_preselected(
    house: House, alice: Client, query: str, price: str
) -> None:
    assert price in text(alice.get(f"/shoot/{query}"))


def test_the_experts_page_says_its_price(house: House, alice: Client) -> None:
    assert "Costs 1 credit." in text(alice.get("/shoot/expert/"))
    again = alice.post("/shoot/expert/", {"prompt": "", "batch_size": "2", "iterations": "3"})
    assert again.status_code == 422 and "Costs 6 credits." in text(again)


def test_an_order_that_can_not_be_paid_says_what_to_do_and_keeps_the_choices(house: House, alice: Client) -> None:
    leave(house.merchant, 3)
    answer = alice.post("/shoot/", {"photo": str(house.photo.pk), "count": "4", "kind": "model"})
    words = text(answer)
    assert "This costs 4 credits, and you have 3." in words and "Not enough: see your credits" in words
    assert re.search(r'<option value="4" selected>', answer.content.decode())
    with merchant_scope(house.merchant):
        assert not Shoot.objects.exists()


def test_again_without_credits_leads_to_the_credits(house: House, alice: Client, executor: scripted.Scripted) -> None:
    shoot = made(house, count=2)
    leave(house.merchant, 1)
    answer = alice.post(f"/shoots/{shoot.pk}/again")
    assert answer.status_code == 402 and 'href="/settings/credits">See your credits</a>' in answer.content.decode()


def test_shoot_and_picture_say_what_was_paid(house: House, alice: Client, executor: scripted.Scripted) -> None:
    paid = made(house, count=1)
    executor.script = partial(scripted.paints, verdict="reject")
    free = made(house, count=1)
    executor.script = scripted.fails("engine", "out_of_memory", retryable=True)
    failed = made(house, count=1)
    assert "Paid 1 credit." in text(alice.get(f"/shoots/{paid.pk}/"))
    assert "Free: every picture" in text(alice.get(f"/shoots/{free.pk}/"))
    assert "Nothing was charged." in text(alice.get(f"/shoots/{failed.pk}/"))
    with merchant_scope(house.merchant):
        pictures = {row.shoot_id: row.pk for row in Picture.objects.all()}
    assert "Paid 1 credit." in text(alice.get(f"/pictures/{pictures[paid.pk]}/"))
    assert "Free: it is below" in text(alice.get(f"/pictures/{pictures[free.pk]}/"))
    assert balance_of(house.merchant) == (99, 0)
