"""What staff look up and edit. Merchants' own rows stay out: their texts and pictures are seen in the queue alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, StreamingHttpResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts.audit_words import action_words
from accounts.models import AuditEntry, DeletionReport, Merchant, Plan, User
from accounts.services import audit
from accounts.services.plans import spread_limits
from imodel_site.lib.spreadsheets import csv_stream


class _Kept(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in stubs only
    """Neither added nor deleted here: both are services."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


class _Read(_Kept):
    """Nor changed."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


@admin.register(Merchant)
class MerchantAdmin(_Read):
    """Look a shop up; its page has what may be done."""

    list_display = ("name", "status", "plan", "used_bytes", "created_at", "page")
    list_filter = ("status", "plan")
    list_select_related = ("plan",)
    search_fields = ("name", "=id")
    fields = ("id", "name", "status", "suspended_reason", "plan", "concurrency", "quota_bytes", "used_bytes",
              "delete_after", "created_at", "page")  # fmt: skip

    @admin.display(description=_("What may be done"))
    def page(self, merchant: Merchant) -> str:
        """Suspend, grant, plan, cases."""
        return format_html('<a href="{}">{}</a>', reverse("generation:staff_shop", args=[merchant.pk]), _("Open"))


@admin.register(User)
class UserAdmin(_Kept):
    """Lock an account, or make it staff."""

    list_display = ("email", "name", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff")
    search_fields = ("email", "name")
    fields = ("email", "name", "language", "is_active", "is_staff", "groups", "last_login", "date_joined")
    filter_horizontal = ("groups",)

    def get_readonly_fields(self, request: Any, obj: Any = None) -> tuple[str, ...]:
        """Who is staff, and with which permissions, is a superuser's word."""
        always = ("email", "name", "language", "last_login", "date_joined")
        return always if request.user.is_superuser else (*always, "is_staff", "groups")

    def save_model(self, request: Any, obj: User, form: Any, change: bool) -> None:
        """With its entry in the log."""
        super().save_model(request, obj, form, change)
        action = "person.changed" if obj.is_active else "person.locked"
        details = {"changed": form.changed_data}
        audit.record(action=action, by=request.user, subject_kind="person", subject_id=obj.pk, details=details)


@admin.register(Plan)
class PlanAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # as above
    """What a merchant gets each month, and its limits."""

    list_display = ("title", "name", "monthly_credits", "most_saved", "concurrency", "calls_per_minute",
                    "batch_shoots", "is_default")  # fmt: skip
    ordering = ("position", "name")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The key of a plan never changes."""
        return ("name",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: somebody may be on it."""
        return False

    def save_model(self, request: Any, obj: Plan, form: Any, change: bool) -> None:
        """Its merchants get the new limits at once."""
        super().save_model(request, obj, form, change)
        spread_limits(obj)
        details = {"plan": obj.pk, "changed": form.changed_data}
        audit.record(action="plan.changed", by=request.user, subject_kind="plan", details=details)


COLUMNS = ("created_at", "action", "by_email", "merchant_id", "subject_kind", "subject_id", "reason", "note")


class ActionFilter(admin.SimpleListFilter):
    """By what was done."""

    title = _("action")
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Those that occur."""
        names = AuditEntry.objects.order_by("action").values_list("action", flat=True).distinct()
        return [(name, action_words(name)) for name in names]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """The entries of one."""
        return queryset.filter(action=self.value()) if self.value() else queryset


@admin.register(AuditEntry)
class AuditEntryAdmin(_Read):
    """The log: read, filter, take along."""

    list_display = ("created_at", "what", *COLUMNS[2:])
    list_filter = (ActionFilter, ("created_at", admin.DateFieldListFilter), "reason", "subject_kind")
    search_fields = ("by_email", "note", "=merchant_id", "=subject_id")
    ordering = ("-id",)
    show_full_result_count = False
    date_hierarchy = "created_at"

    @admin.display(description=_("action"), ordering="action")
    def what(self, entry: AuditEntry) -> str:
        """In words; the download has the codes."""
        return action_words(entry.action)

    def get_urls(self) -> list[Any]:
        """The download beside the list."""
        export = self.admin_site.admin_view(self.export)
        return [path("export.csv", export, name="accounts_auditentry_export"), *super().get_urls()]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """The log of one merchant is linked from its page."""
        return lookup == "merchant_id" or super().lookup_allowed(lookup, value, request)  # type: ignore[call-arg]

    def export(self, request: HttpRequest) -> StreamingHttpResponse:
        """What the list shows under these filters, as CSV; that it was taken is an entry itself."""
        rows = self.get_changelist_instance(request).get_queryset(request)
        audit.record(action="audit.exported", by=request.user, details={"filters": request.GET.dict()})  # type: ignore[arg-type]  # signed in
        response = StreamingHttpResponse(csv_stream(_lines(rows)), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="audit.csv"'
        response["Cache-Control"] = "private, no-store"
        return response


def _lines(rows: Any) -> Iterator[list[str]]:
    """The log belongs to no merchant, so it may be read while the answer streams."""
    yield list(COLUMNS)
    for row in rows.values_list(*COLUMNS).iterator(chunk_size=2000):
        yield [str(value if value is not None else "") for value in row]


@admin.register(DeletionReport)
class DeletionReportAdmin(_Read):
    """What was deleted with merchants."""

    list_display = ("merchant_name", "created_at")
    fields = ("merchant_id", "merchant_name", "asked_by_email", "removed", "created_at")
