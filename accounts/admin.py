"""What staff see of people and merchants. Merchants' own rows stay out: nobody browses them without a scope."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import DeletionReport, Merchant, User


class _Kept(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in stubs only
    """Neither added nor deleted here: both are services."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


@admin.register(Merchant)
class MerchantAdmin(_Kept):
    """Suspend, open again, set limits."""

    list_display = ("name", "status", "concurrency", "used_bytes", "created_at")
    list_filter = ("status",)
    search_fields = ("name",)
    readonly_fields = ("id", "status", "used_bytes", "delete_after", "closing_asked_by", "created_at")
    actions = ("suspend", "reopen")

    @admin.action(description=_("Suspend"), permissions=["change"])
    def suspend(self, request: HttpRequest, rows: QuerySet[Merchant]) -> None:
        """Lock its members and keys out; nothing is deleted."""
        rows.filter(status=Merchant.Status.ACTIVE).update(status=Merchant.Status.SUSPENDED)

    @admin.action(description=_("Open again"), permissions=["change"])
    def reopen(self, request: HttpRequest, rows: QuerySet[Merchant]) -> None:
        """Let them in again."""
        rows.filter(status=Merchant.Status.SUSPENDED).update(status=Merchant.Status.ACTIVE)


@admin.register(User)
class UserAdmin(_Kept):
    """Lock an account."""

    list_display = ("email", "name", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff")
    search_fields = ("email", "name")
    fields = ("email", "name", "language", "is_active", "last_login", "date_joined")
    readonly_fields = ("email", "last_login", "date_joined")


@admin.register(DeletionReport)
class DeletionReportAdmin(_Kept):
    """What was deleted with merchants."""

    list_display = ("merchant_name", "created_at")
    readonly_fields = ("merchant_id", "merchant_name", "asked_by_email", "removed", "created_at")
