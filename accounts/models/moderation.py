"""The state that every upload and every picture carries (docs/moderation.md)."""

from __future__ import annotations

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
