"""Backgrounds: calm, out of focus, painted small and enlarged, as a long lens would see them."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from studio.mini.world.cloth import linear
from studio.mini.world.surfaces import F

W, H = 96, 144


def draw_scene(name: str, size: tuple[int, int], seed: int, light: float) -> F:
    """(height, width, 3) float32 in working light 0..1."""
    rng = np.random.default_rng([seed, 7])
    small = SCENES[name](rng)
    x = np.linspace(-1, 1, W, dtype=np.float32)[None, :, None]
    small = small * (1 + 0.07 * x * np.sign(light))
    blur = 0.8 if "studio" in name else 1.7
    small = cv2.GaussianBlur(np.clip(small, 0, 1).astype(np.float32), (0, 0), blur, borderType=cv2.BORDER_REPLICATE)
    large = cv2.resize(small, size, interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(large, 0, 1), np.float32)


def _gradient(stops: list[tuple[float, tuple[int, int, int]]]) -> F:
    ys = np.linspace(0, 1, H)
    at = [s for s, _ in stops]
    colours = np.array([linear(c) for _, c in stops])
    column = np.stack([np.interp(ys, at, colours[:, k]) for k in range(3)], axis=1)
    return np.repeat(column[:, None, :], W, axis=1).astype(np.float32)


def _blobs(
    canvas: F,
    rng: np.random.Generator,
    *,
    count: int,
    rows: tuple[float, float],
    radius: tuple[float, float],
    colours: list[tuple[int, int, int]],
) -> None:
    for _ in range(count):
        centre = (int(rng.uniform(-4, W + 4)), int(rng.uniform(*rows) * H))
        colour = linear(colours[int(rng.integers(len(colours)))]) * rng.uniform(0.8, 1.15)
        cv2.circle(canvas, centre, int(rng.uniform(*radius)), colour.tolist(), -1, cv2.LINE_AA)


def _box(canvas: F, x0: float, y0: float, x1: float, y1: float, colour: tuple[int, int, int], k: float = 1.0) -> None:
    cv2.rectangle(canvas, (int(x0 * W), int(y0 * H)), (int(x1 * W), int(y1 * H)), (linear(colour) * k).tolist(), -1)


def _studio(wall: tuple[int, int, int], floor: tuple[int, int, int]) -> Callable[[np.random.Generator], F]:
    def paint(rng: np.random.Generator) -> F:
        canvas = _gradient([(0, wall), (0.7, wall), (0.84, floor), (1, floor)])
        yy, xx = np.mgrid[0:H, 0:W].astype(np.float32)
        glow = np.exp(-(((xx - W * rng.uniform(0.35, 0.65)) / W) ** 2 * 3 + ((yy - H * 0.38) / H) ** 2 * 3))
        return np.asarray(canvas * (0.86 + 0.16 * glow[..., None]), np.float32)

    return paint


def _park(leaves: list[tuple[int, int, int]], grass: tuple[int, int, int]) -> Callable[[np.random.Generator], F]:
    def paint(rng: np.random.Generator) -> F:
        deep = tuple(int(c * 0.86) for c in grass)
        canvas = _gradient([(0, (206, 224, 236)), (0.3, (214, 226, 214)), (0.58, grass), (0.62, grass), (1, deep)])  # type: ignore[list-item]
        _blobs(canvas, rng, count=14, rows=(0.02, 0.3), radius=(9, 20), colours=leaves)
        _blobs(canvas, rng, count=12, rows=(0.42, 0.54), radius=(6, 11), colours=leaves)
        for x in rng.uniform(0.03, 0.97, 3):
            _box(canvas, x, 0.25, x + 0.04, 0.6, (96, 76, 60))
        path = np.array([[W * 0.3, H], [W * 0.46, H * 0.6], [W * 0.54, H * 0.6], [W * 0.7, H]], np.int32)
        cv2.fillPoly(canvas, [path], (linear((198, 184, 160))).tolist(), cv2.LINE_AA)
        return canvas

    return paint


def _beach(rng: np.random.Generator) -> F:
    line = rng.uniform(0.44, 0.5)
    canvas = _gradient(
        [
            (0, (122, 178, 222)),
            (line - 0.01, (210, 228, 238)),
            (line, (64, 140, 176)),
            (line + 0.14, (112, 184, 198)),
            (line + 0.17, (236, 226, 200)),
            (1, (222, 200, 160)),
        ]
    )
    _blobs(canvas, rng, count=3, rows=(0.08, 0.28), radius=(5, 10), colours=[(236, 240, 244)])
    return canvas


def _street(rng: np.random.Generator) -> F:
    canvas = _gradient(
        [
            (0, (200, 212, 222)),
            (0.4, (216, 216, 212)),
            (0.64, (160, 156, 152)),
            (0.68, (140, 138, 138)),
            (1, (118, 118, 120)),
        ]
    )
    tones = [(178, 140, 116), (196, 176, 150), (150, 148, 152), (170, 120, 100), (206, 196, 180)]
    for x in (-0.05, 0.22, 0.72, 0.9):
        _box(
            canvas,
            x + rng.uniform(-0.03, 0.03),
            rng.uniform(0.0, 0.14),
            x + rng.uniform(0.24, 0.3),
            0.66,
            tones[int(rng.integers(5))],
        )
    for x in (0.02, 0.14, 0.8, 0.93):
        _box(canvas, x, 0.46, x + 0.08, 0.66, (84, 88, 98))
        _box(canvas, x, 0.22, x + 0.06, 0.34, (112, 126, 142))
    return canvas


def _living_room(rng: np.random.Generator) -> F:
    canvas = _gradient([(0, (226, 216, 200)), (0.7, (214, 202, 184)), (0.71, (168, 126, 90)), (1, (142, 104, 74))])
    side = rng.random() < 0.5
    x = 0.06 if side else 0.66
    _box(canvas, x, 0.1, x + 0.28, 0.44, (236, 244, 250))
    _box(canvas, x + 0.13, 0.1, x + 0.15, 0.44, (200, 190, 176))
    sofa = 0.6 if side else -0.05
    _box(canvas, sofa, 0.52, sofa + 0.45, 0.76, (112, 128, 130))
    pot = 0.02 if side else 0.88
    _box(canvas, pot + 0.02, 0.66, pot + 0.1, 0.76, (196, 120, 84))
    for _ in range(7):
        centre = (int((pot + 0.06 + rng.uniform(-0.06, 0.06)) * W), int(rng.uniform(0.5, 0.65) * H))
        cv2.circle(canvas, centre, 5, (linear((78, 122, 80)) * rng.uniform(0.8, 1.2)).tolist(), -1, cv2.LINE_AA)
    return canvas


def _mountains(rng: np.random.Generator) -> F:
    canvas = _gradient([(0, (128, 170, 214)), (0.5, (224, 228, 226)), (0.6, (122, 148, 92)), (1, (92, 122, 66))])
    for base, colour in ((0.5, (156, 172, 194)), (0.56, (112, 136, 150))):
        xs = np.linspace(-0.1, 1.1, 7)
        ys = base - rng.uniform(0.03, 0.26, 7)
        ridge = np.array(
            [[x * W, y * H] for x, y in zip(xs, ys, strict=True)] + [[W * 1.1, H * 0.61], [-W * 0.1, H * 0.61]],
            np.int32,
        )
        cv2.fillPoly(canvas, [ridge], linear(colour).tolist(), cv2.LINE_AA)
    return canvas


def _desert(rng: np.random.Generator) -> F:
    canvas = _gradient(
        [
            (0, (242, 176, 122)),
            (0.36, (250, 214, 160)),
            (0.52, (252, 228, 184)),
            (0.54, (214, 156, 104)),
            (1, (188, 124, 78)),
        ]
    )
    cv2.circle(
        canvas, (int(rng.uniform(0.15, 0.85) * W), int(0.4 * H)), 8, linear((255, 246, 220)).tolist(), -1, cv2.LINE_AA
    )
    dune = np.array(
        [[0, H * 0.62], [W * rng.uniform(0.2, 0.8), H * 0.53], [W, H * 0.66], [W, H * 0.8], [0, H * 0.8]], np.int32
    )
    cv2.fillPoly(canvas, [dune], linear((226, 168, 114)).tolist(), cv2.LINE_AA)
    return canvas


def _gallery(rng: np.random.Generator) -> F:
    canvas = _gradient([(0, (238, 238, 234)), (0.74, (226, 226, 222)), (0.75, (150, 132, 116)), (1, (128, 110, 96))])
    for x in (0.03, 0.72):
        tone = tuple(int(v) for v in rng.integers(60, 210, 3))
        _box(canvas, x - 0.02, 0.14, x + 0.27, 0.5, (48, 44, 42))
        _box(canvas, x, 0.16, x + 0.25, 0.48, tone)  # type: ignore[arg-type]
    return canvas


SCENES: dict[str, Callable[[np.random.Generator], F]] = {
    "white studio": _studio((240, 240, 240), (226, 226, 226)),
    "grey studio": _studio((150, 152, 156), (128, 130, 134)),
    "beige studio": _studio((226, 208, 184), (206, 186, 160)),
    "blue studio": _studio((134, 168, 206), (112, 146, 186)),
    "park": _park([(78, 128, 62), (104, 148, 76), (62, 104, 58)], (126, 164, 84)),
    "autumn park": _park([(206, 126, 48), (190, 88, 44), (222, 172, 70)], (180, 150, 86)),
    "beach": _beach,
    "street": _street,
    "living room": _living_room,
    "mountains": _mountains,
    "desert": _desert,
    "gallery": _gallery,
}
