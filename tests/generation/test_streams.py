"""Progress by server-sent events: who may listen, what is heard, and what a stream holds while it waits."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from accounts.models import Membership
from accounts.scoping import merchant_scope, unscoped
from generation import previews, services
from generation.models import Shoot
from generation.orders import Choices
from generation.watching import Subject, Watcher, states, watcher
from imodel_site.lib.streams import places
from tests.generation.conftest import sign_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _places(settings: Any) -> None:
    settings.STREAMS = 4


@pytest.fixture
def shoot(house: Any) -> Shoot:
    """One that waits."""
    with merchant_scope(house.merchant):
        return services.order_shoot(actor=house.actor, choices=Choices(photo=house.photo.pk), key=None)


def move(shoot: Shoot, **fields: Any) -> None:
    with unscoped("test"):
        Shoot.objects.filter(pk=shoot.pk).update(**fields)


def told(piece: bytes) -> dict[str, Any]:
    lines = dict(line.split(": ", 1) for line in piece.decode().strip().split("\n"))
    return json.loads(lines["data"])


def address(shoot: Shoot) -> str:
    return reverse("generation:shoot_stream", args=[shoot.pk])


def test_an_event_is_what_polling_answers_and_a_change_is_heard(alice, shoot):
    answer = alice.get(address(shoot))
    assert answer["Content-Type"].startswith("text/event-stream")
    assert (answer["X-Accel-Buffering"], "no-store" in answer["Cache-Control"]) == ("no", True)
    pieces = iter(answer.streaming_content)
    assert next(pieces).startswith(b"retry: ")
    polled = alice.get(reverse("generation:shoot_progress", args=[shoot.pk]))
    first = next(pieces)
    assert told(first) == polled.json() and f"id: {polled['ETag']}".replace('"', "") in first.decode()

    move(shoot, status="running", stage="painting", fraction=0.4)
    following = told(next(pieces))
    assert (following["stage"], following["fraction"], following["done"]) == ("Painting", 0.4, False)

    move(shoot, status="failed", error_code="garment_not_found")
    assert told(next(pieces))["done"] is True
    assert list(pieces) == []
    answer.close()
    assert len(places) == 0


def test_between_two_events_it_holds_no_transaction_and_no_connection(alice, shoot):
    answer = alice.get(address(shoot))
    pieces = iter(answer.streaming_content)
    next(pieces), next(pieces)
    assert not connection.in_atomic_block and connection.connection is None
    answer.close()


def test_nobody_elses_shoot_can_be_listened_to(alice, neighbour, shoot, cast):
    assert sign_in(cast.charlie).get(address(shoot)).status_code == 404
    assert len(places) == 0


def test_whoever_is_removed_hears_nothing_more(alice, shoot, cast):
    answer = alice.get(address(shoot))
    pieces = iter(answer.streaming_content)
    next(pieces), next(pieces)
    with unscoped("test"):
        Membership.objects.filter(user=cast.alice).delete()
    move(shoot, status="running", stage="painting")
    assert list(pieces) == []
    answer.close()


def test_beyond_the_bound_a_browser_is_sent_to_polling(alice, shoot, settings):
    settings.STREAMS = 1
    first = alice.get(address(shoot))
    assert alice.get(address(shoot)).status_code == 204
    first.close()
    again = alice.get(address(shoot))
    assert again.status_code == 200
    again.close()


def test_a_board_hears_which_cells_changed(alice, house, shoot):
    from generation.models import Batch

    with merchant_scope(house.merchant):
        batch = Batch.objects.create(shoots_total=1, choices={"rows": [1], "looks": [{}]})
        Shoot.objects.filter(pk=shoot.pk).update(batch=batch)
    answer = alice.get(reverse("generation:batch_stream", args=[batch.pk]) + "?page=1")
    pieces = iter(answer.streaming_content)
    next(pieces)
    before = told(next(pieces))
    move(shoot, status="running", stage="painting")
    after = told(next(pieces))
    assert before["marks"].keys() == after["marks"].keys() == {str(shoot.pk)}
    assert before["marks"] != after["marks"]
    answer.close()


# --- one look for all ---------------------------------------------------------------------------------------------
def test_one_look_rings_only_for_what_moved(house, shoot):
    with merchant_scope(house.merchant):
        other = services.order_shoot(actor=house.actor, choices=Choices(photo=house.photo.pk), key=None)
    own = Watcher(states, every=3600)
    bells = [own.listen(Subject("shoot", house.merchant.pk, row.pk)) for row in (shoot, other)]
    own.tick()
    assert [bell.wait(0) for bell in bells] == [True, True]  # the first look says how things are
    own.tick()
    assert [bell.wait(0) for bell in bells] == [False, False]
    move(other, fraction=0.5)
    own.tick()
    assert [bell.wait(0) for bell in bells] == [False, True]
    for bell in bells:
        bell.close()


def test_a_new_preview_is_a_move(house, shoot, tmp_path):
    subject = Subject("shoot", house.merchant.pk, shoot.pk)
    before = states([subject])
    (tmp_path / "preview.webp").write_bytes(b"x")
    previews.keep(house.merchant.pk, shoot.pk, 1, tmp_path / "preview.webp")
    assert states([subject]) != before


def test_a_look_costs_the_same_however_many_listen(house, shoot):
    with merchant_scope(house.merchant):
        rows = [
            services.order_shoot(actor=house.actor, choices=Choices(photo=house.photo.pk), key=None) for _ in range(5)
        ]
    subjects = [Subject("shoot", house.merchant.pk, row.pk) for row in (shoot, *rows)]
    asked = []
    connection.execute_wrappers.append(lambda run, sql, *rest: (asked.append(sql), run(sql, *rest))[1])
    try:
        states(subjects)
    finally:
        connection.execute_wrappers.pop()
    assert sum("generation_shoot" in sql for sql in asked) == 1


def test_where_the_database_is_away_everybody_looks_for_themselves():
    def away(_subjects: Any) -> Any:
        raise OSError("gone")

    own = Watcher(away, every=3600)
    bell = own.listen(Subject("shoot", None, None))  # type: ignore[arg-type]
    own.tick()
    assert bell.wait(0)
    bell.close()


def test_the_thread_ends_with_the_last_listener(alice, shoot):
    answer = alice.get(address(shoot))
    next(iter(answer.streaming_content))
    running = [thread for thread in threading.enumerate() if thread.name == "streams"]
    answer.close()
    for thread in running:
        thread.join(5)
    assert len(running) == 1 and not running[0].is_alive()
    assert watcher._bells == set()
