"""The columns of a job, and what each status means."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from imodel_site.lib.ids import uuid7


class Status(models.TextChoices):
    """Who moves a job in and out of each is written in docs/jobs.md; ``transitions.py`` is the only code that does."""

    QUEUED = "queued", _("waiting")
    PAUSED = "paused", _("paused")
    RUNNING = "running", _("running")
    SUCCEEDED = "succeeded", _("finished")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


ENDED = (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED)


class Job(models.Model):
    """Work that outlives a request. Combine with ``MerchantOwned``; set ``lane`` and register a runner."""

    lane: ClassVar[str] = "light"
    # Whether it also starts while its merchant waits to be deleted.
    while_closing: ClassVar[bool] = False

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.QUEUED)
    priority = models.SmallIntegerField(default=0, help_text="higher is sooner, within one merchant")
    # The fence: raised by each claim; every later write of that claim carries it.
    token = models.PositiveIntegerField(default=0)
    losses = models.PositiveSmallIntegerField(default=0, help_text="workers lost without progress")
    first_loss_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=80, blank=True)
    stage = models.CharField(max_length=40, blank=True)
    fraction = models.FloatField(default=0.0)
    progressed_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(max_length=64, blank=True)
    error_message = models.TextField(blank=True, help_text="for the merchant")
    error_retryable = models.BooleanField(default=False)
    idempotency_key = models.CharField(max_length=128, null=True, blank=True)
    request_hash = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    queued_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["merchant", "idempotency_key"], name="%(class)s_once_by_key"),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["status", "queued_at"], name="%(class)s_queue"),
            models.Index(fields=["merchant", "status", "-id"], name="%(class)s_of_merchant"),
            # Claims walk from merchant to merchant through the waiting ones, however many there are (claims.py).
            models.Index(
                fields=["merchant", "-priority", "queued_at"],
                condition=models.Q(status="queued"),
                name="%(class)s_waiting",
            ),
            models.Index(fields=["merchant", "-started_at"], name="%(class)s_turns"),
        ]

    @property
    def ended(self) -> bool:
        """Whether nothing will move it any more."""
        return self.status in ENDED
