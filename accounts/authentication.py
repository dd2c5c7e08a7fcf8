"""Who a request of the API comes from. ``MerchantScope`` finds out before the view; these classes tell DRF."""

from __future__ import annotations

import base64
import binascii
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import authentication, permissions

from accounts import access, keys
from accounts.actors import Actor
from accounts.models import ApiKey
from accounts.scoping import merchant_scope, unscoped
from imodel_site.lib.errors import Refused

USED_AT_MOST_ONCE = timedelta(minutes=1)


class BadKey(Refused):
    """The key opens nothing: unknown, mistyped, expired or revoked."""

    status = 401


class Program:
    """``request.user`` of a request with a key: somebody, but no person."""

    is_authenticated, is_anonymous, is_active, is_staff, pk = True, False, True, False, None

    def __init__(self, key: ApiKey) -> None:
        self.key = key


def find_key(header: str, *, basic: bool = False) -> ApiKey:
    """The live key of an ``Authorization`` header, its merchant loaded; remembers that it was used.

    Args:
        basic: clients that know nothing but a name and a password may show it as those (RFC 7617).

    Raises:
        BadKey: there is none.
    """
    scheme, _space, text = header.strip().partition(" ")
    parts = keys.parse(text.strip()) if scheme.lower() == "bearer" else None
    if basic and scheme.lower() == "basic":
        parts = _of_basic(text.strip())
    if parts is None:
        raise BadKey("bad_key", _("This is not an API key of iModel. Send it as “Authorization: Bearer imk_live_…”."))
    with unscoped("an API key names its merchant"):
        row = ApiKey.objects.select_related("merchant__plan").filter(prefix=parts.id, live=parts.live).first()
    if not keys.matches(parts, row.secret_hmac if row else "0" * 64) or row is None:
        raise BadKey("bad_key", _("This API key does not exist. Make a new one under Settings, API keys."))
    _refuse_dead(row)
    _remember_use(row, parts)
    return row


def _of_basic(text: str) -> keys.KeyText | None:
    """The key of a name and a password: its id and all that follows, or any name and the whole key."""
    try:
        name, _colon, password = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return keys.joined(name, password)


def _refuse_dead(row: ApiKey) -> None:
    if row.revoked_at is not None:
        raise BadKey("key_revoked", _("This API key was revoked. Make a new one under Settings, API keys."))
    if row.expires_at is not None and row.expires_at <= timezone.now():
        raise BadKey("key_expired", _("This API key has expired. Make a new one under Settings, API keys."))


def _remember_use(row: ApiKey, parts: keys.KeyText) -> None:
    """At most once a minute, so that a busy shop does not write one row over and over."""
    now = timezone.now()
    if row.last_used_at is not None and row.last_used_at > now - USED_AT_MOST_ONCE:
        return
    stale = Q(last_used_at=None) | Q(last_used_at__lte=now - USED_AT_MOST_ONCE)
    with merchant_scope(row.merchant_id):
        # The digest is written as well: a key made under an old SECRET_KEY moves to today's while both still count.
        ApiKey.objects.filter(stale, pk=row.pk).update(last_used_at=now, secret_hmac=keys.digest(parts))


class ApiKeyAuthentication(authentication.BaseAuthentication):
    """The key that ``MerchantScope`` found."""

    def authenticate(self, request: Any) -> tuple[Any, ApiKey] | None:
        """None without a key, so that the session gets its turn."""
        plain = request._request
        if plain.refused_key is not None:
            raise plain.refused_key
        actor: Actor | None = plain.actor
        if actor is None or actor.api_key is None:
            return (Program(plain.api_key), plain.api_key) if plain.api_key else None
        return Program(actor.api_key), actor.api_key

    def authenticate_header(self, request: Any) -> str:
        """What a 401 says in WWW-Authenticate."""
        return 'Bearer realm="iModel"'


class SessionAuthentication(authentication.SessionAuthentication):
    """The browser's session, with its CSRF token."""


class HasMerchant(permissions.BasePermission):
    """Works for an active merchant; changes need a role or a key that may change."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """Refuses in our words rather than by False."""
        if not request.user.is_authenticated:
            return False
        actor = access.acting(request._request)
        if request.method not in permissions.SAFE_METHODS:
            access.allow_write(actor)
        return True
