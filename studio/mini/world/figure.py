"""The wearer: body, head with a face, hair, hands and feet, or a headless mannequin on its stand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studio.mini.world.cloth import Noise, hair, linear, mix, skin, soft
from studio.mini.world.spec import COLOURS, HAIR_COLOURS, SKINS, Spec
from studio.mini.world.surfaces import Buffers, F, Look, Material, Patch, Ring, ellipsoid, limb, loft
from studio.pose.body import head_frame, landmarks, rotation_y
from studio.pose.types import J

SKIN, HAIR, UPPER, LOWER, FULL, SHOE, STAND = range(1, 8)
SIDES = ((1.0, 0), (-1.0, 1))


@dataclass(frozen=True)
class Stage:
    """One figure on one picture: buffers, scale, and its joints as (x, y, height towards the camera) in pixels."""

    buffers: Buffers
    spec: Spec
    stature: float
    hips: tuple[float, float]
    noise: Noise
    joints: F

    @classmethod
    def set(cls, buffers: Buffers, spec: Spec, *, stature: float, hips: tuple[float, float], noise: Noise) -> Stage:
        body = landmarks(spec.angles, spec.person.proportions) * stature
        joints = np.stack([body[:, 0] + hips[0], body[:, 1] + hips[1], -body[:, 2]], axis=1).astype(np.float32)
        return cls(buffers, spec, stature, hips, noise, joints)

    @property
    def chest(self) -> F:
        """The shoulders' midpoint."""
        return np.asarray((self.joints[J.LEFT_SHOULDER] + self.joints[J.RIGHT_SHOULDER]) / 2, np.float32)

    @property
    def pelvis(self) -> F:
        """The hips' midpoint."""
        return np.asarray((self.joints[J.LEFT_HIP] + self.joints[J.RIGHT_HIP]) / 2, np.float32)

    def limb(self, a: F, b: F, radii: tuple[float, float], material: Material, group: int, bulge: float = 0.0) -> None:
        """:func:`limb` with radii in statures."""
        limb(self.buffers, a, b, (radii[0] * self.stature, radii[1] * self.stature), material, group, bulge=bulge)

    def torso(self, rings: list[Ring], material: Material, group: int) -> None:
        """A loft down the spine, rings in statures across and in torso lengths along."""
        loft(self.buffers, self.chest, self.pelvis, scaled(rings, self.stature), self.spec.angles.yaw, material, group)


def scaled(rings: list[Ring], stature: float, *, ease: float = 0.0) -> list[Ring]:
    """Rings in statures to pixels, ``ease`` (statures) wider."""
    return [
        Ring(r.s, (r.width + ease) * stature, (r.depth + ease) * stature, r.shift * stature, r.lift * stature)
        for r in rings
    ]


def torso_rings(spec: Spec) -> list[Ring]:
    """Cross-sections of the bare torso, s = 0 at the shoulders and 1 at the hips."""
    p = spec.person.proportions
    half, build = p.shoulder_width / 2, 1 + spec.person.build
    woman = spec.person.sex == "woman"
    waist, hip = (0.074, 0.098) if woman else (0.086, 0.092)
    return [
        Ring(-0.2, 0.030, 0.032),
        Ring(-0.13, 0.038, 0.036),
        Ring(-0.07, half * 0.66, 0.046),
        Ring(-0.01, half * 0.97, 0.052),
        Ring(0.06, half * 1.02, 0.056),
        Ring(0.2, half * 0.93 * build, 0.066 * build, 0, 0.004),
        Ring(0.34, half * 0.9 * build, (0.072 if woman else 0.068) * build, 0, 0.006),
        Ring(0.64, waist * build, 0.054 * build),
        Ring(0.95, hip * build, 0.066 * build, 0, -0.004),
        Ring(1.12, hip * 0.98 * build, 0.066 * build, 0, -0.006),
        Ring(1.24, hip * 0.8 * build, 0.05 * build),
    ]


def limb_radii(spec: Spec) -> dict[str, float]:
    """Bare limb radii in statures."""
    k = (1 + spec.person.build) * (0.92 if spec.person.sex == "woman" else 1.06)
    return {
        "shoulder": 0.0315 * k,
        "elbow": 0.0245 * k,
        "wrist": 0.0165 * k,
        "thigh": 0.05 * k,
        "knee": 0.035 * k,
        "ankle": 0.021 * k,
    }


