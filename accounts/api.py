"""Who is asking, and what may still be spent: ``/me`` and ``/credits`` (docs/api.md); webhooks: ``webhook_api``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import webhook_api  # noqa: F401  # registers its viewset
from accounts.models import LedgerEntry, Merchant, Role
from accounts.models.credits import Plan
from accounts.services import credits, plans
from imodel_site.api import MerchantView, MerchantViewSet, register, register_single
from imodel_site.lib.api_answers import answers


class MerchantSerializer(serializers.Serializer[Any]):
    """The shop."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    status = serializers.ChoiceField(choices=Merchant.Status.choices)


class UserSerializer(serializers.Serializer[Any]):
    """A person; null for a key."""

    id = serializers.UUIDField()
    email = serializers.EmailField()
    name = serializers.CharField(allow_blank=True)


class KeySerializer(serializers.Serializer[Any]):
    """An API key without its secret; null for a person."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    store = serializers.CharField(allow_blank=True)
    live = serializers.BooleanField(help_text="False for imk_test_ keys.")


class MeSerializer(serializers.Serializer[Any]):
    """Who is asking."""

    merchant = MerchantSerializer()
    user = UserSerializer(allow_null=True)
    role = serializers.ChoiceField(choices=Role.choices, allow_null=True, help_text="A person's; null for a key.")
    key = KeySerializer(allow_null=True)
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=["read", "write"]))


class Me(MerchantView):
    """Who is asking."""

    @answers({200: MeSerializer})
    def get(self, request: Request) -> Response:
        """Who is asking: the shop, and the person or the key."""
        actor = self.actor
        return Response(
            {
                "merchant": _named(actor.merchant, "id", "name", "status"),
                "user": _named(actor.user, "id", "email", "name"),
                "role": actor.role or None,
                "key": _named(actor.api_key, "id", "name", "store", "live"),
                "scopes": sorted(actor.scopes),
            }
        )


def _named(row: Any, *names: str) -> Mapping[str, Any] | None:
    return None if row is None else {name: getattr(row, name) for name in names}


class PlanSerializer(serializers.ModelSerializer[Plan]):
    """What a shop gets each month, and its limits."""

    class Meta:
        model = Plan
        fields = ("name", "title", "monthly_credits", "most_saved", "concurrency", "calls_per_minute", "batch_shoots")
        read_only_fields = fields


class CreditsSerializer(serializers.Serializer[Any]):
    """The balance."""

    available = serializers.IntegerField(min_value=0, help_text="Credits that may be spent now.")
    held = serializers.IntegerField(min_value=0, help_text="Reserved for shoots that wait or run.")
    spent_this_month = serializers.IntegerField(min_value=0)
    next_credits_on = serializers.DateField(help_text="When the month's credits come next (UTC).")
    pays_from = serializers.ChoiceField(
        choices=Merchant.Threshold.choices, help_text="Which pictures are paid for: those of this verdict and better."
    )
    plan = PlanSerializer()


class Credits(MerchantView):
    """What may still be spent."""

    @answers({200: CreditsSerializer})
    def get(self, request: Request) -> Response:
        """Balance, plan and limits."""
        merchant, now = self.actor.merchant, timezone.now()
        account = credits.account(merchant.pk)
        month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        told = {
            "available": account.available,
            "held": account.held,
            "spent_this_month": credits.spent_since(merchant.pk, month),
            "next_credits_on": credits.next_month(now.date()),
            "pays_from": merchant.pays_from,
            "plan": plans.plan_of(merchant),
        }
        return Response(CreditsSerializer(told).data)


class EntrySerializer(serializers.ModelSerializer[LedgerEntry]):
    """One movement of credits; `held` is the sum that is reserved."""

    job = serializers.UUIDField(source="job_id", allow_null=True, help_text="The shoot that it was for.")

    class Meta:
        model = LedgerEntry
        fields = (
            "id", "kind", "available_change", "held_change", "available_after", "held_after", "job", "note",
            "created_at",
        )  # fmt: skip
        read_only_fields = fields


class EntryFilters(serializers.Serializer[Any]):
    """What the ledger can be narrowed to."""

    kind = serializers.ChoiceField(choices=LedgerEntry.Kind.choices, required=False, help_text="This kind of movement.")
    job = serializers.UUIDField(required=False, help_text="Movements for this shoot.", source="job_id")


class Entries(mixins.ListModelMixin, MerchantViewSet):
    """The ledger."""

    model = LedgerEntry
    serializer_class = EntrySerializer
    filters = EntryFilters

    def refine(self, rows: Any) -> Any:
        """By kind and shoot."""
        return rows.filter(**self.wanted)

    @answers({200: EntrySerializer(many=True)})
    def list(self, request: Request) -> Response:
        """Every movement of credits, newest first."""
        return super().list(request)


register_single("me", Me)
register_single("credits", Credits)
register("credits/entries", Entries)
