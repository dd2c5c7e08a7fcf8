"""A shop that has one of everything the API shows, with answers to be found under its ids."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from accounts import webhook_secrets
from accounts.models import WebhookEndpoint
from accounts.scoping import merchant_scope
from catalog.models import Persona, Pose, Scene
from catalog.services import libraries
from catalog.traits import Traits
from generation import services
from generation.models import Batch, Picture, PictureTag, Shoot, Verdict
from generation.orders import Choices
from imodel_site.lib.jobs.model import Status
from tests.generation.conftest import House

VARIANTS = ("full", "display", "large", "medium", "small")


def stock(house: House) -> dict[str, list[str]]:
    """Make it; the ids by the part of the address, or the field, that they belong to."""
    with merchant_scope(house.merchant):
        own = _library(house)
        shoots = [_shoot(house, status) for status in (Status.QUEUED, Status.FAILED, Status.SUCCEEDED)]
        pictures = [_picture(house, shoots[-1], index) for index in range(3)]
        batch = Batch.objects.create(name="Autumn", shoots_total=1, pictures_total=2, price=2)
        PictureTag.objects.create(picture=pictures[0], name="front")
        webhook = WebhookEndpoint.objects.create(
            url="https://shop.example/hook", secrets=webhook_secrets.first(webhook_secrets.mint())
        )
    return {
        "garments": [str(house.garment.pk)],
        "photos": [str(house.photo.pk)],
        **{name: [str(row.pk)] for name, row in own.items()},
        "shoots": [str(shoot.pk) for shoot in shoots],
        "pictures": [str(picture.pk) for picture in pictures],
        "batches": [str(batch.pk)],
        "webhooks": [str(webhook.pk)],
    }


def _library(house: House) -> dict[str, Any]:
    merchant = house.merchant
    below, above = "navy trousers", "white shirt"
    return {
        "personas": libraries.make_persona(merchant=merchant, title="Mira", traits=Traits(), below=below, above=above),
        "scenes": libraries.make_scene(merchant=merchant, title="Park", place="park", light="", tone=""),
        "poses": libraries.copy_pose(merchant=merchant, pose=_first(Pose), title="Mine", mirrored=True),
    }


def _first(model: type[Persona | Scene | Pose]) -> Any:
    return model.objects.order_by("position").first()


def _shoot(house: House, status: str) -> Shoot:
    shoot = services.order_shoot(actor=house.actor, choices=Choices(photo=house.photo.pk), key=None)
    if status != Status.QUEUED:
        now = timezone.now()
        Shoot.objects.filter(pk=shoot.pk).update(
            status=status, started_at=now, finished_at=now, error_code="garment_not_found" * (status == Status.FAILED)
        )
    return shoot


def _picture(house: House, shoot: Shoot, index: int) -> Picture:
    files = {
        name: {"key": f"m/{house.merchant.pk}/shoots/{index}-{name}.webp", "width": 2, "height": 3, "sha256": "0" * 64}
        for name in VARIANTS
    }
    found: Picture = Picture.objects.create(
        shoot=shoot, index=index, token=1, kind=shoot.kind, garment=shoot.garment, persona=shoot.persona, files=files,
        width=512, height=768, seed=index, verdict=Verdict.GOOD, recipe={"seed": index},
    )  # fmt: skip
    return found
