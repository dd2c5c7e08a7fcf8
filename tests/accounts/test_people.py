"""Who belongs to a shop: invited, joined, promoted, removed, gone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import Invitation, Membership, Role, User
from accounts.scoping import merchant_scope, unscoped
from accounts.services import invitations, members
from imodel_site.lib.errors import Conflict, NotHere, Refused, TooMuch
from tests.accounts.conftest import long_ago, prove, sign_in
from tests.accounts.letters import code_for, link_for
from tests.cast import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)
Browser = Callable[[str], Client]


def membership(merchant: Any, user: Any) -> Membership | None:
    with unscoped("test"):
        found: Membership | None = Membership.objects.filter(merchant=merchant, user=user).first()
    return found


def invite(client: Client, email: str, role: str = Role.VIEWER) -> str:
    """Through the page; returns the path of the mailed link."""
    answer = client.post("/settings/people/invite", {"email": email, "role": role})
    assert answer.status_code == 302, answer.content
    return link_for(email)


def test_somebody_new_is_invited_signs_up_verifies_and_joins_in_the_role(cast: Any, signed_in: Browser) -> None:
    link = invite(signed_in("alice"), "nina@example.com", Role.EDITOR)
    client = Client()
    page = client.get(link, follow=True)
    assert page.redirect_chain == [("/join", 302)] and b"Atelier" in page.content
    answer = client.post("/account/signup/?next=/join", {"email": "nina@example.com", "password1": PASSWORD})
    assert answer.status_code == 302, answer.content
    client.post("/account/confirm-email/", {"code": code_for("nina@example.com")})
    assert client.post("/join/accept").status_code == 302
    nina = User.objects.get(email="nina@example.com")
    found = membership(cast.atelier, nina)
    assert found is not None and found.role == Role.EDITOR
    with unscoped("test"):
        assert Membership.objects.filter(user=nina).count() == 1  # no shop of her own came with it
    assert b"Atelier" in client.get("/settings").content


def test_somebody_known_joins_and_can_switch_between_the_shops(cast: Any, signed_in: Browser) -> None:
    link = invite(signed_in("alice"), "Charlie@Example.com".lower())
    client = signed_in("charlie")
    client.get(link)
    client.post("/join/accept")
    assert b"Atelier" in client.get("/settings").content
    client.post("/shops/switch", {"merchant": str(cast.bazaar.pk)})
    assert client.get("/settings").context["merchant"] == cast.bazaar


def test_a_link_counts_once(cast: Any, signed_in: Browser) -> None:
    link = invite(signed_in("alice"), "charlie@example.com")
    charlie = signed_in("charlie")
    charlie.get(link)
    charlie.post("/join/accept")
    assert Client().get(link).status_code == 404


def test_only_the_invited_address_may_join_however_the_link_was_come_by(cast: Any, signed_in: Browser) -> None:
    link = invite(signed_in("alice"), "nina@example.com")
    thief = signed_in("charlie")
    thief.get(link)
    answer = thief.post("/join/accept")
    assert answer.status_code == 403 and b"nina@example.com" in answer.content
    assert membership(cast.atelier, cast.charlie) is None


def test_an_unverified_address_may_not_join(cast: Any) -> None:
    from allauth.account.models import EmailAddress

    with merchant_scope(cast.atelier):
        invitation = invitations.invite(merchant=cast.atelier, by=cast.alice, email="x@example.com", role=Role.VIEWER)
    EmailAddress.objects.create(user=cast.charlie, email="x@example.com", verified=False)
    with pytest.raises(Refused, match=r"x@example\.com"):
        invitations.accept(invitation=invitation, user=cast.charlie)


def test_a_link_is_worthless_after_seven_days_a_withdrawal_or_a_newer_one(cast: Any) -> None:
    with merchant_scope(cast.atelier):
        for end in ("age", "withdraw", "again"):
            mail.outbox.clear()
            address = f"{end}@example.com"
            row = invitations.invite(merchant=cast.atelier, by=cast.alice, email=address, role=Role.VIEWER)
            secret = link_for(address).rsplit("/", 1)[1]
            assert invitations.find(secret).pk == row.pk
            Invitation.objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(days=2))
            if end == "age":
                Invitation.objects.filter(pk=row.pk).update(expires_at=timezone.now())
            elif end == "withdraw":
                invitations.withdraw(invitation=row)
            else:
                invitations.invite(merchant=cast.atelier, by=cast.alice, email=address, role=Role.EDITOR)
            with pytest.raises(NotHere):
                invitations.find(secret)


def test_the_secret_of_a_link_is_not_in_the_database(cast: Any) -> None:
    with merchant_scope(cast.atelier):
        invitations.invite(merchant=cast.atelier, by=cast.alice, email="n@example.com", role=Role.VIEWER)
        row = Invitation.objects.values().get()
    assert link_for("n@example.com").rsplit("/", 1)[1] not in str(row)


def test_members_are_not_invited_again_and_nobody_is_pestered(cast: Any) -> None:
    with merchant_scope(cast.atelier):
        with pytest.raises(Conflict):
            invitations.invite(merchant=cast.atelier, by=cast.alice, email="BOB@example.com", role=Role.VIEWER)
        invitations.invite(merchant=cast.atelier, by=cast.alice, email="n@example.com", role=Role.VIEWER)
        with pytest.raises(TooMuch):
            invitations.invite(merchant=cast.atelier, by=cast.alice, email="n@example.com", role=Role.VIEWER)
    assert len(mail.outbox) == 1


def test_the_last_owner_neither_leaves_nor_steps_down_nor_is_removed(cast: Any, signed_in: Browser) -> None:
    with merchant_scope(cast.atelier):
        alone = Membership.objects.get(user=cast.alice)
        for attempt in (
            lambda: members.change_role(membership=alone, role=Role.EDITOR),
            lambda: members.remove_member(membership=alone),
        ):
            with pytest.raises(Conflict, match="needs an owner"):
                attempt()
    assert signed_in("alice").post("/settings/people/leave").status_code == 409
    with merchant_scope(cast.atelier):
        members.change_role(membership=Membership.objects.get(user=cast.bob), role=Role.OWNER)
        members.change_role(membership=alone, role=Role.EDITOR)
    found = membership(cast.atelier, cast.alice)
    assert found is not None and found.role == Role.EDITOR


def test_the_page_of_people_says_beside_the_last_owner_why_nothing_changed(cast: Any, signed_in: Browser) -> None:
    row = membership(cast.atelier, cast.alice)
    assert row is not None
    client = signed_in("alice")
    for address, form in ((f"/settings/people/{row.pk}/role", {"role": "viewer"}), ("/settings/people/leave", {})):
        page = client.post(address, form)
        assert page.status_code == 409 and page.templates[0].name == "accounts/people.html"
        cell = page.content.decode().split(f'action="/settings/people/{row.pk}/role"')[1].split("</td>")[0]
        assert "A shop needs an owner" in cell
    found = membership(cast.atelier, cast.alice)
    assert found is not None and found.role == Role.OWNER


def test_removing_a_member_asks_who_is_there_and_then_carries_on(cast: Any, signed_in: Browser) -> None:
    vera = membership(cast.atelier, cast.vera)
    assert vera is not None
    client = long_ago(signed_in("alice"))
    address = f"/settings/people/{vera.pk}/remove"
    answer = client.post(address)
    assert answer.url.startswith("/account/reauthenticate/") and membership(cast.atelier, cast.vera)
    client.post(answer.url, {"password": "wrong"})
    assert membership(cast.atelier, cast.vera)
    client.post(answer.url, {"password": PASSWORD})
    assert membership(cast.atelier, cast.vera) is None


def test_who_was_removed_is_out_at_the_next_request(cast: Any, signed_in: Browser) -> None:
    vera = signed_in("vera")
    assert vera.get("/settings").status_code == 200
    with merchant_scope(cast.atelier):
        members.remove_member(membership=Membership.objects.get(user=cast.vera))
    answer = vera.get("/settings")
    assert (answer.status_code, answer.url) == (302, "/shops/new")


@pytest.mark.parametrize("who", ["bob", "vera"])
def test_who_is_no_owner_changes_nobody(cast: Any, signed_in: Browser, who: str) -> None:
    client = prove(signed_in(who))
    alice = membership(cast.atelier, cast.alice)
    assert alice is not None
    for address, data in (
        ("/settings/people/invite", {"email": "x@example.com", "role": "owner"}),
        (f"/settings/people/{alice.pk}/role", {"role": "viewer"}),
        (f"/settings/people/{alice.pk}/remove", {}),
        ("/settings/keys/new", {"name": "k", "scope": "write", "days": "0"}),
        ("/settings/delete", {"name": "Atelier"}),
        ("/settings", {"name": "Hacked"}),
    ):
        assert client.post(address, data).status_code == 403, address
    assert client.get("/settings/keys").status_code == 403
    cast.atelier.refresh_from_db()
    assert (cast.atelier.name, cast.atelier.status, len(mail.outbox)) == ("Atelier", "active", 0)


def test_an_owner_of_one_shop_is_nobody_in_another(cast: Any) -> None:
    client = prove(sign_in(cast.charlie))
    alice = membership(cast.atelier, cast.alice)
    assert alice is not None
    there = client.post(f"/settings/people/{alice.pk}/remove")
    missing = client.post("/settings/people/01a20562-4969-7984-9f75-08759d656a67/remove")
    nonsense = client.post("/settings/people/nonsense/remove")
    assert {there.status_code, missing.status_code, nonsense.status_code} == {404}
    assert client.post("/shops/switch", {"merchant": str(cast.atelier.pk)}).status_code == 404


def test_leaving_one_shop_leaves_the_other(cast: Any, signed_in: Browser) -> None:
    with unscoped("test"):
        Membership.objects.create(user=cast.bob, merchant=cast.bazaar, role=Role.VIEWER)
    client = signed_in("bob")
    client.post("/shops/switch", {"merchant": str(cast.bazaar.pk)})
    client.post("/settings/people/leave")
    assert membership(cast.bazaar, cast.bob) is None and membership(cast.atelier, cast.bob)
    assert client.get("/settings").context["merchant"] == cast.atelier


def test_a_person_without_a_shop_is_led_to_create_one(cast: Any, signed_in: Browser) -> None:
    with merchant_scope(cast.atelier):
        members.remove_member(membership=Membership.objects.get(user=cast.vera))
    client = signed_in("vera")
    assert client.get("/settings").url == "/shops/new"
    client.post("/shops/new", {"name": "Vera's"})
    page = client.get("/settings")
    assert page.status_code == 200 and page.context["merchant"].name == "Vera's"


def test_a_suspended_shop_says_so_on_every_page_and_others_stay_open(cast: Any, signed_in: Browser) -> None:
    client = signed_in("bob")
    client.get("/settings")
    type(cast.atelier).objects.filter(pk=cast.atelier.pk).update(status="suspended")
    page = client.get("/settings/people")
    assert page.status_code == 403 and b"suspended" in page.content and b"alice" not in page.content
    with unscoped("test"):
        Membership.objects.create(user=cast.bob, merchant=cast.bazaar, role=Role.VIEWER)
    client.post("/shops/switch", {"merchant": str(cast.bazaar.pk)})
    assert client.get("/settings/people").status_code == 200
