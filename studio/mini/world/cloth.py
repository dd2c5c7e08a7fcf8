"""Materials: what skin, hair and cloth answer when a solid asks for colour and relief."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from studio.mini.world.prints import PRINTS
from studio.mini.world.spec import Garment, tone
from studio.mini.world.surfaces import F, Look, Material, Patch

_SIDE = 512
Tint = Callable[[Patch, F], F]
Keep = Callable[[Patch], NDArray[np.bool_]]


def linear(colour: tuple[int, int, int]) -> F:
    """sRGB bytes to the world's working light: (c / 255)², a gamma of 2, which makes the way back one square root."""
    return np.asarray(np.square(np.asarray(colour, np.float32) / 255))


@dataclass(frozen=True)
class Noise:
    """A tileable smooth noise picture, mean 0, about -1..1, sampled bilinearly."""

    grid: F

    @classmethod
    def seeded(cls, seed: int) -> Noise:
        raw = np.random.default_rng(seed).standard_normal((_SIDE, _SIDE)).astype(np.float32)
        frequency = np.fft.fftfreq(_SIDE)[:, None] ** 2 + np.fft.fftfreq(_SIDE)[None, :] ** 2
        smooth = np.fft.ifft2(np.fft.fft2(raw) * np.exp(-frequency * 2 * (np.pi * 12) ** 2)).real
        return cls((smooth / smooth.std() * 0.5).astype(np.float32))

    def at(self, x: F, y: F) -> F:
        """Noise at (x, y), one unit being the whole tile; the finest detail is about 1/20 of it."""
        # remap takes at most 32,767 rows: fold the list into a rectangle.
        count, wide = x.size, 1024
        rows = -(-count // wide)
        mx, my = (np.resize(np.mod(a, 1).astype(np.float32) * (_SIDE - 1), (rows, wide)) for a in (x, y))
        return np.asarray(cv2.remap(self.grid, mx, my, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)).ravel()[:count]


def soft(distance: NDArray[Any], width: float) -> F:
    """1 where ``distance`` is well below 0, 0 well above, a ramp of ``width`` between."""
    return np.clip(0.5 - distance / max(width, 1e-6), 0, 1)


def mix(base: F, over: F, amount: F) -> F:
    """``base`` (n, 3) or (3,) covered by ``over`` where ``amount`` (n,) says so."""
    return np.asarray(base * (1 - amount[:, None]) + over * amount[:, None])


@dataclass(frozen=True)
class Cut:
    """Where a piece of cloth sits, for patterns and folds: its size in statures, and which kind of folds it makes."""

    around: float
    along: float
    folds: str = "torso"
    start: float = 0.0


def cloth(
    garment: Garment, cut: Cut, noise: Noise, stature: float, *, keep: Keep | None = None, tint: Tint | None = None
) -> Material:
    """The garment's cloth over one solid."""
    main, second = linear(tone(garment.colour)), linear(tone(garment.second))

    def material(p: Patch) -> Look:
        x, y = p.u * cut.around, cut.start + p.v * cut.along
        colour = pattern(garment, main, second, x, y, noise)
        bump = folds(cut, p, noise, garment) * stature
        kept = (p.v <= 1.0) & (p.v >= -0.2)
        if keep is not None:
            kept = kept & keep(p)
        if tint is not None:
            colour = tint(p, colour)
        return Look(colour.astype(np.float32), bump.astype(np.float32), kept)

    return material


def pattern(garment: Garment, main: F, second: F, x: F, y: F, noise: Noise) -> F:
    """(n, 3) colours at cloth coordinates (in statures)."""
    weave = 1 + 0.04 * noise.at(x * 9, y * 9)
    base = np.broadcast_to(main, (x.size, 3)) * weave[:, None]
    edge = 0.006
    if garment.pattern == "striped":
        return mix(base, second, soft(np.abs(np.mod(y, 0.056) - 0.028) - 0.014, edge))
    if garment.pattern == "pinstriped":
        return mix(base, second, soft(np.abs(np.mod(x, 0.044) - 0.022) - 0.005, edge))
    if garment.pattern == "checked":
        a = soft(np.abs(np.mod(x, 0.06) - 0.03) - 0.015, edge)
        b = soft(np.abs(np.mod(y, 0.06) - 0.03) - 0.015, edge)
        return mix(base, second, (a + b) * 0.5)
    if garment.pattern == "dotted":
        row = np.floor(y / 0.036)
        cx, cy = np.mod(x + 0.018 * np.mod(row, 2), 0.036) - 0.018, np.mod(y, 0.036) - 0.018
        return mix(base, second, soft(np.hypot(cx, cy) - 0.0085, edge))
    if garment.pattern in PRINTS:
        over, last = PRINTS[garment.pattern](x, y)
        return mix(mix(base, second, over), linear(tone(garment.third)), last)
    if garment.pattern == "floral":
        bloom = soft(0.55 - noise.at(x * 1.6 + 0.3, y * 1.6), 0.25)
        leaf = soft(0.7 - noise.at(x * 1.9 + 0.7, y * 1.9 + 0.1), 0.25)
        return mix(mix(base, second, bloom), linear((70, 110, 60)), leaf * (1 - bloom) * 0.8)
    return base


def folds(cut: Cut, p: Patch, noise: Noise, garment: Garment) -> F:
    """(n,) relief in statures: each kind of cloth falls in its own way."""
    key = cut.along * 0.37 + cut.around * 0.11
    if cut.folds == "skirt":
        drift = 0.35 * noise.at(p.u * 0.6 + key, p.v * 0.25)
        waves = np.cos(2 * np.pi * (7 * p.u + drift)) + 0.5 * np.cos(2 * np.pi * (13 * p.u + 0.3 + 2 * drift))
        return np.asarray(0.0062 * np.clip(p.v, 0, 1) ** 0.8 * waves)
    if cut.folds == "pleats":
        saw = np.mod(p.u * 26, 1.0)
        return np.asarray(0.008 * (saw - 0.5) * np.clip(p.v * 4, 0.25, 1))
    if cut.folds == "horse-face":
        saw = np.mod(np.abs(p.u) * 30, 1.0)
        return np.asarray(0.009 * (saw - 0.5) * (np.abs(p.u) > 0.1) * (np.abs(p.u) < 0.42))
    if cut.folds == "sleeve":
        creases = np.sin(2 * np.pi * (4.2 * p.v + 1.3 * np.abs(p.u)) + 6 * noise.at(p.u + key, p.v * 0.3))
        return np.asarray(0.0011 * creases * (0.25 + np.clip(p.v, 0, 1) ** 2))
    if cut.folds == "leg":
        creases = np.sin(2 * np.pi * (2.6 * p.v + 0.9 * p.u) + 5 * noise.at(p.u + key, p.v * 0.3))
        press = 0.002 * soft(np.abs(p.u) - 0.012, 0.02)
        return np.asarray(0.0014 * creases * (0.2 + np.clip(p.v, 0, 1) ** 3) + press)
    if cut.folds == "knit":
        rib = 0.0006 * np.cos(2 * np.pi * p.u * 90)
        return np.asarray(rib + 0.004 * noise.at(p.u * 0.9 + key, p.v * 0.5))
    drag = noise.at(p.u * 0.9 + 0.12 * p.v + key, p.v * 0.33)
    waist = np.sin(2 * np.pi * (3.1 * p.v + 2.0 * np.abs(p.u)) + 4 * noise.at(p.u + key, p.v * 0.2))
    return np.asarray(0.0026 * drag + 0.0014 * waist * np.clip(p.v, 0, 1))


def skin(colour: F) -> Material:
    """Bare skin, or a mannequin's painted shell."""

    def material(p: Patch) -> Look:
        return Look(np.broadcast_to(colour, (p.u.size, 3)).astype(np.float32))

    return material


def hair(colour: F, noise: Noise, stature: float, *, keep: Keep | None = None, curls: float = 0.0) -> Material:
    """Strands along ``v``; ``curls`` 0..1 turns them into a cloud."""

    def material(p: Patch) -> Look:
        strand = noise.at(p.u * 5.0, p.v * 0.35) * (1 - curls) + noise.at(p.x / stature * 5, p.y / stature * 5) * curls
        tone = colour * (1 + 0.38 * strand)[:, None] + 0.006
        return Look(tone.astype(np.float32), (0.003 * stature * strand).astype(np.float32), keep(p) if keep else None)

    return material
