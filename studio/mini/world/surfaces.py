"""A small orthographic rasteriser of curved solids: ellipsoids, tapered limbs and lofted tubes, each hit analytically.

Coordinates are picture pixels: x right, y down; ``h`` is height towards the camera (-z of a pose). Each solid fills,
in its own
bounding box, a depth buffer and what shading needs: normal, surface coordinates, colour, bump (fine relief for folds
and hair).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

F = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Patch:
    """What a material sees of one solid: the pixels it may colour.

    Attributes:
        u: (n,) angle round the solid in turns, 0 at its front, -0.5..0.5 at its back.
        v: (n,) position along the solid's axis, 0 at its start, 1 at its end (may pass both a little).
        local: (n, 3) position in the solid's own frame, in units of its size (ellipsoids only; else zeros).
        x, y: (n,) picture pixels.
    """

    u: F
    v: F
    local: F
    x: F
    y: F


@dataclass(frozen=True)
class Look:
    """What a material answers: colour (n, 3) linear 0..1, relief (n,) in pixels, and optionally which pixels to keep
    (n,).
    """

    colour: F
    bump: F | float = 0.0
    keep: NDArray[np.bool_] | None = None


Material = Callable[[Patch], Look]


class Buffers:
    """The picture being drawn: depth and shading inputs per pixel."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.depth = np.full((height, width), -np.inf, np.float32)
        self.normal = np.zeros((height, width, 3), np.float32)
        self.colour = np.zeros((height, width, 3), np.float32)
        self.bump = np.zeros((height, width), np.float32)
        self.group = np.zeros((height, width), np.uint8)

    def window(self, x0: float, y0: float, x1: float, y1: float) -> tuple[slice, slice, F, F] | None:
        """Slices of the clipped box and its pixel centres as (1, w) and (h, 1); None when it lies outside."""
        left, top = max(0, int(np.floor(x0))), max(0, int(np.floor(y0)))
        right, bottom = min(self.width, int(np.ceil(x1)) + 1), min(self.height, int(np.ceil(y1)) + 1)
        if right <= left or bottom <= top:
            return None
        xs = np.arange(left, right, dtype=np.float32)[None, :] + 0.5
        ys = np.arange(top, bottom, dtype=np.float32)[:, None] + 0.5
        return slice(top, bottom), slice(left, right), xs, ys

    def put(
        self,
        rows: slice,
        cols: slice,
        hit: NDArray[np.bool_],
        depth: F,
        surface: Surface,
        material: Material,
        group: int,
    ) -> None:
        """Write the nearer pixels of a solid."""
        hit = hit & (depth > self.depth[rows, cols])
        if not hit.any():
            return
        look = material(surface.patch(hit))
        if look.keep is not None:
            inside = np.flatnonzero(hit)[look.keep]
            hit = np.zeros_like(hit)
            hit.flat[inside] = True
            look = Look(
                look.colour[look.keep], look.bump[look.keep] if isinstance(look.bump, np.ndarray) else look.bump
            )
        self.depth[rows, cols][hit] = depth[hit]
        self.normal[rows, cols][hit] = surface.normal(hit)
        self.colour[rows, cols][hit] = look.colour
        self.bump[rows, cols][hit] = look.bump
        self.group[rows, cols][hit] = group


@dataclass(frozen=True)
class Surface:
    """Per-pixel surface of one solid over its window."""

    nx: F
    ny: F
    nh: F
    u: F
    v: F
    local: tuple[F, F, F] | None
    xs: F
    ys: F

    def patch(self, hit: NDArray[np.bool_]) -> Patch:
        shape = hit.shape
        x, y = np.broadcast_to(self.xs, shape)[hit], np.broadcast_to(self.ys, shape)[hit]
        local = np.stack([a[hit] for a in self.local], axis=1) if self.local else np.zeros((x.size, 3), np.float32)
        return Patch(np.broadcast_to(self.u, shape)[hit], np.broadcast_to(self.v, shape)[hit], local, x, y)

    def normal(self, hit: NDArray[np.bool_]) -> F:
        shape = hit.shape
        return np.stack([np.broadcast_to(a, shape)[hit] for a in (self.nx, self.ny, self.nh)], axis=1)


