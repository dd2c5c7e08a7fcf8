"""Garments as solids around the body: each category is a few lofts and sleeves in one cloth."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from studio.mini.world.cloth import Cut, Keep, Tint, cloth, linear, mix, soft
from studio.mini.world.figure import (
    FULL,
    LOWER,
    SIDES,
    UPPER,
    Stage,
    armpit,
    hip_socket,
    limb_radii,
    scaled,
    torso_rings,
)
from studio.mini.world.spec import COLOURS, Garment
from studio.mini.world.surfaces import F, Look, Material, Patch, Ring, Wave, loft
from studio.pose.types import J

AROUND = 0.56


def draw_clothes(stage: Stage) -> None:
    """Every garment of the spec; the depth buffer sorts out which lies over which."""
    spec = stage.spec
    if spec.lower is not None:
        LOWERS[spec.lower.category](stage, spec.lower, LOWER)
    if spec.upper is not None:
        _top(stage, spec.upper, UPPER)
    if spec.full is not None:
        _dress(stage, spec.full, FULL)


EASE = {"t-shirt": 0.007, "shirt": 0.009, "sweater": 0.013, "coat": 0.019, "dress": 0.005}
HEM = {"t-shirt": 1.12, "shirt": 1.16, "sweater": 1.06, "coat": 1.3, "dress": 0.7}


def _body_rings(stage: Stage, garment: Garment, hem: float) -> list[Ring]:
    ease = EASE[garment.category] + max(-0.003, garment.fit * 0.1)
    rings = [r for r in torso_rings(stage.spec) if -0.14 < r.s < min(hem, 0.9)]
    fitted = garment.category == "dress"
    hip = next(r for r in torso_rings(stage.spec) if r.s == 0.95)
    out = [Ring(r.s - 0.02, _loose(r.width, hip.width, fitted, r.s) + ease, r.depth + ease, 0, r.lift) for r in rings]
    if hem < 0.9:
        return [*out, Ring(hem, out[-1].width, out[-1].depth)]
    # The hem must clear the thighs, which bulge through a plain ellipse.
    return [
        *out,
        Ring(0.98, hip.width + ease + 0.006, hip.depth + ease + 0.014),
        Ring(hem, hip.width + ease + 0.01, hip.depth + ease + 0.018),
    ]


def _loose(width: float, hip: float, fitted: bool, s: float) -> float:
    # Cloth hangs from the chest to the hips; it does not follow the waist in unless it is fitted.
    return width if fitted or s < 0.5 else max(width, 0.5 * width + 0.5 * hip)


def _neckline(garment: Garment, hem: float) -> Keep:
    top, span = -0.14, hem + 0.14
    deep, wide = {
        "shirt": (0.16, 0.05),
        "coat": (0.5, 0.06),
        "dress": (0.2, 0.15),
        "t-shirt": (0.08, 0.17),
        "sweater": (0.05, 0.17),
    }[garment.category]

    def keep(p: Patch) -> NDArray[np.bool_]:
        s = top + p.v * span
        across = np.abs(p.u) / wide
        front = s > -0.02 + deep * (1 - across**2) if garment.category != "coat" else s > -0.02 + deep * (1 - across)
        return np.asarray(np.where(across < 1, front, s > -0.105 - 0.03 * (garment.category in ("shirt", "coat"))))

    return keep


def _trim(garment: Garment, hem: float) -> Tint:
    """Plackets, buttons, lapels and ribs, drawn over the cloth's colour."""
    top, span = -0.14, hem + 0.14

    def tint(p: Patch, colour: F) -> F:
        s, u = top + p.v * span, p.u
        shade = colour * 0.62
        if garment.category in ("shirt", "coat"):
            colour = mix(colour, shade, soft(np.abs(u - 0.012) - 0.0035, 0.006))
            button = np.hypot(u * 0.56, (np.mod(s, 0.16) - 0.08) * 0.28) - 0.0055
            colour = mix(
                colour,
                linear((226, 222, 214)) if garment.colour != "white" else linear((150, 146, 140)),
                soft(button, 0.003),
            )
        if garment.category == "coat":
            lapel = np.abs(np.abs(u) - 0.075 * np.clip(1 - s / 0.68, 0, 1) - 0.03) - 0.004
            colour = mix(colour, shade, soft(lapel, 0.008) * (s < 0.62))
            pocket = (np.abs(s - 0.92) < 0.012) & (np.abs(np.abs(u) - 0.11) < 0.04)
            colour = mix(colour, shade, pocket.astype(np.float32))
        if garment.category == "shirt":
            collar = soft(np.abs(s + 0.02 - 0.1 * (1 - np.abs(u) / 0.2)) - 0.012, 0.02) * (np.abs(u) < 0.2)
            colour = mix(colour, colour * 0.72, collar.astype(np.float32))
        if garment.category in ("t-shirt", "sweater"):
            rim = _neck_distance(garment, s, u)
            colour = mix(colour, colour * 0.78, soft(rim - 0.035, 0.012))
        return colour

    return tint


