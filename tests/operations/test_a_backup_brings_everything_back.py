"""A real shop with a real picture is backed up, restored into an empty place, and goes on as if nothing had been."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from imodel_site.backup.vault import Vault, read_files, read_manifest
from tests.operations.installation import Installation

SERVER = os.environ.get("IMODEL_TEST_DATABASE_URL", "postgres://root@127.0.0.1:5432/root")
COUNTS = """
from imodel_site.backup.databases import counts
tell({name: count for name, count in counts().items() if name not in ("django_q_ormq", "django_session")})
"""
STATUSES = """
from generation.models import Shoot
from imodel_site.lib.scope import unscoped
with unscoped("test"):
    tell(sorted(Shoot.objects.values_list("status", flat=True)))
"""
# What was under way at the moment of the backup: a shoot that was running, a webhook that was being tried.
UNDER_WAY = """
from datetime import timedelta
from django.utils import timezone
from accounts.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from accounts import webhook_secrets
from accounts.scoping import merchant_scope, unscoped
from generation.models import Picture, Shoot
with unscoped("test"):
    done = Shoot.objects.get(status="succeeded")
soon = timezone.now() + timedelta(seconds=25)
with merchant_scope(done.merchant_id):
    Shoot.objects.create(
        kind=done.kind, order=done.order, garment=done.garment, photo=done.photo, queued_at=timezone.now(),
        status="running", token=1, worker="gone:1", lease_until=soon, started_at=timezone.now(),
    )
    sealed = webhook_secrets.first("whsec_QUJD")
    endpoint = WebhookEndpoint.objects.create(url="https://shop.invalid/hook", secrets=sealed)
    event = WebhookEvent.objects.create(type="shoot.succeeded", subject_id=done.pk, payload={"canary": "kept"})
    WebhookDelivery.objects.create(event=event, endpoint=endpoint, due_at=timezone.now(), lease_until=soon, attempts=1)
tell(None)
"""
WEBHOOKS = """
from accounts.models import WebhookDelivery
from accounts.scoping import unscoped
with unscoped("test"):
    tell([[str(d.event_id), d.status, d.attempts, d.event.payload, d.lease_until is None]
          for d in WebhookDelivery.objects.select_related("event").filter(event__payload__canary="kept")])
"""
VISIT = """
import hashlib
from django.test import Client
from imodel_site.lib.scope import unscoped
from generation.models import Picture
with unscoped("test"):
    first = Picture.objects.select_related("shoot").order_by("pk").first()
browser = Client()
login = browser.post("/account/login/", {"login": "demo@imodel.local", "password": %(password)r})
page = browser.get(f"/pictures/{first.pk}/")
from imodel_site.lib.signing import media_url
with unscoped("test"):
    url = media_url(first, "full", bearer=False)
media = browser.get(url)
body = b"".join(media.streaming_content) if media.streaming else media.content
same = hashlib.sha256(body).hexdigest() == first.files["full"]["sha256"]
tell([login.status_code, page.status_code, media.status_code, same])
"""
REPLAY = """
from accounts import actors
from accounts.models import Membership
from accounts.scoping import merchant_scope, unscoped
from generation import services
from generation.models import Picture
with unscoped("test"):
    actor = actors.member(Membership.objects.select_related("merchant", "user").first())
    first = Picture.objects.select_related("shoot").order_by("pk").first()
with merchant_scope(actor.merchant):
    services.replay(actor=actor, picture=first, key=None)
