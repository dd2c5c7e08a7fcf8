"""What the segmenter is trained on: a picture and the things in it that a click may mean.

Half are the drawn world's figures, redressed, relit, put before other backgrounds, zoomed and cluttered; the rest are
heaps of textured shapes, so that the network learns outlines and not only our mannequins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from studio.mini.data import PARTS
from studio.mini.segmenter import textures
from studio.mini.segmenter.pictures import Pictures
from studio.mini.segmenter.textures import F, Mask, Rng

LEAST = 0.004  # of the canvas: smaller things are not asked for
SCENE, BARE = 0, PARTS["person"]
GARMENTS = tuple(code for name, code in PARTS.items() if name != "person")
UNKNOWN = 255  # in a part map: of a shape nothing is known but its outline


@dataclass(frozen=True)
class Sample:
    """One picture.

    Attributes:
        pixels: (S, S, 3) uint8 RGB, the picture at the top left, zeros beyond it.
        parts: (S, S) uint8 part codes; :data:`UNKNOWN` where they mean nothing.
        targets: (k, S, S) bool, each one thing that somebody might want cut out.
    """

    pixels: NDArray[np.uint8]
    parts: NDArray[np.uint8]
    targets: NDArray[np.bool_]


def samples(world: Pictures, *, side: int, seed: int) -> Iterator[Sample]:
    """Samples without end, each with at least one target."""
    rng = np.random.default_rng(seed)
    while True:
        made = _figure(rng, world, side) if rng.random() < 0.78 else _heap(rng, side)
        if len(made.targets):
            yield made


def _canvas(rng: Rng, side: int) -> tuple[int, int]:
    """(height, width): one of them is ``side``."""
    ratio = float(rng.choice([1.5, 1.5, 1.33, 1.0, rng.uniform(0.6, 1.8)]))
    return (side, max(8, round(side / ratio))) if ratio >= 1 else (max(8, round(side * ratio)), side)


# --- figures -------------------------------------------------------------------------------------------------------
def _figure(rng: Rng, world: Pictures, side: int) -> Sample:
    drawn, drawn_parts = world[int(rng.integers(len(world)))]
    source = drawn_parts.shape[0], drawn_parts.shape[1]
    height, width = _canvas(rng, side)
    as_drawn = rng.random() < 0.4
    if as_drawn:
        height, width = side, round(side * source[1] / source[0])
    move = _placement(rng, source, (height, width), gentle=as_drawn)
    pixels, parts = _warp(drawn, drawn_parts, move, (height, width))
    if not as_drawn:
        pixels = _redress(rng, pixels, parts)
        if rng.random() < 0.75:
            pixels = _before_other_ground(rng, pixels, parts > 0)
        if rng.random() < 0.35:
            pixels, parts = _clutter(rng, pixels, parts)
    return _finished(rng, pixels, parts, _garment_targets(rng, parts), side)


def _placement(rng: Rng, source: tuple[int, int], target: tuple[int, int], *, gentle: bool) -> NDArray[np.float64]:
    """(2, 3) affine from picture to canvas: fitted, or zoomed into the figure as a portrait is."""
    zoom = rng.uniform(0.95, 1.1) if gentle else float(np.exp(rng.uniform(np.log(0.7), np.log(2.6))))
    turn = 0.0 if gentle else rng.normal(0, 7)
    scale = max(target[0] / source[0], target[1] / source[1]) * zoom if not gentle else target[0] / source[0] * zoom
    focus = (source[1] * rng.uniform(0.4, 0.6), source[0] * (0.5 if zoom < 1.2 else rng.uniform(0.2, 0.75)))
    move = np.asarray(cv2.getRotationMatrix2D(focus, turn, scale), np.float64)
    shake = 0.02 if gentle else 0.1
    place = np.array(target[::-1]) * rng.uniform(0.5 - shake, 0.5 + shake, 2)
    move[:, 2] += place - np.array(focus)
    if rng.random() < 0.5:
        move[0] = -move[0]
        move[0, 2] += target[1]
    return move


def _warp(
    pixels: NDArray[np.uint8], parts: NDArray[np.uint8], move: NDArray[np.float64], size: tuple[int, int]
) -> tuple[F, NDArray[np.uint8]]:
    scale = float(np.hypot(move[0, 0], move[0, 1]))
    if scale < 0.7:  # shrinking by sampling alone would leave jagged outlines that no camera makes
        shrink = max(scale, 0.1)
        pixels = np.asarray(cv2.resize(pixels, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8)
        parts = np.asarray(cv2.resize(parts, pixels.shape[1::-1], interpolation=cv2.INTER_NEAREST), np.uint8)
        move = move.copy()
        move[:, :2] /= shrink
    wide = size[::-1]
    moved = cv2.warpAffine(pixels, move, wide, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    kept = cv2.warpAffine(parts, move, wide, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
    return moved.astype(np.float32) / 255, np.asarray(kept, np.uint8)


def _redress(rng: Rng, pixels: F, parts: NDArray[np.uint8]) -> F:
    """Other cloth with the drawn one's light and shade; badges and letters that belong to it; other skin and hair."""
    out = pixels.copy()
    grey = pixels.mean(axis=2)
    for code in (*GARMENTS, BARE):
        mask = parts == code
        if not mask.any() or rng.random() < (0.35 if code != BARE else 0.6):
            continue
        light = np.clip(grey / (np.median(grey[mask]) + 0.05), 0.3, 1.8)[..., None]
        cloth = textures.surface(rng, *parts.shape) if code != BARE else textures.colour(rng) * np.ones_like(pixels)
        cloth = cloth * (textures.folds(rng, *parts.shape)[..., None] if rng.random() < 0.6 else 1)
        keep = rng.uniform(0, 0.5) if code != BARE else rng.uniform(0.3, 0.8)
        alpha = _soft(mask)
        out = out * (1 - alpha) + np.clip(keep * pixels + (1 - keep) * cloth * light, 0, 1) * alpha
        if code != BARE and rng.random() < 0.5:
            out = _badges(rng, out, mask)
    return np.asarray(out, np.float32)