def limb(
    b: Buffers, start: F, end: F, radii: tuple[float, float], material: Material, group: int, *, bulge: float = 0.0
) -> None:
    """A tapered round limb from ``start`` to ``end`` ((3,) x, y, h in pixels) with a radius at each end and a belly
    between.
    """
    ra, rb = radii
    reach = max(ra, rb) * (1 + max(bulge, 0.0)) + 1
    low, high = np.minimum(start, end), np.maximum(start, end)
    window = b.window(low[0] - reach, low[1] - reach, high[0] + reach, high[1] + reach)
    if window is None:
        return
    rows, cols, xs, ys = window
    ax, ay = float(end[0] - start[0]), float(end[1] - start[1])
    length2 = max(ax * ax + ay * ay, 1e-3)
    px, py = xs - float(start[0]), ys - float(start[1])
    raw = (px * ax + py * ay) / length2
    t = np.clip(raw, 0, 1)
    dx, dy = px - t * ax, py - t * ay
    radius = (ra + (rb - ra) * t) * (1 + bulge * 4 * t * (1 - t))
    d2 = dx * dx + dy * dy
    inside = np.maximum(radius * radius - d2, 0)
    lift = np.sqrt(inside)
    depth = float(start[2]) + t * float(end[2] - start[2]) + lift
    nx, ny, nh = dx / radius, dy / radius, lift / radius
    side = (dx * ay - dy * ax) / np.sqrt(length2) / radius
    u = np.arcsin(np.clip(-side, -1, 1)) / (2 * np.pi)
    surface = Surface(nx, ny, nh, u.astype(np.float32), raw.astype(np.float32), None, xs, ys)
    b.put(rows, cols, inside > 0, depth.astype(np.float32), surface, material, group)


def ellipsoid(
    b: Buffers, centre: F, radii: F, turn: NDArray[np.float64], material: Material, group: int, *, front: float = 1.0
) -> None:
    """An ellipsoid of half-axes ``radii`` in its own frame, turned by the 3x3 ``turn`` (body x, y, z axes; z away from
    the camera).
    """
    axes = turn @ np.diag(1.0 / np.asarray(radii, float) ** 2) @ turn.T
    (a, d, e), (_, bb, f), (_, _, c) = axes
    # Silhouette half-extents are the square roots of the covariance's diagonal.
    cov = turn @ np.diag(np.asarray(radii, float) ** 2) @ turn.T
    ex, ey = np.sqrt(cov[0, 0]), np.sqrt(cov[1, 1])
    window = b.window(centre[0] - ex, centre[1] - ey, centre[0] + ex, centre[1] + ey)
    if window is None:
        return
    rows, cols, xs, ys = window
    px, py = xs - float(centre[0]), ys - float(centre[1])
    # a px² + b py² + c z² + 2 d px py + 2 e px z + 2 f py z = 1, nearest root (z negative towards the camera).
    half = e * px + f * py
    disc = half * half - c * (a * px * px + bb * py * py + 2 * d * px * py - 1)
    root = np.sqrt(np.maximum(disc, 0))
    z = (-half - front * root) / c
    gx, gy, gz = a * px + d * py + e * z, d * px + bb * py + f * z, e * px + f * py + c * z
    norm = np.sqrt(gx * gx + gy * gy + gz * gz) + 1e-9
    q = [(turn[0, i] * px + turn[1, i] * py + turn[2, i] * z) / float(radii[i]) for i in range(3)]
    local = tuple(np.asarray(k, np.float32) for k in q)
    u = (np.arctan2(local[0], -local[2]) / (2 * np.pi)).astype(np.float32)
    v = (local[1] * 0.5 + 0.5).astype(np.float32)
    to32 = [np.asarray(k, np.float32) for k in (gx / norm, gy / norm, -gz / norm * front)]
    surface = Surface(to32[0], to32[1], to32[2], u, v, (local[0], local[1], local[2]), xs, ys)
    b.put(rows, cols, disc > 0, np.asarray(float(centre[2]) - z, np.float32), surface, material, group)


