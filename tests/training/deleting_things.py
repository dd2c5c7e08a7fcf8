"""Adapters with two versions, and everything that deletes a part of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.scoping import merchant_scope
from generation import services as shooting
from generation.models import Kind, Shoot
from generation.orders import Choices
from imodel_site.lib import storage
from imodel_site.lib.errors import Refused
from tests.training.conftest import Atelier, checked, new_set
from training.models import (
    Adapter,
    AdapterVersion,
    Training,
)
from training.plans import Wishes
from training.services import deleting, trainings


def version(shop: Atelier, number: int) -> AdapterVersion:
    with merchant_scope(shop.merchant):
        rows = AdapterVersion.objects.select_related("adapter__garment", "training")
        return rows.get(number=number)


def drop_version(shop: Atelier, number: int) -> None:
    with merchant_scope(shop.merchant):
        deleting.delete_version(actor=shop.actor, version=version(shop, number))


def drop_adapter(shop: Atelier) -> None:
    with merchant_scope(shop.merchant):
        deleting.delete_adapter(actor=shop.actor, adapter=Adapter.objects.get())


def drop_training(shop: Atelier, training: Training | None = None) -> None:
    with merchant_scope(shop.merchant):
        deleting.delete_training(actor=shop.actor, training=training or Training.objects.get())


def order(shop: Atelier, **choices: Any) -> Shoot:
    asked = Choices(**{"photo": shop.photos[0].pk, "count": 1, "seed": 5, "kind": Kind.OUTFIT, **choices})
    with merchant_scope(shop.merchant):
        return shooting.order_shoot(actor=shop.actor, choices=asked, key=None)


def refused_with(code: str, deed: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as caught:
        deed()
    assert caught.value.code == code
    return caught.value


def there(*keys: str) -> list[bool]:
    return [storage.private().exists(key) for key in keys]


def begun(shop: Atelier, begin: AdapterVersion) -> Training:
    found = new_set(shop)
    checked(shop, found)
    with merchant_scope(shop.merchant):
        return trainings.order_training(actor=shop.actor, found=found, wishes=Wishes(steps=30), key=None, begin=begin)