def _badges(rng: Rng, pixels: F, mask: Mask) -> F:
    """Patches, buttons, straps, ties: they are part of the garment, whatever their colour."""
    out = pixels
    for _ in range(int(rng.integers(1, 6))):
        patch = textures.outline(rng, *mask.shape) & mask
        if 0 < patch.sum() < 0.2 * mask.sum():
            out = _lay(out, patch, lambda size: textures.surface(rng, *size))
    return out


def _lay(pixels: F, mask: Mask, surface: Callable[[tuple[int, int]], F]) -> F:
    """``surface((height, width))`` laid over ``mask``; made and blended only where the mask is."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = slice(max(0, rows[0] - 3), rows[-1] + 4), slice(max(0, columns[0] - 3), columns[-1] + 4)
    alpha = _soft(mask[box])
    out = pixels.copy()
    out[box] = pixels[box] * (1 - alpha) + np.clip(surface((alpha.shape[0], alpha.shape[1])), 0, 1) * alpha
    return out


def _soft(mask: Mask) -> F:
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.7)[..., None], np.float32)


def _before_other_ground(rng: Rng, pixels: F, figure: Mask) -> F:
    ground = _ground(rng, *figure.shape)
    alpha = _soft(figure)
    return np.asarray(ground * (1 - alpha) + pixels * alpha, np.float32)


def _ground(rng: Rng, height: int, width: int) -> F:
    """A wall, a floor, and things that stand about."""
    out = textures.surface(rng, height, width)
    if rng.random() < 0.4:
        line = int(height * rng.uniform(0.4, 0.95))
        out[line:] = textures.surface(rng, height, width)[line:]
    for _ in range(int(rng.integers(0, 7))):
        out = _paint(rng, out, textures.outline(rng, height, width))
    if rng.random() < 0.5:
        out = _blurred(np.asarray(out, np.float32), rng.uniform(0.5, 0.03 * width))
    return np.asarray(out, np.float32)


def _paint(rng: Rng, pixels: F, mask: Mask) -> F:
    """A thing of its own surface on top, rounded and shaded, sometimes with a shadow beside it."""
    if not mask.any():
        return pixels
    out = pixels
    if rng.random() < 0.4:
        move = np.array([[1, 0, rng.normal(0, 0.03) * mask.shape[1]], [0, 1, abs(rng.normal(0, 0.03)) * mask.shape[0]]])
        cast = cv2.warpAffine(mask.astype(np.float32), move, mask.shape[::-1])
        out = out * (1 - rng.uniform(0.2, 0.6) * _blurred(cast, 0.01 * mask.shape[1] + 0.5))[..., None]
    whole, round_, folded = textures.roundness(mask), rng.random() < 0.6, rng.random() < 0.5
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    near = whole[max(0, rows[0] - 3) : rows[-1] + 4, max(0, columns[0] - 3) : columns[-1] + 4]
    dark = rng.uniform(0.35, 0.9)

    def thing(size: tuple[int, int]) -> F:
        made = textures.surface(rng, *size)
        made = made * (dark + 0.6 * near)[..., None] if round_ else made
        return np.asarray(made * textures.folds(rng, *size)[..., None] if folded else made, np.float32)

    return _lay(np.asarray(out, np.float32), mask, thing)


def _blurred(plane: F, sigma: float) -> F:
    """A wide blur, done small: nobody sees the difference and it costs a tenth."""
    shrink = max(1, int(sigma / 2))
    small = cv2.resize(plane, None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA) if shrink > 1 else plane
    soft = cv2.GaussianBlur(small, (0, 0), sigma / shrink)
    return np.asarray(cv2.resize(soft, plane.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def _clutter(rng: Rng, pixels: F, parts: NDArray[np.uint8]) -> tuple[F, NDArray[np.uint8]]:
    """A bag, an arm of somebody else, a chair: in front of the figure."""
    parts = parts.copy()
    for _ in range(int(rng.integers(1, 3))):
        mask = textures.outline(rng, *parts.shape)
        if mask.mean() > 0.12:
            continue
        pixels = _paint(rng, pixels, mask)
        parts[mask] = SCENE
    return pixels, parts


def _garment_targets(rng: Rng, parts: NDArray[np.uint8]) -> list[Mask]:
    targets = [parts == code for code in GARMENTS]
    if rng.random() < 0.15:
        targets.append(parts > 0)
    if rng.random() < 0.12:
        targets.append(_piece(rng, parts == BARE))
    return targets


def _piece(rng: Rng, mask: Mask) -> Mask:
    """One connected piece, chosen by its size."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count < 2:
        return mask
    sizes = stats[1:, cv2.CC_STAT_AREA].astype(np.float64)
    return np.asarray(labels == 1 + rng.choice(count - 1, p=sizes / sizes.sum()))


