"""Staff with a second factor and the permission, and nobody else; what they look at is written down."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import AuditEntry, CreditAccount, LedgerEntry, Merchant, User
from accounts.scoping import merchant_scope
from generation.models import Picture
from imodel_site.lib import storage
from tests.generation.conftest import House, made
from tests.moderation.conftest import case_of, flag, reject, state_of
from tests.permissions.world import _session


def signed_in(person: User, *, second_factor: bool) -> Client:
    client = Client()
    client.cookies["session"] = _session(person, second_factor)
    return client


def pages(picture: Picture, stella: User) -> list[str]:
    case = case_of(picture, stella)
    base = f"/staff/moderation/{case.pk}"
    return [
        "/staff/moderation/",
        f"{base}/",
        f"{base}/file/look",
        f"{base}/file/full",
        f"/staff/shops/{picture.merchant_id}/",
    ]


def posts(picture: Picture, stella: User) -> list[str]:
    case = case_of(picture, stella)
    shop = f"/staff/shops/{picture.merchant_id}"
    own = [f"/staff/moderation/{case.pk}/{act}" for act in ("decide", "undo")]
    return [*own, "/staff/moderation/bulk", "/staff/moderation/open"] + [
        f"{shop}/{act}" for act in ("suspend", "reopen", "grant", "plan")
    ]


def test_without_a_second_factor_staff_are_out(picture: Picture, stella: User) -> None:
    half = signed_in(stella, second_factor=False)
    for address in pages(picture, stella):
        assert half.get(address)["Location"].startswith("/account/2fa/reauthenticate"), address
    for address in posts(picture, stella):
        assert half.post(address, {"to": "approved"})["Location"].startswith("/account/2fa/reauthenticate"), address
    Authenticator.objects.all().delete()
    assert half.get("/staff/moderation/")["Location"] == "/account/2fa/"
    assert state_of(picture) == "pending"


def test_merchants_and_strangers_find_nothing_there(picture: Picture, stella: User, alice: Client) -> None:
    for address in pages(picture, stella):
        assert alice.get(address).status_code == 404
        assert Client().get(address)["Location"].startswith("/account/login")
    for address in posts(picture, stella):
        assert alice.post(address, {"to": "approved"}).status_code == 404
    assert state_of(picture) == "pending"


def test_staff_do_only_what_they_are_permitted(picture: Picture, stella: User) -> None:
    everything, writing = pages(picture, stella), posts(picture, stella)
    stella.is_superuser = False
    stella.save()
    client = signed_in(stella, second_factor=True)
    assert {client.get(address).status_code for address in everything} == {403}
    stella.user_permissions.add(Permission.objects.get(codename="view_moderationcase"))
    assert [client.get(address).status_code for address in everything] == [200, 200, 200, 200, 403]
    assert {client.post(address, {"to": "approved"}).status_code for address in writing} == {403}


def test_each_look_is_written_down_once_a_day(picture: Picture, staff: Client, stella: User) -> None:
    case = case_of(picture, stella)
    answer = staff.get(f"/staff/moderation/{case.pk}/file/full")
    assert b"".join(answer.streaming_content) == storage.read(picture.files["full"]["key"])
    assert answer["Cache-Control"] == "private, no-store" or "no-store" in answer["Cache-Control"]
    staff.get(f"/staff/moderation/{case.pk}/file/look")
    from django.core.cache import cache

    cache.clear()  # it was lost: the rows still know
    staff.get(f"/staff/moderation/{case.pk}/file/look")
    entries = AuditEntry.objects.filter(action="case.looked_at")
    assert [(entry.by, entry.subject_id, entry.merchant_id) for entry in entries] == [
        (stella, picture.pk, picture.merchant_id)
    ]
    assert staff.get(f"/staff/moderation/{case.pk}/file/small").status_code == 404


def test_staff_do_not_get_in_by_the_merchants_own_addresses(picture: Picture, staff: Client) -> None:
    from imodel_site.lib.signing import media_url

    with merchant_scope(picture.merchant_id):
        url = media_url(picture, "full")
    assert staff.get(url).status_code == 404
    assert staff.get(f"/pictures/{picture.pk}/").status_code in (302, 404)


def test_the_queue_is_oldest_first_and_filtered(house: House, executor: Any, staff: Client, stella: User) -> None:
    shoot = made(house, count=3)
    with merchant_scope(house.merchant):
        rows = list(Picture.objects.filter(shoot=shoot).order_by("index"))
    cases = [case_of(row, stella) for row in [*rows, house.photo.asset]]
    reject(rows[1], stella, "violence")

    def shown(**filters: str) -> list[Any]:
        return [entry.case.pk for entry in staff.get("/staff/moderation/", filters).context["page"].entries]

    waiting = [case.pk for case in (cases[0], cases[2], cases[3])]
    assert shown() == waiting
    assert shown(subject="asset") == [cases[3].pk]
    assert shown(state="decided") == [cases[1].pk]
    assert shown(state="all", reason="violence") == [cases[1].pk]
    assert shown(reason="staff") == waiting and shown(reason="much_skin") == []
    assert shown(merchant=str(house.merchant.pk)) == waiting
    assert shown(opened_by="look") == [] and shown(since="2199-01-01") == [] and shown(until="2001-01-01") == []
    assert shown(after=str(cases[0].pk)) == waiting[1:]
    assert shown(subject="nonsense", since="soon") == waiting


def test_pages_of_the_queue_follow_one_another(
    house: House, executor: Any, staff: Client, stella: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from generation.moderation import queue

    monkeypatch.setattr(queue, "PAGE", 2)
    shoot = made(house, count=3)
    with merchant_scope(house.merchant):
        cases = [case_of(row, stella) for row in Picture.objects.filter(shoot=shoot)]
    first = staff.get("/staff/moderation/").context["page"]
    second = staff.get("/staff/moderation/", {"after": str(first.after)}).context["page"]
    seen = [entry.case.pk for page in (first, second) for entry in page.entries]
    assert seen == [case.pk for case in cases] and second.after is None


def test_decisions_by_form_and_by_script(picture: Picture, staff: Client, stella: User) -> None:
    case = case_of(picture, stella)
    url, script = f"/staff/moderation/{case.pk}", {"X-Requested-With": "XMLHttpRequest"}
    told = staff.post(f"{url}/decide", {"reject": "minor"}, headers=script)
    assert told.json() == {"state": "rejected", "words": "1 rejected: A child or a teenager."}
    assert state_of(picture) == "rejected"
    assert staff.post(f"{url}/undo", headers=script).json()["words"] == "Taken back."
    assert state_of(picture) == "pending"
    back = staff.post(f"{url}/decide", {"to": "approved", "next": "/staff/moderation/?state=all"})
    assert back["Location"] == f"/staff/moderation/?state=all&decided={case.pk}"
    assert b"Undo" in staff.get(back["Location"]).content and state_of(picture) == "approved"
    alone = staff.post(f"{url}/decide", {"to": "approved", "next": f"{url}/"})
    offers = [
        staff.get(address).content.decode().count(f'action="{url}/undo"') for address in (alone["Location"], url + "/")
    ]
    assert offers == [2, 1]  # one of them is the script's, and hidden without it
    assert staff.post(f"{url}/decide", {"to": "approved", "next": "https://evil.example/"})["Location"].startswith(
        "/staff"
    )
    bad = staff.post(f"{url}/decide", {"reject": "because"}, headers=script)
    assert (bad.status_code, bad.json()["error"]["code"]) == (400, "reason_unknown")


def test_bulk_by_the_bar(house: House, executor: Any, staff: Client, stella: User) -> None:
    shoot = made(house, count=2)
    with merchant_scope(house.merchant):
        rows = list(Picture.objects.filter(shoot=shoot))
    cases = [str(case_of(row, stella).pk) for row in rows]
    staff.post("/staff/moderation/bulk", {"to": "rejected", "reason": "hate"})
    missing = "00000000-0000-7000-8000-000000000000"
    assert (
        staff.post(
            "/staff/moderation/bulk", {"to": "rejected", "reason": "hate", "cases": [*cases, missing]}
        ).status_code
        == 404
    )
    assert {state_of(row) for row in rows} == {"pending"}
    staff.post("/staff/moderation/bulk", {"to": "rejected", "reason": "hate", "cases": cases})
    assert {state_of(row) for row in rows} == {"rejected"}


def test_anything_can_be_opened_by_its_id(picture: Picture, house: House, staff: Client) -> None:
    for row in (picture, house.photo.asset):
        found = staff.post("/staff/moderation/open", {"id": f" {row.pk} "})
        assert str(row.pk) in staff.get(found["Location"]).content.decode()
    for nothing in ("", "x", str(house.garment.pk)):
        assert staff.post("/staff/moderation/open", {"id": nothing}).status_code == 404


def test_credits_plan_and_suspension_from_the_shops_page(house: House, staff: Client, stella: User) -> None:
    shop = f"/staff/shops/{house.merchant.pk}"
    assert house.merchant.name in staff.get(f"{shop}/").content.decode()
    with merchant_scope(house.merchant):
        before = CreditAccount.objects.first()
    staff.post(f"{shop}/grant", {"amount": "250", "note": "For the trouble"})
    staff.post(f"{shop}/grant", {"amount": "250", "note": " "})
    staff.post(f"{shop}/grant", {"amount": "1e9", "note": "No number"})
    with merchant_scope(house.merchant):
        granted = LedgerEntry.objects.get(kind="grant", note="For the trouble")
        assert (granted.available_change, granted.by) == (250, stella)
        held = CreditAccount.objects.get().available
    assert held >= 250 and (before is None or held == before.available + 250)
    staff.post(f"{shop}/plan", {"plan": "business"})
    staff.post(f"{shop}/plan", {"plan": "nonsense"})
    rows = Merchant.objects.filter(pk=house.merchant.pk)
    assert rows.get().plan_id == "business"
    staff.post(f"{shop}/suspend", {"reason": "Fraud"})
    assert (rows.get().status, rows.get().suspended_reason) == ("suspended", "Fraud")
    assert "Fraud" in staff.get(f"{shop}/").content.decode()
    staff.post(f"{shop}/reopen", {"reason": "Sorted out"})
    assert rows.get().status == "active"
    actions = list(AuditEntry.objects.order_by("id").values_list("action", flat=True))
    assert actions == ["credits.granted", "merchant.plan_changed", "merchant.suspended", "merchant.reopened"]


def test_the_log_is_listed_filtered_exported_and_never_changed(picture: Picture, staff: Client, stella: User) -> None:
    flag(picture)
    reject(picture, stella, "other", "=cmd|' /C calc'!A0")
    log = "/staff/accounts/auditentry/"
    assert "picture.rejected" in staff.get(log).content.decode()
    assert staff.get(f"{log}add/").status_code == 403
    entry = AuditEntry.objects.get(action="picture.rejected")
    page = staff.get(f"{log}{entry.pk}/change/").content.decode()
    assert 'name="note"' not in page and "_save" not in page
    assert staff.post(f"{log}{entry.pk}/change/", {"note": "x"}).status_code == 403
    assert staff.post(f"{log}{entry.pk}/delete/", {"post": "yes"}).status_code == 403
    taken = staff.get(f"{log}export.csv", {"action": "picture.rejected"})
    lines = list(csv.reader(io.StringIO(b"".join(taken.streaming_content).decode("utf-8-sig"))))
    assert len(lines) == 2 and lines[1][1] == "picture.rejected" and lines[1][-1].startswith("'=cmd")
    assert AuditEntry.objects.filter(action="audit.exported", by=stella).count() == 1
    assert staff.get(log, {"merchant_id": str(picture.merchant_id)}).status_code == 200


def test_the_admin_has_no_page_of_somebodys_second_factor_or_of_wake_ups(staff: Client) -> None:
    for table in ("mfa/authenticator", "account/emailaddress", "usersessions/usersession", "django_q/schedule"):
        assert staff.get(f"/staff/{table}/").status_code == 404
    for table in ("accounts/user", "accounts/merchant", "accounts/plan", "accounts/auditentry", "auth/group"):
        assert staff.get(f"/staff/{table}/").status_code == 200
