"""Choices from which a merchant's own personas and scenes are made: taps become words, nobody types them.

The words are those of studio's own presets (``studio.shoot.presets``), which the bundled text encoder was trained on;
age, build and light are plain English that larger encoders understand and the small one reads past.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

GENDERS = {"woman": _("Woman"), "man": _("Man")}
AGES = {"": _("Adult"), "young": _("Young"), "middle-aged": _("Middle-aged"), "older": _("Older")}
BUILDS = {"": _("Average"), "slim": _("Slim"), "athletic": _("Athletic"), "curvy": _("Curvy")}
SKINS = {"fair": _("Fair"), "light": _("Light"), "olive": _("Olive"), "brown": _("Brown"), "dark": _("Dark")}
HAIRS = {
    "long": _("Long"),
    "short": _("Short"),
    "bob": _("Bob"),
    "bun": _("Bun"),
    "curly": _("Curly"),
    "ponytail": _("Ponytail"),
    "shaved": _("Shaved"),
}
HAIR_COLOURS = {
    "black": _("Black"),
    "brown": _("Brown"),
    "blonde": _("Blonde"),
    "red": _("Red"),
    "grey": _("Grey"),
}
BELOWS = {
    "navy trousers": _("Navy trousers"),
    "black trousers": _("Black trousers"),
    "beige wide trousers": _("Beige wide trousers"),
    "white trousers": _("White trousers"),
    "sky blue trousers": _("Sky blue trousers"),
    "black knee skirt": _("Black knee skirt"),
}
ABOVES = {
    "white short sleeved t-shirt": _("White T-shirt"),
    "black short sleeved t-shirt": _("Black T-shirt"),
    "white shirt": _("White shirt"),
    "grey sweater": _("Grey sweater"),
    "black sweater": _("Black sweater"),
}
PLACES = {
    "white studio": _("White studio"),
    "grey studio": _("Grey studio"),
    "beige studio": _("Beige studio"),
    "blue studio": _("Blue studio"),
    "park": _("Park"),
    "autumn park": _("Autumn park"),
    "beach": _("Beach"),
    "street": _("Street"),
    "living room": _("Living room"),
    "mountains": _("Mountains"),
    "desert": _("Desert"),
    "gallery": _("Gallery"),
}
LIGHTS = {
    "": _("As it is"),
    "soft daylight": _("Soft daylight"),
    "bright sunlight": _("Bright sun"),
    "golden hour": _("Golden hour"),
    "evening light": _("Evening"),
    "studio light": _("Studio light"),
}
TONES = {"": _("As it is"), "warm colours": _("Warm"), "cool colours": _("Cool"), "pastel colours": _("Pastel")}

# Titles of the shared library, for the translators: presets carry them in English.
SHARED_TITLES = (
    _("Front"),
    _("Relaxed stand"),
    _("Three-quarter, left"),
    _("Three-quarter, right"),
    _("Side, left"),
    _("Side, right"),
    _("Back"),
    _("Back, three-quarter"),
    _("Walking"),
    _("Walking, from the side"),
    _("Hands on hips"),
    _("One hand on hip"),
    _("Arms crossed"),
    _("Hands in pockets"),
    _("Arms open"),
    _("Hand to hair"),
    _("Sitting"),
    _("Legs crossed"),
    _("Leaning"),
    _("Wide stance"),
)


@dataclass(frozen=True)
class Traits:
    """A persona's choices, each a key of the tables above."""

    gender: str = "woman"
    skin: str = "light"
    hair: str = "long"
    hair_colour: str = "brown"
    age: str = ""
    build: str = ""

    @property
    def words(self) -> str:
        """As a prompt says it: 'a young woman with light skin and long brown hair'."""
        who = " ".join(word for word in (self.age, self.build, self.gender) if word)
        article = "an" if who[0] in "aeiou" else "a"
        return f"{article} {who} with {self.skin} skin and {self._hair_words}"

    @property
    def _hair_words(self) -> str:
        if self.hair == "shaved":
            return "a shaved head"
        if self.hair in ("bun", "ponytail"):
            return f"{self.hair_colour} hair in a {self.hair}"
        return f"{self.hair} {self.hair_colour} hair"

    @property
    def picture(self) -> str:
        """The static picture of somebody like that (tools/library_pictures.py drew one of each)."""
        hair = "shaved" if self.hair == "shaved" else f"{self.hair}-{self.hair_colour}"
        return f"library/faces/{self.gender}-{self.skin}-{hair}.webp"


_TABLES = {"gender": GENDERS, "age": AGES, "build": BUILDS, "skin": SKINS, "hair": HAIRS, "hair_colour": HAIR_COLOURS}


def trait_labels(traits: Mapping[str, str]) -> str:
    """The choices that say something, as their forms name them: 'Woman, Olive, Bob, Black'."""
    said = [str(table[traits[key]]) for key, table in _TABLES.items() if table.get(traits.get(key) or "-")]
    return ", ".join(said)


def scene_words(*, place: str, light: str, tone: str) -> str:
    """As a prompt says it: 'park, golden hour, warm colours'."""
    return ", ".join(word for word in (place, light, tone) if word)


def scene_picture(place: str) -> str:
    """The shared scene's picture."""
    return f"library/scenes/{place.replace(' ', '-')}.webp"


def options(table: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """For a form's field."""
    return list(table.items())
