"""Drawn pictures whose faults are known: two people, a burst, another garment, something in front of one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import matplotlib.cbook
import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image

from studio.mini.world import Drawing, Garment, Spec, draw, random_spec
from studio.mini.world.spec import jitter, random_garment
from studio.pose.library import POSES

SIZE = (320, 480)
VIEWS = ("front", "three-quarter-left", "side-right", "back", "contrapposto", "hands-on-hips", "walking")
UPPERS = ("t-shirt", "shirt", "sweater", "coat", "dress")
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Pair:
    """Two people in one picture: (512, 512), and for each its garment's and its whole mask, left one first."""

    picture: Image.Image
    garments: tuple[Mask, Mask]
    people: tuple[Mask, Mask]
    mannequin: bool


def pair(seed: int) -> Pair:
    """Two figures side by side before one scene; arms may touch, bodies do not."""
    rng = np.random.default_rng(seed)
    left, right = random_spec(seed * 2 + 100_000), random_spec(seed * 2 + 100_001)
    crop = str(rng.choice(["head-to-toe", "knee-up", "waist-up"], p=[0.6, 0.25, 0.15]))
    apart = 0.24 if crop == "head-to-toe" else 0.26
    common = {"scene": left.scene, "seed": seed, "crop": crop, "light": left.light}
    one, other = (
        draw(replace(spec, offset=(side * apart, spec.offset[1]), **common), (512, 512), oversample=1)  # type: ignore[arg-type]  # fields of Spec
        for spec, side in ((left, -1), (right, 1))
    )
    soft = cv2.GaussianBlur(other.masks["person"].astype(np.float32), (0, 0), 0.8)[..., None]
    mixed = np.asarray(one.picture) * (1 - soft) + np.asarray(other.picture) * soft
    masks = (one.masks["person"] & ~other.masks["person"], other.masks["person"])
    garments = (one.garment & ~other.masks["person"], other.garment)
    picture = Image.fromarray(mixed.round().astype(np.uint8))
    return Pair(picture, garments, masks, left.person.mannequin or right.person.mannequin)


def single(seed: int) -> tuple[Spec, Drawing]:
    """One figure."""
    spec = random_spec(seed + 200_000)
    return spec, draw(spec, SIZE, oversample=1)


def astronaut() -> Image.Image:
    """A real photo: Eileen Collins, NASA, public domain."""
    return Image.fromarray(skimage.data.astronaut())


def officer() -> Image.Image:
    """A real photo: Grace Hopper, US Navy, public domain."""
    path = matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    return Image.open(path).convert("RGB")


def side_by_side(left: Image.Image, right: Image.Image, *, height: int = 600, gap: int = 0) -> Image.Image:
    """Two photos of one height, ``gap`` grey pixels between them."""
    scaled = [one.resize((round(one.width * height / one.height), height)) for one in (left, right)]
    both = Image.new("RGB", (scaled[0].width + gap + scaled[1].width, height), (128, 128, 128))
    both.paste(scaled[0], (0, 0))
    both.paste(scaled[1], (scaled[0].width + gap, 0))
    return both


def worn(garment: Garment, seed: int, pose: str, *, size: tuple[int, int] = (256, 384), wearer: int | None = None,
         oversample: int = 1) -> Drawing:  # fmt: skip
    """That garment on somebody, in a pose of the library, in some light; ``wearer``: the seed of who and where."""
    base = random_spec(seed if wearer is None else wearer)
    skin = "light" if base.person.mannequin else base.person.skin
    rng = np.random.default_rng(seed)
    spec = replace(
        base, person=replace(base.person, mannequin=False, stand=False, skin=skin), crop="head-to-toe", seed=seed,
        angles=jitter(POSES[pose].angles, rng), light=float(rng.uniform(-60, 60)),
        pose_words=POSES[pose].words, view_words=POSES[pose].view,
    )  # fmt: skip
    lower = base.lower or random_garment("trousers", np.random.default_rng(seed))
    whole = garment.category == "dress"
    spec = replace(
        spec, full=garment if whole else None, upper=None if whole else garment, lower=None if whole else lower
    )
    return draw(spec, size, oversample=oversample)


def photos(garment: Garment, seed: int, *, count: int = 7) -> list[Drawing]:
    """Photos of one garment on one wearer: front, turned, side, back and three more."""
    return [worn(garment, seed * 31 + i, VIEWS[i % len(VIEWS)], wearer=seed) for i in range(count)]


def some_garment(seed: int) -> Garment:
    """A garment for the upper body, or a dress."""
    rng = np.random.default_rng(seed)
    return random_garment(str(rng.choice(UPPERS)), rng)


def blurred(picture: Image.Image, sigma: float) -> Image.Image:
    """Out of focus: ``sigma`` in pixels of the picture."""
    return Image.fromarray(cv2.GaussianBlur(np.asarray(picture), (0, 0), sigma))


def moved(picture: Image.Image, length: int) -> Image.Image:
    """Shaken sideways by ``length`` pixels."""
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1 / length
    return Image.fromarray(cv2.filter2D(np.asarray(picture), -1, kernel))


def again(picture: Image.Image) -> dict[str, Image.Image]:
    """Other files of the same picture."""
    pixels = np.asarray(picture)
    width, height = picture.size
    _, packed = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 40])
    return {
        "jpeg 40": Image.fromarray(cv2.imdecode(packed, cv2.IMREAD_COLOR)[..., ::-1]),
        "half size": picture.resize((width // 2, height // 2)),
        "brighter": Image.fromarray(np.clip(pixels * 1.12, 0, 255).astype(np.uint8)),
        "cut by 3 %": picture.crop((int(0.03 * width), int(0.03 * height), int(0.97 * width), int(0.97 * height))),
        "turned by 1°": picture.rotate(1, resample=Image.Resampling.BICUBIC, fillcolor=tuple(map(int, pixels[2, 2]))),
        "shifted": picture.crop((int(0.02 * width), 0, width, height)).resize((width, height)),
    }
