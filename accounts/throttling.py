"""How often one key or one person may call the API."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from rest_framework.throttling import BaseThrottle

WINDOW = 60


class PerActor(BaseThrottle):
    """``API_CALLS_PER_MINUTE`` for each key and each member, counted in whole minutes; the key holds the merchant."""

    def allow_request(self, request: Any, view: Any) -> bool:
        """Counts the call. Two processes that count at once may lose one, which nobody notices."""
        actor = request._request.actor
        if actor is None:
            return True  # refused already, for a better reason
        who = f"key:{actor.api_key.pk}" if actor.api_key else f"user:{actor.user.pk}"
        count = f"api-calls:{actor.merchant.pk}:{who}:{int(time.time()) // WINDOW}"
        if cache.add(count, 1, timeout=2 * WINDOW):
            return True
        try:
            return bool(cache.incr(count) <= settings.API_CALLS_PER_MINUTE)
        except ValueError:  # it expired between the two lines
            return True

    def wait(self) -> float:
        """Seconds until the next minute."""
        return WINDOW - time.time() % WINDOW
