"""Fitting the body of :mod:`studio.pose.body` to a few known landmarks: the most plausible body that passes through
them.

A maximum-a-posteriori fit by nonlinear least squares: landmarks seen pull the body to themselves; what nobody sees is
decided by body proportions near the average, a relaxed stand, left/right symmetry and joint limits. The idea is that of
SMPLify (Bogo et al. 2016, https://arxiv.org/abs/1607.08128), with twelve segment lengths instead of a learned shape.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from studio.pose.body import Angles, Limb, Proportions, direction, landmarks
from studio.pose.types import J

Vector = NDArray[np.float64]

# Segments whose length in the picture tells the stature: ends, and the field of Proportions that names the length.
SEGMENTS = (
    (J.LEFT_SHOULDER, J.LEFT_HIP, "torso"), (J.RIGHT_SHOULDER, J.RIGHT_HIP, "torso"),
    (J.LEFT_SHOULDER, J.RIGHT_SHOULDER, "shoulder_width"), (J.LEFT_HIP, J.RIGHT_HIP, "hip_width"),
    (J.LEFT_SHOULDER, J.LEFT_ELBOW, "upper_arm"), (J.RIGHT_SHOULDER, J.RIGHT_ELBOW, "upper_arm"),
    (J.LEFT_ELBOW, J.LEFT_WRIST, "forearm"), (J.RIGHT_ELBOW, J.RIGHT_WRIST, "forearm"),
    (J.LEFT_HIP, J.LEFT_KNEE, "thigh"), (J.RIGHT_HIP, J.RIGHT_KNEE, "thigh"),
    (J.LEFT_KNEE, J.LEFT_ANKLE, "shin"), (J.RIGHT_KNEE, J.RIGHT_ANKLE, "shin"),
)  # fmt: skip
LENGTHS = ("head", "neck", "shoulder_width", "hip_width", "torso", "upper_arm", "forearm", "thigh", "shin")
LIMBS = ("left_arm", "right_arm", "left_leg", "right_leg")

# Parameter vector: hips x, y (statures), log stature, yaw, lean (2), tilts (2), head (2), limbs (4 x 4), log lengths
# (9).
FRAME, TRUNK, LIMB, SHAPE = slice(0, 3), slice(3, 10), slice(10, 26), slice(26, 26 + len(LENGTHS))
SIZE = 26 + len(LENGTHS)
RADIAN = math.degrees(1.0)

# Spread of the trunk's angles about zero, degrees: yaw is nearly free, the rest are those of people who stand for a
# photo.
TRUNK_SPREAD = np.array([400.0, 6.0, 9.0, 6.0, 6.0, 22.0, 14.0]) / RADIAN
SHAPE_SPREAD = np.array([0.06, 0.12, 0.10, 0.14, 0.06, 0.05, 0.05, 0.05, 0.05])
# Relaxed limbs (degrees outwards, forwards) and how far, as unit vectors, people's limbs lie from that.
RELAXED_ARM, RELAXED_LEG = Limb((11, 3), (3, 14)), Limb((4, 3), (3, -2))
STATURE_SPREAD = 0.5  # of its logarithm: the first guess is rough, but not by a factor
NOISE = 0.010  # of the stature: how exactly a seen landmark is believed
DEPTH_NOISE = 0.20  # of the stature: MediaPipe's z overshoots by half a body's depth and more


@dataclass(frozen=True)
class Evidence:
    """What is known of a body.

    Attributes:
        points: (33, 3) float64, pixels; z relative to the shoulders' midpoint, negative towards the camera.
        weight: (33,) float64 in 0..1, how much each x, y counts; 0 for unknown.
        depth: (33,) float64 in 0..1, how much each z counts.
        unit: pixels; the guessed stature that noise is measured in. Were it the fitted one, a giant would fit anything.
    """

    points: Vector
    weight: Vector
    depth: Vector
    unit: float = 0.0


@dataclass(frozen=True)
class Body:
    """A fitted body: ``points`` (33, 3) float64 in pixels, and the angles, proportions and stature that made them."""

    points: Vector
    angles: Angles
    proportions: Proportions
    stature: float
    hips: tuple[float, float]
    cost: float


def fit_body(evidence: Evidence, *, starts: tuple[float, ...] | None = None, steps: int = 14) -> Body:
    """The most plausible body through the evidence.

    Args:
        evidence: landmarks with weights; at least two with a positive weight and apart.
        starts: yaws in degrees to start from; None takes those that the shoulders' or hips' width suggests.
        steps: Gauss-Newton steps from each start.
    """
    stature = evidence.unit or stature_guess(evidence)
    evidence = replace(evidence, unit=stature)
    best: tuple[float, Vector] | None = None
    for yaw in starts or yaw_guesses(evidence, stature):
        found = _solve(evidence, _start(evidence, stature, yaw), steps)
        if best is None or found[0] < best[0]:
            best = found
    assert best is not None  # there is always a start
    return _body(best[1], best[0])


def stature_guess(evidence: Evidence) -> float:
    """Stature in pixels: each known segment gives a lower bound (foreshortening only shortens), so take a high
    quantile."""
    lengths, shape = [], Proportions()
    for a, b, name in SEGMENTS:
        if min(evidence.weight[a], evidence.weight[b]) > 0.2:
            apart = float(np.linalg.norm(evidence.points[a, :2] - evidence.points[b, :2]))
            lengths.append(apart / float(getattr(shape, name)))
    if lengths:
        return max(1.0, float(np.quantile(lengths, 0.75)))
    known = evidence.points[evidence.weight > 0, :2]
    return max(1.0, float(np.ptp(known, axis=0).max())) if len(known) else 1.0


def yaw_guesses(evidence: Evidence, stature: float) -> tuple[float, ...]:
    """Both yaws (degrees) at which shoulders, else hips, look as wide as they do; three quarters all round when
    neither is known."""
    for left, right, width in (
        (J.LEFT_SHOULDER, J.RIGHT_SHOULDER, Proportions.shoulder_width),
        (J.LEFT_HIP, J.RIGHT_HIP, Proportions.hip_width),
        (J.LEFT_EAR, J.RIGHT_EAR, 0.71 * Proportions.head),
    ):
        if min(evidence.weight[left], evidence.weight[right]) > 0.2:
            seen = (evidence.points[left, 0] - evidence.points[right, 0]) / (width * stature)
            yaw = math.degrees(math.acos(max(-1.0, min(1.0, seen))))
            yaw = min(max(yaw, 12.0), 168.0)
            return (yaw, -yaw)
    return (0.0, 70.0, -70.0, 180.0)


def _solve(evidence: Evidence, theta: Vector, steps: int) -> tuple[float, Vector]:
    """Levenberg-Marquardt with forward differences (Nocedal & Wright, Numerical Optimization, ch. 10)."""
    residual = _residuals(evidence, theta)
    cost, damping = float(residual @ residual), 1e-2
    for _ in range(steps):
        jacobian = _jacobian(evidence, theta, residual)
        normal, gradient = jacobian.T @ jacobian, jacobian.T @ residual
        before = cost
        for _ in range(5):
            step = np.linalg.solve(normal + damping * np.diag(np.diag(normal) + 1e-6), -gradient)
            trial = theta + step.clip(-0.6, 0.6)
            new = _residuals(evidence, trial)
            if float(new @ new) < cost:
                theta, residual, cost, damping = trial, new, float(new @ new), max(damping / 5, 1e-6)
                break
            damping *= 6
        if before - cost < 1e-4 * before:
            break
    return cost, theta


def _jacobian(evidence: Evidence, theta: Vector, residual: Vector) -> Vector:
    step = 1e-5
    columns = np.empty((len(residual), SIZE))
    for i in range(SIZE):
        moved = theta.copy()
        moved[i] += step
        columns[:, i] = (_residuals(evidence, moved) - residual) / step
    return columns


def _start(evidence: Evidence, stature: float, yaw: float) -> Vector:
    theta = np.zeros(SIZE)
    theta[2], theta[3] = math.log(stature), yaw / RADIAN
    for k, name in enumerate(LIMBS):
        theta[10 + 4 * k : 14 + 4 * k] = _limb_start(evidence, name, yaw)
    points = _points(theta)
    known = evidence.weight > 0
    weight = evidence.weight[known, None]
    shift = ((evidence.points[known, :2] - points[known, :2]) * weight).sum(axis=0) / weight.sum()
    theta[:2] = shift / stature
    return theta


def _limb_start(evidence: Evidence, name: str, yaw: float) -> Vector:
    """Angles (radians) of a limb that lies in the picture's plane through its known joints, else relaxed."""
    relaxed = RELAXED_ARM if name.endswith("arm") else RELAXED_LEG
    first = J.LEFT_SHOULDER if name.endswith("arm") else J.LEFT_HIP
    offset = 0 if name.startswith("left") else 1
    side = 1.0 if offset == 0 else -1.0
    chain = [first + offset, first + 2 + offset, first + 4 + offset]
    out = [*relaxed.upper, *relaxed.lower]
    turn = math.radians(yaw)
    for k, (a, b) in enumerate(zip(chain, chain[1:], strict=False)):
        if min(evidence.weight[a], evidence.weight[b]) > 0.2:
            dx, dy = evidence.points[b, :2] - evidence.points[a, :2]
            length = max(math.hypot(dx, dy), 1e-6)
            # The picture's plane, turned back by the yaw, in the body's own axes.
            x, y, z = dx * math.cos(turn) / length, dy / length, dx * math.sin(turn) / length
            out[2 * k : 2 * k + 2] = _angles_of(side * x, y, z)
    return np.array(out) / RADIAN


