"""A request waits so long and no longer, holds nothing meanwhile, and what it began is collected later, once."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.db import connection

from accounts.scoping import merchant_scope
from generation.surfaces import waiting
from imodel_site.lib.jobs.model import Status
from tests.generation import scripted
from tests.surfaces.conftest import Caller, shoots_of
from tests.surfaces.test_each_shop_for_itself import Held, in_background, until

pytestmark = pytest.mark.django_db(transaction=True)


def test_after_its_time_it_tells_the_asynchronous_way_and_the_work_goes_on(
    alice: Caller, painter: Any, settings: Any
) -> None:
    settings.WAIT_SECONDS = 1
    painter.script = held = Held()
    late = alice.txt2img()
    assert late.status_code == 504 and late.headers["Retry-After"] == "10"
    detail = late.json()["detail"]
    [shoot] = shoots_of(alice.shop)
    assert "force_task_id" in detail and f"/api/v1/shoots/{shoot.pk}" in detail and "Idempotency-Key" in detail
    held.go.set()
    until(lambda: shoots_of(alice.shop)[0].status == Status.SUCCEEDED)

    name = detail.split("'")[1]
    collected = alice.txt2img(force_task_id=name)
    assert collected.status_code == 200 and len(collected.json()["images"]) == 1
    assert len(shoots_of(alice.shop)) == 1, "it was ordered once"
    other = alice.txt2img(force_task_id=name, steps=3)
    assert other.status_code == 422 and other.json()["errors"].startswith("idempotency_key_reused")


def test_a_task_of_pictures_is_collected_by_the_same_pictures(alice: Caller, painter: Any) -> None:
    from generation.surfaces import pictures
    from tests.surfaces.conftest import half, photo

    asked = {
        "init_images": [pictures.text_of(pictures.png(photo()))],
        "mask": pictures.text_of(pictures.png(half())),
        "force_task_id": "task(a)",
        "seed": -1,
    }
    first, second = alice.img2img(**asked), alice.img2img(**asked)
    assert first.status_code == 200 and second.json()["images"] == first.json()["images"]
    assert len(shoots_of(alice.shop)) == 1


def test_without_a_place_nothing_is_started_unless_it_can_be_collected(
    alice: Caller, painter: Any, settings: Any
) -> None:
    settings.WAITERS = 0
    refused = alice.txt2img()
    assert refused.status_code == 503 and shoots_of(alice.shop) == []
    assert refused.json()["errors"] == "no_place_to_wait" and refused.headers["Retry-After"] == "10"
    named = alice.txt2img(force_task_id="task(b)")
    assert named.status_code == 504 and len(shoots_of(alice.shop)) == 1
    until(lambda: shoots_of(alice.shop)[0].status == Status.SUCCEEDED)
    settings.WAITERS = 2
    assert len(alice.txt2img(force_task_id="task(b)").json()["images"]) == 1


def test_one_shop_can_not_take_all_places(alice: Caller, charlie: Caller, painter: Any, settings: Any) -> None:
    settings.WAITERS = 2
    painter.script = held = Held()
    thread, found = in_background(lambda: alice.txt2img())
    until(lambda: len(waiting.places) == 1)
    assert alice.txt2img(seed=2).status_code == 503
    other, theirs = in_background(lambda: charlie.txt2img())
    until(lambda: len(waiting.places) == 2)
    held.go.set()
    for one in (thread, other):
        one.join(60)
    assert [answer.status_code for answer in (*found, *theirs)] == [200, 200]
    assert len(waiting.places) == 0


def test_the_connection_is_given_back_between_two_looks(alice: Caller, painter: Any, settings: Any) -> None:
    settings.WAITERS = 0
    alice.txt2img(force_task_id="task(c)")
    [shoot] = shoots_of(alice.shop)
    with merchant_scope(alice.shop.merchant):
        assert waiting.until_ended(shoot, waiting.Patience(time.monotonic() + 60)) is True
        assert shoot.status == Status.SUCCEEDED and connection.connection is None


def test_what_fails_is_said_with_its_code(alice: Caller, painter: Any) -> None:
    painter.script = scripted.fails("input", "sampler_not_for_family", retryable=False)
    answer = alice.txt2img()
    assert answer.status_code == 422 and answer.json()["errors"] == "sampler_not_for_family"


def test_what_can_not_be_paid_for_is_not_started(alice: Caller, painter: Any) -> None:
    answer = alice.txt2img(batch_size=8, n_iter=2)
    while answer.status_code == 200:
        answer = alice.txt2img(batch_size=8, n_iter=2, seed=len(shoots_of(alice.shop)))
        assert len(shoots_of(alice.shop)) < 100
    assert answer.status_code == 402 and answer.json()["errors"] == "credits_short"


def test_somebody_who_hangs_up_stops_nothing(alice: Caller, painter: Any, live_server: Any) -> None:
    import requests

    painter.script = held = Held()
    with pytest.raises(requests.Timeout):
        requests.post(
            f"{live_server.url}/sdapi/v1/txt2img", json={"prompt": "x", "width": 64, "height": 64, "steps": 2},
            headers={"Authorization": f"Bearer {alice.shop.key}"}, timeout=1,
        )  # fmt: skip
    assert len(waiting.places) == 1, "it waits on: nobody told it that the caller is gone"
    held.go.set()
    until(lambda: shoots_of(alice.shop)[0].status == Status.SUCCEEDED)
    until(lambda: not len(waiting.places))