def _neck_distance(garment: Garment, s: F, u: F) -> F:
    deep, wide = (0.08, 0.17) if garment.category == "t-shirt" else (0.05, 0.17)
    across = np.abs(u) / wide
    return np.asarray(np.where(across < 1, s + 0.02 - deep * (1 - across**2), s + 0.105), np.float32)


def _top(stage: Stage, garment: Garment, group: int) -> None:
    hem = HEM[garment.category]
    along = stage.spec.person.proportions.torso * (hem + 0.14)
    kind = "knit" if garment.category == "sweater" else "torso"
    material = cloth(
        garment,
        Cut(AROUND, along, kind),
        stage.noise,
        stage.stature,
        keep=_neckline(garment, hem),
        tint=_trim(garment, hem),
    )
    rings = _body_rings(stage, garment, hem)
    loft(
        stage.buffers,
        stage.chest,
        stage.pelvis,
        scaled(rings, stage.stature),
        stage.spec.angles.yaw,
        material,
        group,
        wave=Wave(0.012, 2.0, stage.spec.seed % 6, 0.02),
    )
    _sleeves(stage, garment, group)
    if garment.category == "coat":
        _skirt(
            stage,
            garment,
            group,
            top=1.0,
            hem_at={"short": 0.3, "knee": 0.52, "long": 0.8}[garment.length],
            flare=1.22,
            kind="torso",
            tint=_coat_line(),
        )


def _coat_line() -> Tint:
    def tint(p: Patch, colour: F) -> F:
        return mix(colour, colour * 0.5, soft(np.abs(p.u - 0.012) - 0.004, 0.006))

    return tint


def _sleeves(stage: Stage, garment: Garment, group: int) -> None:
    if garment.sleeve == "none":
        return
    r, j, p = limb_radii(stage.spec), stage.joints, stage.spec.person.proportions
    ease = EASE[garment.category] + 0.003 + max(0.0, garment.fit * 0.06)
    for _, base in SIDES:
        elbow, wrist = j[J.LEFT_ELBOW + base], j[J.LEFT_WRIST + base]
        shoulder = armpit(stage, base)
        upper = cloth(garment, Cut(0.2, p.upper_arm, "sleeve", -0.02), stage.noise, stage.stature)
        if garment.sleeve == "short":
            end = shoulder + (elbow - shoulder) * 0.6
            stage.limb(shoulder, end, (r["shoulder"] + ease, r["shoulder"] * 0.92 + ease * 1.4), upper, group)
            continue
        stage.limb(
            shoulder,
            elbow,
            (r["shoulder"] + ease, r["elbow"] + ease),
            _uncut(garment, Cut(0.2, p.upper_arm, "sleeve"), stage),
            group,
        )
        lower = cloth(garment, Cut(0.18, p.forearm, "sleeve", p.upper_arm), stage.noise, stage.stature, tint=_cuff())
        stage.limb(elbow, elbow + (wrist - elbow) * 0.97, (r["elbow"] + ease, r["wrist"] + ease * 1.2), lower, group)


def _uncut(garment: Garment, cut: Cut, stage: Stage) -> Material:
    """The upper sleeve runs on round the elbow, so its end is not cut off flat."""
    inner = cloth(garment, cut, stage.noise, stage.stature)

    def material(p: Patch) -> Look:
        look = inner(Patch(p.u, np.clip(p.v, -0.2, 1.0), p.local, p.x, p.y))
        return look

    return material


def _cuff() -> Tint:
    def tint(p: Patch, colour: F) -> F:
        return mix(colour, colour * 0.74, soft(np.abs(p.v - 0.87) - 0.012, 0.02))

    return tint


