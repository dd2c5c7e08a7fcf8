"""Alt texts, written from the catalog in the language of the shop's customers."""

from __future__ import annotations

from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import override

from catalog.models import Garment
from generation.models import Kind, Picture

LONGEST = 250


def alt_of(garment: Garment, picture: Picture, language: str) -> str:
    """What a picture shows, in one line: the garment, its colour, who wears it and where.

    Args:
        picture: with its persona and its shoot's scene.
        language: of ``Storefront.Language``.
    """
    with override(language):
        parts = [_coloured(garment), *_worn(picture)]
        line = _(", ").join(part for part in parts if part)
    return str(Truncator(" ".join(line.split())).chars(LONGEST))


def _coloured(garment: Garment) -> str:
    if not garment.colour or garment.colour.casefold() in garment.name.casefold():
        return garment.name
    return _("%(name)s in %(colour)s") % {"name": garment.name, "colour": garment.colour}


def _worn(picture: Picture) -> list[str]:
    """A kind that keeps the photo's own person says nothing of who it is."""
    found = []
    if picture.persona is not None and picture.kind in (Kind.MODEL, Kind.OUTFIT, Kind.TEXT):
        found.append(_("worn by %(persona)s") % {"persona": picture.persona.label})
    scene = picture.shoot.scene
    if scene is not None and picture.kind in (Kind.MODEL, Kind.SCENE, Kind.TEXT):
        found.append(scene.label)
    return found
