"""Addresses of the room."""

from __future__ import annotations

from django.urls import path

from accounts.views import api_keys, credits, exports, people, shops, webhooks

app_name = "accounts"
urlpatterns = [
    path("shops/new", shops.create, name="create"),
    path("shops/switch", shops.switch, name="switch"),
    path("settings", shops.general, name="settings"),
    path("settings/delete", shops.delete, name="delete"),
    path("settings/keep", shops.keep, name="keep"),
    path("settings/people", people.people, name="people"),
    path("settings/people/invite", people.invite, name="invite"),
    path("settings/people/leave", people.leave, name="leave"),
    path("settings/people/<str:member_id>/role", people.change_role, name="change-role"),
    path("settings/people/<str:member_id>/remove", people.remove, name="remove"),
    path("settings/invitations/<str:invitation_id>/withdraw", people.withdraw, name="withdraw"),
    path("settings/keys", api_keys.listing, name="keys"),
    path("settings/keys/new", api_keys.make, name="make-key"),
    path("settings/keys/<str:key_id>/rotate", api_keys.rotate, name="rotate-key"),
    path("settings/keys/<str:key_id>/revoke", api_keys.revoke, name="revoke-key"),
    path("settings/data", exports.exports, name="exports"),
    path("settings/data/<str:export_id>/progress", exports.progress, name="export-progress"),
    path("settings/data/<str:export_id>/cancel", exports.cancel, name="export-cancel"),
    path("settings/data/<str:export_id>/download", exports.download, name="export-download"),
    path("settings/credits", credits.listing, name="credits"),
    path("settings/credits/threshold", credits.threshold, name="credits-threshold"),
    path("settings/credits.csv", credits.export, name="credits-export"),
    path("settings/webhooks", webhooks.listing, name="webhooks"),
    path("settings/webhooks/new", webhooks.add, name="add-webhook"),
    path("settings/webhooks/<str:webhook_id>", webhooks.one, name="webhook"),
    path("settings/webhooks/<str:webhook_id>/change", webhooks.change, name="change-webhook"),
    path("settings/webhooks/<str:webhook_id>/secret", webhooks.rotate, name="rotate-webhook"),
    path("settings/webhooks/<str:webhook_id>/switch", webhooks.switch, name="switch-webhook"),
    path("settings/webhooks/<str:webhook_id>/test", webhooks.test, name="test-webhook"),
    path("settings/webhooks/<str:webhook_id>/remove", webhooks.remove, name="remove-webhook"),
    path("settings/webhooks/<str:webhook_id>/replay", webhooks.replay_missed, name="replay-webhook"),
    path("settings/webhooks/<str:webhook_id>/replay/<str:delivery_id>", webhooks.replay, name="replay-delivery"),
    path("join", people.join, name="join"),
    path("join/accept", people.accept, name="accept"),
    path("join/<str:secret>", people.invited, name="invited"),
]
