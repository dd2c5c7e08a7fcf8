"""What the procedural world is made of: who, wearing what, in which pose, where, in which light. All of it in words
too.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from studio.pose.body import Angles, Limb, Proportions
from studio.pose.library import POSES

COLOURS: dict[str, tuple[int, int, int]] = {
    "white": (240, 240, 236),
    "black": (34, 34, 38),
    "grey": (136, 138, 142),
    "navy": (34, 46, 92),
    "blue": (44, 96, 190),
    "sky blue": (134, 184, 226),
    "red": (200, 36, 44),
    "burgundy": (112, 24, 46),
    "pink": (236, 152, 178),
    "orange": (232, 122, 38),
    "yellow": (240, 204, 62),
    "green": (44, 134, 74),
    "olive": (112, 112, 56),
    "teal": (24, 128, 132),
    "purple": (110, 62, 150),
    "brown": (116, 76, 48),
    "beige": (212, 190, 154),
    "cream": (240, 228, 204),
}
SKINS = {
    "fair": (244, 208, 186),
    "light": (232, 186, 156),
    "olive": (206, 156, 118),
    "brown": (158, 106, 74),
    "dark": (98, 64, 46),
}
HAIR_COLOURS = {
    "black": (32, 27, 27),
    "brown": (88, 56, 36),
    "blonde": (214, 172, 104),
    "red": (158, 68, 34),
    "grey": (170, 168, 166),
}
HAIR_STYLES = {
    "woman": ("long", "short", "bob", "bun", "curly", "ponytail"),
    "man": ("short", "short", "curly", "bob", "shaved"),
}
PATTERNS = ("plain", "striped", "pinstriped", "checked", "dotted", "floral")
UPPER = ("t-shirt", "shirt", "sweater", "coat")
LOWER = ("trousers", "wide trousers", "shorts", "skirt", "pleated skirt", "mamianqun")
SCENES = (
    "white studio",
    "grey studio",
    "beige studio",
    "blue studio",
    "park",
    "autumn park",
    "beach",
    "street",
    "living room",
    "mountains",
    "desert",
    "gallery",
)
CROPS = {"head-to-toe": "full body photo", "knee-up": "knee up photo", "waist-up": "waist up photo"}


def tone(colour: str) -> tuple[int, int, int]:
    """sRGB bytes of a name of :data:`COLOURS` or of ``"#rrggbb"``."""
    if colour.startswith("#"):
        return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
    return COLOURS[colour]


def nearest_name(colour: str) -> str:
    """The name itself, or of ``"#rrggbb"`` the name of the nearest of :data:`COLOURS` (plain distance in sRGB)."""
    if colour in COLOURS:
        return colour
    asked = np.asarray(tone(colour), np.int64)
    return min(COLOURS, key=lambda name: int(np.sum((np.asarray(COLOURS[name]) - asked) ** 2)))


@dataclass(frozen=True)
class Garment:
    """One piece of clothing; ``sleeve`` is none, short or long, ``length`` short, knee or long.

    A colour is a name of :data:`COLOURS` or ``"#rrggbb"``, a pattern one of :data:`PATTERNS` or of
    :data:`studio.mini.world.prints.PRINTS`, of which some have a ``third`` colour. Neither hex colours nor prints are
    in what ``mini`` was trained on: garments it has never seen and has no words for.
    """

    category: str
    colour: str = "red"
    pattern: str = "plain"
    second: str = "white"
    sleeve: str = "short"
    length: str = "knee"
    fit: float = 0.0
    third: str = "cream"

    @property
    def words(self) -> str:
        """How a caption says it."""
        name = nearest_name(self.colour)
        colour = f"{name} {self.pattern}" if self.pattern in PATTERNS[1:] else name
        cut = {"t-shirt": f"{self.sleeve} sleeved ", "dress": f"{self.sleeve} sleeved {self.length} "}.get(
            self.category, ""
        )
        if self.category in ("skirt", "pleated skirt"):
            cut = f"{self.length} "
        return f"{colour} {cut}{self.category}".replace("none sleeved", "sleeveless")


@dataclass(frozen=True)
class Person:
    """Who wears it. A mannequin has no head; its ``skin`` is then a colour of :data:`COLOURS`."""

    sex: str = "woman"
    skin: str = "light"
    hair: str = "long"
    hair_colour: str = "brown"
    mannequin: bool = False
    stand: bool = False
    build: float = 0.0
    proportions: Proportions = field(default_factory=Proportions)

    @property
    def words(self) -> str:
        """How a caption says it."""
        if self.mannequin:
            return f"a headless {self.skin} mannequin"
        hair = {
            "shaved": "a shaved head",
            "bun": f"{self.hair_colour} hair in a bun",
            "ponytail": f"{self.hair_colour} hair in a ponytail",
        }.get(self.hair, f"{self.hair} {self.hair_colour} hair")
        return f"a {self.sex} with {self.skin} skin and {hair}"


@dataclass(frozen=True)
class Spec:
    """One picture of the world, completely: the same spec draws the same picture."""

    person: Person = field(default_factory=Person)
    upper: Garment | None = None
    lower: Garment | None = None
    full: Garment | None = None
    angles: Angles = field(default_factory=Angles)
    pose_words: str = "standing"
    view_words: str = "front view"
    scene: str = "white studio"
    crop: str = "head-to-toe"
    light: float = -35.0
    shoe: str = "black"
    offset: tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0
    seed: int = 0

    @property
    def garments(self) -> list[Garment]:
        """The visible pieces, the main one first."""
        return [g for g in (self.full, self.upper, self.lower) if g is not None]

    @property
    def caption(self) -> str:
        """The picture in words; prompts of the personas, scenes and poses are built from the same phrases."""
        wearing = " and ".join(g.words for g in self.garments)
        how = f"{self.pose_words}, {self.view_words}, {self.scene}"
        return f"{CROPS[self.crop]} of {self.person.words} wearing {wearing}, {how}"


def random_spec(seed: int) -> Spec:
    """A random picture of the world; equal seeds give equal specs."""
    rng = np.random.default_rng(seed)
    person = _person(rng)
    pose = POSES[str(rng.choice(list(POSES)))]
    if person.mannequin and pose.name in ("sitting", "hand-raised", "walking-side", "leaning"):
        pose = POSES["front"]
    spec = Spec(
        person=person,
        angles=jitter(pose.angles, rng),
        pose_words=pose.words,
        view_words=pose.view,
        scene=str(rng.choice(SCENES)),
        crop=str(rng.choice(list(CROPS), p=[0.62, 0.22, 0.16])),
        light=float(rng.uniform(-65, 65)),
        shoe=str(rng.choice(["black", "white", "brown", "beige", "navy"])),
        offset=(float(rng.uniform(-0.05, 0.05)), float(rng.uniform(-0.015, 0.015))),
        scale=float(rng.uniform(0.95, 1.02)),
        seed=seed,
    )
    if person.mannequin:
        spec = replace(spec, scene=str(rng.choice(SCENES[:4])), crop="head-to-toe")
    return _dressed(spec, rng)


def jitter(angles: Angles, rng: np.random.Generator) -> Angles:
    """The pose, a few degrees off in every joint and sometimes mirrored."""

    def limb(one: Limb, amount: float) -> Limb:
        a, b, c, d = rng.normal(0, amount, 4)
        return Limb((one.upper[0] + abs(a), one.upper[1] + b), (one.lower[0] + c * 0.7, one.lower[1] + d))

    out = replace(
        angles,
        left_arm=limb(angles.left_arm, 5),
        right_arm=limb(angles.right_arm, 5),
        left_leg=limb(angles.left_leg, 2),
        right_leg=limb(angles.right_leg, 2),
        yaw=angles.yaw + rng.normal(0, 6),
        head_yaw=angles.head_yaw + rng.normal(0, 7),
        head_pitch=float(rng.normal(0, 3)),
        shoulder_tilt=angles.shoulder_tilt + rng.normal(0, 1.5),
    )
    return out.mirrored() if rng.random() < 0.5 else out


def _person(rng: np.random.Generator) -> Person:
    sex = "woman" if rng.random() < 0.62 else "man"
    base = Proportions() if sex == "woman" else Proportions(shoulder_width=0.224, hip_width=0.112, torso=0.296)
    stretch = {k: float(getattr(base, k) * rng.normal(1, 0.03)) for k in base.__dataclass_fields__}
    mannequin = rng.random() < 0.2
    skin = str(rng.choice(["white", "grey", "beige", "black"] if mannequin else list(SKINS)))
    return Person(
        sex=sex,
        skin=skin,
        hair=str(rng.choice(HAIR_STYLES[sex])),
        hair_colour=str(rng.choice(list(HAIR_COLOURS))),
        mannequin=mannequin,
        stand=mannequin and rng.random() < 0.5,
        build=float(rng.normal(0, 0.05)),
        proportions=Proportions(**stretch),
    )


def random_garment(category: str, rng: np.random.Generator) -> Garment:
    """A garment of that category in a random colour, pattern and cut."""
    colour, second = (str(c) for c in rng.choice(list(COLOURS), 2, replace=False))
    patterns = ("plain", "floral") if category == "mamianqun" else PATTERNS
    weights = np.array([0.5 if p == "plain" else 0.5 / (len(patterns) - 1) for p in patterns])
    sleeve = {"shirt": "long", "sweater": "long", "coat": "long"}.get(
        category, str(rng.choice(["short", "short", "long", "none"]))
    )
    return Garment(
        category,
        colour,
        str(rng.choice(patterns, p=weights)),
        second,
        sleeve,
        str(rng.choice(["short", "knee", "long"])),
        float(rng.normal(0, 0.05)),
    )


def _dressed(spec: Spec, rng: np.random.Generator) -> Spec:
    if spec.person.sex == "woman" and rng.random() < 0.3:
        return replace(spec, full=random_garment("dress", rng))
    upper = random_garment(str(rng.choice(UPPER, p=[0.36, 0.24, 0.2, 0.2])), rng)
    odds = [0.3, 0.14, 0.1, 0.18, 0.14, 0.14] if spec.person.sex == "woman" else [0.6, 0.2, 0.2, 0, 0, 0]
    lower = random_garment(str(rng.choice(LOWER, p=odds)), rng)
    if lower.pattern in ("striped", "floral") and lower.category in ("trousers", "shorts"):
        lower = replace(lower, pattern="plain")
    return replace(spec, upper=upper, lower=lower)
