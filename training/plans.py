"""From a merchant's wishes to the trainer's plan: what is left open is as the studio advises for this many pictures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from imodel_site.lib.errors import Refused, from_studio
from studio.errors import InputError
from studio.lora.plans import plan_for
from studio.lora.types import Plan

MOST_STEPS, LEAST_STEPS = 20_000, 10
SEEDS = 2**32


class Effort(models.TextChoices):
    """How long it may take; the steps are a multiple of those that the studio advises."""

    QUICK = "quick", lazy("Quick")
    USUAL = "usual", lazy("As advised")
    LONG = "long", lazy("Thorough")


SHARE: dict[str, float] = {Effort.QUICK: 0.5, Effort.USUAL: 1.0, Effort.LONG: 2.0}


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """How a merchant wants it trained; None leaves it to the studio.

    Attributes:
        effort: see :class:`Effort`.
        family: of weights; empty for the site's own.
        steps: of the optimizer, instead of what the effort comes to.
        rank: of the matrices, 1 to 128.
        learning_rate: of the denoiser's matrices.
        text_encoder: whether the text encoder learns too.
        convolution: whether convolutions learn besides attention.
        seed: the same seed, pictures and plan make the same adapter.
    """

    effort: str = Effort.USUAL
    family: str = ""
    steps: int | None = None
    rank: int | None = None
    learning_rate: float | None = None
    text_encoder: bool | None = None
    convolution: bool | None = None
    seed: int | None = None


def plan_of(wishes: Wishes, *, trigger: str, pictures: int) -> dict[str, Any]:
    """The plan as JSON.

    Args:
        pictures: that are learned from.

    Raises:
        Refused: ``family_unknown``, ``effort_unknown``, ``steps_out_of_range``, or a code of the trainer's.
    """
    family = wishes.family or settings.ENGINE
    if family not in trainable():
        raise Refused("family_unknown", _("Choose one of those that are offered."), field="family")
    if wishes.effort not in SHARE:
        raise Refused("effort_unknown", _("Choose one of those that are offered."), field="effort")
    try:
        base = as_json(plan_for(family, trigger=trigger, pictures=max(1, pictures)))
        return as_json(Plan.from_json(base | _wished(wishes, base)))
    except InputError as error:
        raise from_studio(error) from error


def as_json(plan: Plan) -> dict[str, Any]:
    """A plan's fields, as a row keeps them."""
    found: dict[str, Any] = json.loads(plan.to_json())
    return found


def trainable() -> tuple[str, ...]:
    """The families that this installation trains for."""
    return tuple(dict.fromkeys((settings.ENGINE, *settings.ENGINES)))


def _wished(wishes: Wishes, base: dict[str, Any]) -> dict[str, Any]:
    steps = wishes.steps if wishes.steps is not None else round(base["steps"] * SHARE[wishes.effort])
    if not LEAST_STEPS <= steps <= MOST_STEPS:
        words = _("Give a number from %(least)d to %(most)d.") % {"least": LEAST_STEPS, "most": MOST_STEPS}
        raise Refused("steps_out_of_range", words, field="steps")
    named: dict[str, Any] = {"rank": wishes.rank, "learning_rate": wishes.learning_rate, "seed": wishes.seed}
    if wishes.text_encoder is not None:
        named["text_encoder"] = wishes.text_encoder
    if wishes.convolution is not None:
        named["modules"] = "attention+conv" if wishes.convolution else "attention"
    if wishes.rank is not None:
        named["alpha"] = wishes.rank * base["alpha"] / base["rank"]
    return _paced(steps, base) | {key: value for key, value in named.items() if value is not None}


def _paced(steps: int, base: dict[str, Any]) -> dict[str, Any]:
    """Another length keeps the rhythm: as many checkpoints, validations and samples as the advised one has."""
    share = steps / base["steps"]
    paced = {name: max(1, round(base[name] * share)) for name in ("save_every", "validate_every", "sample_every")}
    return {"steps": steps, "warmup_steps": round(base["warmup_steps"] * share), **paced}
