"""Alice's atelier with a picture, and stella of the staff."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from accounts.models.moderation import Moderation
from accounts.scoping import merchant_scope
from catalog.models import Asset
from generation.models import ModerationCase, Picture
from generation.moderation import decisions
from imodel_site.lib.jobs.claims import claim_next
from tests.cast import Cast
from tests.generation.conftest import House, actor_of, add_photo, executor, house, library, made, neighbour, sign_in
from tests.permissions.world import _session

__all__ = ["executor", "house", "library", "neighbour"]


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """No limit on signing in left over, and no look remembered."""
    cache.clear()


@pytest.fixture
def stella(cast: Cast) -> User:
    """Of the staff, with a second factor."""
    person = User.objects.create_superuser("stella@example.com", "correct horse battery", name="Stella")
    TOTP.activate(person, generate_totp_secret())
    return person


@pytest.fixture
def staff(stella: User) -> Client:
    """A browser in which stella has given her second factor."""
    client = Client()
    client.cookies["session"] = _session(stella, True)
    return client


@pytest.fixture
def alice(cast: Cast) -> Client:
    """A browser in which alice is signed in."""
    return sign_in(cast.alice)


@pytest.fixture
def picture(house: House, executor: Any) -> Picture:
    """One that is finished."""
    shoot = made(house, count=1)
    with merchant_scope(house.merchant):
        found: Picture = Picture.objects.select_related("shoot").get(shoot=shoot)
    return found


def case_of(row: Any, by: User) -> ModerationCase:
    """Opened by staff."""
    subject = "asset" if isinstance(row, Asset) else "picture"
    return decisions.open_case(subject=subject, row=row, by=by)


def reject(row: Any, by: User, reason: str = "nudity", note: str = "") -> ModerationCase:
    """What staff do in the queue."""
    case = case_of(row, by)
    decisions.decide(cases=[case], by=by, to="rejected", reason=reason, note=note)
    return case


def approve(row: Any, by: User) -> ModerationCase:
    """As well."""
    case = case_of(row, by)
    decisions.decide(cases=[case], by=by, to="approved", reason="", note="")
    return case


def state_of(row: Any) -> str:
    """As it stands in the database."""
    with merchant_scope(row.merchant_id):
        return str(type(row).objects.values_list("moderation", flat=True).get(pk=row.pk))


def flag(row: Any) -> None:
    """What the automatic look does."""
    with merchant_scope(row.merchant_id):
        type(row).objects.filter(pk=row.pk).update(moderation=Moderation.FLAGGED)


__all__ += ["actor_of", "add_photo", "claim_next"]