@dataclass(frozen=True)
class Ring:
    """One cross-section of a loft: where on the axis, the ellipse's half width and half depth, its shift off the axis
    (pixels).
    """

    s: float
    width: float
    depth: float
    shift: float = 0.0
    lift: float = 0.0


def loft(
    b: Buffers,
    start: F,
    end: F,
    rings: list[Ring],
    yaw: float,
    material: Material,
    group: int,
    *,
    wave: Wave | None = None,
) -> None:
    """A tube through elliptic rings along the straight axis from ``start`` to ``end`` ((3,) x, y, h).

    ``yaw`` (degrees) turns the ellipses about the axis; ``wave`` makes the outline of its lower end swing with its
    folds.
    """
    axis = np.array([end[0] - start[0], end[1] - start[1]], float)
    length = max(float(np.hypot(*axis)), 1e-3)
    dx, dy = axis / length
    reach = (
        max(max(r.width, r.depth) + abs(r.shift) + abs(r.lift) for r in rings) + (wave.amount * 1.5 if wave else 0) + 2
    )
    first, last = rings[0].s, rings[-1].s
    corners = np.array([[start[0] + axis[0] * k, start[1] + axis[1] * k] for k in (first, last)])
    window = b.window(*(corners.min(0) - reach), *(corners.max(0) + reach))
    if window is None:
        return
    rows, cols, xs, ys = window
    px, py = xs - float(start[0]), ys - float(start[1])
    s = ((px * dx + py * dy) / length).astype(np.float32)
    at = [r.s for r in rings]
    width, depth_, shift, lift = (
        np.interp(s, at, [getattr(r, k) for r in rings]).astype(np.float32) for k in ("width", "depth", "shift", "lift")
    )
    e = (px * dy - py * dx - shift).astype(np.float32)
    if wave is not None:
        hem = s + wave.hem(e / np.maximum(width, 1))
    else:
        hem = s
    c, sn = np.cos(np.radians(yaw)), np.sin(np.radians(yaw))
    m11 = (c / width) ** 2 + (sn / depth_) ** 2
    m12 = -sn * c / width**2 + sn * c / depth_**2
    m22 = (sn / width) ** 2 + (c / depth_) ** 2
    disc = (m12 * e) ** 2 - m22 * (m11 * e * e - 1)
    root = np.sqrt(np.maximum(disc, 0))
    z = (-m12 * e - root) / m22
    ge, gz = m11 * e + m12 * z, m12 * e + m22 * z
    # How the radius grows along the axis tilts the normal along it.
    grow = np.gradient(width, axis=0) if width.shape[0] > 1 else np.zeros_like(width)
    norm = np.sqrt(ge * ge + gz * gz) + 1e-9
    ge, gz = ge / norm, gz / norm
    tilt = np.clip(grow * 0.7, -0.6, 0.6)
    flat = 1 / np.sqrt(1 + tilt * tilt)
    nx, ny, nh = (ge * dy + 0 * e) * flat - tilt * dx * flat, (-ge * dx) * flat - tilt * dy * flat, -gz * flat
    # Back into the tube's own frame for its surface coordinates.
    lx, lz = c * e - sn * z, sn * e + c * z
    u = (np.arctan2(lx / width, -lz / depth_) / (2 * np.pi)).astype(np.float32)
    mid = float(start[2]) + s * float(end[2] - start[2]) + lift
    v = (s - first) / (last - first)
    surface = Surface(nx, ny, nh, u, v, None, xs, ys)
    hit = (disc > 0) & (s >= first) & (hem <= last)
    b.put(rows, cols, hit, np.asarray(mid - z, np.float32), surface, material, group)


@dataclass(frozen=True)
class Wave:
    """A hem that is not cut straight: ``amount`` in units of the loft's length, ``turns`` waves across, ``phase``
    radians, ``curve`` sag.
    """

    amount: float
    turns: float
    phase: float
    curve: float = 0.0

    def hem(self, across: F) -> F:
        return np.asarray(
            self.amount * np.sin(across * np.pi * self.turns + self.phase) + self.curve * across * across, np.float32
        )
