"""The sample garments: what they are called and what is on their photos, drawn by tools/library_pictures.py.

The photos stand in ``catalog/sample_photos/`` so that adding them needs neither a worker nor the drawing's libraries.
Specs are plain values here: only the tool turns them into a drawing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_lazy as _

from catalog.models import Category

FOLDER = Path(__file__).with_name("sample_photos")
SIZE = (1200, 1800)
SMALL = (800, 1200)  # of further photos


@dataclass(frozen=True)
class Sample:
    """One sample garment.

    Attributes:
        slug: of its SKU and its file.
        wearer: ``mannequin``, ``woman`` or ``man``.
        pieces: for ``studio.mini.world.Garment``, by where they are worn (``upper``, ``lower``, ``full``); the piece
            that is sold comes first.
        pose, scene, light: as in ``studio.mini.world.Spec``.
        more: further photos, as (side, seed of ``studio.mini.world.random_spec``): who wears it there, how and where.
    """

    slug: str
    name: Any
    category: str
    colour: Any
    tags: tuple[str, ...]
    wearer: str
    pieces: Mapping[str, Mapping[str, Any]]
    scene: str = "white studio"
    pose: str = "front"
    skin: str = "white"
    hair: tuple[str, str] = ("bun", "brown")
    light: float = -35.0
    more: tuple[tuple[str, int], ...] = ()

    @property
    def sku(self) -> str:
        """Marks it as a sample for whoever cleans up."""
        return f"SAMPLE-{self.slug.upper()}"

    @property
    def path(self) -> Path:
        """Its photo."""
        return FOLDER / f"{self.slug}.jpg"

    @property
    def photos(self) -> list[tuple[Path, str]]:
        """Every photo with its side, the one of the front first."""
        further = [(FOLDER / f"{self.slug}-{n}.jpg", side) for n, (side, _seed) in enumerate(self.more, 2)]
        return [(self.path, "front"), *further]


def _on(piece: str, **values: Any) -> dict[str, dict[str, Any]]:
    return {piece: values}


PLAIN_TROUSERS = {"category": "trousers", "colour": "black"}
WHITE_SHIRT = {"category": "shirt", "colour": "white", "sleeve": "long"}

SAMPLES: tuple[Sample, ...] = (
    Sample(
        "poppy-dress",
        _("Poppy dress"),
        Category.DRESS,
        _("Red"),
        ("summer", "floral"),
        "mannequin",
        _on("full", category="dress", colour="red", pattern="floral", second="cream", sleeve="short", length="knee"),
    ),
    Sample(
        "harbour-tee",
        _("Harbour stripe T-shirt"),
        Category.TOP,
        _("Navy"),
        ("summer", "stripes"),
        "mannequin",
        _on("upper", category="t-shirt", colour="navy", pattern="striped", second="white", sleeve="short"),
        scene="grey studio",
    ),
    Sample(
        "linen-shirt",
        _("Linen shirt"),
        Category.SHIRT,
        _("Sky blue"),
        ("summer", "linen"),
        "woman",
        {"upper": {"category": "shirt", "colour": "sky blue", "sleeve": "long"}, "lower": PLAIN_TROUSERS},
        scene="beige studio",
        skin="olive",
        hair=("bun", "black"),
    ),
    Sample(
        "camel-coat",
        _("Camel coat"),
        Category.COAT,
        _("Beige"),
        ("winter", "wool"),
        "mannequin",
        _on("upper", category="coat", colour="beige", sleeve="long", length="knee"),
        scene="grey studio",
        skin="black",
    ),
    Sample(
        "forest-sweater",
        _("Forest rib sweater"),
        Category.SWEATER,
        _("Green"),
        ("winter", "knit"),
        "man",
        {"upper": {"category": "sweater", "colour": "green", "sleeve": "long"}, "lower": PLAIN_TROUSERS},
        skin="fair",
        hair=("short", "brown"),
    ),
    Sample(
        "pinstripe-dress",
        _("Pinstripe shirt dress"),
        Category.DRESS,
        _("Navy"),
        ("office",),
        "woman",
        _on(
            "full", category="dress", colour="navy", pattern="pinstriped", second="white", sleeve="long", length="knee"
        ),
        scene="white studio",
        skin="dark",
        hair=("bun", "black"),
    ),
    Sample(
        "burgundy-skirt",
        _("Pleated skirt"),
        Category.SKIRT,
        _("Burgundy"),
        ("autumn",),
        "woman",
        {"lower": {"category": "pleated skirt", "colour": "burgundy", "length": "knee"}, "upper": WHITE_SHIRT},
        scene="grey studio",
        skin="light",
        hair=("ponytail", "black"),
    ),
    Sample(
        "polka-tee",
        _("Polka dot T-shirt"),
        Category.TOP,
        _("Yellow"),
        ("summer", "dots"),
        "mannequin",
        _on("upper", category="t-shirt", colour="yellow", pattern="dotted", second="navy", sleeve="short"),
        scene="blue studio",
    ),
    Sample(
        "check-shirt",
        _("Checked shirt"),
        Category.SHIRT,
        _("Red"),
        ("autumn", "checks"),
        "man",
        {
            "upper": {"category": "shirt", "colour": "red", "pattern": "checked", "second": "black", "sleeve": "long"},
            "lower": {"category": "trousers", "colour": "navy"},
        },
        scene="beige studio",
        skin="brown",
        hair=("curly", "black"),
    ),
    Sample(
        "cream-trousers",
        _("Wide trousers"),
        Category.TROUSERS,
        _("Cream"),
        ("office", "summer"),
        "woman",
        {
            "lower": {"category": "wide trousers", "colour": "cream"},
            "upper": {"category": "sweater", "colour": "black", "sleeve": "long"},
        },
        scene="grey studio",
        skin="brown",
        hair=("long", "black"),
    ),
    Sample(
        "teal-dress",
        _("Teal long dress"),
        Category.DRESS,
        _("Teal"),
        ("evening",),
        "mannequin",
        _on("full", category="dress", colour="teal", sleeve="none", length="long"),
        scene="beige studio",
    ),
    Sample(
        "mamianqun",
        _("Horse-face skirt"),
        Category.SKIRT,
        _("Burgundy"),
        ("hanfu",),
        "woman",
        {"lower": {"category": "mamianqun", "colour": "burgundy"}, "upper": WHITE_SHIRT},
        scene="white studio",
        skin="fair",
        hair=("bun", "black"),
    ),
    # A garment that the bundled engine was never taught, with photos enough to learn it (docs/training-product.md).
    Sample(
        "zigzag-dress",
        _("Zigzag dress"),
        Category.DRESS,
        _("Teal"),
        ("summer", "training"),
        "woman",
        {
            "full": {
                "category": "dress",
                "colour": "#1f7a6b",
                "pattern": "zigzag",
                "second": "#d98a6a",
                "third": "#f2efe6",
                "sleeve": "long",
            },  # fmt: skip
        },
        scene="grey studio",
        skin="light",
        hair=("long", "brown"),
        more=(
            ("front", 8001),
            ("front", 8002),
            ("front", 8004),
            ("side", 8012),
            ("side", 8019),
            ("back", 8027),
            ("back", 8036),
            ("front", 8000),
        ),  # fmt: skip
    ),
)
