"""A finished shoot made by drawing: one garment on two people, the first one's pixels put into the second's picture.

That is what a perfect engine would deliver; the tests then spoil one thing at a time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.mini.world import Drawing, Garment, Person, Spec, draw
from studio.pose.library import POSES
from studio.segmentation.masks import shrink

SIZE = (256, 384)
LOCK = 4.0


@dataclass(frozen=True)
class Shoot:
    """One finished picture and all that :func:`studio.fidelity.measure` is told about it."""

    result: Image.Image
    source: Image.Image
    garment: NDArray[np.bool_]
    locked: NDArray[np.bool_]
    truth: Drawing

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """A copy of the result to spoil."""
        return np.array(self.result)

    def spoiled(self, pixels: NDArray[np.uint8]) -> Shoot:
        """The same shoot with another result."""
        return replace(self, result=Image.fromarray(pixels))


def spec_of(pose: str = "arms-open", *, sleeve: str = "short") -> Spec:
    """A woman in a red T-shirt and navy trousers."""
    asked = POSES[pose]
    return Spec(
        person=Person(skin="light", hair="short", hair_colour="black"),
        upper=Garment("t-shirt", "red", sleeve=sleeve), lower=Garment("trousers", "navy"), angles=asked.angles,
        pose_words=asked.words, view_words=asked.view, scene="white studio", light=-20.0, scale=0.8, seed=3,
    )  # fmt: skip


@lru_cache(maxsize=4)
def shoot(pose: str = "arms-open", scene: str = "grey studio") -> Shoot:
    """The garment of a fair-haired man's photo on a woman in another scene."""
    wanted = replace(spec_of(pose), scene=scene)
    photo = replace(spec_of(pose), person=replace(wanted.person, skin="brown", hair_colour="blonde"))
    source, target = draw(photo, SIZE), draw(wanted, SIZE)
    garment = source.garment & target.garment
    locked = shrink(garment, LOCK)
    pixels = np.array(target.picture)
    pixels[locked] = np.asarray(source.picture)[locked]
    return Shoot(Image.fromarray(pixels), source.picture, garment, locked, target)
