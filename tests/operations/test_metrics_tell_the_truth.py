"""What /metrics says is what the rows, the processes and the machine say; and never who anybody is."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db.models.functions import Now
from django.test import Client, override_settings
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from accounts.models import CreditAccount, Merchant, WebhookDelivery, WebhookEndpoint, WebhookEvent
from accounts.scoping import merchant_scope
from catalog.models import Look
from generation.models import Shoot
from imodel_site.backup import stamp
from imodel_site.lib.jobs import rundir
from imodel_site.lib.jobs.carrying import carry_out
from imodel_site.lib.jobs.claims import claim_next
from imodel_site.metrics import catalogue, counting, reading, rows
from tests.cast import Cast

pytestmark = pytest.mark.django_db
TOKEN = "a-token-of-some-length"
Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def told() -> Series:
    """Everything that a scrape says."""
    text = reading.text(rows.samples).decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in samples}


def value(series: Series, name: str, **labels: str) -> float:
    """Of one series; 0 while it is not there."""
    return series.get((name, tuple(sorted(labels.items()))), 0.0)


def _shoots(merchant: Merchant, **fields: Any) -> None:
    with merchant_scope(merchant):
        Shoot.objects.create(**{"queued_at": Now(), **fields})


def test_depth_and_age_of_each_lane_are_the_rows(cast: Cast) -> None:
    now = timezone.now()
    _shoots(cast.atelier, queued_at=now - timedelta(minutes=5))
    _shoots(cast.bazaar, queued_at=now - timedelta(minutes=9))
    _shoots(cast.atelier, queued_at=now + timedelta(hours=1))  # it pauses after trouble: that is no waiting
    _shoots(cast.atelier, status="paused")
    _shoots(cast.atelier, status="running", lease_until=now + timedelta(seconds=20))
    _shoots(cast.bazaar, status="running", lease_until=now - timedelta(seconds=20))
    _shoots(cast.atelier, status="succeeded")
    found = told()
    of = {"lane": "generate", "job": "shoot"}
    depth = {status: value(found, "imodel_jobs", status=status, **of) for status in ("queued", "paused", "running")}
    assert depth == {"queued": 3, "paused": 1, "running": 2}
    assert 539 < value(found, "imodel_jobs_oldest_seconds", **of) < 600
    assert value(found, "imodel_job_leases_over", **of) == 1
    assert value(found, "imodel_jobs", status="queued", lane="light", job="look") == 0


def test_webhooks_credits_merchants_and_storage_are_the_rows(cast: Cast) -> None:
    with merchant_scope(cast.atelier):
        endpoint = WebhookEndpoint.objects.create(url="https://shop.example/hook")
        WebhookEndpoint.objects.create(url="https://shop.example/off", enabled=False)
        for minutes, status in ((7, "waiting"), (-7, "waiting"), (90, "delivered")):
            event = WebhookEvent.objects.create(type="shoot.succeeded", subject_id=endpoint.pk, round=minutes + 10)
            due = timezone.now() - timedelta(minutes=minutes)
            WebhookDelivery.objects.create(event=event, endpoint=endpoint, status=status, due_at=due)
        CreditAccount.objects.update_or_create(defaults={"available": 40, "held": 3})
    with merchant_scope(cast.bazaar):
        CreditAccount.objects.update_or_create(defaults={"available": 2, "held": 1})
    Merchant.objects.filter(pk=cast.bazaar.pk).update(status="suspended", used_bytes=500)
    found = told()
    assert value(found, "imodel_webhook_deliveries_waiting") == 2
    assert 419 < value(found, "imodel_webhook_oldest_due_seconds") < 480
    assert value(found, "imodel_webhook_endpoints", state="enabled") == 1
    assert value(found, "imodel_webhook_endpoints", state="disabled") == 1
    assert (value(found, "imodel_credits", state="available"), value(found, "imodel_credits", state="held")) == (42, 4)
    assert value(found, "imodel_merchants", status="suspended") == 1 and value(found, "imodel_storage_bytes") == 500


def test_a_job_leaves_its_waiting_its_stages_its_end_and_its_losses(
    cast: Cast, django_capture_on_commit_callbacks: Any
) -> None:
    before = told()
    _shoots(cast.atelier, queued_at=timezone.now() - timedelta(seconds=30))
    for attempt in ("lost", "succeeded"):
        with django_capture_on_commit_callbacks(execute=True):
            _carry_out(attempt)
    after, of = told(), {"lane": "generate", "job": "shoot"}

    def grew(name: str, **labels: str) -> float:
        return value(after, name, **of, **labels) - value(before, name, **of, **labels)

    assert grew("imodel_job_losses_total") == 1 and grew("imodel_job_run_seconds_count") == 2
    assert grew("imodel_job_wait_seconds_count") == 2 and grew("imodel_job_wait_seconds_sum") > 29
    assert grew("imodel_job_stage_seconds_count", stage="paint") == 1
    assert grew("imodel_job_stage_seconds_count", stage="storing") == 1
    assert grew("imodel_jobs_ended_total", status="succeeded", code="") == 1


def _carry_out(attempt: str) -> None:
    from imodel_site.lib.jobs.work import Retry
    from imodel_site.lib.scope import unscoped

    with unscoped("test"):
        Shoot.objects.filter(status="queued", queued_at__gt=Now()).update(queued_at=Now())
    work = claim_next("generate", "test")
    assert work is not None

    def run(_work: Any) -> None:
        if attempt == "lost":
            raise Retry("the weather")
        _work.progress("paint", 0.1)
        _work.progress("storing", 0.9)
        _work.finish()

    with merchant_scope(work.job.merchant_id):
        carry_out(work, run)


def test_a_refused_job_is_counted_under_its_code(cast: Cast, django_capture_on_commit_callbacks: Any) -> None:
    labels = {"lane": "light", "job": "look", "status": "failed", "code": "photo_gone"}
    before = value(told(), "imodel_jobs_ended_total", **labels)
    with merchant_scope(cast.atelier), django_capture_on_commit_callbacks(execute=True):
        from tests.generation.conftest import actor_of, add_photo

        asset = add_photo(actor_of(cast.alice), looked=False).asset
        Look.objects.create(asset=asset, queued_at=Now())
        work = claim_next("light", "test", models=[Look])
        assert work is not None
        work.fail("photo_gone", "It is gone.", retryable=False)
    assert value(told(), "imodel_jobs_ended_total", **labels) == before + 1


def test_requests_are_counted_by_route_never_by_path(cast: Cast) -> None:
    Client().get("/invitations/a-secret-token/")
    Client().generic("BREW", "/healthz")
    names = {label for _name, labels in told() for label in labels}
    assert not any("a-secret-token" in label for _key, label in names)
    assert value(told(), "imodel_http_requests_total", route="/healthz", method="other", status="405") >= 1


def test_no_label_says_who_anybody_is(cast: Cast) -> None:
    _shoots(cast.atelier)
    text = reading.text(rows.samples).decode()
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", text)
    assert str(cast.atelier.name) not in text and cast.alice.email not in text
    allowed = {label for family in catalogue.ALL.values() for label in family.labels} | {"le"}
    assert {key for _name, labels in told() for key, _value in labels} <= allowed


def test_every_metric_that_is_told_stands_in_the_catalogue(cast: Cast) -> None:
    counting.webhook(200)
    names = {name for name, _labels in told()}
    known = {name for family in catalogue.ALL.values() for name in _series_of(family)}
    assert names <= known


def _series_of(family: catalogue.Family) -> list[str]:
    endings = ("_bucket", "_sum", "_count") if family.kind == "histogram" else ("",)
    return [family.name + ending for ending in endings]


def test_executors_tell_their_memory_and_fall_silent_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    file = rundir.path("generate-0.pong")
    file.parent.mkdir(parents=True, exist_ok=True)
    gpu = {"device": 0, "allocated": 5_000, "reserved": 8_000, "total": 10_000}
    rundir.note(file, {"event": "pong", "rss": 123_456, "gpus": [gpu]})
    try:
        found, of = told(), {"lane": "generate", "number": "0"}
        assert value(found, "imodel_executor_up", **of) == 1
        assert value(found, "imodel_executor_memory_bytes", **of) == 123_456
        kinds = {k: value(found, "imodel_gpu_memory_bytes", device="0", kind=k, **of) for k in ("allocated", "total")}
        assert kinds == {"allocated": 5_000, "total": 10_000}
        monkeypatch.setattr(rundir, "age", lambda _file: 1e6)
        assert value(told(), "imodel_executor_up", **of) == 0
        assert not any(name == "imodel_gpu_memory_bytes" for name, _labels in told())
    finally:
        file.unlink()


def test_the_last_backup_is_known_to_every_machine(settings: Any, tmp_path: Any) -> None:
    options = {**settings.STORAGES["default"]["OPTIONS"], "location": str(tmp_path)}
    settings.STORAGES = {**settings.STORAGES, "default": {**settings.STORAGES["default"], "OPTIONS": options}}
    cache.clear()
    assert value(told(), catalogue.BACKUP.name) == 0
    stamp.leave(files=3, bytes=99)
    cache.clear()
    assert abs(value(told(), catalogue.BACKUP.name) - timezone.now().timestamp()) < 60
    assert json.loads((tmp_path / stamp.KEY).read_text())["files"] == 3


@override_settings(METRICS_TOKEN=TOKEN)
def test_a_scrape_asks_a_fixed_number_of_questions(cast: Cast, django_assert_max_num_queries: Any) -> None:
    client, headers = Client(), {"Authorization": f"Bearer {TOKEN}"}
    client.get("/metrics", headers=headers)
    with django_assert_max_num_queries(40):
        client.get("/metrics", headers=headers)
