"""A merchant with credits and garments to order batches of, and an executor that plays a script."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Merchant, Plan
from accounts.scoping import merchant_scope, unscoped
from accounts.services import credits
from catalog.models import Persona, Scene
from generation.batches import Wishes
from generation.models import Batch, Picture, Shoot
from generation.services import batches
from tests.generation.conftest import (  # noqa: F401  fixtures
    House,
    add_photo,
    alice,
    carry_out_next,
    executor,
    house,
    library,
    neighbour,
)


@pytest.fixture(autouse=True)
def rich(request: Any) -> None:
    """Enough credits for everybody in the cast, and a plan with room for a thousand shoots."""
    cast = request.getfixturevalue("cast")
    plan, _ = Plan.objects.update_or_create(
        name="roomy", defaults={"title": "Roomy", "batch_shoots": 1000, "concurrency": 4, "monthly_credits": 10}
    )
    for merchant in (cast.atelier, cast.bazaar):
        Merchant.objects.filter(pk=merchant.pk).update(plan=plan, concurrency=4)
        merchant.refresh_from_db()
        credits.account(merchant.pk)
        credits.grant(merchant_id=merchant.pk, amount=5000, by=None, note="test")


def garments(found: House, count: int) -> list[Any]:
    """The house's own garment and more like it, each with a photo of the front."""
    more = [add_photo(found.actor, name=f"Garment {n}", sku=f"G-{n}").garment for n in range(count - 1)]
    return [found.garment, *more]


def ids(rows: Any) -> tuple[Any, ...]:
    """Their ids."""
    return tuple(row.pk for row in rows)


def looks(personas: int = 1, scenes: int = 1) -> dict[str, Any]:
    """So many of the shared personas and scenes, as wishes have them."""
    with unscoped("test"):
        return {
            "personas": ids(Persona.objects.order_by("position")[:personas]),
            "scenes": ids(Scene.objects.order_by("position")[:scenes]),
        }


def order(found: House, *, key: str | None = None, skip: bool = False, **wishes: Any) -> Batch:
    """Order a batch, the house's garment in one look where nothing else is said."""
    wishes.setdefault("garments", (found.garment.pk,))
    with merchant_scope(found.merchant):
        return batches.order_batch(actor=found.actor, wishes=Wishes(**wishes), skip_unusable=skip, key=key)


def do(found: House, service: Any, batch: Batch) -> Any:
    """Call a service for the house."""
    with merchant_scope(found.merchant):
        return service(actor=found.actor, batch=batch)


def statuses(batch: Batch) -> list[str]:
    """Of its shoots, in the order of its cells."""
    with unscoped("test"):
        return [shoot.status for shoot in shoots(batch)]


def shoots(batch: Batch) -> list[Shoot]:
    """Its cells in their order."""
    with unscoped("test"):
        return list(Shoot.objects.filter(batch=batch).order_by("id"))


def pictures(batch: Batch) -> list[Picture]:
    """What came of it."""
    with unscoped("test"):
        return list(Picture.objects.filter(shoot__batch=batch).order_by("shoot_id", "index"))


def fresh(batch: Batch) -> Batch:
    """As it is in the database."""
    with unscoped("test"):
        return Batch.objects.get(pk=batch.pk)


def account(found: House) -> tuple[int, int]:
    """What the house may spend, and what is reserved."""
    row = credits.account(found.merchant.pk)
    return row.available, row.held


def finish_all() -> int:
    """Carry out whatever waits, as one worker does; how many."""
    count = 0
    while carry_out_next() is not None:
        count += 1
    return count
