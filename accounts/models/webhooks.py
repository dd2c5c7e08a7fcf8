"""Webhooks out: where to, what happened, and each delivery with its attempts (docs/webhooks.md)."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.scoping import MerchantOwned
from imodel_site.lib.ids import uuid7


class WebhookEndpoint(MerchantOwned):
    """An address of the merchant's that is told when something ends."""

    secret_columns: ClassVar[tuple[str, ...]] = ("secrets",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    url = models.CharField(_("address"), max_length=2000)
    description = models.CharField(_("what it is for"), max_length=120, blank=True)
    events = models.JSONField(default=list, help_text="types that it wants; empty for all")
    # Encrypted, newest first: [{"secret", "made", "until"}]; several while rotating, each signs (Standard Webhooks).
    secrets = models.JSONField(default=list)
    enabled = models.BooleanField(default=True)
    # Named by single calls (webhook_url of /v1/run, docs/fashn.md): told of those alone, and shown on no page.
    of_calls = models.BooleanField(default=False, db_default=False)
    disabled_reason = models.CharField(max_length=40, blank=True, help_text="gone, failing, by hand")
    failing_since = models.DateTimeField(null=True, blank=True)
    # Whose turn it is (docs/webhooks.md): quick ones never wait for the slow, and nobody for whom was served just now.
    tried_at = models.DateTimeField(null=True, blank=True)
    last_milliseconds = models.PositiveIntegerField(null=True, blank=True, help_text="the last try's; empty before it")
    rest_until = models.DateTimeField(null=True, blank=True, help_text="it said Retry-After")
    created_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(MerchantOwned.Meta):
        pass


class WebhookEvent(MerchantOwned):
    """Something that happened, written in the transaction that made it happen. ``id`` is the webhook-id."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    type = models.CharField(max_length=40)
    subject_id = models.UUIDField(help_text="the shoot, batch or export")
    round = models.PositiveIntegerField(default=0, help_text="a job that is retried ends anew: its token")
    payload = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(MerchantOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["merchant", "subject_id", "type", "round"], name="webhook_event_once"),
        ]
        indexes: ClassVar[list[Any]] = [models.Index(fields=["merchant", "-id"], name="webhook_event_newest")]


class WebhookDelivery(MerchantOwned):
    """One event on its way to one endpoint; leased as a job is, but carried by the courier."""

    class Status(models.TextChoices):
        """``waiting`` covers a delivery that is being tried: its lease says so."""

        WAITING = "waiting", _("waiting")
        DELIVERED = "delivered", _("delivered")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    event = models.ForeignKey(WebhookEvent, on_delete=models.CASCADE, related_name="deliveries")
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries")
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="how far along the schedule it is")
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    token = models.PositiveIntegerField(default=0, help_text="raised by each claim; the number of its try")
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta(MerchantOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["event", "endpoint"], name="webhook_delivery_once"),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["endpoint", "due_at"], condition=models.Q(status="waiting"), name="webhook_due"),
            models.Index(fields=["endpoint", "-id"], name="webhook_log"),
            models.Index(fields=["due_at"], condition=models.Q(status="waiting"), name="webhook_due_first"),
            models.Index(fields=["endpoint"], condition=models.Q(lease_until__isnull=False), name="webhook_in_flight"),
        ]


class WebhookAttempt(MerchantOwned):
    """One try: what came back. Never the body, which is the other side's."""

    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.CASCADE, related_name="tries")
    number = models.PositiveSmallIntegerField()
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    error_code = models.CharField(max_length=40, blank=True, help_text="when there was no answer")
    milliseconds = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(MerchantOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["delivery", "number"], name="webhook_attempt_once"),
        ]