def _dress(stage: Stage, garment: Garment, group: int) -> None:
    hem = HEM["dress"]
    along = stage.spec.person.proportions.torso * (hem + 0.14)
    material = cloth(garment, Cut(AROUND, along), stage.noise, stage.stature, keep=_neckline(garment, hem))
    rings = _body_rings(stage, garment, hem)
    loft(stage.buffers, stage.chest, stage.pelvis, scaled(rings, stage.stature), stage.spec.angles.yaw, material, group)
    _sleeves(stage, garment, group)
    reach = {"short": 0.36, "knee": 0.56, "long": 0.92}[garment.length]
    _skirt(stage, garment, group, top=hem - 0.02, hem_at=reach, flare=1.75, kind="skirt", tint=_belt(), start=along)


def _belt() -> Tint:
    def tint(p: Patch, colour: F) -> F:
        return mix(colour, colour * 0.6, soft(np.abs(p.v - 0.02) - 0.018, 0.012))

    return tint


def _skirt(
    stage: Stage,
    garment: Garment,
    group: int,
    *,
    top: float,
    hem_at: float,
    flare: float,
    kind: str,
    tint: Tint | None = None,
    start: float = 0.0,
) -> None:
    """A tube from ``top`` (torso lengths below the shoulders) to ``hem_at`` (0 hips .. 1 ankles)."""
    j, s = stage.joints, stage.stature
    if _seated(stage):
        _lap(stage, garment, group, hem_at)
        return
    waist = stage.chest + (stage.pelvis - stage.chest) * top
    ankles = (j[J.LEFT_ANKLE] + j[J.RIGHT_ANKLE]) / 2
    end = stage.pelvis + (ankles - stage.pelvis) * hem_at
    hips = torso_rings(stage.spec)
    hip = next(r for r in hips if r.s == 0.95)
    at = np.interp(top, [r.s for r in hips], [r.width for r in hips])
    deep = np.interp(top, [r.s for r in hips], [r.depth for r in hips])
    ease = 0.016 if garment.category == "coat" else 0.007
    ratio = np.clip(
        float(np.linalg.norm(stage.pelvis - waist)) / max(float(np.linalg.norm(end - waist)), 1.0), 0.02, 0.7
    )
    spread = abs(float(j[J.LEFT_KNEE][0] - j[J.RIGHT_KNEE][0])) / s * 0.5 * hem_at
    stride = abs(float(j[J.LEFT_KNEE][2] - j[J.RIGHT_KNEE][2])) / s * 0.5 * hem_at
    wide, far = max(hip.width * flare, spread + 0.06), max(hip.depth * flare * 1.1, stride + 0.06)
    rings = [
        Ring(0.0, float(at) + ease, float(deep) + ease),
        Ring(float(ratio) * 0.9, hip.width + ease * 1.3, hip.depth + ease * 1.3),
        Ring(float(ratio) * 0.5 + 0.5, (hip.width + wide) / 2 + ease, (hip.depth + far) / 2 + ease),
        Ring(1.0, wide + ease, far + ease),
    ]
    along = float(np.linalg.norm((end - waist)[:2])) / s
    material = cloth(garment, Cut(AROUND * 1.2, along, kind, start), stage.noise, s, tint=tint)
    wave = Wave(0.016 if kind == "skirt" else 0.008, 3.2, stage.spec.seed % 7, 0.02)
    loft(stage.buffers, waist, end, scaled(rings, s), stage.spec.angles.yaw, material, group, wave=wave)


def _seated(stage: Stage) -> bool:
    return stage.spec.angles.left_leg.upper[1] > 45 and stage.spec.angles.right_leg.upper[1] > 45


def _lap(stage: Stage, garment: Garment, group: int, hem_at: float) -> None:
    """A skirt on someone seated: cloth over both thighs, and down the shins when it is long enough."""
    j, r = stage.joints, limb_radii(stage.spec)
    material = _uncut(garment, Cut(0.3, 0.25, "torso"), stage)
    hips = [r_ for r_ in torso_rings(stage.spec) if r_.s >= 0.64]
    stage.torso([Ring(k.s, k.width + 0.008, k.depth + 0.008, 0, k.lift) for k in hips], material, group)
    for _, base in SIDES:
        hip, knee, ankle = hip_socket(stage, base), j[J.LEFT_KNEE + base], j[J.LEFT_ANKLE + base]
        stage.limb(hip, knee, (r["thigh"] + 0.012, r["knee"] + 0.022), material, group)
        if hem_at > 0.5:
            stage.limb(
                knee,
                knee + (ankle - knee) * (hem_at - 0.4) * 1.6,
                (r["knee"] + 0.022, r["knee"] + 0.03),
                material,
                group,
            )
    middle = (j[J.LEFT_KNEE] + j[J.RIGHT_KNEE]) / 2
    stage.limb(stage.pelvis, middle, (0.06, 0.05), material, group)


