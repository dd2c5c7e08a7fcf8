"""With the true executor and the bundled engine: a photo becomes a picture, and the recipe the same bytes again."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from accounts.scoping import merchant_scope, unscoped
from catalog.services.photos import add_garment_with_photo
from generation import services
from generation.models import Picture
from generation.orders import Choices
from imodel_site.lib import storage
from imodel_site.lib.jobs import executors
from studio.mini.world import Garment, Person, Spec, draw
from studio.provenance import read_labels
from studio.serve.client import ExecutorGone, ping
from tests.generation.conftest import actor_of, carry_out_next

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def mini() -> Iterator[None]:
    """A resident executor of its own process, where the generate lane looks for it."""
    path = executors.socket_path("generate", 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "studio",
        "serve",
        "--socket",
        str(path),
        "--threads",
        "1",
        "--parent",
        str(os.getpid()),
    ]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(path, process)
        yield
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(path, process) -> None:
    until = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < until:
        try:
            ping(path)
            return
        except ExecutorGone:
            time.sleep(0.2)
    pytest.fail("the executor did not come up")


def drawn_photo() -> bytes:
    """A headless mannequin in a red coat."""
    person = Person(skin="white", mannequin=True, stand=True)
    coat, trousers = Garment("coat", "red", sleeve="long"), Garment("trousers", "navy")
    buffer = io.BytesIO()
    draw(Spec(person=person, upper=coat, lower=trousers, scene="grey studio"), (400, 600)).picture.save(buffer, "PNG")
    return buffer.getvalue()


def shot(actor, order):
    """Order in the actor's scope, carry out, and give the first picture."""
    with merchant_scope(actor.merchant):
        shoot = order()
    carry_out_next()
    with unscoped("test"):
        shoot.refresh_from_db()
        assert shoot.status == "succeeded", (shoot.error_code, shoot.error_message)
        return Picture.objects.select_related("shoot").get(shoot=shoot)


def test_a_photo_becomes_a_labelled_picture_and_its_replay_the_same_bytes(cast, library, mini):
    alice = actor_of(cast.alice)
    with merchant_scope(alice.merchant):
        photo, _new = add_garment_with_photo(merchant=alice.merchant, file=drawn_photo(), file_name="red-coat.png")
    choices = Choices(photo=photo.pk, count=1, seed=4)
    picture = shot(alice, lambda: services.order_shoot(actor=alice, choices=choices, key=None))

    assert (picture.width, picture.height) == (512, 768)
    assert picture.report["garment"]["locked_ratio"] == 1.0
    full = storage.read(picture.files["full"]["key"])
    assert read_labels(full).source_type == "compositeWithTrainedAlgorithmicMedia"
    assert picture.recipe["presets"]["persona"]["name"] == "amelie"

    again = shot(alice, lambda: services.replay(actor=alice, picture=picture, key=None))
    assert again.same_bytes is True
    assert storage.read(again.files["full"]["key"]) == full
