"""What an order would come to: checked as an order is, priced as an order is, and nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from accounts.access import allow_write
from accounts.actors import Actor
from accounts.services import credits
from generation import orders, pricing
from generation.expert import defaults_of
from generation.models import Shoot
from generation.moderation.states import refuse_rejected_photo
from generation.orders import Choices, Frozen
from imodel_site.lib.jobs import queue


@dataclass(frozen=True)
class DryRun:
    """A shoot that was not ordered.

    Attributes:
        frozen: as it would have been accepted.
        price, balance: in credits.
        seconds: until it would be done, queue included; None while nobody knows.
    """

    frozen: Frozen
    price: int
    balance: int
    seconds: int | None

    @property
    def affordable(self) -> bool:
        """Whether an order would be accepted now."""
        return self.price <= self.balance

    @property
    def order(self) -> dict[str, Any]:
        """The executor's order."""
        found: dict[str, Any] = self.frozen.order["body"]["order"]
        return found

    @property
    def steps(self) -> int:
        """Denoising steps of each candidate."""
        return defaults_of(self.order["engine"] or settings.ENGINE).steps


def dry_run(*, actor: Actor, choices: Choices) -> DryRun:
    """Everything that ordering would do but the order; raises what ordering raises, except for the balance.

    Raises:
        NotHere, Refused: as ``services.order_shoot``.
    """
    allow_write(actor)
    frozen = orders.freeze(actor, choices)
    if frozen.photo is not None:
        refuse_rejected_photo(frozen.photo.asset)
    return DryRun(
        frozen,
        pricing.price_of(choices),
        credits.balance(actor.merchant),
        queue.expected_seconds(Shoot, merchant_id=actor.merchant.pk),
    )