def draw_body(stage: Stage) -> None:
    """Torso, neck, limbs, hands and feet; a mannequin keeps its neck cap and loses its head."""
    person = stage.spec.person
    tone = linear(COLOURS[person.skin] if person.mannequin else SKINS[person.skin])
    material, r = skin(tone), limb_radii(stage.spec)
    stage.torso(torso_rings(stage.spec), material, SKIN)
    _neck(stage, material)
    for _, base in SIDES:
        j = stage.joints
        stage.limb(armpit(stage, base), j[J.LEFT_ELBOW + base], (r["shoulder"], r["elbow"]), material, SKIN, 0.05)
        stage.limb(j[J.LEFT_ELBOW + base], j[J.LEFT_WRIST + base], (r["elbow"], r["wrist"]), material, SKIN, 0.08)
        _hand(stage, base, material, r["wrist"])
        if not person.stand:
            stage.limb(hip_socket(stage, base), j[J.LEFT_KNEE + base], (r["thigh"], r["knee"]), material, SKIN, 0.04)
            stage.limb(j[J.LEFT_KNEE + base], j[J.LEFT_ANKLE + base], (r["knee"], r["ankle"]), material, SKIN, 0.13)
            _foot(stage, base)
    if person.stand:
        _stand(stage)
    if not person.mannequin:
        draw_head(stage, tone)


def armpit(stage: Stage, base: int) -> F:
    """Where the upper arm's solid begins: a little inside and below the joint, so that the shoulder slopes instead of
    puffing up.
    """
    joint = stage.joints[J.LEFT_SHOULDER + base]
    inwards = (stage.chest - joint) * 0.12
    return np.asarray(joint + inwards + np.array([0, 0.014 * stage.stature, 0], np.float32), np.float32)


def hip_socket(stage: Stage, base: int) -> F:
    """Where the thigh's solid begins: inside the joint, so that the thighs stay within the hips' outline."""
    joint = stage.joints[J.LEFT_HIP + base]
    return np.asarray(joint + (stage.pelvis - joint) * 0.24, np.float32)


def _neck(stage: Stage, material: Material) -> None:
    up = (stage.chest - stage.pelvis) / max(float(np.linalg.norm(stage.chest - stage.pelvis)), 1e-3)
    length = stage.spec.person.proportions.neck + (0.02 if not stage.spec.person.mannequin else 0.012)
    stage.limb(stage.chest, stage.chest + up * length * stage.stature, (0.034, 0.028), material, SKIN)


def _hand(stage: Stage, base: int, material: Material, wrist: float) -> None:
    j, size = stage.joints, stage.spec.person.proportions.hand * stage.stature
    start = j[J.LEFT_WRIST + base]
    knuckles = (j[J.LEFT_INDEX + base] + j[J.LEFT_PINKY + base]) / 2
    along = (knuckles - start) / max(float(np.linalg.norm(knuckles - start)), 1e-3)
    across = j[J.LEFT_INDEX + base] - j[J.LEFT_PINKY + base]
    across = across / max(float(np.linalg.norm(across)), 1e-3)
    palm_end = start + along * size * 0.42
    for k in (-1.0, 0.0, 1.0):
        stage.limb(
            start + across * size * 0.05 * k,
            palm_end + across * size * 0.12 * k,
            (wrist * 0.85, wrist * 0.68),
            material,
            SKIN,
        )
    for k, length in zip((-1.5, -0.5, 0.5, 1.5), (0.36, 0.46, 0.5, 0.44), strict=True):
        root = palm_end + across * size * 0.1 * k
        bend = np.array([0.0, 0.0, -0.12], np.float32) * size
        stage.limb(root, root + along * size * length + bend, (wrist * 0.42, wrist * 0.3), material, SKIN)
    thumb = start + along * size * 0.12 + across * size * 0.16
    stage.limb(thumb, j[J.LEFT_THUMB + base] + along * size * 0.08, (wrist * 0.5, wrist * 0.36), material, SKIN)


