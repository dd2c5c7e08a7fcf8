"""Masks for clicks on an embedding, by SAM's decoder in ONNX: what the browser does, where it can not. No torch."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.errors import InputError
from studio.segmentation.onnx_session import open_session

LONGEST_SIDE = 1024.0
PLANE = (256, 256)
MOST_POINTS = 100


@dataclass(frozen=True)
class Prompt:
    """What was clicked, in pixels of the photo.

    Attributes:
        points: x, y each.
        labels: one for each point: 1 adds, 0 removes.
        box: x0, y0, x1, y1.
        refine: (256, 256) logits of an earlier answer.
    """

    points: Sequence[tuple[float, float]] = ()
    labels: Sequence[int] = ()
    box: tuple[float, float, float, float] | None = None
    refine: NDArray[np.floating[Any]] | None = None


@dataclass(frozen=True)
class Answer:
    """What SAM answers.

    Attributes:
        low_res: (4, 256, 256) float32 logits over the padded 1024-pixel square; the first is its one answer, the others
            are three candidates.
        scores: (4,) float32, its own estimate of how well each fits.
    """

    low_res: NDArray[np.float32]
    scores: NDArray[np.float32]


class OnnxDecoder:
    """A loaded decoder, for any thread: onnxruntime runs one call at a time where it has one thread."""

    def __init__(self, data: bytes, *, threads: int = 1) -> None:
        """``data``: of a file whose hash was checked."""
        self._session = open_session(data, threads=threads)
        self._one_at_a_time = threading.Lock()

    def answer(self, embedding: NDArray[np.float32], prompt: Prompt, *, size: tuple[int, int]) -> Answer:
        """Four masks for one prompt.

        Args:
            embedding: (1, 256, 64, 64), as ``decode_embedding`` gives it.
            prompt: at least a point, a box or a mask.
            size: (width, height) of the photo.

        Raises:
            InputError: ``prompt_missing``, ``points_invalid``, ``labels_invalid``, ``boxes_invalid``,
                ``mask_input_invalid``.
        """
        feed = {"image_embeddings": embedding, **_points(prompt, size), **_refined(prompt.refine)}
        with self._one_at_a_time:
            low_res, scores = self._session.run(["low_res_masks", "iou_predictions"], feed)
        return Answer(low_res[0], scores[0])


def _points(prompt: Prompt, size: tuple[int, int]) -> dict[str, NDArray[np.float32]]:
    """Coordinates and labels as the decoder wants them: the box's corners after the clicks, padding where none is."""
    if not prompt.points and prompt.box is None and prompt.refine is None:
        raise InputError("prompt_missing", "Nothing says what to cut out: give a point, a box or a mask.")
    if len(prompt.points) > MOST_POINTS:
        raise InputError("points_invalid", f"At most {MOST_POINTS} points are taken.")
    if len(prompt.labels) != len(prompt.points) or any(label not in (0, 1) for label in prompt.labels):
        raise InputError("labels_invalid", "Give one label for each point: 1 adds, 0 removes.")
    places, labels = list(prompt.points), [float(label) for label in prompt.labels]
    if prompt.box is not None:
        places += _corners(prompt.box)
        labels += [2.0, 3.0]
    _check_inside(places, size)
    scaled = [(x * LONGEST_SIDE / max(size), y * LONGEST_SIDE / max(size)) for x, y in places]
    if prompt.box is None:
        scaled.append((0.0, 0.0))
        labels.append(-1.0)
    return {"point_coords": np.array([scaled], np.float32), "point_labels": np.array([labels], np.float32)}


def _corners(box: tuple[float, float, float, float]) -> list[tuple[float, float]]:
    x0, y0, x1, y1 = box
    if not (x0 < x1 and y0 < y1):
        raise InputError("boxes_invalid", "A box is x0, y0, x1, y1 with x0 < x1 and y0 < y1.")
    return [(x0, y0), (x1, y1)]


def _check_inside(places: Sequence[tuple[float, float]], size: tuple[int, int]) -> None:
    width, height = size
    for x, y in places:
        if not (0 <= x <= width and 0 <= y <= height):  # NaN fails as well
            raise InputError("points_invalid", f"({x:g}, {y:g}) lies outside of the {width}x{height} photo.")


def _refined(logits: NDArray[np.floating[Any]] | None) -> dict[str, NDArray[np.float32]]:
    if logits is None:
        return {"mask_input": np.zeros((1, 1, *PLANE), np.float32), "has_mask_input": np.zeros(1, np.float32)}
    if logits.shape != PLANE or not np.isfinite(logits).all():
        raise InputError("mask_input_invalid", "A mask to refine is one plane of finite logits, 256x256.")
    plane = logits.astype(np.float32).reshape(1, 1, *PLANE)
    return {"mask_input": plane, "has_mask_input": np.ones(1, np.float32)}
