"""The sample shop: its garments, its first shoot, and the one button that leads to it."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.test import Client, override_settings

from accounts.models import Membership, Merchant, Role, User
from accounts.scoping import merchant_scope, unscoped
from catalog.models import Garment
from catalog.samples import SAMPLES
from catalog.services.shared_library import seed_library
from generation.models import Shoot
from imodel_site.demo import catalog
from imodel_site.demo.account import EMAIL
from tests.generation.conftest import actor_of


@pytest.fixture
def shop(db: None) -> Merchant:
    seed_library()
    person = User.objects.create_user(EMAIL, "whatever it is")
    EmailAddress.objects.create(user=person, email=EMAIL, verified=True, primary=True)
    merchant = Merchant.objects.create(name="Demo Atelier")
    with unscoped("test"):
        Membership.objects.create(user=person, merchant=merchant, role=Role.OWNER)
    with merchant_scope(merchant):
        catalog.ensure(actor_of(person), lambda words: None)
    return merchant


def test_the_button_leads_to_the_first_shoot_of_the_sample_shop(shop: Merchant, client: Client) -> None:
    with merchant_scope(shop):
        shoot = Shoot.objects.get()
        assert Garment.objects.count() == len(SAMPLES)
    with override_settings(IMODEL_DEMO=True):
        assert client.post("/demo").url == f"/shoots/{shoot.pk}/"
    assert client.get(f"/shoots/{shoot.pk}/").status_code == 200


def test_filling_it_again_adds_nothing(shop: Merchant) -> None:
    person = User.objects.get(email=EMAIL)
    with merchant_scope(shop):
        catalog.ensure(actor_of(person), lambda words: None)
        assert (Shoot.objects.count(), Garment.objects.count()) == (1, len(SAMPLES))


def test_the_same_key_in_another_shop_is_not_the_sample_shops_shoot(shop: Merchant) -> None:
    stranger = User.objects.create_user("stranger@example.com")
    assert catalog.first_shoot(stranger) is None
