"""Why something is looked at and why it is removed: codes for rows and programs, words for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

# Staff's reasons, in the order of the keys 1, 2, 3 ... on the queue's page. Codes never change.
REJECTIONS: Mapping[str, Any] = {
    "nudity": lazy("Nudity or sexual content"),
    "minor": lazy("A child or a teenager"),
    "violence": lazy("Violence or gore"),
    "hate": lazy("Hate or a forbidden symbol"),
    "illegal": lazy("Something that is illegal to sell"),
    "rights": lazy("Somebody else's face, brand or photo"),
    "misleading": lazy("Not a garment, or misleading"),
    "other": lazy("Another reason, see the note"),
}
# What the automatic look says (studio.safety), and what opens a case besides it.
OPENINGS: Mapping[str, Any] = {
    "much_skin": lazy("Much skin"),
    "blank": lazy("An empty picture"),
    "odd_shape": lazy("A very long shape"),
    "from_rejected_photo": lazy("Made from a rejected photo"),
    "asked_again": lazy("The merchant asks for a second look"),
    "staff": lazy("Opened by staff"),
}


def rejection(code: str) -> str:
    """A reason as people read it."""
    return str(REJECTIONS.get(code) or REJECTIONS["other"])


def opening(code: str) -> str:
    """Why a case was opened; the concepts of the safety checker have numbers for names."""
    kind, _underscore, number = code.rpartition("_")
    if number.isdigit():
        numbered = {"concept": _("Sexual content, concept %s"), "special_care": _("Special care, concept %s")}
        return numbered[kind] % number if kind in numbered else code
    return str(OPENINGS.get(code, code))
