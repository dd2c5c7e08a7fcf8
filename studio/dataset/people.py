"""How many people a picture shows, and a crop for each.

MediaPipe's pose graph answers with one person. So it looks at the whole picture and at overlapping strips; its face
detector, which finds several, adds whoever was missed; and before a plain background an outline that belongs to nobody
found is a figure too: a headless mannequin. What each of them contributes was measured, see docs/dataset.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Literal, Protocol, Self

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.dataset.backgrounds import plainness
from studio.dataset.records import Box
from studio.pose.detect import PoseDetector, quiet_stderr
from studio.pose.types import WEAK_FROM, J, Pose
from studio.segmentation import silhouette
from studio.segmentation.masks import Mask, expand, largest_parts, resize_mask, shrink

WORKING_SIDE = 768
# Strips of the width, overlapping, so that each of two or three people stands whole in one of them.
STRIPS = ((0.0, 0.58), (0.42, 1.0), (0.0, 0.42), (0.29, 0.71), (0.58, 1.0))
SAME = 0.5  # share of the smaller mask that lies in the larger one, from which both are one person
LEAST_SHARE, LEAST_HEIGHT = 0.012, 0.3  # of the picture; of the tallest person
FACE_SCORE = 0.6  # at somebody's head; backs of heads gave none
LONE_FACE = 0.75  # anywhere in a picture, where folds and hair reach 0.73
PLAIN = 2.0  # CIELAB units by which a background may stray and still show an outline: a studio 0.3, a gallery wall 3


@dataclass(frozen=True)
class Person:
    """Somebody, or a mannequin, in a picture.

    Attributes:
        box: left, top, right, bottom in pixels of the picture.
        mask: (H, W) bool, as the finder saw it; of a face, only its box.
        pose: landmarks over the picture; None unless found by pose.
        by: what found it.
    """

    box: Box
    mask: Mask
    pose: Pose | None
    by: Literal["pose", "face", "outline"]


@dataclass(frozen=True)
class Face:
    """A face: its middle, width and top in pixels, and how surely it is one, 0..1."""

    x: float
    y: float
    width: float
    top: float
    score: float


class FaceFinder(Protocol):
    """Finds faces, however many."""

    def faces(self, pixels: NDArray[np.uint8]) -> list[Face]:
        """Each face of the (H, W, 3) picture that has a score of 0.6 and more."""
        ...


class MediaPipeFaces:
    """MediaPipe's full-range face detector (BlazeFace, Bazarevsky et al. 2019), which its wheel carries."""

    def __init__(self) -> None:
        with quiet_stderr():
            from mediapipe.python.solutions.face_detection import FaceDetection

            self._graph: Any = FaceDetection(model_selection=1, min_detection_confidence=FACE_SCORE)

    def faces(self, pixels: NDArray[np.uint8]) -> list[Face]:
        """As :class:`FaceFinder`."""
        height, width = pixels.shape[:2]
        with quiet_stderr():
            found = self._graph.process(np.ascontiguousarray(pixels)).detections or []
        return [_face(one, width, height) for one in found]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._graph.close()


def _face(one: Any, width: int, height: int) -> Face:
    box = one.location_data.relative_bounding_box
    x, y = (box.xmin + box.width / 2) * width, (box.ymin + box.height / 2) * height
    return Face(x, y, box.width * width, box.ymin * height, float(one.score[0]))


def find_people(image: Image.Image, detector: PoseDetector, faces: FaceFinder | None = None) -> tuple[Person, ...]:
    """Everybody in an RGB picture, the largest first; nobody: an empty tuple."""
    factor = min(1.0, WORKING_SIDE / max(image.size))
    small = image.convert("RGB")
    if factor < 1:
        size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
        small = small.resize(size, Image.Resampling.LANCZOS)
    found = _distinct(_by_pose(small, detector))
    if faces is not None:
        found += _by_face(np.asarray(small), found, faces)
    found = _with_outlines(np.asarray(small), found)
    kept = _of_some_size(found)
    return tuple(_enlarged(one, image.size) for one in sorted(kept, key=lambda one: -int(one.mask.sum())))


@dataclass(frozen=True)
class _Seen:
    """A person in one strip; ``cut``: they reach one of its edges that is none of the picture's."""

    person: Person
    cut: bool


