"""What a caption says of a picture beyond its garment's cloth: sleeves, length, wearer, scene, the other garment."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.dataset.backgrounds import plainness
from studio.dataset.captions import Language
from studio.dataset.naming import cloth_of
from studio.mini.world.scenes import draw_scene
from studio.mini.world.spec import HAIR_COLOURS, SCENES, SKINS
from studio.pose.fit import Kind, kind_of, outline_of
from studio.pose.types import SEEN_FROM, WEAK_FROM, J, Pose
from studio.segmentation import colours
from studio.segmentation.masks import Mask, expand
from studio.segmentation.proposals import Part, Proposals
from studio.segmentation.zones import Zones, zones_of

LEAST_PIXELS = 12
MANNEQUINS = {"white": (240, 240, 236), "grey": (136, 138, 142), "beige": (212, 190, 154), "black": (34, 34, 38)}
STUDIO_BELOW = 3.0  # CIELAB units of the rim's scatter: a photographer's background
GRID = (6, 9)
Tone = tuple[int, int, int]


def sleeve_of(mask: Mask, pose: Pose | None) -> str:
    """``long`` where cloth lies on a forearm, ``short`` where on an upper arm only, ``none``; empty: not in view."""
    if pose is None:
        return ""
    fore = _covered(mask, pose, ((J.LEFT_ELBOW, J.LEFT_WRIST), (J.RIGHT_ELBOW, J.RIGHT_WRIST)), 0.5)
    upper = _covered(mask, pose, ((J.LEFT_SHOULDER, J.LEFT_ELBOW), (J.RIGHT_SHOULDER, J.RIGHT_ELBOW)), 0.5)
    if fore is not None and fore >= 0.5:
        return "long"
    if upper is None or fore is None:
        return ""
    return "short" if upper >= 0.5 else "none"


def _covered(mask: Mask, pose: Pose, bones: tuple[tuple[J, J], ...], at: float) -> float | None:
    """The larger share of cloth around a place on the bones in view; None when neither is."""
    shares = []
    radius = max(2, round(0.04 * _torso(pose)))
    for a, b in bones:
        if min(pose.confidence[a], pose.confidence[b]) < WEAK_FROM:
            continue
        x, y = np.round(pose.points[a, :2] + at * (pose.points[b, :2] - pose.points[a, :2])).astype(int)
        if 0 <= x < mask.shape[1] and 0 <= y < mask.shape[0]:
            around = mask[max(0, y - radius) : y + radius + 1, max(0, x - radius) : x + radius + 1]
            shares.append(float(around.mean()))
    return max(shares) if shares else None


def length_of(mask: Mask, pose: Pose | None) -> str:
    """Where a dress or skirt ends: ``short`` above the knees, ``knee``, ``long`` towards the ankles; empty: neither a
    knee nor, where it matters, the hem is in view, or somebody sits."""
    if pose is None or not mask.any():
        return ""
    knees = [pose.points[j, 1] for j in (J.LEFT_KNEE, J.RIGHT_KNEE) if _in_frame(pose, j)]
    hips = float(pose.points[[J.LEFT_HIP, J.RIGHT_HIP], 1].mean())
    if not knees or float(np.mean(knees)) - hips < 0.5 * _torso(pose):
        return ""
    hem = float(np.percentile(np.nonzero(mask)[0], 99))
    down = (hem - hips) / (float(np.mean(knees)) - hips)
    if down < 1.45 and hem >= mask.shape[0] - 2:
        return ""
    return "short" if down < 0.85 else "knee" if down < 1.45 else "long"


def _in_frame(pose: Pose, joint: J) -> bool:
    x, y = pose.points[joint, :2]
    return bool(pose.confidence[joint] >= SEEN_FROM and 0 <= x < pose.size[0] and 0 <= y < pose.size[1])


def _torso(pose: Pose) -> float:
    points = pose.points[:, :2]
    top, low = points[[J.LEFT_SHOULDER, J.RIGHT_SHOULDER]].mean(axis=0), points[[J.LEFT_HIP, J.RIGHT_HIP]].mean(axis=0)
    return max(1.0, float(np.linalg.norm(top - low)))


def wearer_words(image: Image.Image, pose: Pose | None, person: Mask, garment: Mask, *, headless: bool) -> str:
    """``"a headless grey mannequin"``, or skin and hair of somebody whose face is in view; empty: nothing is certain.

    Whether it is a woman or a man is not guessed from pixels: whoever knows says so (:func:`named`).
    """
    lab = colours.to_lab(np.asarray(image.convert("RGB")))
    if headless or pose is None:
        bare = person & ~expand(garment, 2)
        return f"a headless {_nearest(_median(lab, bare), MANNEQUINS)} mannequin" if headless and bare.any() else ""
    zones = zones_of(pose, (image.height, image.width))
    face = zones.face & person
    if not zones.faced or np.count_nonzero(face) < LEAST_PIXELS:
        return ""
    skin = _nearest(_median(lab, face), SKINS)
    return f"a person with {skin} skin and {_hair(lab, zones, person & ~garment, _median(lab, face))}"


def _hair(lab: colours.Floats, zones: Zones, free: Mask, skin: NDArray[np.float32]) -> str:
    crown = zones.crown & free & ~zones.face
    if np.count_nonzero(crown) < LEAST_PIXELS:
        return "short brown hair"
    tone = _median(lab, crown)
    if float(np.linalg.norm(tone - skin)) < 10:
        return "a shaved head"
    alike = (np.linalg.norm(lab - tone, axis=2) < 14) & (np.linalg.norm(lab - skin, axis=2) > 14)
    falling = zones.mane & free & ~zones.head & (zones.along > -0.05)
    share = float(alike[falling].mean()) if np.count_nonzero(falling) >= LEAST_PIXELS else 0.0
    return f"{'long' if share > 0.25 else 'short'} {_nearest(tone, HAIR_COLOURS)} hair"


def named(words: str, wearer: str) -> str:
    """The words with what somebody said of the wearer: ``"a person with ..."`` becomes ``"a woman with ..."``."""
    if not wearer:
        return words
    return words.replace("a person", f"a {wearer}", 1) if words.startswith("a person") else words or f"a {wearer}"


def _median(lab: colours.Floats, where: Mask) -> NDArray[np.float32]:
    return np.asarray(np.median(lab[where], axis=0), np.float32)


def _nearest(tone: NDArray[np.float32], table: Mapping[str, Tone]) -> str:
    known = colours.to_lab(np.asarray([list(table.values())], np.uint8))[0]
    return list(table)[int(np.argmin(np.linalg.norm(known - tone, axis=1)))]


def other_words(image: Image.Image, proposals: Proposals, garment: Mask, *, part: str) -> str:
    """The garment that is worn with this one, e.g. ``"navy trousers"``; empty when none is made out."""
    wanted = {"upper": Part.LOWER, "lower": Part.UPPER}.get(part)
    if wanted is None or wanted not in proposals:
        return ""
    mask = proposals[wanted].mask & ~garment
    cloth = cloth_of(image, mask) if np.count_nonzero(mask) > 0.01 * mask.size else None
    if cloth is None:
        return ""
    if wanted is Part.UPPER:
        return f"{cloth.colour} short sleeved t-shirt"
    trousers = kind_of(outline_of(mask), "lower") is Kind.TROUSERS
    return f"{cloth.colour} {'trousers' if trousers else 'knee skirt'}"


def scene_words(image: Image.Image, person: Mask, *, language: Language) -> str:
    """Where it was taken, by what is seen around the wearer; empty in English unless the background is plain."""
    pixels = np.asarray(image.convert("RGB"))
    if language == "mini":
        return _nearest_scene(pixels, person)
    if plainness(pixels) > STUDIO_BELOW:
        return ""
    lab = colours.to_lab(pixels)
    rest = ~expand(person, 4)
    tones = {
        "white": (236, 236, 236),
        "grey": (150, 150, 152),
        "beige": (212, 198, 176),
        "black": (20, 20, 22),
        "blue": (150, 180, 215),
    }
    return f"{_nearest(_median(lab, rest), tones)} background" if rest.any() else ""


def _nearest_scene(pixels: NDArray[np.uint8], person: Mask) -> str:
    seen, known = _cells(pixels, person)
    if not known.any():
        return "white studio"
    costs = [
        (float(np.linalg.norm(seen - cells, axis=2)[known].mean()), name)
        for name, drawn in _scenes().items()
        for cells in drawn
    ]
    return min(costs)[1]


def _cells(pixels: NDArray[np.uint8], person: Mask) -> tuple[colours.Floats, NDArray[np.bool_]]:
    """(9, 6, 3) mean CIELAB of what is not person, and which of these cells show enough of it."""
    rest = (~expand(person, 3)).astype(np.float32)
    light = colours.to_lab(pixels) * rest[..., None]
    weight = cv2.resize(rest, GRID, interpolation=cv2.INTER_AREA)
    total = cv2.resize(light, GRID, interpolation=cv2.INTER_AREA)
    return np.asarray(total / np.maximum(weight, 1e-3)[..., None], np.float32), np.asarray(weight > 0.3)


@cache
def _scenes() -> Mapping[str, tuple[colours.Floats, ...]]:
    """The drawn scenes, four of each, in cells."""
    drawn = {}
    for name in SCENES:
        pictures = (
            draw_scene(name, (48, 72), seed, light) for seed, light in ((1, -35.0), (2, 30.0), (3, 0.0), (4, 55.0))
        )
        nobody = np.zeros((72, 48), np.bool_)
        drawn[name] = tuple(
            _cells(np.round(np.sqrt(np.clip(p, 0, 1)) * 255).astype(np.uint8), nobody)[0] for p in pictures
        )
    return drawn
