"""The top bar counts shoots, trainings and grids that wait or run, and leads to where they are."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils.timezone import now

from accounts.scoping import merchant_scope
from generation import services
from generation.orders import Choices
from training.models import Comparison, Training

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_top_bar_counts_trainings_and_grids_and_leads_to_where_they_are(alice, house):
    with merchant_scope(house.merchant):
        training = Training.objects.create(family="mini", trigger="zkv17", queued_at=now())
        Comparison.objects.create(training=training, queued_at=now(), status="running")
        Comparison.objects.create(training=training, queued_at=now(), status="succeeded")
    assert alice.get(reverse("generation:running")).json()["running"] == 2
    front = alice.get(reverse("catalog:garments")).content.decode()
    assert f'href="{reverse("training:trainings")}" title="Shoots and trainings under way"' in front
    listed = alice.get(f"{reverse('generation:shoots')}?status=running").content.decode()
    assert "2 trainings or grids wait or run." in listed
    with merchant_scope(house.merchant):
        services.order_shoot(actor=house.actor, choices=Choices(photo=house.photo.pk), key=None)
    front = alice.get(reverse("catalog:garments")).content.decode()
    assert f'href="{reverse("generation:shoots")}?status=running"' in front and '<span class="num">3</span>' in front
