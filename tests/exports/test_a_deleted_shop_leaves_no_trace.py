"""Rows, files, cache, folders, sessions: looked for by the merchant's id and by a word that stood in all of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, DeletionReport, Merchant
from accounts.scoping import merchant_scope, unscoped
from accounts.services import closing
from catalog.models import Look
from generation import previews, publishing
from generation.models import Picture, Shoot
from imodel_site.lib import storage, workplace
from imodel_site.lib.jobs.carrying import carry_out
from imodel_site.lib.jobs.claims import claim_next
from imodel_site.lib.jobs.work import Work
from tests.accounts.conftest import sign_in
from tests.exports.filling import Filled, rows_of, traces

pytestmark = pytest.mark.django_db(transaction=True)


def due(merchant: Any, asked_by: Any = None) -> None:
    Merchant.objects.filter(pk=merchant.pk).update(
        status="closing", delete_after=timezone.now(), closing_asked_by=asked_by
    )


def scatter(shop: Filled, person: Any, tmp_path: Path) -> Client:
    """Into the cache, onto the disk, into a session."""
    shoot = shop.rows["generation.Shoot"].pk
    image = tmp_path / "preview.webp"
    image.write_bytes(shop.canary.encode())
    previews.keep(shop.merchant.pk, shoot, 1, image)
    cache.set(f"api-calls:{shop.merchant.pk}:user:{person.pk}:1", 3, 60)
    (workplace.kept(shop.merchant.pk, "export-1") / "archive.zip").write_text(shop.canary)
    client = sign_in(person)
    assert client.get("/settings").status_code == 200  # from now on the session says which shop
    return client


def test_nothing_is_left_and_the_neighbour_keeps_everything(
    cast: Any, shop: Filled, neighbour: Filled, tmp_path: Path
) -> None:
    client = scatter(shop, cast.alice, tmp_path)
    previews.keep(cast.bazaar.pk, neighbour.rows["generation.Shoot"].pk, 1, tmp_path / "preview.webp")
    found = traces(cast.atelier.pk, shop.canary)
    assert {"storage", "cache", "folders", "django_session", "generation_picture"} <= set(found)
    others, kept = rows_of(cast.bazaar.pk), len(list(storage.private().listed(f"m/{cast.bazaar.pk}/")))
    entry = AuditEntry.objects.create(action="case.viewed", merchant_id=cast.atelier.pk)
    mine = rows_of(cast.atelier.pk)

    due(cast.atelier)
    mail.outbox.clear()
    assert closing.delete_due() == 1
    assert traces(cast.atelier.pk, shop.canary) == []
    assert rows_of(cast.bazaar.pk) == others
    assert len(list(storage.private().listed(f"m/{cast.bazaar.pk}/"))) == kept
    assert previews.newest(cast.bazaar.pk, neighbour.rows["generation.Shoot"].pk) is not None

    report = DeletionReport.objects.get(merchant_id=cast.atelier.pk)
    assert report.removed["rows"] == {model: len(rows) for model, rows in _by_label(mine).items()}
    assert report.removed["files"]["count"] == len(shop.files) + 1  # and the archive
    assert report.removed["files"]["kinds"]["relics"] == 1
    assert report.removed["elsewhere"] == {"cache": 2, "folders": 1, "sessions": 1}
    (letter,) = mail.outbox
    assert letter.to == ["alice@example.com"] and "relics" in str(letter.body)
    assert AuditEntry.objects.filter(pk=entry.pk).exists()
    assert client.get("/settings").status_code == 302  # signed in still, and of no shop


def _by_label(rows: dict[str, list[Any]]) -> dict[str, list[Any]]:
    from accounts import tables

    return {model._meta.label: rows[model._meta.db_table] for model in tables.owned()}


@pytest.mark.parametrize("backend", ["Files", "Redis"])
def test_each_cache_forgets_a_merchant_and_no_other(backend: str, settings: Any, tmp_path: Path, db: None) -> None:
    settings.CACHES = {"default": _cache(backend, tmp_path)}
    gone, stays = uuid.uuid4(), uuid.uuid4()
    for merchant in (gone, stays):
        for _job in range(3):
            cache.set(f"preview:{merchant}:{uuid.uuid4()}", b"pixels", 60)
        cache.set(f"api-calls:{merchant}", 1, 60)
    cache.set("periodic:nobodys", "taken", 60)
    from imodel_site.lib import caches

    try:
        assert caches.forget(gone) == 4 and caches.forget(gone) == 0
        assert cache.get(f"api-calls:{gone}") is None
        assert cache.get(f"api-calls:{stays}") == 1 and cache.get("periodic:nobodys") == "taken"
        assert not [name for name in _raw(backend, tmp_path) if str(gone) in name]
        assert len([name for name in _raw(backend, tmp_path) if str(stays) in name]) == 4
    finally:
        caches.forget(stays)
        cache.delete("periodic:nobodys")


def _cache(backend: str, tmp_path: Path) -> dict[str, Any]:
    if backend == "Files":
        return {"BACKEND": "imodel_site.lib.caches.Files", "LOCATION": str(tmp_path / "cache")}
    redis = pytest.importorskip("redis")
    try:
        redis.Redis().ping()
    except redis.exceptions.ConnectionError:
        pytest.skip("redis does not answer")
    prefix = f"test-{uuid.uuid4().hex}"
    return {
        "BACKEND": "imodel_site.lib.caches.Redis",
        "LOCATION": "redis://127.0.0.1:6379/15",
        "KEY_PREFIX": prefix,
    }


def _raw(backend: str, tmp_path: Path) -> list[str]:
    """The names as they lie there, whoever wrote them."""
    if backend == "Files":
        return [path.name for path in (tmp_path / "cache").iterdir()]
    import redis

    return [key.decode() for key in redis.Redis(db=15).scan_iter()]


class Died(BaseException):
    """No handler catches it."""


@pytest.mark.parametrize("step", ["_fence", "_delete_some", "_count_files", "_finish", "storage", "leftovers"])
def test_broken_off_anywhere_it_comes_to_the_same_end(
    cast: Any, shop: Filled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    scatter(shop, cast.alice, tmp_path)
    rows = {label: len(found) for label, found in _by_label(rows_of(cast.atelier.pk)).items()}
    due(cast.atelier, asked_by=cast.alice)
    with monkeypatch.context() as broken:
        _die_at(broken, step)
        with pytest.raises(Died):
            closing.delete_due()
    assert Merchant.objects.filter(pk=cast.atelier.pk).exists()
    mail.outbox.clear()
    assert closing.delete_due() == 1
    assert traces(cast.atelier.pk, shop.canary) == []
    report = DeletionReport.objects.get(merchant_id=cast.atelier.pk)
    assert report.removed["rows"] == rows and report.removed["files"]["count"] == len(shop.files) + 1
    assert len(mail.outbox) == 1


def _die_at(broken: pytest.MonkeyPatch, step: str) -> None:
    """Half of its work done, where it has halves."""

    def die(*args: Any, **kwargs: Any) -> Any:
        raise Died

    if step == "storage":
        kind = storage.private().__class__  # the one behind Django's proxy
        real = kind.drop
        broken.setattr(kind, "drop", lambda self, keys: (real(self, keys[:5]), die()))
    elif step == "leftovers":
        broken.setattr("accounts.services.leftovers._let_go", die)
    else:
        broken.setattr(closing, step, _after(getattr(closing, step), die) if step == "_delete_some" else die)


def _after(real: Callable[..., Any], die: Callable[..., Any], calls: int = 15) -> Callable[..., Any]:
    left = iter(range(calls))

    def some(*args: Any) -> Any:
        return real(*args) if next(left, None) is not None else die()

    return some


def start(model: Any, merchant: Any) -> Work:
    """Claim the planted job."""
    with merchant_scope(merchant):
        long_enough = timezone.now() - timedelta(seconds=1)  # SQLite compares times as text, to the millisecond
        model.objects.update(status="queued", queued_at=long_enough, token=1)
    work = claim_next(model.lane, "test:1", models=[model])
    assert work is not None
    return work


def test_a_worker_that_was_publishing_brings_nothing_back(cast: Any, shop: Filled, tmp_path: Path) -> None:
    """The shop is deleted after the first file was stored, and before the rest and the rows."""
    with merchant_scope(cast.atelier):
        Picture.objects.all().delete()
    work = start(Shoot, cast.atelier)
    due(cast.atelier)

    def run(work: Work) -> None:
        with workplace.folder(cast.atelier.pk) as out:
            stored = publishing.store(work, [shot(out)], {}, out=out)
            closing.delete_due()
            again = publishing.store(work, [shot(out)], {}, out=out)
            try:
                work.finish(lambda: Picture.objects.bulk_create(publishing.rows(work.job, work.token, stored)))
            finally:
                publishing.drop(again.keys())

    with merchant_scope(cast.atelier):
        carry_out(work, run)
    assert work.lost and not Merchant.objects.filter(pk=cast.atelier.pk).exists()
    assert traces(cast.atelier.pk, shop.canary) == []


def shot(out: Path) -> Any:
    import hashlib

    file = out / "full.png"
    file.write_bytes(b"pixels")
    digest = hashlib.sha256(b"pixels").hexdigest()
    return publishing.Shot(0, 1, {"full": str(file)}, {"full": (2, 3)}, {"full": digest}, None, {})


def test_a_worker_that_was_killed_while_it_stored_is_swept_after(cast: Any, shop: Filled) -> None:
    due(cast.atelier)
    closing.delete_due()
    storage.put(storage.new_key(cast.atelier.pk, "shoots", "png"), b"pixels")
    cache.set(f"preview:{cast.atelier.pk}:1", (1, b"pixels"), 600)
    assert closing.sweep_deleted() == 2
    assert traces(cast.atelier.pk, shop.canary) == [] and closing.sweep_deleted() == 0
    DeletionReport.objects.update(created_at=timezone.now() - timedelta(days=8))
    storage.put(storage.new_key(cast.atelier.pk, "shoots", "png"), b"pixels")
    assert closing.sweep_deleted() == 0, "only lately deleted ones are looked for"


def test_nothing_starts_once_its_time_has_come(cast: Any, shop: Filled) -> None:
    with merchant_scope(cast.atelier):
        Look.objects.update(status="queued", queued_at=timezone.now() - timedelta(seconds=1))
    due(cast.atelier)
    assert claim_next("light", "test:1") is None


def test_a_running_jobs_every_later_write_is_void(cast: Any, shop: Filled) -> None:
    work = start(Look, cast.atelier)
    with merchant_scope(cast.atelier):
        closing._fence(cast.atelier.pk)
        work.progress("look", 0.5, kept=True)
    assert work.lost
    with unscoped("test"):
        assert Look.objects.get(pk=work.job.pk).stage != "look"


def test_folders_of_dead_processes_go_and_those_of_living_ones_stay(cast: Any, db: None) -> None:
    with workplace.folder(cast.atelier.pk) as alive:
        dead = alive.parent.with_name("now-dead")
        dead.mkdir()
        (dead / workplace.ALIVE).touch()
        (dead / "left.png").write_bytes(b"pixels")
        workplace.kept(cast.atelier.pk, f"export-{uuid.uuid4()}")
        workplace.kept(cast.atelier.pk, "unknown-1")
        assert workplace.tidy() == 3
        assert alive.is_dir() and not dead.exists()
    assert not list(Path(site.WORK_DIR).iterdir())


def test_a_session_that_was_written_meanwhile_is_left_to_its_next_request(cast: Any, shop: Filled) -> None:
    client = sign_in(cast.alice)
    client.get("/settings")
    due(cast.atelier)
    session = Session.objects.get(pk=client.session.session_key)
    closing.delete_due()
    Session.objects.filter(pk=session.pk).update(session_data=session.session_data)
    client.get("/")
    assert "merchant" not in client.session
