"""A merchant with a garment to shoot, and an executor that plays a script."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from PIL import Image

from accounts import actors
from accounts.actors import Actor
from accounts.models import Membership
from accounts.scoping import merchant_scope, unscoped
from catalog.models import Asset, Garment, GarmentPhoto, Look
from catalog.services.shared_library import seed_library
from generation.models import Shoot
from imodel_site.lib import storage
from imodel_site.lib.jobs import executors
from imodel_site.lib.jobs.carrying import carry_out
from imodel_site.lib.jobs.claims import claim_next
from tests.cast import PASSWORD, Cast
from tests.generation import scripted


def png(colour: tuple[int, int, int] = (200, 40, 40), size: tuple[int, int] = (64, 96)) -> bytes:
    """A flat picture."""
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


def mask_png(size: tuple[int, int] = (64, 96)) -> bytes:
    """White in the middle, black around."""
    mask = Image.new("L", size, 0)
    mask.paste(255, (16, 24, 48, 72))
    buffer = io.BytesIO()
    mask.save(buffer, "PNG")
    return buffer.getvalue()


@dataclass(frozen=True)
class House:
    """A merchant, somebody who acts for it, and what they shoot."""

    actor: Actor
    garment: Garment
    photo: GarmentPhoto

    @property
    def merchant(self) -> Any:
        """The merchant."""
        return self.actor.merchant


def actor_of(user: Any) -> Actor:
    """A person acting in their only merchant."""
    with unscoped("test"):
        return actors.member(Membership.objects.select_related("merchant", "user").get(user=user))


def add_photo(actor: Actor, *, name: str = "Linen shirt", sku: str = "LS-1", looked: bool = True) -> GarmentPhoto:
    """A garment with one photo, and what was seen on it."""
    merchant = actor.merchant.pk
    data = png(size=(64, 96))
    with merchant_scope(merchant):
        key = storage.put(storage.new_key(merchant, "asset", "png"), data)
        thumb = storage.put(storage.new_key(merchant, "asset", "webp"), data)
        asset = Asset.objects.create(
            sha256=f"{name}{sku}", key=key, content_type="image/png", width=64, height=96, bytes=len(data),
            thumbs={"small": thumb, "medium": thumb, "large": thumb},
        )  # fmt: skip
        garment = Garment.objects.create(name=name, sku=sku, search=name.lower())
        if looked:
            add_look(asset)
        return GarmentPhoto.objects.create(garment=garment, asset=asset)


def add_look(asset: Asset) -> Look:
    """A finished look with two parts."""
    from django.utils import timezone

    merchant = asset.merchant_id
    keys = {part: storage.put(storage.new_key(merchant, "look", "png"), mask_png()) for part in ("upper", "full")}
    parts = [{"part": part, "score": 0.9, "key": key, "box": [0, 0, 1, 1], "share": 0.2} for part, key in keys.items()]
    found = {"parts": parts, "best": "upper", "pose": None, "skeleton": keys["full"]}
    return Look.objects.create(asset=asset, status="succeeded", found=found, queued_at=timezone.now())


@pytest.fixture
def library(db: None) -> None:
    """The shared personas, scenes and poses."""
    seed_library()


@pytest.fixture
def house(cast: Cast, library: None) -> House:
    """Alice's atelier with a garment and its photo."""
    actor = actor_of(cast.alice)
    photo = add_photo(actor)
    return House(actor, photo.garment, photo)


@pytest.fixture
def neighbour(cast: Cast, library: None) -> House:
    """Charlie's bazaar, likewise."""
    actor = actor_of(cast.charlie)
    photo = add_photo(actor, name="Secret dress", sku="SD-1")
    return House(actor, photo.garment, photo)


def sign_in(person: Any) -> Client:
    """A browser in which this person is signed in."""
    client = Client()
    answer = client.post("/account/login/", {"login": person.email, "password": PASSWORD})
    assert answer.status_code == 302, answer.content
    return client


@pytest.fixture
def alice(cast: Cast) -> Client:
    """A browser in which alice is signed in."""
    cache.clear()  # the limits on signing in
    return sign_in(cast.alice)


@pytest.fixture
def executor() -> Iterator[scripted.Scripted]:
    """An executor of the generate lane that paints flat pictures."""
    with scripted.listening(executors.socket_path("generate", 0), scripted.paints) as found:
        yield found


def carry_out_next() -> Any:
    """Claim the next shoot and carry it out, as a worker process does; the Work, or None when nothing waits."""
    from generation import tasks

    work = claim_next("generate", "test-worker")
    if work is not None:
        with merchant_scope(work.job.merchant_id):
            carry_out(work, tasks.run)
    return work


def made(house: House, **choices: Any) -> Shoot:
    """A shoot of the house's photo that was ordered and carried out."""
    from generation import services
    from generation.orders import Choices

    with merchant_scope(house.merchant):
        shoot = services.order_shoot(actor=house.actor, choices=Choices(photo=house.photo.pk, **choices), key=None)
    carry_out_next()
    with merchant_scope(house.merchant):
        shoot.refresh_from_db()
    return shoot


def first_of(library: Any) -> Any:
    """The first shared persona, scene or pose."""
    with unscoped("test"):
        return library.objects.order_by("position").first()
