"""How often one key or one person may call the API, said in every answer's RateLimit-* headers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts.actors import Actor
from accounts.doors import KEYED, shape_of
from imodel_site.lib.errors import TooMuch, error_response

WINDOW = 60


@dataclass(frozen=True)
class Window:
    """The minute that is running: how many calls fit, how many were made, when the next one begins."""

    most: int
    made: int
    reset: int

    @property
    def over(self) -> bool:
        """Whether this call does not fit any more."""
        return self.made > self.most

    @property
    def headers(self) -> dict[str, str]:
        """As draft-ietf-httpapi-ratelimit-headers-06 names them."""
        return {
            "RateLimit-Limit": str(self.most),
            "RateLimit-Remaining": str(max(0, self.most - self.made)),
            "RateLimit-Reset": str(self.reset),
            "RateLimit-Policy": f"{self.most};w={WINDOW}",
        }


class RateLimits:
    """Counts each call of the API, whatever becomes of it, by key or member; strangers are refused elsewhere.

    A middleware rather than DRF's throttle: so every answer says the limit, also of an address that leads nowhere.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        if request.actor is None or not request.path_info.startswith(KEYED):
            return self.get_response(request)
        window = _counted(request.actor)
        response = _slow_down(request, window) if window.over else self.get_response(request)
        for name, value in window.headers.items():
            response[name] = value
        return response


def _slow_down(request: Any, window: Window) -> HttpResponse:
    words = _("Too many requests. Wait as long as Retry-After says.")
    error = TooMuch("too_many_requests", words, retryable=True, retry_after=window.reset)
    shape = shape_of(request.path_info)
    return shape(error) if shape else error_response(error, request.request_id)


def _counted(actor: Actor) -> Window:
    """This call included. The key holds the merchant; two processes that count at once may lose one on disk."""
    now = int(time.time())
    who = f"key:{actor.api_key.pk}" if actor.api_key else f"user:{actor.user.pk}"  # type: ignore[union-attr]  # one is there
    count = f"api-calls:{actor.merchant.pk}:{who}:{now // WINDOW}"
    return Window(_most(actor), add_one(count), WINDOW - now % WINDOW)


def _most(actor: Actor) -> int:
    """The plan's, or the site's for a merchant without one."""
    plan = actor.merchant.plan
    return int(plan.calls_per_minute) if plan is not None else settings.API_CALLS_PER_MINUTE


def add_one(count: str) -> int:
    """One more under this name, which holds the merchant and the minute; how many there are."""
    if cache.add(count, 1, timeout=2 * WINDOW):
        return 1
    try:
        return int(cache.incr(count))
    except ValueError:  # it expired between the two lines
        return 1
