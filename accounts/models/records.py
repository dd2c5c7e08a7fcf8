"""What is written down for later: staff's decisions, answers under an idempotency key, exports, deletions."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.scoping import MerchantOwned
from imodel_site.lib.ids import uuid7
from imodel_site.lib.jobs.model import Job


class AuditEntry(models.Model):
    """Who decided or looked at what of which merchant, when and why: append-only; a trigger of PostgreSQL's sees to it.

    Not merchant-owned: it outlives the merchant, and holds none of its texts but what staff wrote down.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    action = models.CharField(
        _("action"), max_length=40, help_text="picture.rejected, merchant.suspended, credits.granted, ..."
    )
    by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    by_email = models.EmailField(_("who"), blank=True)
    merchant_id = models.UUIDField(_("shop"), null=True, blank=True, db_index=True)
    subject_kind = models.CharField(_("about"), max_length=20, blank=True)
    subject_id = models.UUIDField(_("id"), null=True, blank=True, db_index=True)
    reason = models.CharField(_("reason"), max_length=40, blank=True, help_text="code of a reason")
    note = models.CharField(_("note"), max_length=500, blank=True)
    details = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(_("when"), auto_now_add=True)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")


class IdempotentAnswer(MerchantOwned):
    """What a changing call of the API answered, under the caller's Idempotency-Key; kept for a day and more."""

    secret_columns: ClassVar[tuple[str, ...]] = ("body",)  # it may be the one answer that showed a new secret

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key = models.CharField(max_length=128)
    request_hash = models.CharField(max_length=64, help_text="method, path and body")
    # Null while the first call is under way; a call that died there is over when its lease is.
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    body = models.JSONField(null=True, blank=True)
    location = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(MerchantOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["merchant", "key"], name="idempotent_answer_once"),
        ]
        indexes: ClassVar[list[Any]] = [models.Index(fields=["created_at"], name="idempotent_answer_age")]


class Export(MerchantOwned, Job):
    """Everything of a merchant in one archive, made in the light lane and kept for a week."""

    lane: ClassVar[str] = "light"
    while_closing: ClassVar[bool] = True  # whoever leaves takes their things along

    key = models.CharField(max_length=200, blank=True, help_text="the archive; storage key")
    bytes = models.BigIntegerField(default=0)
    rows = models.PositiveIntegerField(default=0)
    files = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField(null=True, blank=True)
    started_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta(MerchantOwned.Meta, Job.Meta):
        pass


class DeletionReport(models.Model):
    """What was removed with a merchant: outlives it, and so holds no merchant-owned text but the name."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField(unique=True)
    merchant_name = models.CharField(_("shop"), max_length=120)
    asked_by_email = models.EmailField(blank=True)
    removed = models.JSONField(default=dict, help_text="rows by table, files and bytes by kind")
    created_at = models.DateTimeField(_("when"), auto_now_add=True)

    class Meta:
        verbose_name = _("deletion report")
        verbose_name_plural = _("deletion reports")
