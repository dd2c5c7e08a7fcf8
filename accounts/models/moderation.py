"""The state that every upload and every picture carries (docs/moderation.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class Moderation(models.TextChoices):
    """``pending``: not looked at yet. ``clear``: the automatic look found nothing. The others are staff's business.

    ``pending``, ``clear`` and ``approved`` are served to everybody who may see the row; ``flagged`` to the merchant's
    own signed-in people only, until staff decide; ``rejected`` to nobody, whatever address was handed out before.
    """

    PENDING = "pending", _("not looked at yet")
    CLEAR = "clear", _("nothing found")
    FLAGGED = "flagged", _("waits for our staff")
    APPROVED = "approved", _("approved")
    REJECTED = "rejected", _("rejected")


# What the automatic look may still change; a word of staff's stands above it.
UNDECIDED = (Moderation.PENDING, Moderation.CLEAR)
HIDDEN_FROM_STRANGERS = (Moderation.FLAGGED, Moderation.REJECTED)


def state_after_look(finding: Mapping[str, Any] | None) -> dict[str, Any]:
    """The columns of ``Moderated`` after an automatic look; none for a look that did not come about (``pending``)."""
    if finding is None:
        return {}
    state = Moderation.FLAGGED if finding["flagged"] else Moderation.CLEAR
    return {"moderation": state, "findings": {"checker": finding["checker"], "reasons": finding["reasons"]}}


class Moderated(models.Model):
    """Columns of a table whose rows are moderated."""

    moderation = models.CharField(
        max_length=8,
        choices=Moderation.choices,
        default=Moderation.PENDING,
        db_default=Moderation.PENDING.value,
    )
    # What the automatic look said: {"checker", "reasons": [{"code", "score"}]}; null until it has looked.
    findings = models.JSONField(null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def rejected(self) -> bool:
        """Whether nobody gets to see it any more."""
        return self.moderation == Moderation.REJECTED

    def open_to(self, *, bearer: bool) -> bool:
        """Whether its files may be handed out; ``bearer``: by an address that opens without a sign-in."""
        return self.moderation not in HIDDEN_FROM_STRANGERS if bearer else not self.rejected
