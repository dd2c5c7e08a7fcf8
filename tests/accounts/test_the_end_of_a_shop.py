"""Asked for, warned of, taken back or carried out to the last row and file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts import tables
from accounts.models import DeletionReport, Merchant, User
from accounts.scoping import unscoped
from accounts.services import closing
from imodel_site.lib import periodic, storage
from tests.accounts.conftest import long_ago, prove
from tests.permissions.planting import plant

pytestmark = pytest.mark.django_db(transaction=True)
Browser = Callable[[str], Client]


def ask(cast: Any, *, days_ago: int = 0) -> None:
    closing_at = timezone.now() - timedelta(days=days_ago)
    Merchant.objects.filter(pk=cast.atelier.pk).update(
        status="closing", delete_after=closing_at, closing_asked_by=cast.alice
    )


def rows(merchant: Any) -> dict[str, int]:
    with unscoped("test"):
        return {model._meta.label: model.objects.filter(merchant=merchant).count() for model in tables.owned()}


def files(merchant: Any) -> list[str]:
    return [found.key for found in storage.private().listed(f"m/{merchant.pk}/")]


def test_an_owner_asks_types_the_name_and_every_member_is_warned(cast: Any, signed_in: Browser) -> None:
    client = long_ago(signed_in("alice"))
    assert client.post("/settings/delete", {"name": "Atelier"}).url.startswith("/account/reauthenticate/")
    prove(client)
    assert client.post("/settings/delete", {"name": "Atelje"}).status_code == 422
    assert Merchant.objects.get(pk=cast.atelier.pk).status == "active" and not mail.outbox
    assert client.post("/settings/delete", {"name": "Atelier"}).status_code == 302
    merchant = Merchant.objects.get(pk=cast.atelier.pk)
    assert (merchant.status, merchant.closing_asked_by) == ("closing", cast.alice)
    assert abs(merchant.delete_after - timezone.now() - timedelta(days=14)) < timedelta(minutes=1)
    assert {letter.to[0].split("@")[0] for letter in mail.outbox} == {"alice", "bob", "vera"}
    assert b"will be deleted on" in client.get("/settings").content


def test_while_it_waits_nothing_is_changed_and_an_owner_can_keep_it(cast: Any, signed_in: Browser) -> None:
    ask(cast, days_ago=-3)
    assert closing.delete_due() == 0
    assert signed_in("bob").post("/settings/keep").status_code == 403
    client = signed_in("alice")
    assert client.post("/settings", {"name": "New name"}).status_code == 403
    assert client.post("/settings/keep").status_code == 302
    merchant = Merchant.objects.get(pk=cast.atelier.pk)
    assert (merchant.status, merchant.delete_after, merchant.name) == ("active", None, "Atelier")
    assert len(mail.outbox) == 3
    assert client.post("/settings/keep").status_code == 409


def test_after_the_grace_period_every_row_and_file_goes_and_the_owner_is_told(cast: Any) -> None:
    plant(cast.atelier, "mine", cast.alice)
    plant(cast.bazaar, "theirs", cast.charlie)
    for merchant in (cast.atelier, cast.bazaar):
        for size in (10, 20):
            storage.put(storage.new_key(merchant.pk, "asset", "jpg"), b"x" * size)
    before, others = rows(cast.atelier), rows(cast.bazaar)
    assert all(before.values()), "the test must plant a row in every table"
    people = User.objects.count()
    ask(cast)
    call_command("delete_due_merchants", verbosity=0)
    assert not any(rows(cast.atelier).values()) and not files(cast.atelier)
    assert not Merchant.objects.filter(pk=cast.atelier.pk).exists()
    assert rows(cast.bazaar) == others and len(files(cast.bazaar)) == 2
    assert User.objects.count() == people  # people are not the shop's
    report = DeletionReport.objects.get()
    assert report.removed == {
        "rows": before,
        "files": {"count": 2, "bytes": 30, "kinds": {"asset": 2}},
        "elsewhere": {"cache": 0, "folders": 0, "sessions": 0},
    }
    assert (report.merchant_id, report.merchant_name) == (cast.atelier.pk, "Atelier")
    (letter,) = mail.outbox
    assert letter.to == ["alice@example.com"]
    assert "Files: 2" in str(letter.body) and "memberships: 3" in str(letter.body)


def test_the_shared_library_stays(cast: Any) -> None:
    def shared() -> list[int]:
        with unscoped("test"):
            return [model.objects.filter(merchant=None).count() for model in tables.owned() if tables.shared(model)]

    from catalog.models import Scene

    with unscoped("test"):
        Scene.objects.create(name="shared-one", title="s", words="w")
    before = shared()
    ask(cast)
    closing.delete_due()
    assert shared() == before and sum(before) > 0


def test_a_deletion_that_broke_off_goes_on_and_counts_everything_once(
    cast: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(cast.atelier, "mine", cast.alice)
    storage.put(storage.new_key(cast.atelier.pk, "asset", "jpg"), b"x")
    before = rows(cast.atelier)
    ask(cast)

    def disk_is_gone(merchant_id: Any) -> Any:
        raise OSError("disk is gone")

    with monkeypatch.context() as broken:
        broken.setattr(storage, "delete_tree", disk_is_gone)
        with pytest.raises(OSError, match="disk is gone"):
            closing.delete_due()
    assert Merchant.objects.filter(pk=cast.atelier.pk).exists() and not mail.outbox
    assert closing.delete_due() == 1
    report = DeletionReport.objects.get()
    assert report.removed["rows"] == before and report.removed["files"]["count"] == 1
    assert [letter.to for letter in mail.outbox] == [["alice@example.com"]]  # its memberships were gone by then
    assert closing.delete_due() == 0 and closing.delete_merchant(merchant_id=cast.atelier.pk) is None


def test_a_shop_that_was_kept_at_the_last_moment_is_not_deleted(cast: Any) -> None:
    ask(cast, days_ago=-1)
    assert closing.delete_merchant(merchant_id=cast.atelier.pk) is None
    assert closing.delete_merchant(merchant_id=cast.bazaar.pk) is None
    assert rows(cast.atelier)["accounts.Membership"] == 3 and not DeletionReport.objects.exists()


def test_one_shop_that_can_not_be_deleted_does_not_keep_the_others_waiting(
    cast: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    Merchant.objects.update(status="closing", delete_after=timezone.now())
    real = storage.delete_tree

    def stuck(merchant_id: Any) -> Any:
        if merchant_id == cast.atelier.pk:
            raise OSError("stuck")
        return real(merchant_id)

    monkeypatch.setattr(storage, "delete_tree", stuck)
    with pytest.raises(OSError, match="stuck"):
        closing.delete_due()
    assert list(Merchant.objects.all()) == [cast.atelier]


def test_the_sweep_knows_of_it() -> None:
    found = {entry.path: entry for entry in periodic.registered()}["accounts.services.closing.delete_due"]
    assert found.load() is closing.delete_due and found.seconds <= 24 * 3600
