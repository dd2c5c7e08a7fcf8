"""Ring 2: which merchant a request is for, and its scope open for as long as the request runs (docs/tenancy.md)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.contrib import auth
from django.core.cache import cache
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from django.utils.functional import SimpleLazyObject

from accounts import actors
from accounts.actors import Actor
from accounts.doors import API, KEYED
from accounts.models import Membership, Merchant
from accounts.scoping import merchant_scope, unscoped
from imodel_site.lib.errors import Refused

SESSION_KEY = "merchant"
SAFE = ("GET", "HEAD", "OPTIONS")


class MerchantScope:
    """Sets ``request.merchant``, ``membership``, ``memberships`` and ``actor``, and opens the merchant's scope.

    ``actor`` is None, and no scope is open, for strangers, for people without a merchant, and while the merchant is
    suspended (then ``merchant`` still says which).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        request.merchant = request.membership = request.actor = request.api_key = request.refused_key = None
        request.memberships = SimpleLazyObject(lambda: memberships_of(request.user))
        if request.path_info.startswith(KEYED) and "Authorization" in request.headers:
            return self._for_key(request)
        if not request.user.is_authenticated:
            return self.get_response(request)
        response = self._for_person(request)
        return _private(request, response)

    def _for_key(self, request: Any) -> HttpResponse:
        """A key speaks for itself: whatever session came along with it counts for nothing."""
        from accounts.authentication import find_key

        try:
            basic = not request.path_info.startswith(API)
            request.api_key = find_key(request.headers["Authorization"], basic=basic)
        except Refused as refused:
            request.refused_key = refused  # the view's authentication raises it, in the API's own shape
            return self.get_response(request)
        request.merchant = request.api_key.merchant
        if request.merchant.status == Merchant.Status.SUSPENDED:
            return self.get_response(request)
        with merchant_scope(request.merchant), one_transaction(request):
            return self._serve(request, actors.program(request.api_key))

    def _for_person(self, request: Any) -> HttpResponse:
        wanted = _wanted(request)
        if wanted is not None:
            # The scope is opened first, so that PostgreSQL is told once for this look and all that follows.
            with merchant_scope(wanted), one_transaction(request):
                found = _membership(request)
                if found is not None and found.merchant.status != Merchant.Status.SUSPENDED:
                    return self._serve_member(request, found)
        else:
            found = None
        if found is None and SESSION_KEY in request.session:  # not a member any more, or it is gone
            del request.session[SESSION_KEY]
        found = found or _first(request)
        if found is None:
            return self.get_response(request)
        if found.merchant.status == Merchant.Status.SUSPENDED:
            request.merchant, request.membership = found.merchant, found
            return self.get_response(request)
        request.session[SESSION_KEY] = str(found.merchant_id)
        with merchant_scope(found.merchant_id), one_transaction(request):
            return self._serve_member(request, found)

    def _serve_member(self, request: Any, membership: Membership) -> HttpResponse:
        request.merchant, request.membership = membership.merchant, membership
        return self._serve(request, actors.member(membership))

    def _serve(self, request: Any, actor: Actor) -> HttpResponse:
        request.actor = actor
        return self.get_response(request)


class SessionActivity:
    """Notes where and when a session was last seen, for “Where you are signed in”; at most once a minute.

    In place of allauth's own middleware, which writes in every request.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        key = request.session.session_key
        if key and request.user.is_authenticated and cache.add(_seen(key), True, timeout=60):
            UserSession.objects.create_from_request(request)
        return self.get_response(request)


def _seen(session_key: str) -> str:
    """The session's key opens the account, so it is not to be read in a cache."""
    return f"session-seen:{hashlib.sha256(session_key.encode()).hexdigest()}"


def one_transaction(request: HttpRequest) -> AbstractContextManager[Any]:
    """PostgreSQL, reading only: one transaction, so that ``app.merchant`` is said once instead of per statement.

    Inside the merchant's scope, so that what waits for the commit still finds it open.
    """
    return transaction.atomic() if connection.vendor == "postgresql" and request.method in SAFE else nullcontext()


def memberships_of(user: Any) -> list[Membership]:
    """Where a person belongs, by the merchant's name."""
    if not user.is_authenticated:
        return []
    with unscoped("the merchants of one person, for the switcher"):
        return list(Membership.objects.filter(user=user).select_related("merchant").order_by("merchant__name", "id"))


def _wanted(request: Any) -> UUID | None:
    try:
        return UUID(request.session.get(SESSION_KEY, ""))
    except ValueError:
        return None


def _membership(request: Any) -> Membership | None:
    """Asked anew in each request: who was removed a second ago is out."""
    found: Membership | None = Membership.objects.select_related("merchant").filter(user_id=request.user.pk).first()
    if found is not None:
        found.user = request.user
    return found


def _first(request: Any) -> Membership | None:
    """The first merchant that is open, else the first that is suspended."""
    with unscoped("the merchants of one person, at the door"):
        rows = list(Membership.objects.filter(user_id=request.user.pk).select_related("merchant").order_by("id"))
    rows.sort(key=lambda row: row.merchant.status == Merchant.Status.SUSPENDED)
    for row in rows[:1]:
        row.user = request.user
    return rows[0] if rows else None


def _private(request: Any, response: HttpResponse) -> HttpResponse:
    """A signed-in page is nobody else's: no cache keeps it, and signing out clears what the browser kept."""
    if not response.has_header("Cache-Control"):
        patch_cache_control(response, private=True, no_store=True)
    if auth.SESSION_KEY not in request.session:
        response["Clear-Site-Data"] = '"cache", "storage"'
    return response
