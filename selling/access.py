"""Who may see and change what stands in a shop."""

from __future__ import annotations

from typing import Any

from accounts.access import access_row, allow_write
from accounts.actors import Actor
from selling.models import Publication


def access_publication(actor: Actor, identity: Any, *, write: bool) -> Publication:
    """A publication of the actor's merchant, ended ones as well."""
    if write:
        allow_write(actor)
    found: Publication = access_row(Publication.objects.select_related("garment", "picture"), identity)
    return found
