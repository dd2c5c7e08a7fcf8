"""From presets and pixels to the words the text encoder reads: nobody types."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.mini.world.spec import COLOURS
from studio.pose.fit import Kind, kind_of, outline_of
from studio.pose.library import POSES
from studio.pose.types import J, Pose
from studio.shoot.own import persona_of, scene_of
from studio.shoot.presets import CROP_WORDS, OUTFITS, OwnPose, Persona, pick
from studio.shoot.types import Mask, Order


def colour_name(picture: Image.Image, mask: Mask) -> str:
    """The name of the cloth's colour: nearest in CIELAB to its median pixel."""
    pixels = np.asarray(picture)[mask]
    lab = _lab(np.median(pixels, axis=0, keepdims=True).astype(np.uint8))
    names = list(COLOURS)
    table = _lab(np.asarray([COLOURS[n] for n in names], np.uint8))
    return names[int(np.argmin(np.linalg.norm(table - lab, axis=1)))]


def _lab(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    scaled = (rgb.reshape(1, -1, 3) / np.float32(255)).astype(np.float32)
    return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_RGB2LAB)[0])


def garment_words(photo: Image.Image, pieces: Mapping[str, Mask], pose: Pose) -> str:
    """What the kept garment is called, e.g. ``"red sweater and navy trousers"``.

    Colours come from the pixels, the cut from the masks: whether a sleeve passes the elbow, whether a lower
    piece parts into legs.
    """
    return " and ".join(f"{colour_name(photo, mask)} {cut(part, mask, pose)}" for part, mask in pieces.items())


def cut(part: str, mask: Mask, pose: Pose) -> str:
    """A word or two for the kind of garment a mask shows."""
    if part == "upper":
        return "sweater" if _covers_forearms(mask, pose) else "short sleeved t-shirt"
    if part == "lower":
        return "trousers" if kind_of(outline_of(mask), part) is Kind.TROUSERS else "knee skirt"
    return "long sleeved knee dress" if _covers_forearms(mask, pose) else "short sleeved knee dress"


def _covers_forearms(mask: Mask, pose: Pose) -> bool:
    """Whether the garment lies over the middle of at least one forearm in view."""
    height, width = mask.shape
    for elbow, wrist in ((J.LEFT_ELBOW, J.LEFT_WRIST), (J.RIGHT_ELBOW, J.RIGHT_WRIST)):
        x, y = (pose.points[[elbow, wrist], :2].mean(axis=0)).round().astype(int)
        if 0 <= x < width and 0 <= y < height and mask[y, x]:
            return True
    return False


def dressed(persona: Persona, worn: str, part: str) -> str:
    """The whole outfit in words: the garment, and what the persona wears with it."""
    if part == "upper":
        return f"{worn} and {persona.below}"
    if part == "lower":
        return f"{persona.above} and {worn}"
    return worn


def prompt(order: Order, worn: str, part: str) -> str:
    """The prompt of a shoot, in the order in which the bundled encoder's captions were written."""
    persona, scene = persona_of(order.persona), scene_of(order.scene)
    pose = order.pose if isinstance(order.pose, OwnPose) else POSES.get(order.pose)
    how, seen = (pose.words, pose.view) if pose else ("standing", "front view")
    crop = pick("crop", CROP_WORDS, order.crop)
    return f"{crop} of {persona.words} wearing {dressed(persona, worn, part)}, {how}, {seen}, {scene.words}"


def outfit_words(order: Order) -> str:
    """The words of the asked outfit: a preset's, or the order's own."""
    return OUTFITS.get(order.outfit, order.outfit)
