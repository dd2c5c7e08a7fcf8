"""With true executors and the bundled engine: seven drawn photos are checked, learned through a kill, and worn."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db.models.functions import Now

from accounts.models import LedgerEntry, WebhookEvent
from accounts.scoping import merchant_scope, unscoped
from catalog.models import Garment
from catalog.services.photos import add_photo
from catalog.services.shared_library import seed_library
from imodel_site.lib import storage
from imodel_site.lib.jobs import executors
from studio.mini.world import draw, random_spec
from studio.serve.client import ExecutorGone, ping
from tests.generation.conftest import actor_of
from tests.training.conftest import Atelier, all_of, carry_out_next, fresh
from training.models import AdapterVersion, Checkpoint, Comparison, Training, TrainingNote, TrainingPoint
from training.plans import Wishes
from training.services import preflights, sets, trainings

pytestmark = pytest.mark.django_db(transaction=True)
STEPS = 24


class Resident:
    """An executor of a lane in a process of its own; it can be killed and started again."""

    def __init__(self, lane: str, *more: str) -> None:
        self.path = executors.socket_path(lane, 0)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._more = more
        self.start()

    def start(self) -> None:
        """Until it answers."""
        command = [sys.executable, "-m", "studio", "serve", "--socket", str(self.path), "--threads", "1"]
        command += ["--parent", str(os.getpid()), *self._more]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 120
        while time.monotonic() < until and self.process.poll() is None:
            try:
                ping(self.path)
                return
            except ExecutorGone:
                time.sleep(0.2)
        pytest.fail("the executor did not come up")

    def kill(self) -> None:
        """As a crash would."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(20)

    def stop(self) -> None:
        """At the end of the tests."""
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture(scope="module")
def lanes() -> Iterator[dict[str, Resident]]:
    """One executor a lane."""
    found = {"light": Resident("light", "--light"), "train": Resident("train"), "generate": Resident("generate")}
    yield found
    for one in found.values():
        one.stop()


@pytest.fixture
def shop(cast: Any) -> Atelier:
    """Alice's, with a dress photographed seven times."""
    actor = actor_of(cast.alice)
    seed_library()
    with merchant_scope(actor.merchant):
        garment = Garment.objects.create(name="Zigzag dress", sku="ZZ-1", category="dress", search="zigzag")
        photos = [_photograph(actor, garment, number) for number in range(7)]
    return Atelier(actor, garment, photos)


def _photograph(actor: Any, garment: Garment, number: int) -> Any:
    from dataclasses import replace

    from studio.mini.world import Garment as Drawn

    dress = Drawn("dress", "#1f7a6b", "zigzag", "#d98a6a", "long", third="#f2efe6")
    spec = replace(random_spec(7100 + number), upper=None, lower=None, full=dress, crop="head-to-toe")
    buffer = io.BytesIO()
    draw(spec, (240, 360)).picture.save(buffer, "PNG")
    view = ("front", "back", "side")[number % 3]
    return add_photo(garment=garment, merchant=actor.merchant, file=buffer.getvalue(), view=view)[0]


def test_seven_photos_are_learned_through_a_kill_and_the_garment_is_worn(shop: Atelier, lanes: Any) -> None:
    found = _checked(shop)
    with merchant_scope(shop.merchant):
        training = trainings.order_training(actor=shop.actor, found=found, wishes=Wishes(steps=STEPS), key=None)

    _carry_out_and_kill(lanes["train"])
    assert (fresh(training).status, fresh(training).error_code) == ("queued", "")
    before = {one.step: one.sha256 for one in all_of(Checkpoint)}
    assert before
    with unscoped("test"):
        Training.objects.filter(pk=training.pk).update(queued_at=Now())
    lanes["train"].start()
    carry_out_next()

    training = fresh(training)
    assert (training.status, training.error_message) == ("succeeded", "")
    assert (training.steps_done, training.resumed) == (STEPS, 1)
    assert "resumed" in [note.code for note in all_of(TrainingNote)]
    checkpoints = {one.step: one.sha256 for one in all_of(Checkpoint)}
    assert before.items() <= checkpoints.items()  # what was saved before the kill is what it went on from
    losses = {point.step for point in all_of(TrainingPoint) if point.loss is not None}
    assert set(range(max(before) + 1, STEPS + 1)) <= losses
    assert len([event for event in all_of(WebhookEvent) if event.type == "training.finished"]) == 1
    assert [entry.kind for entry in all_of(LedgerEntry)].count("capture") == 1
    version = all_of(AdapterVersion)[0]
    assert version.promoted and len(storage.read(version.key)) == version.bytes
    _grid_and_shoot(shop, version)


def _checked(shop: Atelier) -> Any:
    with merchant_scope(shop.merchant):
        found = sets.create_set(actor=shop.actor, garment=shop.garment)
        look = preflights.start_preflight(actor=shop.actor, found=found)
    for _n in range(30):  # looks and embeddings of the photos come first
        if carry_out_next("light") is None:
            break
    look = fresh(look)
    assert (look.status, look.error_message) == ("succeeded", "")
    assert look.found["seconds"] and look.found["buckets"]
    captions = [picture.caption for picture in _pictures(found)]
    assert all(found.trigger in caption and "dress" in caption for caption in captions)
    return fresh(found)


def _pictures(found: Any) -> list[Any]:
    with unscoped("test"):
        return list(found.pictures.order_by("position"))


def _carry_out_and_kill(resident: Resident) -> None:
    """SIGKILL once the first checkpoint is stored."""

    def kill() -> None:
        from django.db import connection

        until = time.monotonic() + 200
        while not all_of(Checkpoint) and time.monotonic() < until:
            time.sleep(0.05)
        resident.kill()
        connection.close()

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    carry_out_next()
    thread.join(30)


def _grid_and_shoot(shop: Atelier, version: AdapterVersion) -> None:
    from generation import services
    from generation.models import Kind, Picture
    from generation.orders import Choices

    with merchant_scope(shop.merchant):
        grid = Comparison.objects.get()
        grid.order["axes"] = [{"name": "weight", "values": [0.0, 1.0]}]
        grid.cells_total = 2
        grid.save(update_fields=["order", "cells_total"])
    carry_out_next("generate")
    grid = fresh(grid)
    assert (grid.status, grid.error_message) == ("succeeded", "")
    assert storage.read(grid.papers["csv"]).startswith(b"n,x,y,z")
    with merchant_scope(shop.merchant):
        choices = Choices(photo=shop.photos[0].pk, kind=Kind.OUTFIT, count=1, seed=3)
        shoot = services.order_shoot(actor=shop.actor, choices=choices, key=None)
    carry_out_next("generate")
    shoot = fresh(shoot)
    assert (shoot.status, shoot.error_message) == ("succeeded", "")
    picture = all_of(Picture)[0]
    assert picture.recipe["adapters"][0]["sha256"] == version.sha256
    assert shoot.adapter_version == version.pk