def _foot(stage: Stage, base: int) -> None:
    j = stage.joints
    heel, toe, ankle = j[J.LEFT_HEEL + base], j[J.LEFT_FOOT + base], j[J.LEFT_ANKLE + base]
    colour = linear(COLOURS[stage.spec.shoe])

    def leather(p: Patch) -> Look:
        return Look(np.broadcast_to(colour, (p.u.size, 3)).astype(np.float32))

    stage.limb(heel, toe, (0.021, 0.0185), leather, SHOE)
    stage.limb(ankle + (heel - ankle) * 0.5, (heel + toe) / 2, (0.021, 0.0195), leather, SHOE)


def _stand(stage: Stage) -> None:
    metal = skin(linear((92, 92, 96)))
    foot = np.array([stage.pelvis[0], stage.hips[1] + stage.stature * 0.5, stage.pelvis[2]], np.float32)
    stage.limb(stage.pelvis, foot, (0.009, 0.009), metal, STAND)
    ellipsoid(stage.buffers, foot, np.array([0.1, 0.012, 0.1], np.float32) * stage.stature, np.eye(3), metal, STAND)


def draw_head(stage: Stage, tone: F) -> None:
    """Skull and jaw as one ellipsoid with painted features, ears, and hair over it."""
    spec, s = stage.spec, stage.stature
    centre_body, turn_head = head_frame(spec.angles, spec.person.proportions)
    turn = rotation_y(spec.angles.yaw) @ turn_head
    c = rotation_y(spec.angles.yaw) @ centre_body * s
    centre = np.array([c[0] + stage.hips[0], c[1] + stage.hips[1], -c[2]], np.float32)
    h = spec.person.proportions.head * s
    radii = np.array([0.365, 0.5, 0.43], np.float32) * h
    ellipsoid(stage.buffers, centre, radii, turn, face(tone, spec), SKIN)
    for side in (-1.0, 1.0):
        ear = turn @ np.array([side * 0.365, 0.05, 0.03]) * h
        at = centre + np.array([ear[0], ear[1], -ear[2]], np.float32)
        ellipsoid(stage.buffers, at, np.array([0.035, 0.1, 0.06], np.float32) * h, turn, skin(tone * 0.93), SKIN)
    nose = turn @ np.array([0, 0.1, -0.405]) * h
    at = centre + np.array([nose[0], nose[1], -nose[2]], np.float32)
    ellipsoid(stage.buffers, at, np.array([0.052, 0.11, 0.06], np.float32) * h, turn, skin(tone * 0.985), SKIN)
    if spec.person.hair != "shaved":
        draw_hair(stage, centre, turn, h)


def face(tone: F, spec: Spec) -> Material:
    """Eyes, brows, lips and a touch of colour, painted on the head's front in its own coordinates."""
    iris, lash = linear((72, 52, 40)), linear((36, 26, 24))
    woman = spec.person.sex == "woman"
    lips = mix_one(tone, linear((188, 58, 66)), 0.62 if woman else 0.32)
    brow = mix_one(linear(HAIR_COLOURS[spec.person.hair_colour]), lash, 0.45)

    def material(p: Patch) -> Look:
        x, y, front = np.abs(p.local[:, 0]), p.local[:, 1], p.local[:, 2] < 0.1
        colour = np.broadcast_to(tone, (x.size, 3)).astype(np.float32)
        colour = mix(
            colour,
            tone * np.array([1.0, 0.78, 0.76], np.float32),
            soft(np.hypot((x - 0.5) / 0.3, (y - 0.32) / 0.2) - 0.6, 0.9) * 0.6,
        )
        colour = mix(colour, tone * 0.72, soft(np.hypot((x - 0.43) / 0.24, (y + 0.01) / 0.15) - 0.8, 0.5) * 0.55)
        eye = np.hypot((x - 0.43) / 0.165, (y - 0.015) / 0.068)
        colour = mix(colour, linear((236, 232, 228)), soft(eye - 1, 0.35))
        colour = mix(colour, iris, soft(np.hypot(x - 0.43, (y - 0.01) * 1.2) - 0.072, 0.03) * soft(eye - 1, 0.3))
        lid = np.abs(y + 0.052 - 0.06 * ((x - 0.43) / 0.18) ** 2) - (0.026 if woman else 0.018)
        colour = mix(colour, lash, soft(lid, 0.03) * soft(np.abs(x - 0.43) - 0.19, 0.05))
        arch = np.abs(y + 0.195 - 0.05 * ((x - 0.4) / 0.2) ** 2) - (0.026 if woman else 0.038)
        colour = mix(colour, brow, soft(arch, 0.035) * soft(np.abs(x - 0.42) - 0.23, 0.08) * 0.9)
        colour = mix(colour, tone * 0.55, soft(np.hypot((x - 0.05) / 0.05, (y - 0.405) / 0.025) - 1, 0.8) * 0.7)
        mouth = np.hypot(x / 0.27, (y - 0.6) / (0.07 + 0.02 * (x < 0.1)))
        colour = mix(colour, lips, soft(mouth - 1, 0.35))
        colour = mix(
            colour, lips * 0.4, soft(np.abs(y - 0.592 + 0.02 * (x / 0.25) ** 2) - 0.008, 0.02) * soft(x - 0.24, 0.05)
        )
        colour = np.where(front[:, None], colour, tone)
        jaw = np.sqrt(np.maximum(1 - y * y, 0)) * (1 - 0.2 * np.clip((y - 0.05) / 0.9, 0, 1) ** 1.2)
        return Look(colour.astype(np.float32), 0.0, (x <= jaw + 1e-3) | (p.local[:, 2] > 0.3))

    return material


