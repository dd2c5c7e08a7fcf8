"""``/api/v1/webhooks``: endpoints, their secrets and logs, for owners and keys that may write (docs/webhooks.md)."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import access
from accounts.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from accounts.once import kept_as, takes_long
from accounts.services.webhooks import TYPES, endpoints, events, replays
from accounts.services.webhooks.endpoints import NewSecret
from accounts.services.webhooks.outcomes import BY_HAND, FAILING, GONE
from imodel_site.api import MerchantViewSet, register
from imodel_site.lib.api_answers import answers, example

SECRET = "Starts with whsec_. Shown here only; null where the call is repeated under an Idempotency-Key."


class WebhookOrder(serializers.Serializer[Any]):
    """Where to, and what of."""

    url = serializers.CharField(max_length=2000, help_text="https, of a public host; the port is 443 or 8443.")
    description = serializers.CharField(max_length=120, required=False, allow_blank=True, help_text="What it is for.")
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=list(TYPES)),
        required=False,
        max_length=len(TYPES),
        help_text="What it is told of; empty for all, also for types that come later.",
    )


class WebhookChange(WebhookOrder):
    """What is left out stays as it is."""

    enabled = serializers.BooleanField(
        required=False,
        help_text="false: what waits ends as failed. true: starts afresh; send /replay for what was missed.",
    )


class WebhookSerializer(serializers.ModelSerializer[WebhookEndpoint]):
    """An address that is told when something happens."""

    events = serializers.ListField(child=serializers.CharField(), help_text="Empty for all.")
    disabled_reason = serializers.SerializerMethodField(help_text="Null while it is enabled.")
    failing_since = serializers.DateTimeField(allow_null=True, help_text="Nothing arrived since then; null if it did.")
    last_tried_at = serializers.DateTimeField(source="tried_at", allow_null=True)

    class Meta:
        model = WebhookEndpoint
        fields: ClassVar[list[str]] = [
            "id", "url", "description", "events", "enabled", "disabled_reason", "failing_since", "last_tried_at",
            "created_at",
        ]  # fmt: skip

    def get_disabled_reason(self, row: WebhookEndpoint) -> str | None:
        """``gone`` (it answered 410), ``failing`` or ``by_hand``."""
        return None if row.enabled else row.disabled_reason if row.disabled_reason in (GONE, FAILING) else BY_HAND


class NewWebhookSerializer(WebhookSerializer):
    """With the secret that signatures are checked with."""

    secret = serializers.CharField(allow_null=True, help_text=SECRET)

    class Meta(WebhookSerializer.Meta):
        fields: ClassVar[list[str]] = [*WebhookSerializer.Meta.fields, "secret"]


class AttemptSerializer(serializers.ModelSerializer[WebhookAttempt]):
    """One try."""

    # Spelled out: taken from the model they would bring along the range of whichever database serves.
    number = serializers.IntegerField()
    milliseconds = serializers.IntegerField()
    status = serializers.IntegerField(source="status_code", allow_null=True, help_text="Null without an answer.")
    error = serializers.CharField(source="error_code", help_text="Why there was none, such as url_too_slow.")
    at = serializers.DateTimeField(source="created_at")

    class Meta:
        model = WebhookAttempt
        fields: ClassVar[list[str]] = ["number", "status", "error", "milliseconds", "at"]


class DeliverySerializer(serializers.ModelSerializer[WebhookDelivery]):
    """One event on its way to one webhook."""

    webhook_id = serializers.UUIDField(source="event_id", help_text="The webhook-id header, in every try.")
    type = serializers.CharField(source="event.type")
    data = serializers.JSONField(source="event.payload", help_text="What the body holds as data.")
    next_try_at = serializers.SerializerMethodField()
    attempts = AttemptSerializer(source="tries", many=True)
    happened_at = serializers.DateTimeField(source="event.created_at")

    class Meta:
        model = WebhookDelivery
        fields: ClassVar[list[str]] = [
            "id", "webhook_id", "type", "data", "status", "attempts", "happened_at", "next_try_at", "ended_at",
        ]  # fmt: skip

    def get_next_try_at(self, row: WebhookDelivery) -> str | None:
        """Null once it has ended."""
        return row.due_at.isoformat() if row.status == WebhookDelivery.Status.WAITING else None


class DeliveryFilters(serializers.Serializer[Any]):
    """What the log can be narrowed to."""

    status = serializers.ChoiceField(
        choices=WebhookDelivery.Status.choices, required=False, help_text="In this status."
    )


class ReplayOrder(serializers.Serializer[Any]):
    """How far back."""

    since = serializers.DateTimeField(help_text="At most 29 days ago, nor before the webhook was made.")


class ReplayedSerializer(serializers.Serializer[Any]):
    """What follows."""

    count = serializers.IntegerField(help_text="Events that are sent now.")


class Webhooks(mixins.ListModelMixin, mixins.RetrieveModelMixin, MerchantViewSet):
    """Addresses of the shop's own that are told when something happens; owners and write keys only."""

    model = WebhookEndpoint
    serializer_class = WebhookSerializer

    def refine(self, rows: Any) -> Any:
        """For those only who may deal with them, also for reading."""
        access.allow_webhooks(self.actor, write=False)
        return rows.filter(of_calls=False)

    @answers({201: NewWebhookSerializer}, takes=WebhookOrder, examples=[
        example("Pictures and failures", {"url": "https://shop.example/imodel",
                                          "events": ["shoot.succeeded", "shoot.failed"]}),
    ])  # fmt: skip
    @takes_long
    def create(self, request: Request) -> Response:
        """Add a webhook; its secret is shown this once."""
        access.allow_webhooks(self.actor, write=True)
        given = _checked(WebhookOrder(data=request.data))
        new = endpoints.add_endpoint(merchant=self.actor.merchant, by=self.actor.user, **given)
        return _with_secret(new, status.HTTP_201_CREATED)

    @answers({200: WebhookSerializer}, takes=WebhookChange)
    @takes_long
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a webhook, or switch it off or on."""
        row = self._mine(pk)
        there = {name: getattr(row, name) for name in ("url", "events", "description", "enabled")}
        given = {**there, **_checked(WebhookChange(data=request.data, partial=True))}
        return Response(WebhookSerializer(endpoints.change_endpoint(endpoint=row, **given)).data)

    @answers({204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Remove a webhook with its log."""
        endpoints.remove_endpoint(endpoint=self._mine(pk))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @answers({200: NewWebhookSerializer})
    @action(detail=True, methods=["post"])
    def secret(self, request: Request, pk: str) -> Response:
        """Make a new secret; the one before it signs along for 24 hours."""
        return _with_secret(endpoints.rotate_secret(endpoint=self._mine(pk)), status.HTTP_200_OK)

    @answers({202: DeliverySerializer})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Send a test event, tried once."""
        row = self._mine(pk)
        return self._accepted(row, DeliverySerializer(events.send_test(endpoint=row)).data)

    @answers({202: ReplayedSerializer}, takes=ReplayOrder)
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, pk: str) -> Response:
        """Send all that did not arrive since a time, also what happened while it was off."""
        row = self._mine(pk)
        count = replays.replay_missed(endpoint=row, **_checked(ReplayOrder(data=request.data)))
        return self._accepted(row, {"count": count})

    @extend_schema(parameters=[DeliveryFilters])
    @answers({200: DeliverySerializer(many=True)}, refuses=(400,))
    @action(detail=True, methods=["get"])
    def deliveries(self, request: Request, pk: str) -> Response:
        """List deliveries with their tries, newest first."""
        wanted = _checked(DeliveryFilters(data=request.query_params.dict()))
        rows = WebhookDelivery.objects.filter(endpoint=self.get_object(), **wanted)
        page = self.paginate_queryset(rows.select_related("event").prefetch_related("tries"))
        return self.get_paginated_response(DeliverySerializer(page, many=True).data)

    @answers({202: DeliverySerializer})
    @action(detail=True, methods=["post"], url_path=r"deliveries/(?P<delivery_id>[^/.]+)/replay")
    def replay_one(self, request: Request, pk: str, delivery_id: str) -> Response:
        """Send one event again, under the same webhook-id."""
        row = self._mine(pk)
        again = replays.replay(delivery=access.access_delivery(row, delivery_id))
        return self._accepted(row, DeliverySerializer(again).data)

    def _mine(self, pk: str) -> WebhookEndpoint:
        return access.access_webhook(self.actor, pk, write=True)

    def _accepted(self, row: WebhookEndpoint, body: Any) -> Response:
        log = self.reverse_action("deliveries", args=[row.pk])
        return Response(body, status=status.HTTP_202_ACCEPTED, headers={"Location": log})


def _checked(given: serializers.Serializer[Any]) -> dict[str, Any]:
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


def _with_secret(new: NewSecret, code: int) -> Response:
    """What an Idempotency-Key keeps of it has no secret: that is stored nowhere in the clear."""
    shown = dict(WebhookSerializer(new.row).data)
    return kept_as(Response({**shown, "secret": new.text}, status=code), {**shown, "secret": None})


register("webhooks", Webhooks)
