"""Each row and each file of the shop, and nothing of anybody else's; opened and compared to the last byte."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from accounts import tables
from accounts.models import Export, Merchant, WebhookDelivery, WebhookEndpoint, WebhookEvent
from accounts.scoping import merchant_scope
from accounts.services import exporting
from imodel_site.lib import collecting, storage
from imodel_site.lib.errors import Conflict, NotAllowed
from tests.exports.filling import Filled, ask, rows_of, work_it_off

pytestmark = pytest.mark.django_db(transaction=True)


def archive_of(export: Export) -> zipfile.ZipFile:
    with merchant_scope(export.merchant_id):
        export.refresh_from_db()
    assert export.status == "succeeded", (export.error_code, export.error_message)
    return zipfile.ZipFile(io.BytesIO(storage.read(export.key)))


def manifest_of(archive: zipfile.ZipFile) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(archive.read("manifest.json"))
    return found


def test_every_row_and_every_file_is_in_it(cast: Any, shop: Filled, neighbour: Filled) -> None:
    export = ask(cast.atelier, cast.alice)
    before = rows_of(cast.atelier.pk)
    assert all(before.values()), "the test must plant a row in every table"
    assert work_it_off() == 1
    archive = archive_of(export)
    assert archive.testzip() is None
    manifest = manifest_of(archive)

    for table, rows in before.items():
        lines = [json.loads(line) for line in archive.read(f"rows/{table}.jsonl").splitlines()]
        if table == "accounts_export":  # it tells of itself while it runs
            lines, rows = lines[:-1], rows[:-1]
        assert lines == rows, table
        assert manifest["rows"][table] == len(before[table])
    people = [json.loads(line) for line in archive.read("rows/accounts_user.jsonl").splitlines()]
    assert {person["email"] for person in people} == {f"{name}@example.com" for name in ("alice", "bob", "vera")}
    assert {frozenset(person) for person in people} == {frozenset({"id", "email", "name", "language"})}

    packed = {entry["key"]: archive.read(entry["path"]) for entry in manifest["keys"] if entry["key"] in shop.files}
    assert packed == shop.files
    listed = {entry["path"]: entry for entry in manifest["files"]}
    assert set(listed) | {"manifest.json"} == set(archive.namelist()) and "README.txt" in listed
    for path, entry in listed.items():
        data = archive.read(path)
        assert (len(data), hashlib.sha256(data).hexdigest()) == (entry["bytes"], entry["sha256"]), path
    whole = b"".join(archive.read(name) for name in archive.namelist())
    assert neighbour.canary.encode() not in whole and str(cast.bazaar.pk).encode() not in whole
    assert (export.files, export.rows) == (len(archive.namelist()), sum(manifest["rows"].values()))


def test_names_are_what_a_person_looks_for(cast: Any, shop: Filled) -> None:
    export = ask(cast.atelier, cast.alice)
    work_it_off()
    names = {name for name in archive_of(export).namelist() if not name.startswith("rows/")}
    shoot, photo, asset = (shop.rows[label].pk for label in _LABELS)
    assert f"garments/{shop.canary}/1-front-{photo.hex[-6:]}.jpg" in names
    assert f"garments/{shop.canary}/small/1-front-{photo.hex[-6:]}-small.webp" in names
    assert {f"masks/{asset}/1.png", f"masks/{asset}/2.png"} <= names
    assert {f"pictures/{shoot}/2.png", f"pictures/{shoot}/small/2-display.png"} <= names
    assert {f"pictures/{shoot}/table/{paper}.png" for paper in ("sheet", "source", "mask", "skeleton")} <= names
    assert f"pictures/{shoot}/order/order.mask.png" in names
    assert any(name.startswith("imports/") and name.endswith(".csv") for name in names)
    assert any(name.startswith("other/relics/") and name.endswith(".bin") for name in names)
    assert not any("export" in name for name in names)


_LABELS = ("generation.Shoot", "catalog.GarmentPhoto", "catalog.Asset")


def test_no_secret_leaves_with_it(cast: Any, shop: Filled) -> None:
    kept = {field for model in tables.owned() for field in getattr(model, "secret_columns", ())}
    assert kept == {"secret_hash", "secret_hmac", "secrets", "body", "feed_token"}
    export = ask(cast.atelier, cast.alice)
    work_it_off()
    archive = archive_of(export)
    for table in ("accounts_apikey", "accounts_invitation", "accounts_webhookendpoint", "accounts_idempotentanswer"):
        for line in archive.read(f"rows/{table}.jsonl").splitlines():
            assert not kept & set(json.loads(line)), table
    for model in tables.owned():
        suspicious = [f.name for f in model._meta.concrete_fields if "secret" in f.name or "hmac" in f.name]
        assert set(suspicious) <= set(model.secret_columns if suspicious else ()), model


def test_what_staff_rejected_is_left_out_and_listed(cast: Any, shop: Filled) -> None:
    picture = shop.rows["generation.Picture"]
    with merchant_scope(cast.atelier):
        type(picture).objects.filter(pk=picture.pk).update(moderation="rejected")
    export = ask(cast.atelier, cast.alice)
    work_it_off()
    archive = archive_of(export)
    withheld = {entry["path"] for entry in manifest_of(archive)["withheld"]}
    shoot = shop.rows["generation.Shoot"].pk
    assert f"pictures/{shoot}/2.png" in withheld and f"pictures/{shoot}/table/sheet.png" in withheld
    assert not withheld & set(archive.namelist())
    assert b"rejected" in archive.read("README.txt")
    photo = shop.rows["catalog.GarmentPhoto"].pk
    assert f"garments/{shop.canary}/1-front-{photo.hex[-6:]}.jpg" in archive.namelist()


def test_a_file_that_rows_speak_of_and_nobody_has_is_listed_as_missing(cast: Any, shop: Filled) -> None:
    lost = next(key for key in shop.files if "/import/" in key)
    storage.delete(lost)
    export = ask(cast.atelier, cast.alice)
    work_it_off()
    (missing,) = [entry["path"] for entry in manifest_of(archive_of(export))["missing"]]
    assert missing.startswith("imports/")


def test_the_owner_and_the_shops_programs_are_told(cast: Any, shop: Filled) -> None:
    with merchant_scope(cast.atelier):
        WebhookEndpoint.objects.update(enabled=True, events=["export.succeeded"])
    export = ask(cast.atelier, cast.alice)
    mail.outbox.clear()
    work_it_off()
    (letter,) = mail.outbox
    assert letter.to == ["alice@example.com"] and "/settings/data" in str(letter.body)
    with merchant_scope(cast.atelier):
        event = WebhookEvent.objects.get(type="export.succeeded", subject_id=export.pk)
        assert "key" not in event.payload and shop.merchant.name not in repr(event.payload)
        assert WebhookDelivery.objects.filter(event=event).count() == 1


def test_one_at_a_time_and_the_newest_is_the_only_one(cast: Any, shop: Filled) -> None:
    first = ask(cast.atelier, cast.alice)
    with pytest.raises(Conflict, match="being made"):
        ask(cast.atelier, cast.alice)
    work_it_off()
    old = archive_key(first)
    second = ask(cast.atelier, cast.alice)
    work_it_off()
    keys = [file.key for file in storage.private().listed(f"m/{cast.atelier.pk}/export/")]
    assert keys == [archive_key(second)] and old not in keys and not archive_key(first)


def archive_key(export: Export) -> str:
    with merchant_scope(export.merchant_id):
        export.refresh_from_db()
    return export.key


def test_it_is_made_while_the_shop_waits_to_be_deleted_and_not_while_it_is_suspended(cast: Any, shop: Filled) -> None:
    ahead = timezone.now() + timedelta(days=3)
    Merchant.objects.filter(pk=cast.atelier.pk).update(status="closing", delete_after=ahead)
    export = ask(cast.atelier, cast.alice)
    assert work_it_off() == 1 and archive_key(export)

    Merchant.objects.filter(pk=cast.atelier.pk).update(delete_after=timezone.now() - timedelta(seconds=1))
    with pytest.raises(NotAllowed, match="being deleted now"):
        ask(cast.atelier, cast.alice)
    Merchant.objects.filter(pk=cast.atelier.pk).update(status="suspended", delete_after=None)
    with pytest.raises(NotAllowed, match="suspended"):
        ask(cast.atelier, cast.alice)


def test_a_job_that_may_not_start_while_closing_does_not(cast: Any, shop: Filled) -> None:
    from catalog.models import Look
    from imodel_site.lib.jobs.claims import claim_next

    with merchant_scope(cast.atelier):
        Look.objects.update(status="queued", queued_at=timezone.now())
    ahead = timezone.now() + timedelta(days=3)
    Merchant.objects.filter(pk=cast.atelier.pk).update(status="closing", delete_after=ahead)
    assert claim_next("light", "test:1", models=[Look, Export]) is None
    Merchant.objects.filter(pk=cast.atelier.pk).update(status="active")
    assert claim_next("light", "test:1", models=[Look, Export]) is not None


def test_a_week_later_it_is_removed_and_the_row_says_when_it_was_made(cast: Any, shop: Filled) -> None:
    with merchant_scope(cast.atelier):
        Export.objects.all().update(expires_at=timezone.now() + timedelta(days=1))
    export = ask(cast.atelier, cast.alice)
    work_it_off()
    assert exporting.remove_expired() == 0 and archive_key(export)
    with merchant_scope(cast.atelier):
        Export.objects.filter(pk=export.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert exporting.remove_expired() == 1
    assert not list(storage.private().listed(f"m/{cast.atelier.pk}/export/"))
    assert archive_key(export) == "" and export.bytes > 0


def test_the_collector_keeps_it_and_takes_what_nobody_names(cast: Any, shop: Filled) -> None:
    export = ask(cast.atelier, cast.alice)
    work_it_off()
    stray = storage.put(storage.new_key(cast.atelier.pk, "export", "zip"), b"x")
    collecting.collect(now=timezone.now() + timedelta(days=2), delete_them=True)
    left = [file.key for file in storage.private().listed(f"m/{cast.atelier.pk}/export/")]
    assert archive_key(export) in left and stray not in left


def test_it_counts_for_nothing_against_the_quota(cast: Any, shop: Filled) -> None:
    ask(cast.atelier, cast.alice)
    used = Merchant.objects.get(pk=cast.atelier.pk).used_bytes
    work_it_off()
    assert Merchant.objects.get(pk=cast.atelier.pk).used_bytes == used
