"""The media view: signature, time, reader, row and moderation."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.test import Client

from accounts.models import Membership, Merchant
from catalog.models import Asset
from catalog.services import assets
from imodel_site.lib import signing, storage
from imodel_site.lib.scope import merchant_scope, unscoped
from imodel_site.lib.signing import media_url
from tests.catalog.pictures import jpeg


@pytest.fixture
def asset(cast) -> Asset:
    """Of Atelier."""
    with merchant_scope(cast.atelier.pk):
        return assets.add_asset(merchant=cast.atelier, file=jpeg(1, (300, 450)))[0]


def body(answer) -> bytes:
    return b"".join(answer.streaming_content)


def test_a_member_gets_the_bytes_and_they_stay_in_the_browsers_own_cache(asset, signed_in):
    answer = signed_in("vera").get(media_url(asset, "original"))
    assert answer.status_code == 200 and body(answer) == storage.read(asset.key)
    assert answer["Content-Type"] == "image/jpeg" and answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"].startswith("inline") and "private" in answer["Cache-Control"]
    seconds = int(answer["Cache-Control"].split("max-age=")[1].split(",")[0])
    assert 0 < seconds <= 300
    assert signed_in("vera").get(media_url(asset, "small"))["Content-Type"] == "image/webp"


def test_an_unchanged_file_is_not_sent_again_and_a_part_can_be_asked_for(asset, signed_in):
    alice, url = signed_in("alice"), media_url(asset, "original")
    whole = storage.read(asset.key)
    etag = alice.get(url)["ETag"]
    assert alice.get(url, headers={"If-None-Match": etag}).status_code == 304
    part = alice.get(url, headers={"Range": "bytes=10-19"})
    assert (part.status_code, body(part)) == (206, whole[10:20])
    assert part["Content-Range"] == f"bytes 10-19/{len(whole)}"
    assert body(alice.get(url, headers={"Range": "bytes=-5"})) == whole[-5:]
    assert alice.get(url, headers={"Range": f"bytes={len(whole)}-"}).status_code == 416
    assert body(alice.get(url, headers={"Range": "lines=1-2"})) == whole
    for absurd in ("9" * 5000 + "-", "5-" + "9" * 5000):  # more digits than Python reads
        assert body(alice.get(url, headers={"Range": f"bytes={absurd}"})) == whole
    assert "attachment" in alice.get(f"{url}?download")["Content-Disposition"]


@pytest.mark.parametrize("who", ["charlie", None])
def test_a_stranger_and_another_merchant_get_the_same_404(asset, signed_in, who):
    client = signed_in(who) if who else Client()
    assert client.get(media_url(asset, "original")).status_code == 404
    assert client.get(media_url(asset, "original"), headers={"Authorization": "Bearer imk_live_x"}).status_code == 404


def test_somebody_of_two_merchants_sees_both_whichever_they_work_for(asset, cast, signed_in):
    with unscoped("test"):
        Membership.objects.create(user=cast.charlie, merchant=cast.atelier, role="viewer")
    charlie = signed_in("charlie")
    charlie.post("/switch", {"merchant": cast.bazaar.pk})
    assert charlie.get(media_url(asset, "original")).status_code == 200


def test_a_bearer_address_opens_for_anybody_until_it_ends_and_is_not_renewed(asset, monkeypatch):
    url = media_url(asset, "original", bearer=True)
    assert Client().get(url).status_code == 200
    end = signing.unseal(url.rsplit("/", 1)[1]).expires
    monkeypatch.setattr(signing.time, "time", lambda: end - 0.5)
    assert Client().get(url).status_code == 200
    monkeypatch.setattr(signing.time, "time", lambda: float(end))
    assert Client().get(url).status_code == 404


def test_an_ended_address_leads_its_reader_to_a_fresh_one_and_nobody_else(asset, signed_in):
    old = media_url(asset, "small", now=1_700_000_000)
    alice = signed_in("alice")
    answer = alice.get(old)
    assert answer.status_code == 302 and alice.get(answer["Location"]).status_code == 200
    assert signed_in("charlie").get(old).status_code == 404


def test_addresses_of_one_step_are_equal_and_none_lives_longer_than_five_minutes(asset):
    urls = {media_url(asset, "small", now=1_700_000_100 + second) for second in range(150)}
    assert len(urls) <= 2
    for now in range(1_700_000_000, 1_700_000_400, 7):
        left = signing.next_end(now) - now
        assert 150 <= left <= 300


def test_a_token_that_was_changed_opens_nothing(asset, signed_in):
    alice, url = signed_in("alice"), media_url(asset, "original")
    token = url.rsplit("/", 1)[1]
    ticket = signing.unseal(token)
    kind, text, signature = token.split(".")
    other = signing.seal(replace(ticket, variant="small")).split(".")[1]
    as_bearer = f"b.{text}.{signature}"
    for bad in (token[:-2] + "xx", f"{kind}.{other}.{signature}", as_bearer, "x", "s..", "s.a.b", f"{token}.more"):
        assert alice.get(f"/media/{bad}").status_code == 404
        assert Client().get(f"/media/{bad}").status_code == 404


def test_a_deleted_row_an_unknown_variant_a_lost_file_and_a_blocked_row_are_all_missing(asset, signed_in, monkeypatch):
    alice, url = signed_in("alice"), media_url(asset, "original")
    assert alice.get(media_url(asset, "huge")).status_code == 404
    kind = signing.kind_named("asset")
    monkeypatch.setitem(signing._kinds, "asset", replace(kind, may_serve=lambda row, variant, bearer: False))
    assert alice.get(url).status_code == 404
    monkeypatch.setitem(signing._kinds, "asset", kind)
    assert alice.get(url).status_code == 200
    storage.delete(asset.key)
    assert alice.get(url).status_code == 404
    with merchant_scope(asset.merchant_id):
        Asset.objects.all().delete()
    assert alice.get(media_url(asset, "small")).status_code == 404


def test_a_suspended_merchants_files_stay_where_they_are(asset, cast, signed_in):
    alice = signed_in("alice")
    Merchant.objects.filter(pk=cast.atelier.pk).update(status=Merchant.Status.SUSPENDED)
    assert alice.get(media_url(asset, "original")).status_code == 404


def test_nginx_is_told_where_the_file_lies_and_sends_it_itself(asset, signed_in, settings):
    settings.X_ACCEL_PREFIX = "/protected/"
    answer = signed_in("alice").get(media_url(asset, "original"))
    assert answer["X-Accel-Redirect"] == f"/protected/{asset.key}" and answer.content == b""