def _angles_of(x: float, y: float, z: float) -> tuple[float, float]:
    """Inverse of :func:`studio.pose.body.direction` for side +1, with the smaller forward swing of the two there
    are."""
    outwards, forwards = math.degrees(math.asin(max(-1.0, min(1.0, x)))), math.degrees(math.atan2(-z, y))
    if abs(forwards) > 90:
        outwards, forwards = math.copysign(180, outwards) - outwards, forwards - math.copysign(180, forwards)
    return outwards, forwards


def _angles(theta: Vector) -> Angles:
    yaw, lean_side, lean_forward, shoulder, hip, head_yaw, head_pitch = (float(v) * RADIAN for v in theta[TRUNK])
    limbs = [Limb((float(a), float(b)), (float(c), float(d))) for a, b, c, d in (theta[LIMB] * RADIAN).reshape(4, 4)]
    return Angles(
        limbs[0], limbs[1], limbs[2], limbs[3], yaw=yaw, lean=(lean_side, lean_forward), shoulder_tilt=shoulder,
        hip_tilt=hip, head_yaw=head_yaw, head_pitch=head_pitch,
    )  # fmt: skip


def _proportions(theta: Vector) -> Proportions:
    average = Proportions()
    factors = np.exp(theta[SHAPE].clip(-0.7, 0.7))
    grown = {name: float(getattr(average, name) * f) for name, f in zip(LENGTHS, factors, strict=True)}
    return Proportions(**grown)


