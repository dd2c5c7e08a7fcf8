"""What a program may do with a key, and for how long."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import keys
from accounts.models import ApiKey, Merchant, Role
from accounts.scoping import merchant_scope, unscoped
from accounts.services import api_keys
from imodel_site.lib.errors import Conflict
from imodel_site.lib.logs import redact
from tests.accounts.conftest import long_ago, prove

pytestmark = pytest.mark.django_db
Browser = Callable[[str], Client]
DAY = timedelta(days=1)


def make(cast: Any, scope: str = "read", lifetime: timedelta | None = None) -> api_keys.NewKey:
    with merchant_scope(cast.atelier):
        return api_keys.make_key(
            merchant=cast.atelier, by=cast.alice, name="k", scope=scope, store="s", live=True, lifetime=lifetime
        )


def call(text: str, path: str = "/api/v1/me", method: str = "get", **headers: str) -> Any:
    return getattr(Client(), method)(path, headers={"authorization": f"Bearer {text}", **headers})


def code(answer: Any) -> str:
    return str(answer.json()["error"]["code"])


def test_a_key_says_whose_it_is(cast: Any) -> None:
    new = make(cast)
    found = call(new.text).json()
    assert found["merchant"] == {"id": str(cast.atelier.pk), "name": "Atelier", "status": "active"}
    assert (found["user"], found["scopes"], found["key"]["id"]) == (None, ["read"], str(new.row.pk))


def test_the_database_holds_an_id_and_a_digest_and_not_the_secret(cast: Any) -> None:
    new = make(cast)
    parts = keys.parse(new.text)
    assert parts is not None and new.text.startswith("imk_live_")
    with unscoped("test"):
        stored = str(ApiKey.objects.values().get(pk=new.row.pk))
    assert parts.id in stored and parts.secret not in stored and new.text not in stored
    assert new.text not in repr(new) and parts.secret not in repr(parts)


def test_a_key_with_a_typing_mistake_is_refused_without_asking_the_database(cast: Any) -> None:
    text = make(cast).text
    wrong = text[:-8] + ("A" if text[-8] != "A" else "B") + text[-7:]
    with CaptureQueriesContext(connection) as asked:
        answer = call(wrong)
    assert (answer.status_code, code(answer), len(asked)) == (401, "bad_key", 0)
    assert answer["WWW-Authenticate"] == 'Bearer realm="iModel"'


def test_the_right_id_with_another_secret_opens_nothing(cast: Any) -> None:
    parts = keys.parse(make(cast).text)
    assert parts is not None
    forged = keys.KeyText(True, parts.id, "x" * keys.SECRET_LENGTH).text
    assert (call(forged).status_code, code(call(forged))) == (401, "bad_key")
    as_test_key = keys.KeyText(False, parts.id, parts.secret).text
    assert call(as_test_key).status_code == 401


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic YTpi", "Token imk_live_x", "Bearer \x00é"])
def test_any_other_authorization_is_a_plain_401_even_with_a_session(cast: Any, signed_in: Browser, header: str) -> None:
    answer = signed_in("alice").get("/api/v1/me", headers={"authorization": header})
    assert (answer.status_code, code(answer)) == (401, "bad_key")


def test_a_revoked_key_fails_in_the_very_next_request(cast: Any, signed_in: Browser) -> None:
    new = make(cast)
    assert call(new.text).status_code == 200
    assert signed_in("alice").post(f"/settings/keys/{new.row.pk}/revoke").status_code == 302
    answer = call(new.text)
    assert (answer.status_code, code(answer)) == (401, "key_revoked")


def test_an_expired_key_fails(cast: Any) -> None:
    new = make(cast, lifetime=DAY)
    assert call(new.text).status_code == 200
    with unscoped("test"):
        ApiKey.objects.filter(pk=new.row.pk).update(expires_at=timezone.now())
    assert code(call(new.text)) == "key_expired"


def test_a_rotated_key_and_its_successor_work_side_by_side_for_a_while(cast: Any) -> None:
    old = make(cast, "write")
    with merchant_scope(cast.atelier):
        new = api_keys.rotate_key(key=old.row, by=cast.alice, overlap=DAY)
    assert [call(key.text).status_code for key in (old, new)] == [200, 200]
    assert (new.row.scope, new.row.store, new.row.replaces_id) == ("write", "s", old.row.pk)
    with unscoped("test"):
        ends = ApiKey.objects.get(pk=old.row.pk).expires_at
    assert abs(ends - timezone.now() - DAY) < timedelta(minutes=1)
    assert new.row.expires_at is None


def test_a_key_lives_at_most_twice(cast: Any) -> None:
    old = make(cast)
    with merchant_scope(cast.atelier):
        new = api_keys.rotate_key(key=old.row, by=cast.alice, overlap=DAY)
        for key in (old.row, new.row):
            with pytest.raises(Conflict, match="Two keys"):
                api_keys.rotate_key(key=key, by=cast.alice, overlap=DAY)
        api_keys.revoke_key(key=old.row)
        api_keys.rotate_key(key=new.row, by=cast.alice, overlap=DAY)
        with pytest.raises(Conflict, match="does not work any more"):
            api_keys.rotate_key(key=old.row, by=cast.alice, overlap=DAY)


def test_last_use_is_written_at_most_once_a_minute(cast: Any) -> None:
    new = make(cast)
    written = []
    for _ in range(3):
        with CaptureQueriesContext(connection) as asked:
            call(new.text)
        written.append(sum(query["sql"].startswith("UPDATE") for query in asked.captured_queries))
    assert written == [1, 0, 0]
    with unscoped("test"):
        rows = ApiKey.objects.filter(pk=new.row.pk)
        rows.update(last_used_at=timezone.now() - timedelta(seconds=61))
        call(new.text)
        assert timezone.now() - rows.get().last_used_at < timedelta(seconds=30)


def test_a_key_outlives_a_new_secret_key_while_the_old_one_is_a_fallback(cast: Any) -> None:
    used, unused = make(cast), make(cast)
    with unscoped("test"):
        ApiKey.objects.update(last_used_at=None)
    with override_settings(SECRET_KEY="n" * 50, SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
        assert call(used.text).status_code == 200
    with override_settings(SECRET_KEY="n" * 50, SECRET_KEY_FALLBACKS=[]):
        assert call(used.text).status_code == 200  # it moved to the new secret when it was used
        assert call(unused.text).status_code == 401


def test_a_suspended_shop_answers_403_and_a_closing_one_only_reads(cast: Any) -> None:
    new = make(cast, "write")
    Merchant.objects.filter(pk=cast.atelier.pk).update(status="suspended")
    answer = call(new.text)
    assert (answer.status_code, code(answer)) == (403, "merchant_suspended")
    Merchant.objects.filter(pk=cast.atelier.pk).update(status="closing")
    assert call(new.text).status_code == 200


def test_making_a_key_asks_who_is_there_and_shows_it_once(cast: Any, signed_in: Browser) -> None:
    client = long_ago(signed_in("alice"))
    form = {"name": "Shopify", "store": "eu", "scope": "write", "days": "30"}
    assert client.post("/settings/keys/new", form).url.startswith("/account/reauthenticate/")
    page = prove(client).post("/settings/keys/new", form)
    with unscoped("test"):
        row = ApiKey.objects.get()
    text = page.context["new"].text
    assert text in page.content.decode() and call(text).json()["scopes"] == ["read", "write"]
    assert (row.name, row.store, row.scope, row.created_by) == ("Shopify", "eu", "write", cast.alice)
    assert abs(row.expires_at - timezone.now() - 30 * DAY) < timedelta(minutes=1)
    assert text not in client.get("/settings/keys").content.decode()


def test_a_key_of_another_shop_can_be_neither_seen_rotated_nor_revoked(cast: Any, signed_in: Browser) -> None:
    new = make(cast)
    client = prove(signed_in("charlie"))
    assert new.row.prefix[:4] not in client.get("/settings/keys").content.decode()
    for act in ("rotate", "revoke"):
        assert client.post(f"/settings/keys/{new.row.pk}/{act}").status_code == 404
    assert call(new.text).status_code == 200


def test_a_key_says_nothing_in_logs(cast: Any, caplog: pytest.LogCaptureFixture) -> None:
    text = make(cast).text
    with caplog.at_level(logging.DEBUG):
        call(text)
        call(text[:-1] + ("0" if text[-1] != "0" else "1"))
    assert text[13:] not in caplog.text
    assert text[13:] not in redact(f"GET with {text} went wrong")


def test_keys_are_the_shops_and_outlive_the_member_who_made_them(cast: Any) -> None:
    new = make(cast)
    with unscoped("test"):
        cast.alice.delete()
    assert call(new.text).json()["role"] is None


def test_a_viewers_session_reads_and_an_editors_needs_its_csrf_token_to_write(cast: Any, signed_in: Browser) -> None:
    found = signed_in("vera").get("/api/v1/me").json()
    assert (found["role"], found["scopes"], found["user"]["email"]) == (Role.VIEWER, ["read"], "vera@example.com")
    assert Client().get("/api/v1/me").status_code == 401
