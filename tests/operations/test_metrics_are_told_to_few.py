"""/metrics opens for a token or a named network, and is not there for anybody else."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError
from django.test import Client, override_settings
from prometheus_client.parser import text_string_to_metric_families

from imodel_site import env
from imodel_site.metrics import catalogue, exporter, rows

TOKEN = "a-token-of-some-length"
AS_BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.mark.django_db
@override_settings(METRICS_TOKEN=TOKEN)
def test_the_token_opens_and_another_does_not() -> None:
    assert Client(REMOTE_ADDR="203.0.113.9").get("/metrics", headers=AS_BEARER).status_code == 200
    for given in ("Bearer wrong", TOKEN, "Bearer ", ""):
        assert Client().get("/metrics", headers={"Authorization": given}).status_code == 404


@pytest.mark.django_db
def test_without_token_and_network_even_this_machine_meets_the_page_of_what_does_not_exist() -> None:
    closed, missing = Client().get("/metrics"), Client().get("/no-such-page")
    assert (closed.status_code, missing.status_code) == (404, 404)
    assert Client().get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.django_db
@override_settings(METRICS_FROM=["10.2.0.0/16", "::1"])
def test_a_named_network_is_let_in_unless_a_proxy_stands_in_between() -> None:
    near = Client(REMOTE_ADDR="10.2.3.4")
    assert near.get("/metrics").status_code == 200 and Client(REMOTE_ADDR="::1").get("/metrics").status_code == 200
    assert Client(REMOTE_ADDR="10.3.0.1").get("/metrics").status_code == 404
    assert near.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 404
    with override_settings(TRUSTED_PROXIES=1):
        assert near.get("/metrics").status_code == 404


@pytest.mark.django_db
@override_settings(METRICS_TOKEN=TOKEN)
def test_prometheus_may_ask_by_address() -> None:
    assert Client().get("/metrics", headers={**AS_BEARER, "Host": "10.1.2.3:8000"}).status_code == 200


class _Away:
    """A connection to a database that does not answer."""

    def cursor(self) -> Any:
        raise OperationalError("away")


@override_settings(METRICS_TOKEN=TOKEN)
def test_a_database_that_is_away_is_told_and_the_machine_is_told_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "connection", _Away())
    told = Client().get("/metrics", headers=AS_BEARER).content.decode()
    assert "imodel_database_up 0.0" in told and "imodel_disk_free_bytes" in told and "imodel_jobs{" not in told


def test_a_token_that_is_short_and_a_network_that_is_none_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMODEL_METRICS_TOKEN", "short")
    with pytest.raises(ImproperlyConfigured) as refused:
        env.token("IMODEL_METRICS_TOKEN")
    assert "short" not in str(refused.value).replace("too short", "")
    monkeypatch.setenv("IMODEL_METRICS_FROM", "10.0.0.0/8,everybody")
    with pytest.raises(ImproperlyConfigured, match="everybody"):
        env.networks("IMODEL_METRICS_FROM")


@pytest.fixture
def worker_port() -> Iterator[int]:
    """A worker machine's own door."""
    server = exporter.listen(_free_port())
    assert server is not None
    yield server.server_port
    server.shutdown()
    server.server_close()


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@override_settings(METRICS_TOKEN=TOKEN)
def test_a_worker_machine_tells_of_itself_without_asking_the_database(worker_port: int) -> None:
    request = urllib.request.Request(f"http://127.0.0.1:{worker_port}/metrics", headers=AS_BEARER)
    with urllib.request.urlopen(request, timeout=10) as answer:
        told = {family.name for family in text_string_to_metric_families(answer.read().decode())}
    assert "imodel_disk_free_bytes" in told
    assert not told & {family.name for family in catalogue.ROWS}
    with pytest.raises(urllib.error.HTTPError) as closed:
        urllib.request.urlopen(f"http://127.0.0.1:{worker_port}/metrics", timeout=10)
    assert closed.value.code == 404


def test_a_port_that_is_taken_is_no_reason_not_to_work(worker_port: int) -> None:
    assert exporter.listen(worker_port) is None
