"""Picture cards of which a batch takes as many as one likes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db.models import F
from django.templatetags.static import static
from django.utils.translation import gettext as _

from catalog.models import Pose
from generation.forms import crop_choices
from generation.wizard import LIBRARY, Card, card_image


def shelf(library: Any, chosen: Collection[UUID]) -> list[Card]:
    """The merchant's own, then the shared ones; what was chosen is among them, however many there are."""
    rows = library.objects.select_related("asset").order_by(F("merchant").asc(nulls_last=True), "position", "id")
    first = list(rows.values_list("pk", flat=True)[:LIBRARY])
    found = rows.filter(pk__in={*first, *chosen})
    return [Card(str(row.pk), row.label, card_image(row), row.pk in chosen) for row in found]


def poses(chosen: Collection[UUID | None]) -> list[Card]:
    """The pose of each photo, then the library's."""
    kept = Card("", _("As in photo"), static("ui/img/crops/as-photographed.svg"), None in chosen)
    return [kept, *shelf(Pose, [pose for pose in chosen if pose])]


def crops(chosen: str) -> list[Card]:
    """How much of the body is shown."""
    return [
        Card(name, str(label), static(f"ui/img/crops/{name}.svg"), name == chosen) for name, label in crop_choices()
    ]
