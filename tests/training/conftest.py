"""A merchant with a garment of seven photos, and executors of every lane that play a script."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from accounts.actors import Actor
from accounts.scoping import merchant_scope, unscoped
from catalog.models import Asset, Garment, GarmentPhoto
from catalog.services.shared_library import seed_library
from imodel_site.lib import storage
from imodel_site.lib.jobs import executors
from imodel_site.lib.jobs.carrying import carry_out
from imodel_site.lib.jobs.claims import claim_next
from imodel_site.lib.jobs.registry import discover, runner_of
from tests.cast import Cast
from tests.generation import scripted as shooting
from tests.generation.conftest import actor_of, add_look, png, sign_in
from tests.training import scripted
from training.models import Checkpoint, Preflight, Training, TrainingSet
from training.plans import Wishes
from training.services import preflights, sets, trainings

__all__ = ["actor_of", "sign_in"]
VIEWS = ("front", "front", "front", "side", "side", "back", "back")


@dataclass(frozen=True)
class Atelier:
    """A merchant, somebody who acts for it, and a garment with its photos."""

    actor: Actor
    garment: Garment
    photos: list[GarmentPhoto]

    @property
    def merchant(self) -> Any:
        """The merchant."""
        return self.actor.merchant


def furnish(actor: Actor, *, name: str = "Poppy dress", sku: str = "PD-1") -> Atelier:
    """A dress with seven photos, each looked at."""
    with merchant_scope(actor.merchant):
        garment = Garment.objects.create(name=name, sku=sku, category="dress", colour="red", search=name.lower())
        photos = [_photo(actor, garment, number, view) for number, view in enumerate(VIEWS)]
    return Atelier(actor, garment, photos)


def _photo(actor: Actor, garment: Garment, number: int, view: str) -> GarmentPhoto:
    data = png((200, 10 * number, 40))
    key = storage.put(storage.new_key(actor.merchant.pk, "asset", "png"), data)
    asset = Asset.objects.create(
        sha256=f"{garment.sku}-{number}", key=key, content_type="image/png", width=64, height=96, bytes=len(data),
        thumbs={"small": key, "medium": key, "large": key},
    )  # fmt: skip
    add_look(asset)
    return GarmentPhoto.objects.create(garment=garment, asset=asset, view=view, position=number)


@pytest.fixture
def atelier(cast: Cast) -> Atelier:
    """Alice's, with a dress."""
    return furnish(actor_of(cast.alice))


@pytest.fixture
def bazaar(cast: Cast) -> Atelier:
    """Charlie's, with a dress of his own."""
    return furnish(actor_of(cast.charlie), name="Secret dress", sku="SD-1")


@pytest.fixture
def alice(cast: Cast) -> Any:
    """A browser in which alice is signed in."""
    from django.core.cache import cache

    cache.clear()  # the limits on signing in
    return sign_in(cast.alice)


@pytest.fixture
def executor() -> Iterator[dict[str, shooting.Scripted]]:
    """Executors by lane; each op goes well unless a test changes the script."""
    with ExitStack() as opened:
        yield {
            lane: opened.enter_context(shooting.listening(executors.socket_path(lane, 0), scripted.plays))
            for lane in ("light", "generate", "train")
        }


def carry_out_next(lane: str = "train") -> Any:
    """Claim the next job of a lane and carry it out, as a worker process does; the Work, or None."""
    discover()
    work = claim_next(lane, "test-worker")
    if work is not None:
        run = runner_of(type(work.job))
        assert run is not None
        with merchant_scope(work.job.merchant_id):
            carry_out(work, run)
    return work


def new_set(shop: Atelier) -> TrainingSet:
    """A set of all photos."""
    with merchant_scope(shop.merchant):
        return sets.create_set(actor=shop.actor, garment=shop.garment)


def checked(shop: Atelier, found: TrainingSet) -> Preflight:
    """The set was looked at."""
    with merchant_scope(shop.merchant):
        look = preflights.start_preflight(actor=shop.actor, found=found)
        carry_out_next("light")
        look.refresh_from_db()
        assert look.status == "succeeded", (look.error_code, look.error_message)
        found.refresh_from_db()
        return look


def ordered(shop: Atelier, *, key: str | None = None, steps: int = 30) -> Training:
    """A training of all photos, waiting."""
    found = new_set(shop)
    checked(shop, found)
    with merchant_scope(shop.merchant):
        return trainings.order_training(actor=shop.actor, found=found, wishes=Wishes(steps=steps), key=key)


def trained(shop: Atelier) -> Training:
    """One that was carried out."""
    training = ordered(shop)
    carry_out_next()
    return fresh(training)


def fresh(row: Any) -> Any:
    """The row as it is now."""
    with unscoped("test"):
        return type(row).objects.get(pk=row.pk)


def all_of(model: Any, **where: Any) -> list[Any]:
    """Rows of whichever merchant, in the order they were made."""
    with unscoped("test"):
        return list(model.objects.filter(**where).order_by("pk"))


@pytest.fixture
def two(atelier, executor):  # type: ignore[no-untyped-def]
    """An adapter with three versions: steps 20 (in use), 30 and 10; its first grid is painted, then shoots are."""
    trained(atelier)
    with merchant_scope(atelier.merchant):
        for step in (30, 10):
            checkpoint = Checkpoint.objects.select_related("training__garment").get(step=step)
            trainings.choose_checkpoint(actor=atelier.actor, checkpoint=checkpoint)
    seed_library()
    carry_out_next("generate")
    executor["generate"].script = shooting.paints
    return atelier
