"""Nothing is ordered, made again, or published from a rejected thing, whichever came first."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from accounts.models import CreditAccount, User
from accounts.scoping import merchant_scope
from generation import services
from generation.models import Picture, Shoot
from generation.orders import Choices
from imodel_site.lib import storage
from imodel_site.lib.errors import Conflict
from tests.generation import scripted
from tests.generation.conftest import House, carry_out_next, made
from tests.moderation.conftest import reject, state_of


def refused(act: Any) -> str:
    with pytest.raises(Conflict) as caught:
        act()
    return str(caught.value.code)


def test_new_orders_and_repetitions_are_refused(house: House, picture: Picture, stella: User) -> None:
    again = {"actor": house.actor, "key": None}
    reject(picture, stella)
    with merchant_scope(house.merchant):
        row = Picture.objects.select_related("shoot").get(pk=picture.pk)
        assert refused(lambda: services.replay(picture=row, **again)) == "picture_rejected"
        assert refused(lambda: services.vary(picture=row, persona=None, **again)) == "picture_rejected"
        services.do_again(shoot=row.shoot, **again)  # the picture was wrong, not its order
    reject(house.photo.asset, stella)
    with merchant_scope(house.merchant):
        shoot = Shoot.objects.get(pk=picture.shoot_id)
        new = Choices(photo=house.photo.pk)
        assert refused(lambda: services.order_shoot(choices=new, **again)) == "photo_rejected"
        assert refused(lambda: services.do_again(shoot=shoot, **again)) == "photo_rejected"


def test_a_shoot_that_waits_ends_when_it_starts_and_costs_nothing(house: House, executor: Any, stella: User) -> None:
    with merchant_scope(house.merchant):
        shoot = services.order_shoot(actor=house.actor, choices=Choices(photo=house.photo.pk), key=None)
        before = CreditAccount.objects.get().held
    reject(house.photo.asset, stella)
    carry_out_next()
    with merchant_scope(house.merchant):
        shoot.refresh_from_db()
        assert (shoot.status, shoot.error_code, shoot.error_retryable) == ("failed", "photo_rejected", False)
        assert before > 0 and CreditAccount.objects.get().held == 0
        assert refused(lambda: services.retry_shoot(actor=house.actor, shoot=shoot)) == "photo_rejected"
    assert executor.asked == []


@pytest.mark.django_db(transaction=True)  # as in a worker: the end that is refused is a transaction of its own
def test_a_photo_rejected_while_its_shoot_paints_is_never_published(house: House, executor: Any, stella: User) -> None:
    before = {file.key for file in storage.private().listed("m/")}

    def paints_and_is_rejected(link: Any, message: dict[str, Any]) -> None:
        decided.wait(30)
        scripted.paints(link, message)

    decided = threading.Event()
    executor.script = paints_and_is_rejected
    with merchant_scope(house.merchant):
        shoot = services.order_shoot(actor=house.actor, choices=Choices(photo=house.photo.pk), key=None)
    _while_it_runs(lambda: reject(house.photo.asset, stella), decided)
    with merchant_scope(house.merchant):
        shoot.refresh_from_db()
        assert (shoot.status, shoot.error_code) == ("failed", "photo_rejected")
        assert Picture.objects.count() == 0
    assert {file.key for file in storage.private().listed("m/")} == before


def _while_it_runs(act: Any, decided: threading.Event) -> None:
    """Decide between the check at the start and the publishing, in the worker's own thread."""
    from generation import tasks

    real = tasks._body

    def slow(order: Any) -> Any:
        act()
        decided.set()
        return real(order)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tasks, "_body", slow)
        carry_out_next()


@pytest.mark.skipif("connection.vendor != 'postgresql'")
@pytest.mark.django_db(transaction=True)
def test_rejecting_and_publishing_at_once_leaves_no_picture_unflagged(transactional_db: Any) -> None:
    """Two connections: the one that holds the photo first decides, and the other sees what it did."""
    from catalog.services.shared_library import seed_library
    from imodel_site.lib.jobs import executors
    from tests.cast import make_cast
    from tests.generation.conftest import actor_of, add_photo

    cast = make_cast()
    seed_library()
    actor = actor_of(cast.alice)
    house = House(actor, (photo := add_photo(actor)).garment, photo)
    stella = User.objects.create_superuser("stella@example.com", "x")
    outcomes = set()
    with scripted.listening(executors.socket_path("generate", 0), scripted.paints):
        for turn in range(4):
            shoot = made_while(house, stella, turn)
            with merchant_scope(house.merchant):
                states = set(Picture.objects.filter(shoot=shoot).values_list("moderation", flat=True))
            outcomes.add((shoot.status, shoot.error_code, *states))
            _allow_again(house)
    assert outcomes <= {("succeeded", "", "flagged"), ("failed", "photo_rejected")}, outcomes


def made_while(house: House, stella: User, turn: int) -> Shoot:
    """Publish in one thread while another rejects; they meet at the lock."""
    from generation.moderation import states

    real, meet = states.hold_source, threading.Barrier(2, timeout=30)

    def held(shoot: Any) -> None:
        if turn % 2:
            real(shoot)
        meet.wait()
        if not turn % 2:
            real(shoot)

    def decide() -> None:
        meet.wait()
        reject(house.photo.asset, stella)
        connection.close()

    other = threading.Thread(target=decide)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(states, "hold_source", held)
        other.start()
        shoot = made(house, count=1)
        other.join(30)
    assert state_of(house.photo.asset) == "rejected"
    return shoot


def _allow_again(house: House) -> None:
    from catalog.models import Asset

    with merchant_scope(house.merchant):
        Asset.objects.update(moderation="clear")
