"""Batches over the REST API."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import Plan
from accounts.scoping import merchant_scope, unscoped
from accounts.services.api_keys import make_key
from catalog.models import Garment
from generation.models import Batch
from tests.batches.conftest import account, finish_all, garments, ids, looks, order, statuses
from tests.generation import scripted
from tests.generation.conftest import House
from tests.generation.scripted import Scripted

pytestmark = pytest.mark.django_db(transaction=True)
BATCHES = "/api/v1/batches"


class Program:
    """A shop's own program, with a key."""

    def __init__(self, house: House, scope: str = "write") -> None:
        with merchant_scope(house.merchant):
            made = make_key(
                merchant=house.merchant, by=house.actor.user, name="x", scope=scope, store="", live=True, lifetime=None
            )
        self.headers = {"Authorization": f"Bearer {made.text}"}

    def post(self, path: str = "", *, key: str = "", **body: Any) -> Any:
        headers = {**self.headers, **({"Idempotency-Key": key} if key else {})}
        return Client().post(BATCHES + path, body, content_type="application/json", headers=headers)

    def get(self, path: str = "", **query: Any) -> Any:
        return Client().get(BATCHES + path, query, headers=self.headers)


@pytest.fixture
def program(house: House) -> Program:
    return Program(house)


def wish(house: House, **more: Any) -> dict[str, Any]:
    return {"garments": [str(row.pk) for row in garments(house, 2)], **_texts(looks(2)), **more}


def _texts(found: dict[str, Any]) -> dict[str, Any]:
    return {name: [str(value) for value in values] for name, values in found.items()}


def test_one_call_orders_every_garment_in_every_look(program: Program, house: House, executor: Scripted) -> None:
    answer = program.post(**wish(house, name="Autumn", poses=[None], count=2))
    assert answer.status_code == 202
    told = answer.json()
    assert answer["Location"] == f"{BATCHES}/{told['id']}"
    assert (told["name"], told["status"], told["shoots_total"], told["price"]) == ("Autumn", "open", 4, 8)
    assert told["shoots"]["queued"] == 4 and len(told["rows"]) == 2 and len(told["looks"]) == 2
    finish_all()
    done = program.get(f"/{told['id']}").json()
    assert (done["status"], done["shoots"]["succeeded"], done["pictures"]["good"]) == ("finished", 4, 8)
    assert program.post(f"/{told['id']}/approve-good").json() == {"approved": 8}


def test_a_dry_run_tells_price_and_plan_and_orders_nothing(program: Program, house: House) -> None:
    body = wish(house, dry_run=True, count=3)
    with merchant_scope(house.merchant):
        bare = Garment.objects.create(name="Bare", search="bare")
    told = program.post(**body).json()
    assert (told["price"], told["affordable"], told["plan"]["shoots"], told["plan"]["limit"]) == (12, True, 4, 1000)
    body["garments"].append(str(bare.pk))
    assert program.post(**body).json()["error"]["code"] == "garments_unusable"
    told = program.post(**body, skip_unusable=True).json()
    assert told["plan"]["left_out"] == [{"garment": str(bare.pk), "reason": "no_front_photo"}]
    with unscoped("test"):
        assert not Batch.objects.exists()


def test_what_is_refused_says_why_and_leaves_nothing(program: Program, house: House, neighbour: House) -> None:
    before = account(house)
    assert program.post().json()["error"]["code"] == "nothing_chosen"
    for field in ("garments", "photos", "personas", "scenes", "poses"):
        foreign = {"garments": neighbour.garment.pk, "photos": neighbour.photo.pk}.get(field, uuid4())
        answer = program.post(**{"garments": [str(house.garment.pk)], field: [str(foreign)]})
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["field"]) == (404, "not_found", field)
    Plan.objects.update(batch_shoots=3)
    refused = program.post(**wish(house)).json()["error"]
    assert refused["code"] == "batch_too_large" and "allows 3" in refused["message"]
    with unscoped("test"):
        assert not Batch.objects.exists()
    assert account(house) == before


def test_what_is_too_dear_is_402(program: Program, house: House) -> None:
    dear = {"garments": [str(row.pk) for row in garments(house, 30)], "count": 8, "best_of": 3, **_texts(looks(8))}
    assert program.post(**dear, dry_run=True).json()["affordable"] is False
    answer = program.post(**dear)
    assert (answer.status_code, answer.json()["error"]["code"]) == (402, "credits_short")


def test_a_repeated_key_gives_the_same_batch_and_another_body_is_refused(program: Program, house: House) -> None:
    body = wish(house)
    one, two = program.post(**body, key="k"), program.post(**body, key="k")
    assert one.status_code == two.status_code == 202 and one.json()["id"] == two.json()["id"]
    assert program.post(**{**body, "count": 3}, key="k").status_code == 422
    with unscoped("test"):
        assert Batch.objects.count() == 1


def test_pausing_resuming_retrying_and_cancelling(program: Program, house: House, executor: Scripted) -> None:
    executor.script = scripted.fails("engine", "out_of_memory", retryable=True)
    batch = order(house, **looks(2))
    at = f"/{batch.pk}"
    assert program.post(f"{at}/pause").json()["status"] == "paused" and statuses(batch) == ["paused"] * 2
    assert program.post(f"{at}/resume").json()["shoots"]["queued"] == 2
    finish_all()
    assert program.get(at).json()["shoots"]["failed"] == 2
    assert program.post(f"{at}/pause").json()["error"]["code"] == "batch_ended"
    assert program.post(f"{at}/retry").json()["status"] == "open"
    assert program.post(f"{at}/cancel").json()["shoots"]["cancelled"] == 2
    assert program.post(f"{at}/retry").status_code == 409


def test_the_list_is_narrowed_by_status_and_counts_in_one_question(
    program: Program, house: House, django_assert_max_num_queries: Any, executor: Scripted
) -> None:
    done = order(house)
    finish_all()
    for _ in range(5):
        order(house)
    assert len(program.get().json()["items"]) == 6
    found = program.get(status="finished").json()["items"]
    assert [row["id"] for row in found] == [str(done.pk)] and found[0]["shoots"]["succeeded"] == 1
    assert program.get(status="x").status_code == 400
    with django_assert_max_num_queries(12):
        program.get()


def test_a_read_key_looks_and_changes_nothing(house: House) -> None:
    batch, reader = order(house, garments=ids([house.garment])), Program(house, "read")
    assert reader.get(f"/{batch.pk}").status_code == 200
    assert {reader.post(path).status_code for path in ("", f"/{batch.pk}/cancel", f"/{batch.pk}/pause")} == {403}


def test_another_shops_batch_answers_as_a_missing_one(program: Program, neighbour: House) -> None:
    batch = order(neighbour)

    def bare(answer: Any) -> Any:
        return answer.status_code, {**answer.json()["error"], "request_id": ""}

    for path in ("", "/pause", "/resume", "/cancel", "/retry", "/approve-good"):
        call = program.post if path else program.get
        assert bare(call(f"/{batch.pk}{path}")) == bare(call(f"/{uuid4()}{path}"))
    assert program.get(f"/{batch.pk}").status_code == 404 and not program.get().json()["items"]
