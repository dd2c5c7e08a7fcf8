"""What shoots and pictures cost: prices are said before the order, and kept to at its end."""

from __future__ import annotations

from typing import Any

from accounts.models import Merchant
from generation.expert import ExpertChoices
from generation.models import Shoot, Verdict
from generation.orders import Choices, Frozen

CANDIDATE = 1  # credits for each candidate that is painted: pictures x best of, an expert's batch x iterations
REPLAY = 1  # a replay, though an expert's paints its whole batch again to keep one picture

_Threshold = Merchant.Threshold
# The verdicts that are paid for, by the merchant's threshold.
PAID: dict[str, frozenset[str]] = {
    _Threshold.CHECK: frozenset({Verdict.GOOD, Verdict.CHECK, Verdict.NONE}),
    _Threshold.GOOD: frozenset({Verdict.GOOD, Verdict.NONE}),
}


def price_of(choices: Choices | ExpertChoices) -> int:
    """Credits that an order reserves."""
    if isinstance(choices, ExpertChoices):
        return CANDIDATE * choices.pictures * (1 if choices.second is None else 2)
    return CANDIDATE * choices.count * choices.best_of


def price_of_frozen(frozen: Frozen) -> int:
    """Credits that a frozen order reserves, however it came about."""
    return price_of_order(frozen.order)


def price_of_order(order: dict[str, Any]) -> int:
    """As :func:`price_of_frozen`, of ``Shoot.order``."""
    if "expects" in order:
        return REPLAY
    body = order["body"]
    if "order" in body:
        return CANDIDATE * int(body["order"]["count"]) * int(body["order"]["best_of"])
    passes = 2 if "second" in body else 1
    return CANDIDATE * passes * int(body["request"]["batch_size"]) * int(body["request"]["iterations"])


def cost_of_picture(shoot: Shoot, verdict: str) -> int:
    """Credits that one finished picture costs: its share of the shoot's price, or nothing below the threshold.

    Args:
        shoot: as it was claimed: ``count`` is the number of pictures ordered; its merchant says from where on it pays.
    """
    pays = verdict in PAID[shoot.merchant.pays_from]
    return shoot.price // max(1, shoot.count) if pays else 0