def _by_pose(small: Image.Image, detector: PoseDetector) -> Iterator[_Seen]:
    width, height = small.size
    for start, stop in ((0.0, 1.0), *STRIPS):
        left, right = round(start * width), round(stop * width)
        seen = detector.detect(small.crop((left, 0, right, height))) if right - left >= 32 else None
        if seen is None:
            continue
        mask = np.zeros((height, width), np.bool_)
        mask[:, left:right] = largest_parts(seen.person_mask >= 0.5)
        if mask.any():
            person = Person(box_of(mask), mask, seen.pose.moved(left, 0, size=small.size), "pose")
            cut = (left > 0 and person.box[0] <= left + 1) or (right < width and person.box[2] >= right - 1)
            yield _Seen(person, cut)


def _distinct(found: Iterable[_Seen]) -> list[Person]:
    """One for each person: of several sights of somebody a whole one, of whole ones a clearly larger or the first."""
    # Areas are compared in steps of a quarter, so that the look at the whole picture is kept among equals.
    ranked = sorted(found, key=lambda one: (one.cut, -round(math.log(int(one.person.mask.sum()), 1.25))))
    kept: list[Person] = []
    for one in ranked:
        if not any(_same(one.person, other) for other in kept):
            kept.append(one.person)
    return kept


def _same(one: Person, other: Person) -> bool:
    shared = int(np.count_nonzero(one.mask & other.mask))
    if shared > SAME * min(int(one.mask.sum()), int(other.mask.sum())):
        return True
    if one.pose is None or other.pose is None:
        return False
    apart = float(np.linalg.norm(_chest(one.pose) - _chest(other.pose)))
    return apart < 0.4 * max(_torso(one.pose), _torso(other.pose))


def _chest(pose: Pose) -> NDArray[np.float32]:
    return np.asarray(pose.points[[J.LEFT_SHOULDER, J.RIGHT_SHOULDER], :2].mean(axis=0))


def _torso(pose: Pose) -> float:
    hips = pose.points[[J.LEFT_HIP, J.RIGHT_HIP], :2].mean(axis=0)
    return float(np.linalg.norm(_chest(pose) - hips))


def _by_face(pixels: NDArray[np.uint8], found: Sequence[Person], finder: FaceFinder) -> list[Person]:
    """A face that is nobody's of those found; below it lies a body, about eight faces tall and four wide."""
    height, width = pixels.shape[:2]
    added = []
    for face in finder.faces(pixels):
        x, y, wide, top = face.x, face.y, face.width, face.top
        if face.score < LONE_FACE or any(_near(x, y, wide, one) for one in found):
            continue
        mask = np.zeros((height, width), np.bool_)
        body = (x - 2 * wide, top - 0.5 * wide, x + 2 * wide, top + 8 * wide)
        x0, y0, x1, y1 = (round(v) for v in body)
        mask[max(0, y0) : max(0, y1), max(0, x0) : max(0, x1)] = True
        for one in found:
            mask &= ~one.mask
        if mask.any():
            added.append(Person(box_of(mask), mask, None, "face"))
    return added


def face_seen(one: Person, pixels: NDArray[np.uint8], finder: FaceFinder) -> bool | None:
    """Whether a face shows where that person's head is; None without landmarks.

    Only the head and what is around it is looked at: in a whole picture the finder takes folds and hair for faces.

    Args:
        one: somebody in the picture.
        pixels: (H, W, 3) uint8, the picture.
        finder: see :class:`FaceFinder`.
    """
    if one.pose is None:
        return None
    x, y = _chest(one.pose)
    torso = max(_torso(one.pose), 8.0)
    left, right = max(0, round(x - 0.9 * torso)), min(pixels.shape[1], round(x + 0.9 * torso))
    top, bottom = max(0, round(y - 1.1 * torso)), min(pixels.shape[0], round(y + 0.2 * torso))
    if min(right - left, bottom - top) < 16:
        return False
    return any(abs(left + face.x - x) < 0.6 * torso for face in finder.faces(pixels[top:bottom, left:right]))


def _near(x: float, y: float, wide: float, one: Person) -> bool:
    """The face lies in that person, or where its landmarks have the head."""
    height, width = one.mask.shape
    column, row = min(max(0, round(x)), width - 1), min(max(0, round(y)), height - 1)
    if one.mask[row, column]:
        return True
    return one.pose is not None and float(np.hypot(*(one.pose.points[J.NOSE, :2] - (x, y)))) < 1.2 * wide


