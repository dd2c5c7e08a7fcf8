"""Who is next: merchants in turn, within their limit; then priority, then who came first. Also under many claimers."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import pytest
from django.db import connection

from imodel_site.lib.jobs.claims import claim_next
from imodel_site.lib.jobs.work import Work


def _claim() -> Work:
    found = claim_next("light", "test")
    assert found is not None
    return found


@pytest.mark.django_db
@pytest.mark.usefixtures("everybody")
def test_a_merchants_thousand_do_not_starve_the_others(shops: Any, errand: Any) -> None:
    big, small, late = shops(3)
    for _ in range(6):
        errand(big)
    errand(small), errand(small), errand(late)
    order = []
    for _ in range(7):
        work = _claim()
        order.append(work.job.merchant_id)
        work.finish()
    assert set(order[:3]) == {big.pk, small.pk, late.pk}
    assert order[3:] == [shop for shop in order[:3] if shop != late.pk] + [big.pk, big.pk]


@pytest.mark.django_db
@pytest.mark.usefixtures("everybody")
def test_no_more_run_at_once_than_the_merchant_may(shops: Any, errand: Any) -> None:
    one, two = shops(2)
    type(one).objects.filter(pk=one.pk).update(concurrency=1)
    for _ in range(3):
        errand(one), errand(two)
    claimed = []
    while work := claim_next("light", "test"):
        claimed.append(work)
    assert Counter(work.job.merchant_id for work in claimed) == {one.pk: 1, two.pk: 2}
    next(work for work in claimed if work.job.merchant_id == one.pk).finish()
    assert _claim().job.merchant_id == one.pk


@pytest.mark.django_db
@pytest.mark.usefixtures("everybody")
def test_within_a_merchant_priority_then_age(shops: Any, errand: Any) -> None:
    shop = shops(1)[0]
    jobs = [errand(shop), errand(shop), errand(shop, priority=5), errand(shop, priority=-1)]
    order = []
    for _ in jobs:
        work = _claim()
        order.append(work.job.pk)
        work.finish()
    assert order == [jobs[2].pk, jobs[0].pk, jobs[1].pk, jobs[3].pk]


@pytest.mark.django_db
@pytest.mark.usefixtures("everybody")
def test_what_waits_for_a_later_time_is_left_alone(shops: Any, errand: Any) -> None:
    from datetime import timedelta

    from django.utils import timezone

    shop = shops(1)[0]
    later = errand(shop)
    type(later).objects.filter(pk=later.pk).update(queued_at=timezone.now() + timedelta(hours=1))
    assert claim_next("light", "test") is None
    now = errand(shop)
    assert _claim().job.pk == now.pk


@pytest.mark.django_db
@pytest.mark.usefixtures("everybody")
def test_a_claim_costs_the_same_with_ten_thousand_waiting(
    shops: Any, errand: Any, django_assert_max_num_queries: Any
) -> None:
    """Neither more statements nor a walk over the waiting rows: the plan uses the partial index."""
    from tests.jobs.app.models import Errand

    many = shops(20)
    first = errand(many[0])
    Errand.objects.bulk_create(
        [Errand(merchant=many[n % 20], queued_at=first.queued_at) for n in range(10_000)], batch_size=500
    )
    with django_assert_max_num_queries(25):
        _claim()


@pytest.mark.django_db(transaction=True)
def test_many_claimers_share_without_a_double_or_a_breach(shops: Any, errand: Any) -> None:
    jobs = [errand(shop) for shop in shops(4) for _ in range(5)]
    limit, got, start = 2, [], threading.Barrier(6)
    errors: list[BaseException] = []

    def claim_all() -> None:
        try:
            start.wait()
            while work := claim_next("light", threading.current_thread().name):
                got.append(work)
        except BaseException as error:
            errors.append(error)
            raise
        finally:
            connection.close()

    threads = [threading.Thread(target=claim_all) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors and len(jobs) == 20
    assert Counter(work.job.merchant_id for work in got) == {job.merchant_id: limit for job in jobs}
    assert len({work.job.pk for work in got}) == 8 and {work.token for work in got} == {1}


@pytest.mark.django_db
@pytest.mark.usefixtures("everybody")
@pytest.mark.parametrize("status", ["suspended", "closing"])
def test_nothing_starts_for_a_merchant_who_is_not_active(shops: Any, errand: Any, status: str) -> None:
    shut, open_ = shops(2)
    type(shut).objects.filter(pk=shut.pk).update(status=status)
    errand(shut), errand(open_)
    assert _claim().job.merchant_id == open_.pk
    assert claim_next("light", "test") is None
    type(shut).objects.filter(pk=shut.pk).update(status="active")
    assert _claim().job.merchant_id == shut.pk
