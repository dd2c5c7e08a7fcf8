"""An event is written with what made it happen, once for each end of a job, to whoever wants it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction

from accounts.models import WebhookEvent
from accounts.scoping import merchant_scope
from accounts.services.webhooks import emit, emit_many, endpoints
from imodel_site.lib.ids import uuid7
from tests.webhooks.conftest import happened

pytestmark = pytest.mark.django_db
NOWHERE = "http://127.0.0.1:9/"


def test_the_same_end_told_twice_is_one_event_and_a_next_round_is_another(
    cast: Any, endpoint: Any, deliveries: Any
) -> None:
    endpoint(NOWHERE)
    subject = uuid7()
    for round, data in ((1, {"n": 1}), (1, {"n": 2}), (2, {"n": 3})):
        emit(merchant_id=cast.atelier.pk, type="shoot.failed", subject_id=subject, data=data, round=round)
    assert [row.event.payload for row in deliveries()] == [{"n": 1}, {"n": 3}]


def test_what_is_rolled_back_was_never_told(cast: Any, endpoint: Any, deliveries: Any, everybody: None) -> None:
    endpoint(NOWHERE)
    with pytest.raises(RuntimeError), transaction.atomic():
        happened(cast.atelier)
        raise RuntimeError("the job's end failed")
    assert (deliveries(), WebhookEvent.objects.count()) == ([], 0)


def test_an_endpoint_hears_what_it_asked_for_and_nothing_of_another_merchant(
    cast: Any, endpoint: Any, deliveries: Any
) -> None:
    endpoint(NOWHERE + "all")
    endpoint(NOWHERE + "failures", "shoot.failed", "batch.finished")
    endpoint(NOWHERE + "theirs", merchant=cast.bazaar)
    for type in ("shoot.succeeded", "shoot.failed"):
        happened(cast.atelier, type)
    heard = sorted((row.endpoint.url.rsplit("/", 1)[1], row.event.type) for row in deliveries())
    assert heard == [("all", "shoot.failed"), ("all", "shoot.succeeded"), ("failures", "shoot.failed")]


def test_one_that_is_switched_off_hears_nothing(cast: Any, endpoint: Any, deliveries: Any) -> None:
    made = endpoint(NOWHERE)
    with merchant_scope(cast.atelier):
        endpoints.switch(endpoint=made.row, on=False)
    happened(cast.atelier)
    assert deliveries() == []


def test_a_thousand_cancelled_together_cost_no_more_statements_than_ten(
    cast: Any, endpoint: Any, deliveries: Any, django_assert_max_num_queries: Any
) -> None:
    endpoint(NOWHERE)
    told = {(uuid7(), 0): {"n": number} for number in range(1000)}
    batches = 1 if connection.vendor == "postgresql" else 40  # SQLite takes so many values at once
    with django_assert_max_num_queries(8 * batches), transaction.atomic():
        emit_many(merchant_id=cast.atelier.pk, type="shoot.cancelled", told=told)
    emit_many(merchant_id=cast.atelier.pk, type="shoot.cancelled", told=told)
    assert len(deliveries()) == 1000
