"""What a merchant picks from instead of writing prompts: who, where, how much of the body.

The phrases are those the bundled text encoder was trained on, and plain enough English for the larger ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from studio.errors import InputError


class Kind(StrEnum):
    """The kinds of shoot."""

    MODEL = "model"
    SCENE = "scene"
    POSE = "pose"
    OUTFIT = "outfit"
    TEXT = "text"


@dataclass(frozen=True)
class Persona:
    """Who wears the garment. ``outfit`` is what completes it: what goes below a top, and above trousers or a skirt."""

    name: str
    title: str
    words: str
    below: str
    above: str


@dataclass(frozen=True)
class Scene:
    """Where the picture is taken."""

    name: str
    title: str
    words: str


# 33 rows of x, y, z, confidence in MediaPipe's order.
Landmarks = tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True)
class OwnPose:
    """A pose that is not of the library: how somebody stands, as landmarks.

    Attributes:
        name: what the recipe calls it.
        landmarks: 33 rows of x, y, z, confidence in MediaPipe's order (``studio.pose.types.J``): x right and y down in
            any one unit, z in the same unit, negative towards the camera, 0 throughout when unknown; confidence 0..1.
        words, view: how a prompt says it and from where it is seen, as in the library.
    """

    name: str
    landmarks: Landmarks
    words: str = "standing"
    view: str = "front view"


def _persona(name: str, words: str, below: str, above: str) -> Persona:
    return Persona(name, name.capitalize(), words, below, above)


_PERSONAS = (
    _persona("amelie", "a woman with fair skin and long brown hair", "navy trousers", "white short sleeved t-shirt"),
    _persona("ines", "a woman with olive skin and short black hair", "beige wide trousers", "white shirt"),
    _persona(
        "adaeze", "a woman with dark skin and black hair in a bun", "white trousers", "cream short sleeved t-shirt"
    ),
    _persona("mei", "a woman with light skin and black hair in a ponytail", "black knee skirt", "white sweater"),
    _persona("frida", "a woman with fair skin and blonde hair in a ponytail", "sky blue trousers", "grey sweater"),
    _persona("priya", "a woman with brown skin and long black hair", "cream wide trousers", "white shirt"),
    _persona("rosa", "a woman with light skin and curly red hair", "black trousers", "black short sleeved t-shirt"),
    _persona("noah", "a man with fair skin and short brown hair", "navy trousers", "white short sleeved t-shirt"),
    _persona("kofi", "a man with dark skin and short black hair", "beige trousers", "white shirt"),
    _persona("mateo", "a man with olive skin and short black hair", "black trousers", "grey short sleeved t-shirt"),
    _persona("jun", "a man with light skin and short black hair", "grey trousers", "black sweater"),
    _persona("arjun", "a man with brown skin and curly black hair", "cream trousers", "white shirt"),
)
PERSONAS: Mapping[str, Persona] = {p.name: p for p in _PERSONAS}

_SCENES = (
    Scene("white-studio", "White studio", "white studio"),
    Scene("grey-studio", "Grey studio", "grey studio"),
    Scene("beige-studio", "Beige studio", "beige studio"),
    Scene("blue-studio", "Blue studio", "blue studio"),
    Scene("park", "Park", "park"),
    Scene("autumn-park", "Autumn park", "autumn park"),
    Scene("beach", "Beach", "beach"),
    Scene("street", "Street", "street"),
    Scene("living-room", "Living room", "living room"),
    Scene("mountains", "Mountains", "mountains"),
    Scene("desert", "Desert", "desert"),
    Scene("gallery", "Gallery", "gallery"),
)
SCENES: Mapping[str, Scene] = {s.name: s for s in _SCENES}

CROP_WORDS: Mapping[str, str] = {
    "head-to-toe": "full body photo",
    "knee-up": "knee up photo",
    "waist-up": "waist up photo",
}

# What outfit changes and text shoots offer without typing.
OUTFITS: Mapping[str, str] = {
    "red-dress": "red short sleeved knee dress",
    "navy-coat": "navy coat",
    "white-shirt": "white shirt",
    "green-sweater": "green sweater",
    "striped-tee": "navy striped short sleeved t-shirt",
    "mamianqun": "burgundy mamianqun",
}

Preset = TypeVar("Preset")


def pick(kind: str, table: Mapping[str, Preset], name: str) -> Preset:
    """The preset of that name.

    Raises:
        InputError: ``persona_unknown``, ``scene_unknown`` ..., with the names there are.
    """
    if name not in table:
        raise InputError(f"{kind}_unknown", f"There is no {kind} named {name!r}. Choose one of: {', '.join(table)}.")
    return table[name]
