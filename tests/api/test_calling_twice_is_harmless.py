"""Idempotency-Key: one key, one call, whatever the network does."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import IdempotentAnswer
from accounts.scoping import merchant_scope, unscoped
from accounts.services import credits, idempotency
from catalog.models import Garment, GarmentPhoto, Persona
from generation.models import Shoot
from tests.api.conftest import Program, count, error_of
from tests.generation.conftest import House, png

pytestmark = pytest.mark.django_db
COAT = {"name": "Coat", "sku": "C-1"}


def test_the_same_call_gives_the_first_answer_again_and_makes_nothing_new(shop: Program) -> None:
    first, second = (shop.post("garments", COAT, once="order-1") for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert "Idempotent-Replayed" not in first.headers and second["Idempotent-Replayed"] == "true"
    assert count(Garment, name="Coat") == 1


def test_without_a_key_each_call_counts(shop: Program) -> None:
    assert [shop.post("garments", {"name": "Coat"}).status_code for _ in range(2)] == [201, 201]
    assert count(Garment, name="Coat") == 2


def test_a_replayed_202_says_where_to_follow_it(shop: Program, house: House) -> None:
    first, second = (shop.post("shoots", {"photo": str(house.photo.pk)}, once="s-1") for _ in range(2))
    assert second["Location"] == first["Location"] and second.status_code == 202
    assert count(Shoot) == 1


@pytest.mark.parametrize(
    "path, body", [("garments", {"name": "Cape"}), ("personas", COAT), ("garments?x=1", COAT), ("garments", {})]
)
def test_another_body_or_path_under_the_key_is_refused(shop: Program, path: str, body: Any) -> None:
    shop.post("garments", COAT, once="order-1")
    answer = shop.post(path, body, once="order-1")
    assert (answer.status_code, error_of(answer)["code"]) == (422, "idempotency_key_reused")


def test_another_order_of_the_same_fields_is_the_same_body(shop: Program) -> None:
    first, second = (shop.post("garments", body, once="k") for body in (COAT, dict(reversed(COAT.items()))))
    assert first.json() == second.json()


def test_a_refused_call_leaves_its_key_free(shop: Program) -> None:
    assert shop.post("garments", {"name": ""}, once="order-1").status_code == 400
    assert shop.post("garments", COAT, once="order-1").status_code == 201


def test_a_call_that_breaks_changes_nothing_and_leaves_its_key_free(
    shop: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(idempotency, "keep", lambda **_: 1 / 0)
        assert shop.post("garments", COAT, once="order-1").status_code == 500
    assert count(Garment, name="Coat") == 0, "the change and its answer are one transaction"
    assert shop.post("garments", COAT, once="order-1").status_code == 201


def test_keys_are_each_merchants_own(shop: Program, foreign: Program) -> None:
    assert shop.post("garments", COAT, once="order-1").status_code == 201
    answer = foreign.post("garments", COAT, once="order-1")
    assert answer.status_code == 201 and "Idempotent-Replayed" not in answer.headers


@pytest.mark.parametrize("key", ["two words", "", "ключ".encode().decode("latin-1"), "x" * 129])
def test_a_key_of_other_characters_is_refused_by_name(shop: Program, key: str) -> None:
    answer = shop("post", "garments", COAT, **{"Idempotency-Key": key})
    assert (answer.status_code, error_of(answer)["code"]) == (400, "idempotency_key_invalid")
    assert count(Garment, name="Coat") == 0


@pytest.mark.parametrize("key", ["!", "~" * 128])
def test_every_visible_character_will_do(shop: Program, key: str) -> None:
    assert shop.post("garments", COAT, once=key).status_code == 201


def test_a_twin_in_flight_waits_as_long_as_retry_after_says(shop: Program, house: House) -> None:
    begun(house, "order-1", hash_of_the_call(shop, house))
    answer = shop.post("garments", COAT, once="order-1")
    assert (answer.status_code, error_of(answer)["code"]) == (409, "request_in_flight")
    assert error_of(answer)["retryable"] is True and int(answer["Retry-After"]) > 0
    assert shop.post("garments", {"name": "Cape"}, once="order-1").status_code == 422


def test_a_call_that_died_is_taken_over_when_its_lease_ends(shop: Program, house: House) -> None:
    begun(house, "order-1", hash_of_the_call(shop, house))
    with unscoped("test"):
        IdempotentAnswer.objects.update(lease_until=timezone.now() - timedelta(seconds=2))
    assert shop.post("garments", COAT, once="order-1").status_code == 201


def test_a_call_given_up_for_dead_can_not_keep_its_answer(shop: Program, house: House) -> None:
    dead = begun(house, "order-1", "0" * 64)
    with unscoped("test"):
        IdempotentAnswer.objects.update(lease_until=timezone.now() - timedelta(seconds=2))
    assert shop.post("garments", COAT, once="order-1").status_code == 201
    with merchant_scope(house.merchant), pytest.raises(idempotency.Conflict):
        idempotency.keep(begun=dead, answer=idempotency.Answer(201, "{}", ""))


def begun(house: House, key: str, request_hash: str) -> idempotency.Begun:
    """A call under way."""
    with merchant_scope(house.merchant):
        return idempotency.begin(key=key, request_hash=request_hash)


def hash_of_the_call(shop: Program, house: House) -> str:
    """What the call of a coat hashes to: made once under another key, and taken back."""
    shop.post("garments", COAT, once="probe")
    with merchant_scope(house.merchant):
        found = IdempotentAnswer.objects.get(key="probe").request_hash
        Garment.objects.filter(sku=COAT["sku"]).delete()
    return str(found)


def test_the_database_does_not_hold_the_answer_in_clear(shop: Program) -> None:
    shop.post("garments", COAT, once="order-1")
    with unscoped("test"):
        assert "Coat" not in str(IdempotentAnswer.objects.get().body)


def test_an_answer_whose_secret_key_is_gone_is_not_called_again(shop: Program, settings: Any) -> None:
    shop.post("garments", COAT, once="order-1")
    with unscoped("test"):
        IdempotentAnswer.objects.update(body="sealed under another key")
    answer = shop.post("garments", COAT, once="order-1")
    assert (answer.status_code, error_of(answer)["code"]) == (409, "answer_gone")
    assert count(Garment, name="Coat") == 1


def test_files_are_compared_by_content(shop: Program, house: House) -> None:
    """A form's boundary is drawn anew with each attempt, so its bytes are no measure."""
    first, second = (add_photo(shop, house, png((9, 9, 9))) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert second["Idempotent-Replayed"] == "true" and first.json()["id"] == second.json()["id"]
    assert add_photo(shop, house, png((8, 8, 8))).status_code == 422
    assert count(GarmentPhoto) == 2


def add_photo(shop: Program, house: House, data: bytes) -> Any:
    headers = {"Authorization": f"Bearer {shop.key}", "Idempotency-Key": "photo-1"}
    file = SimpleUploadedFile("coat.png", data, "image/png")
    return Client(headers=headers).post("/api/v1/photos", {"garment": str(house.garment.pk), "file": file})


def test_a_dry_run_keeps_no_key(shop: Program, house: House) -> None:
    order = {"photo": str(house.photo.pk)}
    assert shop.post("shoots", {**order, "dry_run": True}, once="order-1").status_code == 200
    assert shop.post("shoots", order, once="order-1").status_code == 202
    assert count(IdempotentAnswer) == 1


def test_deleting_twice_is_deleting_once(shop: Program, house: House) -> None:
    path = f"garments/{house.garment.pk}"
    answers = [shop("delete", path, **{"Idempotency-Key": "gone"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [204, 204] and answers[1].content == b""


def test_answers_are_kept_for_a_day_and_purged_afterwards(shop: Program) -> None:
    for hours, name in ((24, "young"), (26, "old")):
        shop.post("garments", {"name": name}, once=name)
        with unscoped("test"):
            made = timezone.now() - timedelta(hours=hours)
            IdempotentAnswer.objects.filter(key=name).update(created_at=made)
    assert idempotency.purge_answers() == 1
    with unscoped("test"):
        assert IdempotentAnswer.objects.get().key == "young"


@pytest.mark.django_db(transaction=True)
def test_fifty_at_the_same_moment_make_one_shoot_and_pay_once(shop: Program, house: House) -> None:
    start, answers = threading.Barrier(50), []

    def order() -> None:
        try:
            start.wait()
            answers.append(shop.post("shoots", {"photo": str(house.photo.pk), "count": 3}, once="order-1"))
        finally:
            connection.close()

    threads = [threading.Thread(target=order) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} <= {202, 409}
    made = [answer for answer in answers if answer.status_code == 202]
    assert len({answer.json()["id"] for answer in made}) == 1 == count(Shoot)
    assert sum("Idempotent-Replayed" not in answer.headers for answer in made) == 1
    assert {error_of(answer)["code"] for answer in answers if answer.status_code == 409} <= {"request_in_flight"}
    with merchant_scope(house.merchant):
        assert credits.account(house.merchant.pk).held == 3


@pytest.mark.django_db(transaction=True)
def test_fifty_at_the_same_moment_make_one_persona(shop: Program) -> None:
    """Where no job carries the key along, the stored answer alone must hold."""
    start, codes = threading.Barrier(50), []

    def make() -> None:
        try:
            start.wait()
            codes.append(shop.post("personas", {"title": "Mira"}, once="mira").status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=make) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(codes) <= {201, 409} and 201 in codes
    assert count(Persona, title="Mira") == 1
