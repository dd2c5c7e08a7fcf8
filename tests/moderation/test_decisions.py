"""A decision is the row, the case, the log, an event and a mail at once; it can be taken back, and asked about once."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.test import Client

from accounts.models import AuditEntry, User, WebhookEvent
from accounts.scoping import merchant_scope
from generation.models import Picture
from generation.moderation import decisions
from imodel_site.lib.errors import Conflict, Refused
from tests.generation.conftest import House, made, sign_in
from tests.moderation.conftest import approve, case_of, flag, reject, state_of

pytestmark = pytest.mark.django_db


def log() -> list[tuple[str, str, str]]:
    return list(AuditEntry.objects.order_by("id").values_list("action", "by_email", "reason"))


def events(picture: Picture) -> list[Any]:
    with merchant_scope(picture.merchant_id):
        return list(WebhookEvent.objects.filter(type="picture.rejected").order_by("id"))


def test_rejecting_writes_row_case_log_event_and_mail(
    picture: Picture, stella: User, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        case = reject(picture, stella, "other", "A  watermark\n of a competitor")
    assert state_of(picture) == "rejected"
    assert (case.status, case.decision, case.reason) == ("decided", "rejected", "other")
    assert case.note == "A watermark of a competitor" and case.decided_by == stella
    entry = AuditEntry.objects.get(action="picture.rejected")
    assert (entry.by, entry.by_email, entry.subject_id) == (stella, "stella@example.com", picture.pk)
    assert (entry.merchant_id, entry.reason, entry.note) == (picture.merchant_id, "other", case.note)
    assert [event.payload["id"] for event in events(picture)] == [str(picture.pk)]
    assert [letter.to for letter in mail.outbox] == [["alice@example.com"]]
    assert "A watermark of a competitor" in mail.outbox[0].body


def test_each_rejection_is_told_once_and_a_repetition_is_none(picture: Picture, stella: User) -> None:
    reject(picture, stella)
    reject(picture, stella, "violence")
    assert len(events(picture)) == 1
    approve(picture, stella)
    reject(picture, stella)
    assert [event.round for event in events(picture)] == sorted({event.round for event in events(picture)})
    assert len(events(picture)) == 2


def test_bulk_is_whole_and_one_mail_for_each_shop(
    house: House, executor: Any, stella: User, django_capture_on_commit_callbacks: Any
) -> None:
    shoot = made(house, count=3)
    with merchant_scope(house.merchant):
        rows = list(Picture.objects.filter(shoot=shoot))
    cases = [case_of(row, stella) for row in rows]
    with pytest.raises(Refused, match="Choose a reason"):
        decisions.decide(cases=cases, by=stella, to="rejected", reason="because", note="")
    with pytest.raises(Refused, match="Say what the reason is"):
        decisions.decide(cases=cases, by=stella, to="rejected", reason="other", note=" ")
    assert {state_of(row) for row in rows} == {"pending"}
    with django_capture_on_commit_callbacks(execute=True):
        decisions.decide(cases=cases, by=stella, to="rejected", reason="hate", note="")
    assert {state_of(row) for row in rows} == {"rejected"}
    assert len(mail.outbox) == 1 and "3 photos or pictures" in mail.outbox[0].body


def test_a_decision_can_be_taken_back_by_whoever_made_it_and_once(picture: Picture, stella: User, cast: Any) -> None:
    flag(picture)
    case = reject(picture, stella)
    with pytest.raises(Conflict):
        decisions.undo(case=case, by=cast.bob)
    decisions.undo(case=case, by=stella)
    assert state_of(picture) == "flagged"
    assert (case.status, case.decision, case.decided_by, case.decided_at) == ("open", "", None, None)
    with pytest.raises(Conflict, match="nothing of yours"):
        decisions.undo(case=case, by=stella)
    assert [action for action, _by, _reason in log()] == ["picture.opened", "picture.rejected", "picture.undone"]


def test_taking_back_brings_the_decision_before_back(picture: Picture, stella: User) -> None:
    reject(picture, stella, "rights")
    case = approve(picture, stella)
    decisions.undo(case=case, by=stella)
    assert (state_of(picture), case.status, case.reason) == ("rejected", "decided", "rights")


def test_the_merchant_asks_for_a_second_look_once(picture: Picture, alice: Client, stella: User) -> None:
    url = f"/moderation/picture/{picture.pk}/second-look"
    assert alice.post(url).status_code == 409, "nothing was rejected"
    reject(picture, stella)
    assert alice.post(url).status_code == 302
    case = case_of(picture, stella)
    assert (case.status, case.opened_by, state_of(picture)) == ("open", "merchant", "rejected")
    assert "You asked for a second look" in alice.get(f"/pictures/{picture.pk}/").content.decode()
    assert alice.post(url).status_code == 409
    decisions.decide(cases=[case], by=stella, to="rejected", reason="nudity", note="")
    assert alice.post(url).status_code == 409
    assert "looked a second time" in alice.get(f"/pictures/{picture.pk}/").content.decode()
    assert ("picture.second_look", "alice@example.com", "") in log()


def test_nobody_else_asks_for_it(house: House, picture: Picture, cast: Any, stella: User) -> None:
    reject(picture, stella)
    reject(house.photo.asset, stella)
    for row, subject in ((picture, "picture"), (house.photo.asset, "asset")):
        url = f"/moderation/{subject}/{row.pk}/second-look"
        assert sign_in(cast.charlie).post(url).status_code == 404
        assert sign_in(cast.vera).post(url).status_code == 403
        assert sign_in(cast.bob).post(f"/moderation/shoot/{row.pk}/second-look").status_code == 404


def test_what_was_deleted_meanwhile_can_still_be_decided_on(picture: Picture, stella: User) -> None:
    case = case_of(picture, stella)
    with merchant_scope(picture.merchant_id):
        Picture.objects.filter(pk=picture.pk).delete()
    decisions.decide(cases=[case], by=stella, to="rejected", reason="nudity", note="")
    assert case.status == "decided"
    with merchant_scope(picture.merchant_id), pytest.raises(Conflict):
        decisions.ask_again(by=None, subject="picture", row=Picture(pk=picture.pk, merchant_id=picture.merchant_id))


@pytest.mark.parametrize("change", ["note = 'nothing happened'", "reason = ''", "by_email = ''"])
def test_no_entry_of_the_log_is_changed_whoever_asks(picture: Picture, stella: User, change: str) -> None:
    reject(picture, stella)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE accounts_auditentry SET {change}")
    if connection.vendor == "postgresql":
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("DELETE FROM accounts_auditentry")


def test_a_rejected_upload_stays_and_the_same_bytes_are_refused(house: House, stella: User) -> None:
    from catalog.services import assets, photos
    from tests.generation.conftest import png

    with merchant_scope(house.merchant):
        asset, _new = assets.add_asset(merchant=house.merchant, file=png((1, 2, 3)))
        photo, _new = photos.add_photo(garment=house.garment, merchant=house.merchant, file=png((1, 2, 3)), view="back")
    reject(asset, stella)
    with merchant_scope(house.merchant):
        photos.delete_photo(photo=photo)
        with pytest.raises(Conflict) as caught:
            assets.add_asset(merchant=house.merchant, file=png((1, 2, 3)))
    assert caught.value.code == "photo_rejected" and state_of(asset) == "rejected"


def test_a_rejected_picture_outlives_the_bin(picture: Picture, stella: User) -> None:
    from datetime import timedelta

    from django.utils import timezone

    from generation.services import purge_deleted

    reject(picture, stella)
    with merchant_scope(picture.merchant_id):
        Picture.objects.filter(pk=picture.pk).update(deleted_at=timezone.now() - timedelta(days=40))
    assert purge_deleted() == 0 and state_of(picture) == "rejected"
    approve(picture, stella)
    assert purge_deleted() == 1
