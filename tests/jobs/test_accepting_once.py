"""The idempotency key: the same request twice is one job, another request under the same key is refused."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection
from django_q.models import OrmQ

from imodel_site.lib.errors import Refused
from imodel_site.lib.jobs.services import accept
from imodel_site.lib.scope import merchant_scope
from tests.jobs.app.models import Errand


def _accept(merchant: Any, key: str | None, request: str = "a" * 64) -> tuple[Errand, bool]:
    with merchant_scope(merchant.pk):
        return accept(Errand, merchant=merchant, key=key, request_hash=request, make=lambda: Errand(plan=[]))


@pytest.mark.django_db
def test_the_same_request_gives_the_same_job_and_one_wake_up(shops: Any) -> None:
    shop, other = shops(2)
    job, new = _accept(shop, "order-1")
    assert new and _accept(shop, "order-1") == (job, False) and OrmQ.objects.count() == 1
    assert _accept(other, "order-1")[1], "keys are each merchant's own"


@pytest.mark.django_db
def test_without_a_key_each_is_new(shops: Any) -> None:
    shop = shops(1)[0]
    assert _accept(shop, None)[0] != _accept(shop, None)[0]


@pytest.mark.django_db
def test_another_request_under_the_key_is_refused(shops: Any) -> None:
    shop = shops(1)[0]
    _accept(shop, "order-1")
    with pytest.raises(Refused) as caught:
        _accept(shop, "order-1", request="b" * 64)
    assert (caught.value.code, caught.value.status) == ("idempotency_key_reused", 422)
    assert OrmQ.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_requests_at_the_same_moment_one_makes_the_job(shops: Any) -> None:
    shop, start = shops(1)[0], threading.Barrier(5)
    answers: list[tuple[Errand, bool]] = []

    def ask() -> None:
        try:
            start.wait()
            answers.append(_accept(shop, "order-1"))
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(new for _job, new in answers) == [False] * 4 + [True]
    assert len({job.pk for job, _new in answers}) == 1 and OrmQ.objects.count() == 1