tell(None)
"""
SAME = """
from generation.models import Picture
from imodel_site.lib.scope import unscoped
with unscoped("test"):
    tell(list(Picture.objects.filter(shoot__made_as="replay").values_list("same_bytes", flat=True)))
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Two empty databases. On PostgreSQL a role without any privilege owns them, as in a real installation."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/one.sqlite3", f"sqlite:///{tmp_path}/two.sqlite3", {}
        return
    psycopg = pytest.importorskip("psycopg")
    try:
        server = psycopg.connect(SERVER, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError:
        pytest.skip("PostgreSQL does not answer")
    name = f"imodel_backup_{secrets.token_hex(4)}"
    server.execute(f"CREATE ROLE {name} LOGIN CREATEROLE")
    for database in (f"{name}_one", f"{name}_two"):
        server.execute(f"CREATE DATABASE {database} OWNER {name}")
    host = SERVER.rpartition("@")[2].partition("/")[0]
    urls = [f"postgres://{name}@{host}/{name}_{which}" for which in ("one", "two")]
    yield urls[0], urls[1], {"IMODEL_DATABASE_ROLE": f"{name}_app"}
    for which in ("one", "two"):
        server.execute(f"DROP DATABASE {name}_{which} WITH (FORCE)")
    for role in (f"{name}_app", name):
        server.execute(f"DROP ROLE IF EXISTS {role}")
    server.close()


@pytest.fixture
def shop(databases: tuple[str, str, dict[str, str]], tmp_path: Path) -> Installation:
    """The demo shop, with the first shoot done by the real worker and engine, and more under way."""
    one = Installation(tmp_path / "1", databases[0], databases[2])
    one.manage("prepare")
    one.manage("demo")
    with one.worker():
        one.until(STATUSES, ["succeeded"], "the first shoot")
    one.ask(UNDER_WAY)
    return one


def test_another_place_has_the_same_numbers_opens_the_same_pictures_and_paints_the_same_bytes(
    shop: Installation, databases: tuple[str, str, dict[str, str]], tmp_path: Path
) -> None:
    before, vault = shop.ask(COUNTS), tmp_path / "backups"
    shop.manage("backup", str(vault))
    password = json.loads((shop.data / "run" / "demo.json").read_text())["password"]

    other = Installation(tmp_path / "2", databases[1], databases[2], secret=shop.secret)
    assert "all whole" in other.manage("restore", str(vault), "--check")
    said = other.manage("restore", str(vault), "--json").splitlines()
    done = json.loads(next(line for line in said if line.startswith("{")))
    other.manage("prepare")

    assert other.ask(COUNTS) == before
    assert done["missing"] == [] and done["jobs"] == 1 and done["files"] == len(_files(shop)) == len(_files(other))
    assert other.ask(STATUSES) == ["queued", "succeeded"]
    ((event, *rest),) = shop.ask(WEBHOOKS)
    assert other.ask(WEBHOOKS) == [[event, "waiting", 1, {"canary": "kept"}, True]] and rest[-1] is False
    assert other.ask(VISIT % {"password": password}) == [302, 200, 200, True]

    other.ask(REPLAY)
    with other.worker():
        other.until(STATUSES, ["succeeded"] * 3, "the shoot that was running, and the replay")
    assert other.ask(SAME) == [True]
    assert "not empty" in other.manage("restore", str(vault), status=1)


def _files(place: Installation) -> list[Path]:
    return [file for file in (place.data / "media" / "m").rglob("*") if file.is_file()]


def test_a_second_backup_copies_only_what_is_new_and_pruning_keeps_what_it_names(tmp_path: Path) -> None:
    shop = Installation(tmp_path / "1", f"sqlite:///{tmp_path}/one.sqlite3")
    shop.manage("prepare")
    shop.manage("demo")
    folder = tmp_path / "backups"
    shop.manage("backup", str(folder))
    contents = set((folder / "objects").glob("*/*"))
    changed = {file: file.stat().st_mtime_ns for file in contents}
    new = shop.data / "media" / _merchant(shop) / "asset" / "zz" / "new.png"
    new.parent.mkdir(parents=True)
    new.write_bytes(b"a picture that came later")
    said = shop.manage("backup", str(folder), "--keep", "1")
    assert "25 bytes new" in said
    assert {file: file.stat().st_mtime_ns for file in contents} == changed
    (snapshot,) = Vault(folder).snapshots()
    assert {kept.sha256 for kept in read_files(snapshot)} == {file.name for file in (folder / "objects").glob("*/*")}
    assert read_manifest(snapshot).rows["catalog_garment"] == 13


def _merchant(shop: Installation) -> str:
    (place,) = (shop.data / "media" / "m").iterdir()
    return f"m/{place.name}"
