"""What the audit log's codes mean, in words: a code that is missing here is shown as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

ACTIONS: Mapping[str, Any] = {
    "upload.opened": _("Upload put in the queue"),
    "upload.approved": _("Upload approved"),
    "upload.rejected": _("Upload rejected"),
    "upload.undone": _("Decision on an upload taken back"),
    "upload.second_look": _("Second look at an upload asked for"),
    "picture.opened": _("Picture put in the queue"),
    "picture.approved": _("Picture approved"),
    "picture.rejected": _("Picture rejected"),
    "picture.undone": _("Decision on a picture taken back"),
    "picture.second_look": _("Second look at a picture asked for"),
    "case.looked_at": _("Case looked at"),
    "merchant.suspended": _("Shop suspended"),
    "merchant.reopened": _("Shop opened again"),
    "merchant.plan_changed": _("Shop put on another plan"),
    "credits.granted": _("Credits granted"),
    "plan.changed": _("Plan changed"),
    "person.changed": _("Account changed"),
    "person.locked": _("Account locked"),
    "audit.exported": _("Audit log downloaded"),
}


def action_words(code: str) -> str:
    """What was done, as people read it."""
    return str(ACTIONS.get(code, code))