# --- shapes --------------------------------------------------------------------------------------------------------
def _heap(rng: Rng, side: int) -> Sample:
    """Shapes on a ground, each over those before; what remains to be seen of each is a target."""
    height, width = _canvas(rng, side)
    pixels = textures.surface(rng, height, width) if rng.random() < 0.5 else _ground(rng, height, width)
    order = np.zeros((height, width), np.int32)
    for number in range(1, int(rng.integers(2, 7))):
        mask = textures.outline(rng, height, width)
        pixels = _paint(rng, pixels, mask)
        if rng.random() < 0.4 and mask.any():
            pixels = _badges(rng, pixels, mask)
        order[mask] = number
    targets = [_piece(rng, order == number) for number in range(1, order.max() + 1)]
    return _finished(rng, pixels, np.full((height, width), UNKNOWN, np.uint8), targets, side)


# --- the camera ----------------------------------------------------------------------------------------------------
def _finished(rng: Rng, pixels: F, parts: NDArray[np.uint8], targets: list[Mask], side: int) -> Sample:
    height, width = parts.shape
    out = np.zeros((side, side, 3), np.uint8)
    out[:height, :width] = _photographed(rng, pixels)
    map_ = np.full((side, side), SCENE if parts.max() != UNKNOWN else UNKNOWN, np.uint8)
    map_[:height, :width] = parts
    kept = [mask for mask in targets if LEAST < mask.mean() < 0.95]
    planes = np.zeros((len(kept), side, side), bool)
    for plane, mask in zip(planes, kept, strict=True):
        plane[:height, :width] = mask
    return Sample(out, map_, planes)


def _photographed(rng: Rng, pixels: F) -> NDArray[np.uint8]:
    """Exposure, a colour cast, blur, grain, and JPEG's blocks."""
    out = np.clip(pixels, 0, 1) ** np.float32(np.exp(rng.normal(0, 0.25)))
    out = out * rng.normal(1, 0.06, 3).astype(np.float32) * rng.uniform(0.75, 1.15)
    if rng.random() < 0.08:
        out = np.repeat(out.mean(axis=2, keepdims=True), 3, axis=2)
    if rng.random() < 0.4:
        out = cv2.GaussianBlur(out, (0, 0), rng.uniform(0.3, 1.1))
    if rng.random() < 0.6:
        out = out + rng.normal(0, rng.uniform(0.003, 0.035), out.shape).astype(np.float32)
    bytes_ = (np.clip(out, 0, 1) * 255).astype(np.uint8)
    if rng.random() < 0.4:
        _, packed = cv2.imencode(".jpg", bytes_, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 95))])
        bytes_ = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
    return bytes_
