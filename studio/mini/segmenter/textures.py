"""Surfaces and shapes to draw with: whatever cloth, walls and clutter look like, and outlines of every kind.

All of it is numpy and OpenCV on small canvases, a few milliseconds each. Pixels are float32 in 0..1, (H, W, 3).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

F = NDArray[np.float32]
Mask = NDArray[np.bool_]
Rng = np.random.Generator


def clouds(rng: Rng, height: int, width: int, *, coarsest: int | None = None) -> F:
    """Fractal value noise in 0..1, (H, W): octaves of random grids, each half as strong as the one before."""
    total, weight = np.zeros((height, width), np.float32), 0.0
    cells = coarsest or int(rng.integers(2, 9))
    falloff = rng.uniform(0.35, 0.75)
    for octave in range(int(rng.integers(2, 6))):
        side = min(cells * 2**octave, max(height, width))
        grid = rng.random((side + 1, side + 1), np.float32)
        total += falloff**octave * cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
        weight += falloff**octave
    return np.clip(total / weight, 0, 1).astype(np.float32)


def colour(rng: Rng) -> F:
    """(3,) a colour: mostly muted, sometimes loud, sometimes grey."""
    saturation = rng.choice([rng.uniform(0, 0.12), rng.uniform(0.1, 0.6), rng.uniform(0.5, 1)], p=[0.3, 0.45, 0.25])
    value = rng.uniform(0.05, 1) ** rng.choice([0.6, 1, 1.6])
    hsv = np.array([[[rng.uniform(0, 360), saturation, value]]], np.float32)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0], np.float32)


def near(rng: Rng, base: F, spread: float) -> F:
    """(3,) a colour not far from another one."""
    return np.clip(base + rng.normal(0, spread, 3), 0, 1).astype(np.float32)


def pattern(rng: Rng, height: int, width: int) -> F:
    """(H, W) in 0..1: stripes, checks, dots, a weave, blotches, scribbles or letters."""
    return PATTERNS[int(rng.integers(len(PATTERNS)))](rng, height, width)


def _axes(rng: Rng, height: int, width: int) -> tuple[F, F]:
    angle = rng.uniform(0, np.pi) if rng.random() < 0.5 else rng.choice([0.0, np.pi / 2])
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    bend = clouds(rng, height, width, coarsest=2) * rng.uniform(0, 0.25) * max(height, width)
    return (x * np.cos(angle) + y * np.sin(angle) + bend).astype(np.float32), (
        -x * np.sin(angle) + y * np.cos(angle) + bend
    ).astype(np.float32)


def _period(rng: Rng, height: int, width: int) -> float:
    return float(max(height, width) * np.exp(rng.uniform(np.log(0.02), np.log(0.25))))


def _stripes(rng: Rng, height: int, width: int) -> F:
    along, _ = _axes(rng, height, width)
    share = rng.uniform(0.15, 0.7)
    return ((along / _period(rng, height, width)) % 1 < share).astype(np.float32)


def _checks(rng: Rng, height: int, width: int) -> F:
    along, across = _axes(rng, height, width)
    period, share = _period(rng, height, width), rng.uniform(0.2, 0.6)
    return (0.5 * ((along / period) % 1 < share) + 0.5 * ((across / period) % 1 < share)).astype(np.float32)


def _dots(rng: Rng, height: int, width: int) -> F:
    along, across = _axes(rng, height, width)
    period, radius = _period(rng, height, width), rng.uniform(0.15, 0.42)
    return (np.hypot(along / period % 1 - 0.5, across / period % 1 - 0.5) < radius).astype(np.float32)


def _weave(rng: Rng, height: int, width: int) -> F:
    along, across = _axes(rng, height, width)
    period = max(2.5, 0.3 * _period(rng, height, width))
    return np.asarray(
        (0.5 + 0.25 * np.sin(along * 6.283 / period) + 0.25 * np.sin(across * 6.283 / period)).astype(np.float32),
        np.float32,
    )


def _blotches(rng: Rng, height: int, width: int) -> F:
    field = clouds(rng, height, width, coarsest=int(rng.integers(4, 20)))
    return (field > np.quantile(field, rng.uniform(0.3, 0.8))).astype(np.float32)


def _scribbles(rng: Rng, height: int, width: int) -> F:
    canvas = np.zeros((height, width), np.uint8)
    for _ in range(int(rng.integers(3, 25))):
        points = (rng.random((int(rng.integers(2, 6)), 2)) * (width, height)).astype(np.int32)
        cv2.polylines(canvas, [points], bool(rng.random() < 0.3), 255, int(rng.integers(1, 4)), cv2.LINE_AA)
    return canvas.astype(np.float32) / 255


def _letters(rng: Rng, height: int, width: int) -> F:
    canvas = np.zeros((height, width), np.uint8)
    for _ in range(int(rng.integers(1, 8))):
        text = "".join(rng.choice(list("ABCDEFGHKLMNOPRSTUXYZ0123456789"), int(rng.integers(2, 9))))
        place = (int(rng.uniform(-0.1, 0.8) * width), int(rng.uniform(0.05, 1) * height))
        cv2.putText(
            canvas, text, place, cv2.FONT_HERSHEY_SIMPLEX, rng.uniform(0.004, 0.012) * width, 255, 2, cv2.LINE_AA
        )
    return canvas.astype(np.float32) / 255


def _plain(rng: Rng, height: int, width: int) -> F:
    return np.zeros((height, width), np.float32)


PATTERNS = (_stripes, _checks, _dots, _weave, _blotches, _scribbles, _letters, _plain, _plain, _plain)


def surface(rng: Rng, height: int, width: int) -> F:
    """(H, W, 3): a colour or two, a pattern, mottling, a gradient."""
    base = colour(rng)
    other = near(rng, base, 0.08) if rng.random() < 0.3 else colour(rng)
    print_ = pattern(rng, height, width)[..., None]
    out = base * (1 - print_) + other * print_
    mottle = clouds(rng, height, width) - 0.5
    out = out * (1 + rng.uniform(0, 0.5) * mottle[..., None])
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    slope = rng.normal(0, 0.25, 2)
    light = 1 + slope[0] * (x / width - 0.5) + slope[1] * (y / height - 0.5)
    return np.asarray(np.clip(out * light[..., None], 0, 1).astype(np.float32), np.float32)


def folds(rng: Rng, height: int, width: int) -> F:
    """(H, W) light and shade of folded cloth, around 1: a bent ridge field lit from one side."""
    along, _ = _axes(rng, height, width)
    ridges = np.sin(along * 6.283 / (max(height, width) * rng.uniform(0.06, 0.4))) * clouds(rng, height, width)
    relief = ridges + rng.uniform(0.5, 2.5) * clouds(rng, height, width)
    lit = np.gradient(cv2.GaussianBlur(relief.astype(np.float32), (0, 0), max(1.0, width / 80)), axis=1)
    return np.asarray(
        np.clip(1 + rng.uniform(0.1, 0.45) * lit / (np.abs(lit).mean() * 2.5 + 1e-6), 0.35, 1.6).astype(np.float32),
        np.float32,
    )


def roundness(mask: Mask) -> F:
    """(H, W) shading that makes a flat outline look like a body: darker towards the rim."""
    depth = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3)
    return np.asarray(np.sqrt(np.clip(depth / (0.6 * depth.max() + 1e-6), 0, 1)).astype(np.float32), np.float32)


def outline(rng: Rng, height: int, width: int) -> Mask:
    """(H, W) bool: one shape somewhere on the canvas: a blob, a polygon, an ellipse, or a limbed thing."""
    return OUTLINES[int(rng.integers(len(OUTLINES)))](rng, height, width)


def _centre_and_radius(rng: Rng, height: int, width: int) -> tuple[float, float, float]:
    radius = min(height, width) * np.exp(rng.uniform(np.log(0.06), np.log(0.5)))
    return float(rng.uniform(0, width)), float(rng.uniform(0, height)), float(radius)


def _polar(rng: Rng, height: int, width: int, corners: int, jitter: float) -> Mask:
    x, y, radius = _centre_and_radius(rng, height, width)
    turns = np.sort(rng.uniform(0, 2 * np.pi, corners))
    reach = radius * (1 + rng.normal(0, jitter, corners)).clip(0.25, 2)
    squeeze = rng.uniform(0.4, 1)
    points = np.stack([x + reach * np.cos(turns) * squeeze, y + reach * np.sin(turns)], axis=1)
    canvas = np.zeros((height, width), np.uint8)
    cv2.fillPoly(canvas, [points.astype(np.int32)], 1)
    return canvas.astype(bool)


def _blob(rng: Rng, height: int, width: int) -> Mask:
    x, y, radius = _centre_and_radius(rng, height, width)
    yy, xx = np.mgrid[0:height, 0:width].astype(np.float32)
    distance = np.hypot(xx - x, (yy - y) * rng.uniform(0.5, 2)) / radius
    return np.asarray(distance + rng.uniform(0.5, 2.0) * (clouds(rng, height, width) - 0.5) < 1)


def _polygon(rng: Rng, height: int, width: int) -> Mask:
    return _polar(rng, height, width, int(rng.integers(3, 9)), 0.35)


def _ellipse(rng: Rng, height: int, width: int) -> Mask:
    return _polar(rng, height, width, 40, 0.0)


def _box(rng: Rng, height: int, width: int) -> Mask:
    x, y, radius = _centre_and_radius(rng, height, width)
    rectangle = ((x, y), (2 * radius, 2 * radius * rng.uniform(0.2, 1.2)), float(rng.choice([0, rng.uniform(0, 180)])))
    canvas = np.zeros((height, width), np.uint8)
    cv2.fillPoly(canvas, [cv2.boxPoints(rectangle).astype(np.int32)], 1)
    return canvas.astype(bool)


def _limbed(rng: Rng, height: int, width: int) -> Mask:
    x, y, radius = _centre_and_radius(rng, height, width)
    canvas = np.zeros((height, width), np.uint8)
    trunk = (int(x), int(y))
    cv2.ellipse(
        canvas, trunk, (max(2, int(radius * 0.45)), max(2, int(radius * 0.8))), rng.uniform(-20, 20), 0, 360, 1, -1
    )
    for _ in range(int(rng.integers(1, 5))):
        turn, length = rng.uniform(0, 2 * np.pi), radius * rng.uniform(0.8, 1.8)
        elbow = (int(x + length * np.cos(turn)), int(y + length * np.sin(turn)))
        bend = turn + rng.normal(0, 0.8)
        hand = (int(elbow[0] + length * 0.7 * np.cos(bend)), int(elbow[1] + length * 0.7 * np.sin(bend)))
        cv2.polylines(
            canvas, [np.array([trunk, elbow, hand], np.int32)], False, 1, max(2, int(radius * rng.uniform(0.15, 0.4)))
        )
    return canvas.astype(bool)


OUTLINES = (_blob, _blob, _polygon, _ellipse, _box, _limbed, _limbed)
