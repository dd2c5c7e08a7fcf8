"""Where, by its landmarks, a figure is surely dressed and surely not. All sizes follow the figure's own."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from studio.pose.types import WEAK_FROM, J, Pose
from studio.segmentation.masks import Mask

FACE = tuple(range(11))
ARMS = (
    (J.LEFT_SHOULDER, J.LEFT_ELBOW, J.LEFT_WRIST, J.LEFT_INDEX, J.LEFT_PINKY),
    (J.RIGHT_SHOULDER, J.RIGHT_ELBOW, J.RIGHT_WRIST, J.RIGHT_INDEX, J.RIGHT_PINKY),
)
LEGS = (
    (J.LEFT_HIP, J.LEFT_KNEE, J.LEFT_ANKLE, J.LEFT_FOOT, J.LEFT_HEEL),
    (J.RIGHT_HIP, J.RIGHT_KNEE, J.RIGHT_ANKLE, J.RIGHT_FOOT, J.RIGHT_HEEL),
)
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Zones:
    """Regions of one picture, each (H, W) bool; they may overlap.

    Attributes:
        head: the head with its hair or hat, to the chin: never garment.
        face: inside of the facial landmarks: skin when seen from the front.
        crown: the head above the eyes, and beside the face.
        mane: where long hair may fall.
        neck: between chin and collar bones.
        core: the middle of the trunk: surely dressed.
        hands, forearms, shins, feet: those limbs, generously.
        thighs: the middle of the thighs.
        arms: the whole arms.
        along: (H, W) float32, 0 at the shoulders, 1 at the hips, on along the legs.
        unit: the trunk's length in pixels.
        legs_seen: thighs, or their tops at least, are in the picture.
        faced: the face is turned to the camera.
    """

    head: Mask
    face: Mask
    crown: Mask
    mane: Mask
    neck: Mask
    core: Mask
    arms: Mask
    hands: Mask
    forearms: Mask
    thighs: Mask
    shins: Mask
    feet: Mask
    along: NDArray[np.float32]
    unit: float
    legs_seen: bool
    faced: bool


class _Figure:
    """The landmarks in 2-D with the few lengths everything else is measured in."""

    def __init__(self, pose: Pose, shape: tuple[int, int]) -> None:
        self.shape = shape
        self.xy: Vector = pose.points[:, :2].astype(np.float64)
        self.seen = pose.confidence >= WEAK_FROM
        self.belief = pose.confidence
        self.shoulders = self.middle(J.LEFT_SHOULDER, J.RIGHT_SHOULDER)
        self.hips = self.middle(J.LEFT_HIP, J.RIGHT_HIP)
        width = float(np.linalg.norm(self.xy[J.LEFT_SHOULDER] - self.xy[J.RIGHT_SHOULDER]))
        self.unit = max(float(np.linalg.norm(self.hips - self.shoulders)), width, 8.0)
        self.width = max(width, 0.35 * self.unit)
        self.down = _direction(self.hips - self.shoulders, np.array([0.0, 1.0]))

    def middle(self, a: J, b: J) -> Vector:
        return np.asarray((self.xy[a] + self.xy[b]) / 2)

    def blank(self) -> NDArray[np.uint8]:
        return np.zeros(self.shape, np.uint8)

    def polygon(self, corners: list[Vector]) -> Mask:
        canvas = self.blank()
        cv2.fillConvexPoly(canvas, cv2.convexHull(np.round(np.array(corners)).astype(np.int32)), 1)
        return canvas.astype(np.bool_)

    def capsules(self, chains: list[list[Vector]], radius: float) -> Mask:
        canvas = self.blank()
        thick = max(1, int(round(2 * radius)))
        for chain in chains:
            corners = np.round(np.array(chain)).astype(np.int32).reshape(-1, 1, 2)
            cv2.polylines(canvas, [corners], False, 1, thick)
            for x, y in corners[:, 0]:
                cv2.circle(canvas, (int(x), int(y)), thick // 2, 1, -1)
        return canvas.astype(np.bool_)


def zones_of(pose: Pose, shape: tuple[int, int]) -> Zones:
    """The zones of a pose over a picture of shape (H, W); the pose's points are that picture's pixels."""
    figure = _Figure(pose, shape)
    eyes, up, reach = _face_frame(figure)
    chin = eyes - up * 1.8 * reach
    unit = figure.unit
    head = _head(figure, eyes, up, reach)
    return Zones(
        head=head,
        face=figure.polygon([figure.xy[i] for i in FACE] + [eyes - up * 1.35 * reach]),
        crown=head & (_height(figure, eyes, up) > -0.2 * reach),
        mane=figure.capsules([[eyes, figure.shoulders + figure.down * 0.35 * unit]], 2.6 * reach),
        neck=figure.capsules([[chin, figure.shoulders + figure.down * 0.12 * unit]], 1.3 * reach),
        core=_core(figure),
        arms=figure.capsules([_chain(figure, arm[:3]) for arm in ARMS], 0.13 * unit),
        hands=figure.capsules(_hands(figure), 0.13 * unit),
        forearms=figure.capsules([_chain(figure, arm[1:3]) for arm in ARMS], 0.15 * unit),
        thighs=figure.capsules(_thighs(figure), 0.09 * unit),
        shins=figure.capsules([_chain(figure, leg[1:3]) for leg in LEGS], 0.16 * unit),
        feet=figure.capsules(_feet(figure), 0.1 * unit),
        along=_along(figure),
        unit=unit,
        legs_seen=_legs_seen(figure),
        faced=bool(figure.belief[J.NOSE] > 0.5 and _facing(figure) > -0.1 * unit),
    )


def _direction(vector: Vector, otherwise: Vector) -> Vector:
    length = float(np.linalg.norm(vector))
    return vector / length if length > 1e-6 else otherwise


def _facing(figure: _Figure) -> float:
    """Positive when the subject's left shoulder is on the picture's right, i.e. the camera sees the front."""
    return float(figure.xy[J.LEFT_SHOULDER, 0] - figure.xy[J.RIGHT_SHOULDER, 0])


def _face_frame(figure: _Figure) -> tuple[Vector, Vector, float]:
    """Middle of the eyes, the direction up the face, and the distance from eyes to mouth."""
    eyes = figure.middle(J.LEFT_EYE, J.RIGHT_EYE)
    mouth = figure.middle(J.MOUTH_LEFT, J.MOUTH_RIGHT)
    up = _direction(eyes - mouth, -figure.down)
    ears = float(np.linalg.norm(figure.xy[J.LEFT_EAR] - figure.xy[J.RIGHT_EAR]))
    reach = max(float(np.linalg.norm(eyes - mouth)), 0.45 * ears, 0.11 * figure.unit)
    return eyes, up, min(reach, 0.3 * figure.unit)


def _head(figure: _Figure, eyes: Vector, up: Vector, reach: float) -> Mask:
    canvas = figure.blank()
    centre = eyes + up * 0.25 * reach
    angle = float(np.degrees(np.arctan2(up[1], up[0])))
    axes = (int(round(2.05 * reach)), int(round(1.75 * reach)))
    cv2.ellipse(canvas, (int(round(centre[0])), int(round(centre[1]))), axes, angle, 0, 360, 1, -1)
    return canvas.astype(np.bool_)


def _height(figure: _Figure, origin: Vector, up: Vector) -> NDArray[np.float32]:
    """(H, W): pixels above ``origin`` along ``up``."""
    rows, columns = np.mgrid[0 : figure.shape[0], 0 : figure.shape[1]].astype(np.float32)
    return np.asarray((columns - origin[0]) * up[0] + (rows - origin[1]) * up[1], np.float32)


def _core(figure: _Figure) -> Mask:
    """From below the collar to the waist, three fifths of the shoulders wide."""
    side = np.array([figure.down[1], -figure.down[0]]) * figure.width
    top, bottom = (
        figure.shoulders + figure.down * 0.3 * figure.unit,
        figure.shoulders + figure.down * 0.85 * figure.unit,
    )
    return figure.polygon([top + side * 0.3, top - side * 0.3, bottom - side * 0.22, bottom + side * 0.22])


def _chain(figure: _Figure, joints: tuple[J, ...]) -> list[Vector]:
    return [figure.xy[j] for j in joints]


def _hands(figure: _Figure) -> list[list[Vector]]:
    chains = []
    for _, elbow, wrist, index, pinky in ARMS:
        if figure.seen[wrist]:
            tip = (figure.xy[index] + figure.xy[pinky]) / 2
            beyond = tip + 0.6 * (tip - figure.xy[wrist])
            chains.append([figure.xy[wrist] + 0.1 * (figure.xy[elbow] - figure.xy[wrist]), tip, beyond])
    return chains


def _thighs(figure: _Figure) -> list[list[Vector]]:
    chains = []
    for hip, knee, *_ in LEGS:
        a, b = figure.xy[hip], figure.xy[knee]
        chains.append([a + 0.25 * (b - a), a + 0.8 * (b - a)])
    return chains


def _feet(figure: _Figure) -> list[list[Vector]]:
    chains = []
    for _, _, ankle, foot, heel in LEGS:
        if figure.seen[ankle]:
            below = figure.xy[ankle] + figure.down * 0.06 * figure.unit
            chains.append([figure.xy[heel], below, figure.xy[foot], figure.xy[foot] + 0.25 * (figure.xy[foot] - below)])
    return chains


def _legs_seen(figure: _Figure) -> bool:
    """The top of a thigh lies within the picture, and the detector believes in that hip."""
    height = figure.shape[0]
    for hip, knee, *_ in LEGS:
        middle = figure.xy[hip] + 0.12 * (figure.xy[knee] - figure.xy[hip])
        if figure.seen[hip] and middle[1] < height:
            return True
    return False


def _along(figure: _Figure) -> NDArray[np.float32]:
    offset = _height(figure, figure.shoulders, figure.down)
    length = max(float(np.linalg.norm(figure.hips - figure.shoulders)), 0.6 * figure.unit)
    return np.asarray(offset / length, np.float32)