def mix_one(a: F, b: F, amount: float) -> F:
    """One colour between two."""
    return np.asarray(a * (1 - amount) + b * amount, np.float32)


def draw_hair(stage: Stage, centre: F, turn: NDArray[np.float64], h: float) -> None:
    """A cap cut open over the face, and what hangs or sits on it by style."""
    style = stage.spec.person.hair
    colour = linear(HAIR_COLOURS[stage.spec.person.hair_colour])
    low = {"short": 0.12, "bob": 0.95, "long": 0.95, "curly": 0.75, "bun": 0.2, "ponytail": 0.2}[style]
    opening = 0.86 if style in ("short", "bun", "ponytail") else 0.74
    curls = 1.0 if style == "curly" else 0.0
    size = {"curly": (0.5, 0.58, 0.54), "bob": (0.43, 0.58, 0.49)}.get(style, (0.4, 0.54, 0.47))

    def outside_face(p: Patch) -> NDArray[np.bool_]:
        x, y, z = p.local[:, 0], p.local[:, 1], p.local[:, 2]
        hairline = np.hypot(x / opening, (y - 0.32) / (0.92 if style != "curly" else 0.8))
        return np.asarray(
            ((hairline > 1) | (z > 0.12 - 0.25 * (y < -0.2))) & (y < low - 0.5 * (z < -0.1) * (style == "short"))
        )

    material = hair(colour, stage.noise, stage.stature, keep=outside_face, curls=curls)
    shift = turn @ np.array([0, -0.03, 0.03]) * h
    cap = centre + np.array([shift[0], shift[1], -shift[2]], np.float32)
    ellipsoid(stage.buffers, cap, np.array(size, np.float32) * h, turn, material, HAIR)
    plain = hair(colour, stage.noise, stage.stature)

    def at(x: float, y: float, z: float) -> F:
        v = turn @ np.array([x, y, z]) * h
        return centre + np.array([v[0], v[1], -v[2]], np.float32)

    if style == "long":
        for x in (-0.3, -0.1, 0.1, 0.3):
            limb(
                stage.buffers,
                at(x * 0.9, 0.1, 0.24),
                at(x * 1.35, 1.35, 0.30),
                (0.2 * h, 0.12 * h),
                plain,
                HAIR,
                bulge=0.1,
            )
        for side in (-1.0, 1.0):
            limb(
                stage.buffers,
                at(side * 0.36, -0.05, 0.06),
                at(side * 0.44, 1.12, -0.12),
                (0.1 * h, 0.06 * h),
                plain,
                HAIR,
                bulge=0.25,
            )
    if style == "bun":
        ellipsoid(stage.buffers, at(0, -0.5, 0.3), np.array([0.2, 0.19, 0.2], np.float32) * h, turn, plain, HAIR)
    if style == "ponytail":
        limb(stage.buffers, at(0, -0.25, 0.45), at(0.06, 0.95, 0.55), (0.13 * h, 0.06 * h), plain, HAIR, bulge=0.3)
