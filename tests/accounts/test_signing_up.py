"""From a stranger to the owner of a shop."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from accounts.models import Invitation, Membership, Merchant, Role, User
from accounts.services import invitations
from imodel_site.lib.scope import merchant_scope, unscoped
from tests.accounts.letters import code_for, link_for
from tests.cast import PASSWORD

FORM = {"shop": "Blue  Barn", "email": "Nina@Example.com", "password1": PASSWORD}


def sign_up(client: Client, **changes: str) -> Any:
    return client.post("/account/signup/", {**FORM, **changes})


@pytest.mark.django_db
def test_a_stranger_signs_up_types_the_mailed_code_and_owns_a_shop() -> None:
    client = Client()
    assert sign_up(client).url == "/account/confirm-email/"
    assert client.get("/settings").status_code == 302  # not before the address is verified
    answer = client.post("/account/confirm-email/", {"code": code_for("nina@example.com")})
    assert answer.status_code == 302
    page = client.get("/settings")
    assert page.status_code == 200 and b"Blue Barn" in page.content
    user = User.objects.get(email="nina@example.com")
    assert EmailAddress.objects.get(user=user).verified
    with unscoped("test"):
        membership = Membership.objects.select_related("merchant").get(user=user)
    assert (membership.merchant.name, membership.role) == ("Blue Barn", Role.OWNER)


@pytest.mark.django_db
def test_a_wrong_code_does_not_let_in() -> None:
    client = Client()
    sign_up(client)
    wrong = "AAAAAA" if code_for("nina@example.com") != "AAAAAA" else "BBBBBB"
    assert client.post("/account/confirm-email/", {"code": wrong}).status_code == 200
    assert client.get("/settings").status_code == 302
    assert not EmailAddress.objects.get(email="nina@example.com").verified


@pytest.mark.django_db
def test_a_known_address_makes_neither_a_person_nor_a_shop_and_says_nothing(cast: Any) -> None:
    shops = Merchant.objects.count()
    answer = sign_up(Client(), email="alice@example.com")
    assert (answer.status_code, answer.url) == (302, "/account/confirm-email/")
    assert (User.objects.count(), Merchant.objects.count()) == (4, shops)
    assert mail.outbox[-1].to == ["alice@example.com"]  # who is told that there is an account already


@pytest.mark.django_db
@pytest.mark.parametrize("field, value", [("shop", "   "), ("password1", "short"), ("email", "nobody")])
def test_a_bad_field_leaves_nothing_behind(field: str, value: str) -> None:
    answer = sign_up(Client(), **{field: value})
    assert answer.status_code == 200 and field in answer.context["form"].errors
    assert not User.objects.exists() and not Merchant.objects.exists()


@pytest.mark.django_db
def test_when_the_shop_can_not_be_made_the_person_is_not_made_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.services.merchants.NAME_LENGTH", 3)  # the form lets it pass, the service does not
    assert Client().post("/account/signup/", FORM).status_code == 400
    assert not User.objects.exists()


@pytest.mark.django_db
def test_mails_speak_the_language_of_whoever_reads_them_not_of_whoever_acts(cast: Any) -> None:
    from django.utils import translation

    from accounts import mail as letters

    client = Client(headers={"accept-language": "zh-hans"})
    sign_up(client)
    nina = User.objects.get(email="nina@example.com")
    assert nina.language == "zh-hans"
    with translation.override("zh-hans"):
        assert cast.bob.language == ""
        english = _subject_to(letters, cast.bob, cast)
    assert _subject_to(letters, nina, cast) != english
    assert english.isascii()


def _subject_to(letters: Any, person: User, cast: Any) -> str:
    from django.db import transaction
    from django.test import TestCase

    mail.outbox.clear()
    with TestCase.captureOnCommitCallbacks(execute=True), transaction.atomic():
        letters.send_all("kept", people=[person], merchant=cast.atelier, by=cast.alice)
    return str(mail.outbox[-1].subject)


@pytest.mark.django_db(transaction=True)
def test_whoever_was_invited_finds_the_address_filled_in(cast: Any) -> None:
    client = Client()
    with merchant_scope(cast.atelier.pk):
        invitations.invite(merchant=cast.atelier, by=cast.alice, email="new@example.com", role=Role.VIEWER)
    client.get(link_for("new@example.com"))
    page = client.get("/account/signup/")
    assert page.context["form"]["email"].value() == "new@example.com" and "shop" not in page.context["form"].fields
    with unscoped("test"):
        Invitation.objects.all().delete()
    assert client.get("/account/signup/").context["form"]["email"].value() == ""
    assert not Client().get("/account/signup/").context["form"]["email"].value()
