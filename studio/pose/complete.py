"""Pose completion: every one of the 33 landmarks, each seen, weak or invented, with a confidence.

Measured joints stay where they were measured. The rest comes from the most plausible body through them
(:mod:`studio.pose.solve`), hung onto the measured joints so that no limb comes apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studio.errors import InputError
from studio.pose.solve import Body, Evidence, fit_body
from studio.pose.types import LANDMARKS, J, JointState, Pose

# Who hangs on whom: child to parent, for all but the four joints of the trunk.
PARENT: dict[J, J] = {
    **{J(a): J(a - 2) for a in range(J.LEFT_ELBOW, J.LEFT_PINKY)},
    **{J(a): J.LEFT_WRIST if a % 2 else J.RIGHT_WRIST for a in range(J.LEFT_PINKY, J.LEFT_HIP)},
    **{J(a): J(a - 2) for a in range(J.LEFT_KNEE, J.LEFT_HEEL)},
    **{J(a): J.LEFT_ANKLE if a % 2 else J.RIGHT_ANKLE for a in range(J.LEFT_HEEL, LANDMARKS)},
}
FACE = tuple(J(a) for a in range(J.NOSE, J.LEFT_SHOULDER))
TRUNK = (J.LEFT_SHOULDER, J.RIGHT_SHOULDER, J.LEFT_HIP, J.RIGHT_HIP)
TIPS = tuple(J(a) for a in (*range(J.LEFT_PINKY, J.LEFT_HIP), *range(J.LEFT_HEEL, LANDMARKS)))

# Confidence of an invented joint, per step away from what was measured, and of one whose face is turned away.
INVENTED_FIRST, INVENTED_NEXT, TURNED_AWAY = 0.5, 0.8, 0.0


@dataclass(frozen=True)
class Trust:
    """How much (0..1) the fit believes the detector, by what it said of the joint."""

    seen: float = 1.0
    weak: float = 0.3
    guess: float = 0.03
    face: float = 0.7
    depth: float = 1.0


def complete(pose: Pose, *, trust: Trust | None = None) -> Pose:
    """All 33 landmarks of a pose of which some are missing or badly seen.

    Args:
        pose: landmarks with states; those INVENTED are guesses, those SEEN or WEAK are measurements.
        trust: how much the detector is believed.

    Returns:
        A pose over the same picture. SEEN joints are where they were; WEAK ones are drawn towards the body's
        expectation; INVENTED ones may lie outside of the picture. ``visibility`` is the detector's, unchanged.

    Raises:
        InputError: ``skeleton_not_finite``; ``skeleton_too_small`` when fewer than two joints of the body, apart
            from each other, were measured (fit to the garment's mask instead).
    """
    body = body_of(pose, trust=trust)
    points = _merged(pose, body)
    return Pose(points, pose.visibility, _confidence(pose, body), pose.states, pose.size)


def body_of(pose: Pose, *, trust: Trust | None = None) -> Body:
    """The most plausible body through a pose's measured joints; raises as :func:`complete`."""
    _check(pose)
    return fit_body(evidence_of(pose, trust or Trust()))


def evidence_of(pose: Pose, trust: Trust) -> Evidence:
    """The fit's weights: guesses count little, and the less the farther they lie outside of the picture."""
    by_state = {JointState.SEEN: trust.seen, JointState.WEAK: trust.weak, JointState.INVENTED: trust.guess}
    weight = np.array([by_state[s] for s in pose.states], np.float64)
    invented = np.array([s is JointState.INVENTED for s in pose.states])
    weight[invented & (pose.visibility <= 0)] = 0.0
    weight[list(FACE)] *= trust.face
    depth = weight * trust.depth
    depth[list(FACE)] = 0.0
    points = pose.points.astype(np.float64).copy()
    points[:, 2] -= points[[J.LEFT_SHOULDER, J.RIGHT_SHOULDER], 2].mean()
    if np.ptp(pose.points[:, 2]) < 1e-6:  # no depth at all, as in an OpenPose file
        depth[:] = 0.0
    return Evidence(points, weight, depth)


def _check(pose: Pose) -> None:
    if not np.isfinite(pose.points).all():
        raise InputError("skeleton_not_finite", "The skeleton has a coordinate that is not a finite number.")
    known = [j for j in range(LANDMARKS) if pose.states[j] is not JointState.INVENTED]
    apart = float(np.ptp(pose.points[known, :2], axis=0).max()) if known else 0.0
    if len(known) < 2 or not apart > 1:
        raise InputError("skeleton_too_small", "Fewer than two joints are known; fit the pose to the garment's mask.")


def _merged(pose: Pose, body: Body) -> NDArray[np.float32]:
    """Measured points, weak ones half-way to the fit, invented ones the fit's, carried along by what they hang on."""
    fitted = body.points.copy()
    fitted[:, 2] -= fitted[[J.LEFT_HIP, J.RIGHT_HIP], 2].mean()
    offset = np.zeros((LANDMARKS, 3))
    belief = np.array([_belief(s, float(c)) for s, c in zip(pose.states, pose.confidence, strict=True)])
    measured = pose.points.astype(np.float64) - fitted
    if np.ptp(pose.points[:, 2]) < 1e-6:
        measured[:, 2] = 0.0
    for joints, carried in _hierarchy(measured, belief):
        for j in joints:
            base = carried if not isinstance(carried, J) else offset[carried]
            offset[j] = belief[j] * measured[j] + (1 - belief[j]) * base
    return np.asarray(fitted + offset, np.float32)


def _hierarchy(
    measured: NDArray[np.float64], belief: NDArray[np.float64]
) -> list[tuple[tuple[J, ...], NDArray[np.float64] | J]]:
    """Joints from the trunk outwards, each with the offset that carries it where it was not measured."""
    face = _mean_offset(measured, belief, FACE)
    groups: list[tuple[tuple[J, ...], NDArray[np.float64] | J]] = [
        (TRUNK[:2], _mean_offset(measured, belief, TRUNK[:2])),
        (TRUNK[2:], _mean_offset(measured, belief, TRUNK[2:])),
        (FACE, face if belief[list(FACE)].any() else _mean_offset(measured, belief, TRUNK[:2])),
    ]
    return groups + [((child,), parent) for child, parent in PARENT.items()]


def _mean_offset(
    measured: NDArray[np.float64], belief: NDArray[np.float64], joints: tuple[J, ...]
) -> NDArray[np.float64]:
    index = list(joints)
    total = belief[index].sum()
    return np.asarray((measured[index] * belief[index, None]).sum(axis=0) / total) if total > 0 else np.zeros(3)


def _belief(state: JointState, confidence: float) -> float:
    if state is JointState.SEEN:
        return 1.0
    return min(0.8, confidence) if state is JointState.WEAK else 0.0


def _confidence(pose: Pose, body: Body) -> NDArray[np.float32]:
    """The detector's where it measured; falling with every step away from a measured joint where we invent."""
    out = np.zeros(LANDMARKS)
    known = np.array([s is not JointState.INVENTED for s in pose.states])
    trunk = 0.5 + 0.5 * known[list(TRUNK)].mean()
    for j in (*TRUNK, *FACE, *PARENT):
        if known[j]:
            out[j] = pose.confidence[j]
        elif j in PARENT:
            above = out[PARENT[j]]
            out[j] = INVENTED_FIRST * above if known[PARENT[j]] else INVENTED_NEXT * above
        else:
            out[j] = INVENTED_FIRST * trunk
    return _turned(out, known, body).clip(0, 1).astype(np.float32)


def _turned(out: NDArray[np.float64], known: NDArray[np.bool_], body: Body) -> NDArray[np.float64]:
    """Invented face landmarks on the far side of the head are not to be drawn: OpenPose draws none of those."""
    z = body.points[:, 2]
    middle = z[[J.LEFT_EAR, J.RIGHT_EAR]].mean() + 0.018 * body.stature
    for j in FACE:
        if not known[j] and z[j] > middle:
            out[j] = TURNED_AWAY
    return out