def _points(theta: Vector) -> Vector:
    stature = math.exp(float(theta[2]))
    shift = np.array([theta[0], theta[1], 0.0])
    return np.asarray((landmarks(_angles(theta), _proportions(theta)) + shift) * stature)


def _body(theta: Vector, cost: float) -> Body:
    stature = math.exp(float(theta[2]))
    hips = (float(theta[0]) * stature, float(theta[1]) * stature)
    return Body(_points(theta), _angles(theta), _proportions(theta), stature, hips, cost)


def _residuals(evidence: Evidence, theta: Vector) -> Vector:
    points, stature = _points(theta), evidence.unit
    grown = (theta[2] - math.log(stature)) / STATURE_SPREAD
    away = (points[:, :2] - evidence.points[:, :2]) * (evidence.weight / (NOISE * stature))[:, None]
    middle = points[[J.LEFT_SHOULDER, J.RIGHT_SHOULDER], 2].mean()
    deep = (points[:, 2] - middle - evidence.points[:, 2]) * evidence.depth / (DEPTH_NOISE * stature)
    average = (theta[TRUNK] / TRUNK_SPREAD, theta[SHAPE] / SHAPE_SPREAD)
    return np.concatenate([_softened(away), np.tanh(deep), [grown], *average, _habits(theta), _limits(theta)])


