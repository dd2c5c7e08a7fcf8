"""The tables of the room, by what they are about."""

from __future__ import annotations

from accounts.models.credits import CreditAccount, LedgerEntry, Plan
from accounts.models.moderation import Moderated, Moderation
from accounts.models.people import ApiKey, Invitation, Membership, Merchant, Role, User, UserManager
from accounts.models.records import AuditEntry, DeletionReport, Export, IdempotentAnswer
from accounts.models.webhooks import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookEvent

__all__ = [
    "ApiKey",
    "AuditEntry",
    "CreditAccount",
    "DeletionReport",
    "Export",
    "IdempotentAnswer",
    "Invitation",
    "LedgerEntry",
    "Membership",
    "Merchant",
    "Moderated",
    "Moderation",
    "Plan",
    "Role",
    "User",
    "UserManager",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookEvent",
]