def _trousers(stage: Stage, garment: Garment, group: int, *, reach: float = 1.0) -> None:
    r, j, p = limb_radii(stage.spec), stage.joints, stage.spec.person.proportions
    wide = garment.category == "wide trousers"
    ease = (0.012 if wide else 0.007) + max(0.0, garment.fit * 0.05)
    _waistband(stage, garment, group, ease)
    for _, base in SIDES:
        hip, knee, ankle = hip_socket(stage, base), j[J.LEFT_KNEE + base], j[J.LEFT_ANKLE + base]
        calf = (r["knee"] + 0.024) if wide else r["ankle"] + 0.014
        shin = Cut(0.24, p.shin, "leg", p.thigh)
        if reach < 0.6:
            end = hip + (knee - hip) * 0.72
            stage.limb(
                hip,
                end,
                (r["thigh"] + ease, r["thigh"] * 0.86 + ease * 1.6),
                cloth(garment, Cut(0.3, p.thigh, "leg"), stage.noise, stage.stature),
                group,
            )
            continue
        stage.limb(
            hip,
            knee,
            (r["thigh"] + ease, r["knee"] + ease * 1.5),
            _uncut(garment, Cut(0.3, p.thigh, "leg"), stage),
            group,
        )
        end = knee + (ankle - knee) * 1.04
        stage.limb(knee, end, (r["knee"] + ease * 1.5, calf), cloth(garment, shin, stage.noise, stage.stature), group)


def _waistband(stage: Stage, garment: Garment, group: int, ease: float) -> None:
    rings = [Ring(k.s, k.width + ease, k.depth + ease, 0, k.lift) for k in torso_rings(stage.spec) if k.s > 0.9]
    first = np.interp(0.74, [r.s for r in torso_rings(stage.spec)], [r.width for r in torso_rings(stage.spec)])
    # Under a shirt the band lies close, or it would show through the looser cloth.
    rings = [Ring(0.74, float(first) * 0.97, 0.048), Ring(0.88, rings[0].width - ease, rings[0].depth - ease), *rings]
    material = cloth(garment, Cut(AROUND, 0.14), stage.noise, stage.stature, tint=_belt())
    stage.torso(rings, material, group)


def _shorts(stage: Stage, garment: Garment, group: int) -> None:
    _trousers(stage, garment, group, reach=0.4)


def _plain_skirt(stage: Stage, garment: Garment, group: int) -> None:
    reach = {"short": 0.32, "knee": 0.55, "long": 0.9}[garment.length]
    pleated = garment.category == "pleated skirt"
    _skirt(
        stage,
        garment,
        group,
        top=0.74,
        hem_at=reach,
        flare=1.6 if pleated else 1.3,
        kind="pleats" if pleated else "skirt",
        tint=_belt(),
    )


def _mamianqun(stage: Stage, garment: Garment, group: int) -> None:
    """The horse-face skirt: a flat panel in front, knife pleats at the sides, woven bands at knee and hem."""
    gold = linear((206, 166, 84)) if garment.colour not in ("yellow", "beige", "cream") else linear(COLOURS["burgundy"])

    def tint(p: Patch, colour: F) -> F:
        band = np.maximum(soft(np.abs(p.v - 0.86) - 0.07, 0.015), soft(np.abs(p.v - 0.56) - 0.028, 0.012))
        motif = 0.45 + 0.55 * (np.sin(2 * np.pi * p.u * 22) * np.cos(2 * np.pi * p.v * 13) > -0.15)
        colour = mix(colour, gold, (band * motif).astype(np.float32))
        edge = soft(np.abs(np.abs(p.u) - 0.1) - 0.004, 0.006)
        return mix(mix(colour, colour * 0.55, edge), colour * 0.6, soft(p.v - 0.03, 0.01))

    _skirt(stage, garment, group, top=0.7, hem_at=0.95, flare=1.75, kind="horse-face", tint=tint)


LOWERS: dict[str, Callable[[Stage, Garment, int], None]] = {
    "trousers": _trousers,
    "wide trousers": _trousers,
    "shorts": _shorts,
    "skirt": _plain_skirt,
    "pleated skirt": _plain_skirt,
    "mamianqun": _mamianqun,
}
