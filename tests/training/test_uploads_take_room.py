"""What a merchant brings along takes room of its quota, once, and gives it back when it goes."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Merchant
from accounts.scoping import merchant_scope
from imodel_site.lib import storage
from imodel_site.lib.errors import Refused
from imodel_site.lib.jobs import services as jobs
from tests.training import scripted
from tests.training.conftest import Atelier, all_of, carry_out_next, fresh, trained
from tests.training.test_adapters import mini_adapter, uploaded
from training.models import AdapterUpload, AdapterVersion
from training.services import deleting, uploads

pytestmark = pytest.mark.django_db(transaction=True)


def used(shop: Atelier) -> int:
    return int(Merchant.objects.get(pk=shop.merchant.pk).used_bytes)


def allow(shop: Atelier, amount: int) -> None:
    Merchant.objects.filter(pk=shop.merchant.pk).update(quota_bytes=amount)
    shop.merchant.refresh_from_db()


def bring(shop: Atelier, data: bytes, key: str | None = None) -> AdapterUpload:
    with merchant_scope(shop.merchant):
        return uploads.upload_adapter(actor=shop.actor, file=uploaded(data), garment=shop.garment, key=key)


def files_of(shop: Atelier) -> list[str]:
    return [file.key for file in storage.private().listed(f"m/{shop.merchant.pk}/{uploads.KIND}/")]


def test_an_upload_takes_room_when_it_is_accepted_and_keeps_it_as_a_version(atelier, executor):
    data = mini_adapter()
    bring(atelier, data)
    assert used(atelier) == len(data)
    carry_out_next("light")
    assert (all_of(AdapterUpload)[0].status, used(atelier)) == ("succeeded", len(data))


def test_the_same_request_again_takes_room_once_even_when_nothing_more_would_fit(atelier):
    data = mini_adapter()
    first = bring(atelier, data, key="once")
    allow(atelier, len(data))
    assert bring(atelier, data, key="once").pk == first.pk
    assert used(atelier) == len(data)
    assert files_of(atelier) == [first.key]


def test_what_does_not_fit_is_refused_before_anything_is_stored(atelier, monkeypatch):
    data = mini_adapter()
    allow(atelier, len(data) - 1)
    stored: list[str] = []
    put = storage.put_file
    monkeypatch.setattr(storage, "put_file", lambda key, file: stored.append(key) or put(key, file))
    with pytest.raises(Refused) as refused:
        bring(atelier, data)
    assert (refused.value.code, refused.value.status) == ("quota_full", 413)
    assert "adapters" in str(refused.value.message)
    assert (used(atelier), all_of(AdapterUpload), files_of(atelier), stored) == (0, [], [], [])


def test_the_update_at_the_end_decides_and_takes_the_file_back(atelier, monkeypatch):
    """Another upload took the room between the first look and the last word."""
    data = mini_adapter()
    allow(atelier, len(data))
    put = storage.put_file

    def slowly(key: str, file: Any) -> str:
        Merchant.objects.filter(pk=atelier.merchant.pk).update(used_bytes=1)
        return put(key, file)

    monkeypatch.setattr(storage, "put_file", slowly)
    with pytest.raises(Refused) as refused:
        bring(atelier, data)
    assert refused.value.code == "quota_full"
    assert (all_of(AdapterUpload), files_of(atelier)) == ([], [])


@pytest.mark.parametrize("how", ["refused", "cancelled"])
def test_a_file_that_is_not_taken_gives_its_room_back(atelier, executor, how):
    made = bring(atelier, scripted.adapter_bytes())
    assert used(atelier) == made.bytes > 0
    with merchant_scope(atelier.merchant):
        if how == "cancelled":
            jobs.cancel(made)
    carry_out_next("light")
    assert fresh(made).ended
    assert (used(atelier), files_of(atelier)) == (0, [])


def test_a_deleted_version_gives_its_room_back_and_the_uploads_record_names_no_file(atelier, executor):
    one, two = bring(atelier, mini_adapter()), bring(atelier, mini_adapter(n="2"))
    carry_out_next("light")
    carry_out_next("light")
    with merchant_scope(atelier.merchant):
        second = AdapterVersion.objects.get(number=2)
        deleting.delete_version(actor=atelier.actor, version=second)
    assert used(atelier) == one.bytes
    assert files_of(atelier) == [one.key]
    assert (fresh(two).key, fresh(two).version_id) == ("", None)
    with merchant_scope(atelier.merchant):
        deleting.delete_adapter(actor=atelier.actor, adapter=AdapterVersion.objects.get().adapter)
    assert (used(atelier), files_of(atelier), all_of(AdapterVersion)) == (0, [], [])


def test_what_was_trained_here_takes_no_room(atelier, executor):
    before = used(atelier)
    trained(atelier)
    assert used(atelier) == before
    with merchant_scope(atelier.merchant):
        deleting.delete_adapter(actor=atelier.actor, adapter=AdapterVersion.objects.get().adapter)
    assert used(atelier) == before
