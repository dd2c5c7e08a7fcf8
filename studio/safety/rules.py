"""Rules in the place of a model: cheap, documented, and blind to most of what staff care about (docs/moderation.md).

Skin is told by colour alone, by the rule for uniform daylight of Kovač, Peer and Solina 2003, "Human skin colour
clustering for face detection", EUROCON, vol. 2, equation 1. It takes beige cloth, wood and sand for skin, and misses
dark skin and skin in shade. So it is measured inside of the person where one is found, and where none is found without
what looks like a wall; and a flag only means that a person should look.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.safety.types import Finding, Reason

if TYPE_CHECKING:
    from studio.pose.detect import PoseDetector

NAME = "rules-1"
WORKING_SIDE = 512
# Shares of pixels. The repository's samples reach 0.57 inside of a figure (an orange space suit) and 0.18 without one
# (a camel coat); an undressed figure has 0.8 and more, and fills a fifth of its picture at least.
MOST_SKIN_IN_FIGURE = 0.65
MOST_SKIN = 0.22
# A skin-coloured region along this much of the picture's edge is a wall, sand or a floor (the whole lower edge of a 2:3
# picture is 0.2); a figure that stands in its picture touches less.
WALL_FROM = 0.18
LEAST_SPREAD = 2.0  # standard deviation of grey, 0..255: less is an empty picture
MOST_RATIO = 5.0  # longer side to shorter side
Mask = NDArray[np.bool_]


class RulesChecker:
    """Colour and shape; about 0.05 s a picture, most of it the pose detector's."""

    def __init__(self, detector: PoseDetector | None) -> None:
        """``detector``: finds the figure; None judges the whole picture."""
        self._detector = detector

    def look(self, pictures: Sequence[Image.Image]) -> list[Finding]:
        """As :class:`studio.safety.SafetyChecker`; EngineError when the detector fails."""
        return [self._finding(picture) for picture in pictures]

    def _finding(self, picture: Image.Image) -> Finding:
        small = picture.convert("RGB")
        small.thumbnail((WORKING_SIDE, WORKING_SIDE))
        pixels = np.asarray(small)
        reasons = [*_shape(picture.size), *_blank(pixels), *self._skin(small, pixels)]
        return Finding(bool(reasons), tuple(reasons), NAME)

    def _skin(self, small: Image.Image, pixels: NDArray[np.uint8]) -> list[Reason]:
        skin = skin_coloured(pixels)
        figure = self._figure(small)
        if figure is None:
            share, most = float((skin & ~_walls(skin)).mean()), MOST_SKIN
        else:
            share, most = float(skin[figure].mean()), MOST_SKIN_IN_FIGURE
        return [Reason("much_skin", share)] if share > most else []

    def _figure(self, small: Image.Image) -> Mask | None:
        found = None if self._detector is None else self._detector.detect(small)
        mask = None if found is None else found.person_mask > 0.5
        return mask if mask is not None and mask.any() else None


def skin_coloured(pixels: NDArray[np.uint8]) -> Mask:
    """Kovač et al. 2003, equation 1. ``pixels``: (H, W, 3) RGB uint8; bool (H, W)."""
    r, g, b = (pixels[..., channel].astype(np.int16) for channel in range(3))
    spread = pixels.max(axis=-1).astype(np.int16) - pixels.min(axis=-1)
    bright = (r > 95) & (g > 40) & (b > 20)
    found: Mask = bright & (spread > 15) & (np.abs(r - g) > 15) & (r > g) & (r > b)
    return found


def _walls(skin: Mask) -> Mask:
    """Skin-coloured regions along much of the picture's edge."""
    import cv2

    _count, labels = cv2.connectedComponents(skin.astype(np.uint8))
    edge = np.concatenate([labels[0], labels[-1], labels[1:-1, 0], labels[1:-1, -1]])
    names, lengths = np.unique(edge[edge > 0], return_counts=True)
    return np.isin(labels, names[lengths >= WALL_FROM * len(edge)])


def _blank(pixels: NDArray[np.uint8]) -> list[Reason]:
    spread = float(pixels.mean(axis=-1).std())
    return [Reason("blank", spread)] if spread < LEAST_SPREAD else []


def _shape(size: tuple[int, int]) -> list[Reason]:
    ratio = max(size) / min(size)
    return [Reason("odd_shape", ratio)] if ratio > MOST_RATIO else []
