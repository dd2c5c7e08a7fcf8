"""Django's admin with our site. Apart from ``apps.py``, where Django would take it for the room's own config."""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig


class StaffAdminConfig(AdminConfig):
    """allauth's login and a second factor."""

    default_site = "accounts.staff.StaffSite"
