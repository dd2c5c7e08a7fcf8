"""What the demo merchant has: the sample garments, and a first shoot of one of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from django.core.files import File

from accounts.actors import Actor
from accounts.models import Membership, User
from accounts.scoping import unscoped
from catalog.models import Garment, GarmentPhoto, Scene
from catalog.samples import SAMPLES, Sample
from catalog.services.garments import Details, create_garment
from catalog.services.photos import add_photo
from generation.models import Kind, Shoot
from generation.orders import Choices
from generation.services.shoots import order_shoot

FIRST_SHOOT = "demo-first-shoot"
# What the bundled engine does best: a person in a new scene, the garment untouched. Picked by looking.
SHOWN, SCENE, SEED = "mamianqun", "beach", 1


def ensure(actor: Actor, say: Callable[[str], None]) -> None:
    """Add what is missing. A garment that somebody deleted comes back only while there has been no shoot."""
    if Shoot.objects.filter(idempotency_key=FIRST_SHOOT).exists():
        return
    say("Filling the demo merchant's catalog ...")
    photos = {sample.slug: _photo(actor, sample) for sample in SAMPLES}
    scene = Scene.objects.get(merchant=None, name=SCENE)
    choices = Choices(kind=Kind.SCENE, photo=photos[SHOWN].pk, scene=scene.pk, count=1, best_of=2, seed=SEED)
    order_shoot(actor=actor, choices=choices, key=FIRST_SHOOT)


def first_shoot(person: User) -> Shoot | None:
    """What the newcomer sees first: the sample shop's picture, or how it comes to be."""
    with unscoped("the sample shop's first shoot, before its scope is open"):
        shops = Membership.objects.filter(user=person).values("merchant")
        found: Shoot | None = Shoot.objects.filter(idempotency_key=FIRST_SHOOT, merchant__in=shops).first()
        return found


def _photo(actor: Actor, sample: Sample) -> GarmentPhoto:
    """The garment's first photo, with the garment and the others when they are not there yet."""
    garment = Garment.objects.filter(sku=sample.sku).first()
    if garment is None:
        details = Details(str(sample.name), sample.sku, sample.category, str(sample.colour), tags=sample.tags)
        garment = create_garment(merchant=actor.merchant, details=details)
    return [_add(actor, garment, path, view) for path, view in sample.photos][0]


def _add(actor: Actor, garment: Garment, path: Path, view: str) -> GarmentPhoto:
    with path.open("rb") as file:
        return add_photo(garment=garment, merchant=actor.merchant, file=File(file, path.name), view=view)[0]
