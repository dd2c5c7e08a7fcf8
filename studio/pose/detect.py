"""Finding the person: one small interface, and MediaPipe behind it.

MediaPipe 0.10.21 carries the "full" pose model (complexity 1) in its wheel; the lite and heavy ones want a download.
What it does with pictures was measured, see docs/pose.md: padding a cut-off photo makes it believe in hips that are
not there, and a
person small in the picture comes out up to an eighth of the shoulder width off; hence the second look at the crop.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.errors import EngineError
from studio.pose.types import LANDMARKS, J, JointState, Pose, observed

# The longest side MediaPipe is given: it works at 256 px inside, and its mask comes back at the picture's own size.
WORKING_SIDE = 1024


@dataclass(frozen=True)
class Detection:
    """One person in a picture.

    Attributes:
        pose: 33 landmarks over the picture, as the detector gave them (not completed).
        person_mask: (H, W) float32, 0..1, soft: how much of each pixel is the person.
    """

    pose: Pose
    person_mask: NDArray[np.float32]


class PoseDetector(Protocol):
    """Finds the largest person of an RGB picture; None when it finds nobody."""

    def detect(self, image: Image.Image) -> Detection | None:
        """The largest person in ``image``."""
        ...


class MediaPipeDetector:
    """MediaPipe Pose, resident: 0.4 s to build, then 0.03 s a look. One thread at a time; close it, or use ``with``."""

    def __init__(self, *, minimum: float = 0.5) -> None:
        """``minimum``: the least score (0..1) at which MediaPipe's person detector believes itself."""
        with quiet_stderr():
            from mediapipe.python.solutions.pose import Pose as Graph

            self._graph: Any = Graph(
                static_image_mode=True, model_complexity=1, enable_segmentation=True, min_detection_confidence=minimum
            )
            self._graph.process(np.zeros((64, 64, 3), np.uint8))

    def detect(self, image: Image.Image) -> Detection | None:
        """The largest person in ``image``.

        MediaPipe answers with one person, its detector's best, not the largest. So that person is painted over and the
        picture searched once more; the one with the longer torso wins.

        Raises:
            EngineError: ``pose_engine_failed`` when MediaPipe itself fails.
        """
        factor = min(1.0, WORKING_SIDE / max(image.size))
        small = image.convert("RGB")
        if factor < 1:
            size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
            small = small.resize(size, Image.Resampling.LANCZOS)
        pixels = np.asarray(small)
        found = self._closer(pixels, self._look(pixels))
        if found is None:
            return None
        other = self._closer(pixels, self._look(_painted_over(pixels, found)))
        if other is not None and _extent(other.pose) > 1.15 * _extent(found.pose):
            found = other
        return _enlarged(found, image.size)

    def close(self) -> None:
        """Free the graph."""
        self._graph.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _look(self, pixels: NDArray[np.uint8]) -> Detection | None:
        height, width = pixels.shape[:2]
        try:
            with quiet_stderr():
                answer = self._graph.process(np.ascontiguousarray(pixels))
        except (RuntimeError, ValueError) as error:
            raise EngineError("pose_engine_failed", f"MediaPipe could not look at the picture: {error}") from error
        if answer.pose_landmarks is None or answer.segmentation_mask is None:
            return None
        marks = answer.pose_landmarks.landmark
        points = np.array([(m.x * width, m.y * height, m.z * width) for m in marks], np.float32)
        visibility = np.array([m.visibility for m in marks], np.float32).clip(0, 1)
        mask = np.array(answer.segmentation_mask, np.float32).clip(0, 1)
        found = Detection(observed(points, visibility, (width, height)), mask)
        return found if _plausible(found.pose) else None

    def _closer(self, pixels: NDArray[np.uint8], found: Detection | None) -> Detection | None:
        """Look again at the crop around a person who fills little of the picture; keep the better of the two."""
        if found is None:
            return None
        height, width = pixels.shape[:2]
        left, top, right, bottom = _box(found, margin=0.12)
        if max(right - left, bottom - top) > 0.8 * max(width, height):
            return found
        again = self._look(pixels[top:bottom, left:right])
        if again is None:
            return found
        mask = np.zeros((height, width), np.float32)
        mask[top:bottom, left:right] = again.person_mask
        return Detection(again.pose.moved(left, top, size=(width, height)), mask)


def find_pose(image: Image.Image, detector: PoseDetector | None = None) -> Pose | None:
    """The 33 landmarks of the largest person in an RGB picture, not completed; None when nobody is found.

    Give a resident ``detector`` when there are several pictures: building one takes 0.4 s.
    """
    found = detect(image, detector)
    return None if found is None else found.pose


def detect(image: Image.Image, detector: PoseDetector | None = None) -> Detection | None:
    """As :func:`find_pose`, with the person's mask."""
    if detector is not None:
        return detector.detect(image)
    with MediaPipeDetector() as own:
        return own.detect(image)


def _plausible(pose: Pose) -> bool:
    """A person shows at least four joints, and they don't coincide."""
    shown = [j for j in range(LANDMARKS) if pose.states[j] is not JointState.INVENTED]
    return len(shown) >= 4 and float(np.ptp(pose.points[shown, :2], axis=0).max()) > 0.02 * max(pose.size)


def _extent(pose: Pose) -> float:
    """Size of a person that a turn or a cut changes least: shoulders' to hips' midpoint, pixels."""
    xy = pose.points[:, :2]
    shoulders = xy[[J.LEFT_SHOULDER, J.RIGHT_SHOULDER]].mean(axis=0)
    return float(np.linalg.norm(shoulders - xy[[J.LEFT_HIP, J.RIGHT_HIP]].mean(axis=0)))


def _box(found: Detection, *, margin: float) -> tuple[int, int, int, int]:
    """left, top, right, bottom of the person, grown by ``margin`` of its longer side, within the picture."""
    height, width = found.person_mask.shape
    ys, xs = np.nonzero(found.person_mask > 0.5)
    if not len(ys):
        return 0, 0, width, height
    grow = int(margin * max(np.ptp(xs), np.ptp(ys))) + 2
    return (
        max(0, int(xs.min()) - grow), max(0, int(ys.min()) - grow),
        min(width, int(xs.max()) + grow), min(height, int(ys.max()) + grow),
    )  # fmt: skip


def _painted_over(pixels: NDArray[np.uint8], found: Detection) -> NDArray[np.uint8]:
    left, top, right, bottom = _box(found, margin=0.03)
    out = pixels.copy()
    out[top:bottom, left:right] = np.median(pixels.reshape(-1, 3), axis=0).astype(np.uint8)
    return out


def _enlarged(found: Detection, size: tuple[int, int]) -> Detection:
    """The detection on the picture in its own size."""
    if found.pose.size == size:
        return found
    pose = found.pose.scaled(size[0] / found.pose.size[0], size=size)
    mask = cv2.resize(found.person_mask, size, interpolation=cv2.INTER_LINEAR)
    return Detection(pose, np.asarray(mask, np.float32))


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """MediaPipe's C++ side logs to descriptor 2 whatever its flags say; Python's own warnings go with it for that
    moment."""
    kept, sink = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(sink)
