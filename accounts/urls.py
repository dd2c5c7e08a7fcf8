"""Addresses of the room."""

from __future__ import annotations

from django.urls import path

from accounts.views import api_keys, people, shops

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
    path("join", people.join, name="join"),
    path("join/accept", people.accept, name="accept"),
    path("join/<str:secret>", people.invited, name="invited"),
]
