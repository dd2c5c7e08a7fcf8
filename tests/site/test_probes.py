"""/healthz says that the process lives, /readyz that it can serve; details only for those who run the site."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.db import connection
from django.test import Client, override_settings

from imodel_site.doctor import stores


@pytest.fixture(autouse=True)
def forget() -> Any:
    """A remembered look at the storage belongs to one test."""
    stores._looked.cache_clear()
    yield
    stores._looked.cache_clear()


def test_healthz_answers_without_a_database() -> None:
    # No `db` fixture: pytest-django refuses every query.
    answer = Client().get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.django_db
def test_readyz_names_each_thing_it_looked_at_for_this_machine() -> None:
    answer = Client().get("/readyz")
    assert answer.status_code == 200 and answer.json()["status"] == "ready"
    assert [f["name"] for f in answer.json()["findings"]] == ["database", "migrations", "storage", "cache"]


@pytest.mark.django_db
def test_a_stranger_learns_only_whether_it_is_ready() -> None:
    answer = Client(REMOTE_ADDR="203.0.113.9").get("/readyz")
    assert answer.json() == {"status": "ready"}


@pytest.mark.django_db
def test_a_request_that_a_proxy_on_this_machine_forwarded_is_a_stranger_s() -> None:
    answer = Client(REMOTE_ADDR="127.0.0.1").get("/readyz", headers={"X-Forwarded-For": "203.0.113.9"})
    assert answer.json() == {"status": "ready"}
    with override_settings(TRUSTED_PROXIES=1):
        assert Client(REMOTE_ADDR="127.0.0.1").get("/readyz").json() == {"status": "ready"}


def test_staff_see_the_details_and_members_do_not(cast: Any) -> None:
    client = Client(REMOTE_ADDR="203.0.113.9")
    client.force_login(cast.alice)
    assert "findings" not in client.get("/readyz").json()
    cast.alice.is_staff = True
    cast.alice.save()
    assert "findings" in client.get("/readyz").json()


@pytest.mark.django_db
def test_a_migration_that_is_not_applied_makes_it_not_ready() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'catalog'")
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    (finding,) = [f for f in answer.json()["findings"] if f["level"] == "bad"]
    assert "catalog.0001_start" in finding["says"] and "manage.py prepare" in finding["todo"]


@pytest.mark.django_db
def test_a_storage_that_can_not_be_written_makes_it_not_ready(tmp_path: Path, settings: Any) -> None:
    blocked = tmp_path / "a file, not a folder"
    blocked.touch()
    options = {"location": str(blocked), "base_url": None}
    settings.STORAGES = {**settings.STORAGES, "default": {**settings.STORAGES["default"], "OPTIONS": options}}
    assert storages["default"].location == str(blocked)
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert [f["name"] for f in answer.json()["findings"] if f["level"] == "bad"] == ["storage"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.django_db
def test_a_load_balancer_may_ask_by_address(path: str) -> None:
    assert Client().get(path, headers={"Host": "10.1.2.3:8000"}).status_code == 200
    assert Client().get("/", headers={"Host": "10.1.2.3:8000"}).status_code == 400


@override_settings(SECURE_SSL_REDIRECT=True)
def test_a_probe_is_not_sent_to_https() -> None:
    assert Client().get("/healthz").status_code == 200
