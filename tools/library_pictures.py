"""Draws the pictures that come with iModel: the shared library's, faces for one's own personas, the sample garments.

    .venv/bin/python tools/library_pictures.py [personas|scenes|poses|faces|samples ...]

Everything is drawn by the procedural world of ``studio.mini.world``, from fixed specs: drawing again gives the same
files. Personas and faces are heads and shoulders; the mini engine's own pictures of the same people are blurred at this
size, the drawing is what it was trained on.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "imodel_site.settings")
os.environ.setdefault("IMODEL_DEBUG", "1")

import django  # noqa: E402
import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402

django.setup()

from catalog import samples, traits  # noqa: E402
from studio.mini.world import Garment, Person, Spec, draw, random_spec  # noqa: E402
from studio.mini.world.scenes import draw_scene  # noqa: E402
from studio.pose.body import Proportions  # noqa: E402
from studio.pose.library import POSES  # noqa: E402
from studio.shoot.presets import PERSONAS, SCENES  # noqa: E402

OUT = ROOT / "static" / "library"
CARD = (320, 480)
FACE = (240, 360)
MAN = Proportions(shoulder_width=0.224, hip_width=0.112, torso=0.296)
CLOSE = 1.45  # times the waist-up framing: head and shoulders
GROUNDS = {"fair": "blue studio", "light": "grey studio", "olive": "beige studio", "brown": "grey studio"}


def save(image: Image.Image, path: Path) -> None:
    """As a small WebP."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, "WEBP", quality=84, method=6)
    print(path.relative_to(ROOT), f"{path.stat().st_size / 1000:.1f} kB", flush=True)


def person(sex: str, skin: str, hair: str, hair_colour: str) -> Person:
    """Somebody of the world."""
    base = MAN if sex == "man" else Proportions()
    return Person(sex, skin, hair, hair_colour or "brown", proportions=base)


def portrait(who: Person, top: Garment, scene: str, size: tuple[int, int]) -> Image.Image:
    """Head and shoulders."""
    spec = Spec(
        person=who,
        upper=top,
        lower=Garment("trousers", "black"),
        angles=POSES["front"].angles,
        scene=scene,
        crop="waist-up",
        scale=CLOSE,
        offset=(0.0, 0.825 * CLOSE - 0.805),
        seed=3,
    )
    return draw(spec, size).picture


def person_in(words: str) -> Person:
    """Who a preset's words describe."""
    sex = "man" if " man " in f" {words} " else "woman"
    skin = next(skin for skin in traits.SKINS if f"{skin} skin" in words)
    hair = next((hair for hair in traits.HAIRS if hair in words.split("and", 1)[1]), "long")
    colour = next((c for c in traits.HAIR_COLOURS if f"{c} hair" in words), "brown")
    return person(sex, skin, hair, colour)


def personas() -> Iterator[tuple[str, Image.Image]]:
    """The shared personas, in shirts and sweaters."""
    tops = [("shirt", "white"), ("sweater", "grey"), ("shirt", "sky blue"), ("sweater", "navy"), ("shirt", "cream")]
    for number, preset in enumerate(PERSONAS.values()):
        kind, colour = tops[number % len(tops)]
        who = person_in(preset.words)
        top = Garment(kind, colour, sleeve="long")
        yield f"personas/{preset.name}", portrait(who, top, GROUNDS.get(who.skin, "beige studio"), CARD)


def faces() -> Iterator[tuple[str, Image.Image]]:
    """One for each choice that a merchant's own persona can be made of."""
    hairs = [(hair, colour) for hair, colour in product(traits.HAIRS, traits.HAIR_COLOURS) if hair != "shaved"]
    for sex, skin, (hair, colour) in product(traits.GENDERS, traits.SKINS, [*hairs, ("shaved", "")]):
        top = Garment("shirt", "white", sleeve="long")
        picture = portrait(person(sex, skin, hair, colour), top, GROUNDS.get(skin, "beige studio"), FACE)
        yield f"faces/{sex}-{skin}-{f'{hair}-{colour}' if colour else hair}", picture


def scenes() -> Iterator[tuple[str, Image.Image]]:
    """The backgrounds alone."""
    for preset in SCENES.values():
        ground = draw_scene(preset.words, CARD, 3, -35.0)
        yield f"scenes/{preset.name}", Image.fromarray(np.round(np.sqrt(np.clip(ground, 0, 1)) * 255).astype(np.uint8))


def poses() -> Iterator[tuple[str, Image.Image]]:
    """A figure in plain clothes; mirrored ones for copies."""
    who = person("woman", "light", "bun", "brown")
    for pose in POSES.values():
        spec = Spec(
            person=who,
            upper=Garment("t-shirt", "grey", sleeve="long"),
            lower=Garment("trousers", "navy"),
            angles=pose.angles,
            scene="white studio",
            seed=3,
        )
        picture = draw(spec, CARD).picture
        yield f"poses/{pose.name}", picture
        yield f"poses/{pose.name}-mirrored", picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def draw_samples() -> None:
    """The sample garments' photos, as JPEG at the size of a shop's."""
    samples.FOLDER.mkdir(exist_ok=True)
    for number, sample in enumerate(samples.SAMPLES):
        _keep(_sample_spec(sample, number), samples.SIZE, sample.path)
        pieces = {"full": None, "upper": None, "lower": None} | _pieces(sample)
        for (path, _side), (_view, seed) in zip(sample.photos[1:], sample.more, strict=True):
            _keep(replace(random_spec(seed), crop="head-to-toe", **pieces), samples.SMALL, path)


def _keep(spec: Spec, size: tuple[int, int], path: Path) -> None:
    draw(spec, size).picture.save(path, "JPEG", quality=88, optimize=True)
    print(path.relative_to(ROOT), f"{path.stat().st_size / 1000:.0f} kB", flush=True)


def _pieces(sample: samples.Sample) -> dict[str, Garment]:
    return {place: Garment(**values) for place, values in sample.pieces.items()}


def _sample_spec(sample: samples.Sample, number: int) -> Spec:
    mannequin = sample.wearer == "mannequin"
    who = person("woman" if mannequin else sample.wearer, sample.skin, *sample.hair)
    if mannequin:
        who = Person("woman", sample.skin, mannequin=True, stand=True)
    return Spec(
        person=who,
        angles=POSES[sample.pose].angles,
        scene=sample.scene,
        light=sample.light,
        seed=number,
        **_pieces(sample),
    )


def main(wanted: list[str]) -> None:
    """Draw what is asked for, or everything."""
    for draws in (personas, scenes, poses, faces):
        if not wanted or draws.__name__ in wanted:
            for name, image in draws():
                save(image, OUT / f"{name}.webp")
    if not wanted or "samples" in wanted:
        draw_samples()


if __name__ == "__main__":
    main(sys.argv[1:])
