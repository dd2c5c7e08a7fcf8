"""Webhooks; owners only, and whatever shows a secret asks who is there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts import access, webhook_log, webhook_secrets
from accounts.decorators import owner_required
from accounts.forms import ReplayForm, WebhookForm
from accounts.models import WebhookEndpoint
from accounts.services.webhooks import endpoints, events, replays
from accounts.services.webhooks.endpoints import NewSecret
from accounts.views.forms import attempt
from accounts.views.paging import cursor


@owner_required
@require_safe
def listing(request: Any) -> HttpResponse:
    """The endpoints and how they do."""
    return _list(request, WebhookForm())


def _list(request: Any, form: WebhookForm) -> HttpResponse:
    rows = list(WebhookEndpoint.objects.filter(of_calls=False).order_by("pk"))
    context = {"webhooks": rows, "form": form, "full": len(rows) >= endpoints.MOST, "tab": "webhooks"}
    return render(request, "accounts/webhooks.html", context, status=422 if form.errors else 200)


@owner_required
@require_safe
def one(request: Any, webhook_id: str) -> HttpResponse:
    """One endpoint with its log."""
    return _page(request, access.access_webhook(request.actor, webhook_id, write=False))


def _page(
    request: Any, row: WebhookEndpoint, form: WebhookForm | None = None, new: NewSecret | None = None
) -> HttpResponse:
    show = request.GET.get("show", "")
    deliveries, older = webhook_log.page(row, show=show, older_than=cursor(request.GET.get("before")))
    context = {
        "webhook": row, "form": form or WebhookForm.of(row), "new": new, "why_off": webhook_log.why_off(row),
        "old_secret_ends": webhook_secrets.old_one_ends(row.secrets), "deliveries": deliveries, "older": older,
        "show": show, "replay": ReplayForm(), "tab": "webhooks",
    }  # fmt: skip
    return render(request, "accounts/webhook.html", context, status=422 if form and form.errors else 200)


@owner_required
@require_POST
@reauthentication_required
def add(request: Any) -> HttpResponse:
    """Add an endpoint and show its secret, this once: not kept in a session, and so not after a redirect."""
    access.allow_write(request.actor)
    form = WebhookForm(request.POST)

    def make() -> NewSecret:
        return endpoints.add_endpoint(merchant=request.merchant, by=request.user, **form.given)

    new = attempt(form, make)
    return _list(request, form) if new is None else _page(request, new.row, new=new)


@owner_required
@require_POST
def change(request: Any, webhook_id: str) -> HttpResponse:
    """Another address, other events."""
    row = access.access_webhook(request.actor, webhook_id, write=True)
    form = WebhookForm(request.POST)

    def save() -> WebhookEndpoint:
        return endpoints.change_endpoint(endpoint=row, enabled=row.enabled, **form.given)

    if attempt(form, save) is None:
        return _page(request, row, form)
    messages.success(request, _("Saved."))
    return redirect("accounts:webhook", row.pk)


@owner_required
@require_POST
@reauthentication_required
def rotate(request: Any, webhook_id: str) -> HttpResponse:
    """Make a new secret and show it, this once."""
    new = endpoints.rotate_secret(endpoint=access.access_webhook(request.actor, webhook_id, write=True))
    return _page(request, new.row, new=new)


@owner_required
@require_POST
def switch(request: Any, webhook_id: str) -> HttpResponse:
    """On or off."""
    row = access.access_webhook(request.actor, webhook_id, write=True)
    on = request.POST.get("on") == "1"
    endpoints.switch(endpoint=row, on=on)
    messages.success(request, _("Switched on.") if on else _("Switched off. What was waiting is kept as failed."))
    return redirect("accounts:webhook", row.pk)


@owner_required
@require_POST
def test(request: Any, webhook_id: str) -> HttpResponse:
    """Send a test event."""
    row = access.access_webhook(request.actor, webhook_id, write=True)
    events.send_test(endpoint=row)
    messages.success(request, _("A test event is on its way. Load this page again in a moment to see what came back."))
    return redirect("accounts:webhook", row.pk)


@owner_required
@require_POST
def remove(request: Any, webhook_id: str) -> HttpResponse:
    """Remove an endpoint and its log."""
    endpoints.remove_endpoint(endpoint=access.access_webhook(request.actor, webhook_id, write=True))
    messages.success(request, _("Webhook removed."))
    return redirect("accounts:webhooks")


@owner_required
@require_POST
def replay(request: Any, webhook_id: str, delivery_id: str) -> HttpResponse:
    """Send one event again."""
    row = access.access_webhook(request.actor, webhook_id, write=True)
    replays.replay(delivery=access.access_delivery(row, delivery_id))
    messages.success(request, _("It is being sent again."))
    return redirect("accounts:webhook", row.pk)


@owner_required
@require_POST
def replay_missed(request: Any, webhook_id: str) -> HttpResponse:
    """Send again all that did not arrive since a time."""
    row = access.access_webhook(request.actor, webhook_id, write=True)
    form = ReplayForm(request.POST)
    hours = form.cleaned_data["hours"] if form.is_valid() else ReplayForm.DEFAULT
    count = replays.replay_missed(endpoint=row, since=timezone.now() - timedelta(hours=hours))
    words = ngettext("%(count)d event is being sent again.", "%(count)d events are being sent again.", count)
    messages.success(request, words % {"count": count} if count else _("Everything since then has arrived."))
    return redirect("accounts:webhook", row.pk)
