"""What the scripts of each page may have to say: of a new version, of a lost connection, of what waits to be sent."""

from __future__ import annotations

from django.utils.translation import gettext as _


def words() -> dict[str, str]:
    """By the names that src/pwa uses."""
    return {
        "new_version": _("A new version is there."),
        "load_it": _("Load it"),
        "changed": _("This page has changed."),
        "show_it": _("Show it"),
        "no_line": _("No connection. You see this page as it was %(when)s."),
        "kept_for_later": _("No connection: it waits here and goes by itself."),
        "sent": _("Sent: %(what)s"),
        "refused": _("Not taken: %(what)s"),
        "shoot": _("Shoot"),
        "upload": _("Photo %(name)s"),
        "mask": _("Mask"),
        "since": _("since %(when)s"),
        "waiting": _("Waiting for a connection"),
        "failed": _("It was not taken"),
        "cancel": _("Cancel"),
        "cancel_what": _("Cancel: %(what)s"),
        "drop_waiting": _("Something still waits to be sent. Sign out and drop it?"),
        "drop_yes": _("Sign out and drop it"),
        "drop_switch_waiting": _("Something still waits to be sent. Change the shop and drop it?"),
        "drop_switch_yes": _("Change the shop and drop it"),
        "waits_for_owner": _("%(count)s waiting. Sign in to see and send it."),
        "ios_install": _("Open the Share menu of Safari and choose Add to Home Screen."),
        "nothing_kept": _("No page is kept in this browser yet."),
        "nothing_waits": _("Nothing waits to be sent."),
    }
