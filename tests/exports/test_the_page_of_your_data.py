"""An owner asks on a page, sees how far it is, takes it back, and downloads it in pieces; nobody else does."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Export, Merchant
from accounts.scoping import merchant_scope
from tests.accounts.conftest import long_ago, prove, sign_in
from tests.exports.filling import Filled, ask, work_it_off

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/settings/data"


@pytest.fixture
def signed_in(cast: Any) -> Callable[[str], Client]:
    return lambda name: sign_in(getattr(cast, name))


def only(cast: Any) -> Export:
    with merchant_scope(cast.atelier):
        found: Export = Export.objects.latest("id")
    return found


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def test_from_the_button_to_the_bytes(cast: Any, shop: Filled, signed_in: Any) -> None:
    alice = signed_in("alice")
    assert b"Make an archive" in alice.get(PAGE).content
    assert alice.post(PAGE).status_code == 302
    address = f"{PAGE}/{only(cast).pk}"
    waiting = alice.get(f"{address}/progress").json()
    assert (waiting["status"], waiting["stage"], waiting["done"]) == ("queued", "Waiting", False)
    assert waiting["position"] > 1, "the jobs that were planted go first"
    again = alice.post(PAGE)
    assert again.status_code == 409 and b"being made already" in again.content

    work_it_off()
    done = alice.get(f"{address}/progress").json()
    assert (done["status"], done["done"], done["next"]) == ("succeeded", True, PAGE)
    assert f"{address}/download".encode() in alice.get(PAGE).content
    link = alice.get(f"{address}/download")
    assert link.status_code == 302 and link["Location"].startswith("/media/")
    answer = alice.get(link["Location"])
    assert answer["Content-Type"] == "application/zip" and "attachment" in answer["Content-Disposition"]
    whole = body(answer)
    assert zipfile.ZipFile(io.BytesIO(whole)).testzip() is None
    part = alice.get(link["Location"], headers={"Range": "bytes=100-299"})
    assert part.status_code == 206 and body(part) == whole[100:300]


def test_the_password_is_asked_for_before_a_download(cast: Any, shop: Filled, signed_in: Any) -> None:
    export = ask(cast.atelier, cast.alice)
    work_it_off()
    alice = long_ago(signed_in("alice"))
    address = f"{PAGE}/{export.pk}/download"
    assert alice.get(address)["Location"].startswith("/account/reauthenticate/")
    assert prove(alice).get(address)["Location"].startswith("/media/")


def test_its_address_opens_for_owners_of_the_shop_only(cast: Any, shop: Filled, signed_in: Any) -> None:
    export = ask(cast.atelier, cast.alice)
    work_it_off()
    alice = signed_in("alice")
    address = alice.get(f"{PAGE}/{export.pk}/download")["Location"]
    assert alice.get(address).status_code == 200
    for name in ("bob", "vera", "charlie"):
        assert signed_in(name).get(address).status_code == 404, name
    assert Client().get(address).status_code == 404
    Merchant.objects.filter(pk=cast.atelier.pk).update(status="suspended")
    assert alice.get(address).status_code == 404
    Merchant.objects.filter(pk=cast.atelier.pk).update(status="active")
    with merchant_scope(cast.atelier):
        Export.objects.filter(pk=export.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert alice.get(address).status_code == 404
    assert alice.get(f"{PAGE}/{export.pk}/download").status_code == 404


def test_another_shops_archive_is_as_missing_as_none(cast: Any, shop: Filled, signed_in: Any) -> None:
    export = ask(cast.atelier, cast.alice)
    charlie = signed_in("charlie")
    for method, what in (("get", "progress"), ("post", "cancel"), ("get", "download")):
        answers = [getattr(charlie, method)(f"{PAGE}/{row}/{what}") for row in (export.pk, cast.alice.pk, "x")]
        assert {answer.status_code for answer in answers} == {404}
    assert only(cast).status == "queued"


def test_an_owner_takes_it_back(cast: Any, shop: Filled, signed_in: Any) -> None:
    export = ask(cast.atelier, cast.alice)
    alice = signed_in("alice")
    assert alice.post(f"{PAGE}/{export.pk}/cancel").status_code == 302
    assert only(cast).status == "cancelled" and work_it_off() == 0
    assert b"cancelled" in alice.get(PAGE).content


def test_whoever_leaves_can_take_everything_along(cast: Any, shop: Filled, signed_in: Any) -> None:
    ahead = timezone.now() + timedelta(days=3)
    Merchant.objects.filter(pk=cast.atelier.pk).update(status="closing", delete_after=ahead)
    alice = signed_in("alice")
    assert alice.post(PAGE).status_code == 302 and work_it_off() == 1
    link = alice.get(f"{PAGE}/{only(cast).pk}/download")["Location"]
    assert alice.get(link).status_code == 200
