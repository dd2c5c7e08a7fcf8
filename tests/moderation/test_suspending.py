"""A suspended shop stops everywhere at once, and goes on from there."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, Merchant, User
from accounts.scoping import merchant_scope
from accounts.services import api_keys, suspending
from accounts.services.closing import delete_due
from generation import services
from generation.models import Picture, Shoot
from generation.orders import Choices
from imodel_site.lib.errors import Conflict, Refused
from imodel_site.lib.jobs.claims import claim_next
from imodel_site.lib.signing import media_url
from tests.generation.conftest import House


def suspend(house: House, stella: User) -> None:
    suspending.suspend(merchant=house.merchant, by=stella, reason="Sells what is not theirs.")


def test_pages_keys_files_and_jobs_stop_and_go_on(
    house: House, picture: Picture, alice: Client, stella: User, django_capture_on_commit_callbacks: Any
) -> None:
    with merchant_scope(house.merchant):
        key = api_keys.make_key(
            merchant=house.merchant, by=house.actor.user, name="k", scope="write", store="", live=True, lifetime=None
        )  # fmt: skip
        url, own = (media_url(picture, "full", bearer=b) for b in (True, False))
        services.order_shoot(actor=house.actor, choices=Choices(photo=house.photo.pk), key=None)
    program = Client(headers={"Authorization": f"Bearer {key.text}"})
    asked = lambda: (  # noqa: E731
        Client().get(url).status_code, alice.get(own).status_code,
        alice.get("/pictures/").status_code, program.get("/api/v1/pictures").status_code,
    )  # fmt: skip
    assert asked() == (200, 200, 200, 200)
    with django_capture_on_commit_callbacks(execute=True):
        suspend(house, stella)
    assert asked() == (404, 404, 403, 403)
    assert "Sells what is not theirs." in alice.get("/pictures/").content.decode()
    assert claim_next("generate", "w") is None
    assert [letter.to for letter in mail.outbox] == [["alice@example.com"]]
    assert "Sells what is not theirs." in mail.outbox[0].body
    suspending.reopen(merchant=house.merchant, by=stella, reason="Explained.")
    assert asked() == (200, 200, 200, 200)
    assert claim_next("generate", "w") is not None
    actions = list(AuditEntry.objects.order_by("id").values_list("action", "note"))
    assert actions == [("merchant.suspended", "Sells what is not theirs."), ("merchant.reopened", "Explained.")]


def test_what_runs_is_asked_to_stop(house: House, neighbour: House, stella: User) -> None:
    for shop in (house, neighbour):
        with merchant_scope(shop.merchant):
            services.order_shoot(actor=shop.actor, choices=Choices(photo=shop.photo.pk), key=None)
        assert claim_next("generate", "w") is not None
    suspend(house, stella)
    for shop, stops in ((house, True), (neighbour, False)):
        with merchant_scope(shop.merchant):
            assert (Shoot.objects.get().cancel_requested_at is not None) is stops


def test_a_shop_that_is_being_deleted_can_be_suspended_and_is_not_deleted_meanwhile(house: House, stella: User) -> None:
    rows = Merchant.objects.filter(pk=house.merchant.pk)
    rows.update(status="closing", delete_after=timezone.now())
    suspend(house, stella)
    assert delete_due() == 0 and rows.get().status == "suspended"
    suspending.reopen(merchant=house.merchant, by=stella, reason="Done.")
    assert rows.get().status == "closing" and rows.get().suspended_reason == ""


def test_a_reason_is_needed_and_twice_is_a_conflict(house: House, stella: User) -> None:
    with pytest.raises(Refused, match="Say why"):
        suspending.suspend(merchant=house.merchant, by=stella, reason="  ")
    with pytest.raises(Conflict):
        suspending.reopen(merchant=house.merchant, by=stella, reason="x")
    suspend(house, stella)
    with pytest.raises(Conflict):
        suspend(house, stella)
    assert AuditEntry.objects.count() == 1
