"""What the shipped files can do: simulated clicks on held-out scenes, with the very ONNX that a browser runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.mini.data import PARTS
from studio.mini.segmenter import clicks
from studio.mini.segmenter.pictures import HELD_OUT_SEED, render
from studio.mini.segmenter.samples import LEAST
from studio.segmentation.onnx_decode import OnnxDecoder, Prompt
from studio.segmentation.onnx_encode import OnnxEncoder

CLICKS = 5
SQUARE = 1024
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Model:
    """An encoder with its decoder."""

    encoder: OnnxEncoder
    decoder: OnnxDecoder

    @classmethod
    def open(cls, folder: Path, *, threads: int = 2) -> Model:
        """The two files of a folder that ``export`` wrote."""
        return cls(
            OnnxEncoder((folder / "encoder.onnx").read_bytes(), threads=threads),
            OnnxDecoder((folder / "decoder.onnx").read_bytes(), threads=threads),
        )


def full_size(low_res: NDArray[np.float32], size: tuple[int, int]) -> Mask:
    """(H, W) bool of (256, 256) logits over the padded square, for a photo of ``size`` (width, height)."""
    scale = SQUARE / max(size)
    square = cv2.resize(low_res, (SQUARE, SQUARE), interpolation=cv2.INTER_LINEAR)
    inside = square[: max(1, round(size[1] * scale)), : max(1, round(size[0] * scale))]
    return np.asarray(cv2.resize(inside, size, interpolation=cv2.INTER_LINEAR) > 0)


def clicked(model: Model, image: Image.Image, wanted: Mask, count: int) -> list[Mask]:
    """The masks after 1 to ``count`` clicks: the first in the middle, each further one in the largest error's middle.

    As the editor does it: the best of three candidates first, then the single answer, the mask so far fed back.
    """
    embedding, masks = model.encoder.embed(image), []
    points, labels = [tuple(float(v) for v in clicks.middle(wanted))], [1]
    refine: NDArray[np.float32] | None = None
    for number in range(count):
        prompt = Prompt([(x, y) for x, y in points], labels, refine=refine)
        answer = model.decoder.answer(embedding, prompt, size=image.size)
        best = 1 + int(np.argmax(answer.scores[1:])) if number == 0 else 0
        refine = answer.low_res[best]
        masks.append(full_size(refine, image.size))
        click = clicks.correction(masks[-1], wanted)
        if click is None:
            return masks + [masks[-1]] * (count - len(masks))
        points.append((float(click[0]), float(click[1])))
        labels.append(click[2])
    return masks


def iou(found: Mask, wanted: Mask) -> float:
    """Intersection over union."""
    return float((found & wanted).sum() / max(1, (found | wanted).sum()))


def garments(parts: NDArray[np.uint8]) -> list[Mask]:
    """Each garment of a part map that is large enough to be clicked."""
    found = [parts == code for name, code in PARTS.items() if name != "person"]
    return [mask for mask in found if mask.mean() >= LEAST]


def evaluate(folder: Path, work: Path, *, scenes: int, say: Callable[[str], None]) -> str:
    """A table of mean IoU by the number of clicks, over every garment of ``scenes`` held-out pictures."""
    held_out = render(work / "held-out", scenes, first_seed=HELD_OUT_SEED, oversample=2)
    model, rows = Model.open(folder), []
    for number in range(len(held_out)):
        pixels, parts = held_out[number]
        image = Image.fromarray(pixels)
        for wanted in garments(parts):
            rows.append([iou(mask, wanted) for mask in clicked(model, image, wanted, CLICKS)])
        if (number + 1) % 25 == 0:
            say(f"{number + 1} scenes, mean IoU after one click {np.mean([row[0] for row in rows]):.3f}")
    return _table(rows)


def _table(rows: Sequence[Sequence[float]]) -> str:
    values = np.asarray(rows)
    lines = [f"garments: {len(rows)}", "clicks  mean IoU  median  worst tenth below"]
    for k in range(values.shape[1]):
        column = values[:, k]
        lines.append(f"{k + 1:6d}  {column.mean():8.3f}  {np.median(column):6.3f}  {np.quantile(column, 0.1):18.3f}")
    return "\n".join(lines)


def drawn(model: Model, photo: Image.Image, points: Sequence[Sequence[float]]) -> Image.Image:
    """The photo once for each click, side by side, with the mask after it tinted and outlined and the clicks marked.

    Args:
        points: (x, y) or (x, y, label) in pixels of the photo.
    """
    embedding, panels = model.encoder.embed(photo), []
    refine: NDArray[np.float32] | None = None
    for number in range(1, len(points) + 1):
        said = [(point[0], point[1], int(point[2]) if len(point) > 2 else 1) for point in points[:number]]
        prompt = Prompt([(x, y) for x, y, _ in said], [label for _, _, label in said], refine=refine)
        answer = model.decoder.answer(embedding, prompt, size=photo.size)
        best = 1 + int(np.argmax(answer.scores[1:])) if number == 1 else 0
        refine = answer.low_res[best]
        panels.append(_panel(np.asarray(photo.convert("RGB")).copy(), full_size(refine, photo.size), said))
    return Image.fromarray(np.concatenate(panels, axis=1))


def _panel(pixels: NDArray[np.uint8], mask: Mask, points: Sequence[tuple[float, float, int]]) -> NDArray[np.uint8]:
    pixels[mask] = (0.55 * pixels[mask] + 0.45 * np.array([41, 82, 227])).astype(np.uint8)
    outline, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(pixels, outline, -1, (255, 255, 255), 2)
    for x, y, label in points:
        cv2.circle(pixels, (round(x), round(y)), 7, (0, 200, 80) if label else (230, 40, 40), -1)
    return pixels
