"""Plans, and what a merchant may still spend: an append-only ledger and the account that sums it up."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.scoping import MerchantOwned
from imodel_site.lib.ids import uuid7


class Plan(models.Model):
    """What a merchant gets each month, and its limits. Staff edit them; ``name`` is the stable key."""

    name = models.SlugField(_("key"), primary_key=True, max_length=40)
    title = models.CharField(_("title"), max_length=80)
    monthly_credits = models.PositiveIntegerField(_("credits a month"), default=100)
    most_saved = models.PositiveIntegerField(
        _("most saved"), default=300, help_text=_("A month's credits top the balance up to this, never above it.")
    )
    concurrency = models.PositiveSmallIntegerField(_("jobs of one lane at once"), default=2)
    calls_per_minute = models.PositiveIntegerField(_("API calls a minute, of one key"), default=600)
    batch_shoots = models.PositiveIntegerField(_("shoots in one batch"), default=200)
    quota_bytes = models.BigIntegerField(_("bytes of stored files"), null=True, blank=True)
    is_default = models.BooleanField(_("for new shops"), default=False)
    position = models.PositiveSmallIntegerField(_("place in the list"), default=0)

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="plan_one_for_new_shops"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class CreditAccount(MerchantOwned):
    """The sums of a merchant's ledger. Changed only with an entry, by conditional updates (services/credits.py)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    available = models.BigIntegerField(default=0)
    held = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(MerchantOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["merchant"], name="credit_account_once"),
            models.CheckConstraint(condition=models.Q(available__gte=0, held__gte=0), name="credits_never_negative"),
        ]


class LedgerEntry(MerchantOwned):
    """One movement, written once and never changed; on PostgreSQL a trigger refuses UPDATE and DELETE."""

    class Kind(models.TextChoices):
        """A hold is ended by one capture, one release, or one of each (a shoot whose pictures were not all paid).

        ``free`` moves nothing: it says that a job costs nothing, and why.
        """

        MONTHLY = "monthly", _("month's credits")
        GRANT = "grant", _("granted")
        HOLD = "hold", _("reserved")
        CAPTURE = "capture", _("paid")
        RELEASE = "release", _("given back")
        FREE = "free", _("free of charge")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=7, choices=Kind.choices)
    available_change = models.BigIntegerField()
    held_change = models.BigIntegerField(default=0)
    available_after = models.BigIntegerField()
    held_after = models.BigIntegerField()
    # The job that it is for; no foreign key, so that the ledger needs no room above this one and outlives the job.
    job_id = models.UUIDField(null=True, blank=True)
    round = models.PositiveSmallIntegerField(default=0, help_text="a job that is retried is held for anew")
    period = models.CharField(max_length=12, blank=True, help_text="of a month's credits: 2026-11")
    note = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(MerchantOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["job_id", "kind", "round"], condition=models.Q(job_id__isnull=False), name="ledger_once_per_job"
            ),
            models.UniqueConstraint(
                fields=["merchant", "period"], condition=models.Q(kind="monthly"), name="ledger_once_per_month"
            ),
        ]
        indexes: ClassVar[list[Any]] = [models.Index(fields=["merchant", "-id"], name="ledger_newest")]
