"""Each end of a shoot is told once, with what a shop's program needs, whoever brought it about."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import WebhookEvent
from accounts.scoping import merchant_scope, unscoped
from generation import services
from generation.models import Picture
from generation.orders import Choices
from imodel_site.lib.jobs import executors
from imodel_site.lib.jobs.model import Status
from imodel_site.lib.jobs.transitions import advance
from tests.generation import scripted
from tests.generation.conftest import carry_out_next, executor, house, library, made  # noqa: F401  # fixtures

pytestmark = pytest.mark.django_db(transaction=True)


def told() -> list[Any]:
    with unscoped("test"):
        return list(WebhookEvent.objects.order_by("pk"))


def test_pictures_that_are_ready_are_told_with_ids_verdicts_and_costs(house: Any, executor: Any) -> None:  # noqa: F811
    shoot = made(house, count=2)
    (event,) = told()
    with merchant_scope(house.merchant):
        pictures = list(Picture.objects.filter(shoot=shoot).order_by("index"))
    assert (event.type, event.subject_id, event.round) == ("shoot.succeeded", shoot.pk, shoot.token)
    assert event.payload == {
        "id": str(shoot.pk),
        "status": "succeeded",
        "kind": "model",
        "garment": str(house.garment.pk),
        "batch": None,
        "pictures": [{"id": str(row.pk), "verdict": "good", "cost": row.cost} for row in pictures],
        "error": None,
        "links": {
            "shoot": "http://testserver" + reverse("api-shoots-detail", args=[shoot.pk]),
            "pictures": "http://testserver" + reverse("api-pictures-list") + f"?shoot={shoot.pk}",
        },
    }
    assert len(pictures) == 2 and sum(row.cost for row in pictures) == 2
    assert "/media/" not in json.dumps(event.payload)


def test_a_failure_is_told_with_its_reason_and_again_after_a_retry(house: Any) -> None:  # noqa: F811
    with scripted.listening(
        executors.socket_path("generate", 0), scripted.fails("input", "garment_not_found", retryable=False)
    ):
        shoot = made(house)
        with merchant_scope(house.merchant):
            services.retry_shoot(actor=house.actor, shoot=shoot)
        carry_out_next()
    first, second = told()
    assert (first.type, second.type) == ("shoot.failed", "shoot.failed")
    assert first.round < second.round
    error = first.payload["error"]
    assert (error["code"], error["retryable"]) == ("garment_not_found", False)
    assert error["message"].startswith("No garment was found")
    assert first.payload["pictures"] == []


def test_one_that_was_cancelled_before_it_began_is_told(house: Any) -> None:  # noqa: F811
    with merchant_scope(house.merchant):
        shoot = services.order_shoot(actor=house.actor, choices=Choices(photo=house.photo.pk), key=None)
        services.cancel_shoot(actor=house.actor, shoot=shoot)
    (event,) = told()
    assert (event.type, event.payload["status"], event.payload["error"]) == ("shoot.cancelled", "cancelled", None)


def test_who_comes_too_late_to_end_it_tells_nothing(house: Any, executor: Any) -> None:  # noqa: F811
    shoot = made(house)
    assert not advance(shoot, to=Status.FAILED, from_=Status.RUNNING, token=shoot.token)
    assert not advance(shoot, to=Status.SUCCEEDED, from_=Status.RUNNING, token=shoot.token - 1)
    assert len(told()) == 1
