"""What a merchant does with what stands in its shop."""

from __future__ import annotations

from selling.services.publishing import Published, end_gone, publish, publish_many, roll_back, withdraw
from selling.services.storefronts import choose_language, renew_token, storefront_of

__all__ = [
    "Published",
    "choose_language",
    "end_gone",
    "publish",
    "publish_many",
    "renew_token",
    "roll_back",
    "storefront_of",
    "withdraw",
]