def _with_outlines(pixels: NDArray[np.uint8], found: Sequence[Person]) -> list[Person]:
    """Figures before a plain background that nobody has claimed; below or above somebody, they are more of them."""
    people = list(found)
    if plainness(pixels) > PLAIN:
        return people
    figure = silhouette.against_background(pixels)
    for one in found:
        figure &= ~expand(one.mask, 0.02 * max(one.mask.shape))
    thin = 0.01 * max(figure.shape)
    total, labels = cv2.connectedComponents(
        (expand(shrink(figure, thin), thin) & figure).astype(np.uint8), connectivity=8
    )
    for part in (np.asarray(labels == i) for i in range(1, total)):
        whose = next((i for i, one in enumerate(people) if _stacked(part, one.mask)), None)
        if whose is not None:
            mask = people[whose].mask | part
            people[whose] = replace(people[whose], mask=mask, box=box_of(mask))
        elif _figure_like(part):
            people.append(Person(box_of(part), part, None, "outline"))
    return people


def _stacked(part: Mask, mask: Mask) -> bool:
    """One over the other: of the narrower one's columns, two thirds are the other's, too."""
    (left, _, right, _), (other_left, _, other_right, _) = box_of(part), box_of(mask)
    shared = min(right, other_right) - max(left, other_left)
    return shared > 0.66 * min(right - left, other_right - other_left)


def _figure_like(part: Mask) -> bool:
    left, top, right, bottom = box_of(part)
    return part.mean() >= 0.03 and bottom - top >= 0.35 * part.shape[0] and bottom - top >= 1.1 * (right - left)


def _of_some_size(found: list[Person]) -> list[Person]:
    tallest = max((one.box[3] - one.box[1] for one in found), default=0)
    return [
        one for one in found if one.mask.mean() >= LEAST_SHARE and one.box[3] - one.box[1] >= LEAST_HEIGHT * tallest
    ]


def box_of(mask: Mask) -> Box:
    """left, top, right, bottom of what is True; right and bottom are one past it."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _enlarged(one: Person, size: tuple[int, int]) -> Person:
    height, width = one.mask.shape
    if (width, height) == size:
        return one
    factor = size[0] / width
    pose = None if one.pose is None else one.pose.scaled(factor, size=size)
    mask = resize_mask(one.mask, size)
    return Person(box_of(mask), mask, pose, one.by)


@dataclass(frozen=True)
class Crop:
    """A part of a picture with one person in it.

    Attributes:
        box: left, top, right, bottom in pixels of the picture.
        clean: no other person reaches into it by more than a fiftieth of its pixels.
    """

    box: Box
    clean: bool


def crops_of(people: Sequence[Person], size: tuple[int, int]) -> tuple[Crop, ...]:
    """A crop for each person: its box and some room, and never past the middle between it and its neighbour.

    Args:
        people: two or more.
        size: (width, height) of the picture.
    """
    return tuple(_crop(one, [other for other in people if other is not one], size) for one in people)


def _crop(one: Person, others: Sequence[Person], size: tuple[int, int]) -> Crop:
    left, top, right, bottom = _reach(one)
    room = round(0.06 * max(right - left, bottom - top))
    left, top, right, bottom = left - room, top - room, right + room, bottom + room
    for other in others:
        edge = _between(one, other)
        if _middle(other) > _middle(one):
            right = min(right, edge)
        else:
            left = max(left, edge)
    box = (max(0, left), max(0, top), min(size[0], right), min(size[1], bottom))
    cut = (slice(box[1], box[3]), slice(box[0], box[2]))
    strangers = sum(int(np.count_nonzero(other.mask[cut] & ~one.mask[cut])) for other in others)
    return Crop(box, strangers <= 0.02 * max(1, (box[2] - box[0]) * (box[3] - box[1])))


def _reach(one: Person) -> Box:
    """The box, and the joints beyond it: a mask now and then ends at a hem."""
    if one.pose is None:
        return one.box
    joints = one.pose.points[one.pose.confidence >= WEAK_FROM, :2]
    if not len(joints):
        return one.box
    (left, top), (right, bottom) = np.floor(joints.min(axis=0)), np.ceil(joints.max(axis=0))
    return (
        min(one.box[0], int(left)),
        min(one.box[1], int(top)),
        max(one.box[2], int(right)),
        max(one.box[3], int(bottom)),
    )


def _middle(one: Person) -> float:
    return float(np.flatnonzero(one.mask.any(axis=0)).mean())


def _between(one: Person, other: Person) -> int:
    """The column that parts two people best: fewest pixels of either on the wrong side of it."""
    first, second = (one, other) if _middle(one) <= _middle(other) else (other, one)
    wrong = np.concatenate([[0], np.cumsum(second.mask.sum(axis=0))])
    wrong = wrong + np.concatenate([np.cumsum(first.mask.sum(axis=0)[::-1])[::-1], [0]])
    best = np.flatnonzero(wrong == wrong.min())
    return int(best[len(best) // 2])
