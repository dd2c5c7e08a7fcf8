"""Somebody is invited by e-mail, and joins. The link's secret is kept as a hash, counts once, and for seven days."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts import mail
from accounts.models import Invitation, Membership, Merchant, Role, User
from accounts.scoping import merchant_scope, unscoped
from imodel_site.lib.errors import Conflict, NotHere, Refused, TooMuch

VALID = timedelta(days=7)
AGAIN_AFTER = timedelta(minutes=1)
OPEN_AT_ONCE = 50


@transaction.atomic
def invite(*, merchant: Merchant, by: User, email: str, role: str) -> Invitation:
    """Send somebody a link; inviting the same address again makes the earlier link worthless."""
    Merchant.objects.select_for_update().get(pk=merchant.pk)
    address = email.strip().lower()
    _refuse(address, role)
    secret = secrets.token_urlsafe(32)
    invitation, _made = Invitation.objects.update_or_create(
        email=address,
        accepted_at=None,
        defaults={
            "role": role,
            "secret_hash": _hash(secret),
            "invited_by": by,
            "created_at": timezone.now(),
            "expires_at": timezone.now() + VALID,
        },
    )
    link = settings.SITE_URL + reverse("accounts:invited", args=[secret])
    mail.send(
        "invitation",
        to=address,
        language=get_language() or "",
        merchant=merchant,
        by=by,
        link=link,
        days=VALID.days,
        role=invitation.role,
    )
    return invitation


def _refuse(address: str, role: str) -> None:
    if role not in Role.values:
        raise Refused("bad_role", _("Choose owner, editor or viewer."), field="role")
    known = EmailAddress.objects.filter(email__iexact=address, verified=True).values("user")
    if Membership.objects.filter(user__in=known).exists():
        raise Conflict("already_member", _("This person belongs to the shop already."), field="email")
    waiting = Invitation.objects.filter(accepted_at=None)
    if waiting.filter(email=address, created_at__gt=timezone.now() - AGAIN_AFTER).exists():
        raise TooMuch(
            "just_invited", _("This address was invited a moment ago. Wait a minute."), field="email", retryable=True
        )
    if waiting.exclude(email=address).count() >= OPEN_AT_ONCE:
        raise TooMuch("too_many_invitations", _("50 invitations are open. Withdraw some first."), field="email")


def withdraw(*, invitation: Invitation) -> None:
    """The link stops working at once."""
    invitation.delete()


def find(secret: str) -> Invitation:
    """The invitation of a link, its merchant loaded.

    Raises:
        NotHere: unknown, used, withdrawn or too old: all alike.
    """
    with unscoped("an invitation names its merchant"):
        found: Invitation | None = _open().filter(secret_hash=_hash(secret)).first()
    return _or_gone(found)


def find_again(identity: str) -> Invitation:
    """The invitation that the session remembers, if it still counts."""
    with unscoped("an invitation names its merchant"):
        found: Invitation | None = _open().filter(pk=identity).first()
    return _or_gone(found)


def address_of(identity: str) -> str:
    """Whom the invitation that the session remembers is for; empty when it counts no more."""
    with unscoped("an invitation names its merchant"):
        return str(_open().filter(pk=identity).values_list("email", flat=True).first() or "")


@transaction.atomic
def accept(*, invitation: Invitation, user: User) -> Membership:
    """The person joins, if the invited address is theirs and verified."""
    if not EmailAddress.objects.filter(user=user, email__iexact=invitation.email, verified=True).exists():
        raise Refused(
            "other_address",
            _("The invitation is for %(email)s. Sign in with that address, or add it to your account and verify it.")
            % {"email": invitation.email},
            status=403,
        )
    with merchant_scope(invitation.merchant_id):
        # Compare-and-set: two clicks, or a withdrawal in between, change no row.
        if not _open().filter(pk=invitation.pk).update(accepted_at=timezone.now()):
            _or_gone(None)
        return Membership.objects.get_or_create(user=user, defaults={"role": invitation.role})[0]  # type: ignore[no-any-return]


def _open() -> Any:
    return Invitation.objects.filter(accepted_at=None, expires_at__gt=timezone.now()).select_related("merchant")


def _or_gone(found: Invitation | None) -> Invitation:
    if found is None or found.merchant.status != Merchant.Status.ACTIVE:
        raise NotHere(_("This invitation does not count any more. Ask for a new one."))
    return found


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