def _softened(away: Vector) -> Vector:
    """Pseudo-Huber per landmark (Charbonnier): one landmark that is wrong does not bend the whole body."""
    length = np.linalg.norm(away, axis=1)
    bound = 4.0
    softer = np.sqrt(2 * bound**2 * (np.sqrt(1 + (length / bound) ** 2) - 1)) / np.maximum(length, 1e-9)
    return np.asarray((away * softer[:, None]).ravel())


def _directions(theta: Vector) -> Vector:
    """(4, 2, 3) unit vectors of upper and lower segment of each limb, x outwards for both sides."""
    a = theta[LIMB].reshape(4, 2, 2)
    out, forward = a[..., 0], a[..., 1]
    return np.stack([np.sin(out), np.cos(out) * np.cos(forward), -np.cos(out) * np.sin(forward)], axis=-1)


def _habits(theta: Vector) -> Vector:
    """Relaxed limbs, lower segments that follow the upper ones, and left like right."""
    limb = _directions(theta)
    arm = np.array([direction(1, *RELAXED_ARM.upper), direction(1, *RELAXED_ARM.lower)])
    leg = np.array([direction(1, *RELAXED_LEG.upper), direction(1, *RELAXED_LEG.lower)])
    return np.concatenate([part.ravel() for part in (
        (limb[:2, 0] - arm[0]) / 0.60, (limb[:2, 1] - arm[1]) / 0.80,
        (limb[:2, 1] - limb[:2, 0] - np.array([0, 0, -0.12])) / 0.80,
        (limb[2:, 0] - leg[0]) / 0.22, (limb[2:, 1] - leg[1]) / 0.22,
        (limb[0] - limb[1]) / 0.35, (limb[2] - limb[3]) / 0.40,
    )])  # fmt: skip


def _limits(theta: Vector) -> Vector:
    """Hinges that push back once a joint passes its limit (ranges of motion: AAOS, Joint Motion, 1965, rounded)."""
    limb = _directions(theta)
    upper, lower = limb[:, 0], limb[:, 1]
    straight = (upper * lower).sum(axis=1)
    hinge = upper[:, 1] * lower[:, 2] - upper[:, 2] * lower[:, 1]  # x of the cross product: the sense of the fold
    head_yaw, head_pitch = abs(float(theta[8])) * RADIAN, abs(float(theta[9])) * RADIAN
    over = np.concatenate([
        -0.87 - straight,  # no joint folds beyond 150 degrees
        -hinge[2:],  # a knee bends backwards only
        (hinge[:2] - 0.15) * upper[:2, 1].clip(0, 1),  # the elbow of a hanging arm bends forwards only
        -0.65 - upper[:2, 0], upper[:2, 2] - 0.87, -0.45 - upper[2:, 0], upper[2:, 2] - 0.50,
        np.array([head_yaw - 75, head_pitch - 45]) / 40,
    ])  # fmt: skip
    return np.asarray(np.maximum(over, 0) / 0.05)
