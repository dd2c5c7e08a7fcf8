"""How well the garment proposals fit, on the procedural world's exact masks.

    python -m bench.proposals [--count 40] [--first 9000] [--size 512x768] [--sheet out.png]

Each picture goes the way a photo goes: MediaPipe looks, then ``propose`` gets what it found, or nothing. Figures are
intersection over union with the drawn masks; the last column is the median time of ``propose`` alone.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from studio.mini.world import Drawing, Spec, draw, random_spec
from studio.pose.detect import MediaPipeDetector
from studio.segmentation.masks import Mask, merge, overlap
from studio.segmentation.proposals import Part, Proposals, propose


@dataclass(frozen=True)
class Row:
    """One picture's outcome."""

    seed: int
    group: str
    overlaps: dict[Part, float]
    seconds: float


def main() -> None:
    """Draw, propose, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--first", type=int, default=9000, help="seed of the first picture")
    parser.add_argument("--size", default="512x768")
    parser.add_argument("--sheet", type=Path, help="write the worst twelve as one picture")
    parser.add_argument("--each", action="store_true", help="print a line for each picture, too")
    options = parser.parse_args()
    width, height = (int(side) for side in options.size.split("x"))
    rows, tiles = [], []
    with MediaPipeDetector() as detector:
        for seed in range(options.first, options.first + options.count):
            spec = random_spec(seed)
            drawing = draw(spec, (width, height), oversample=1)
            row, found = _one(seed, spec, drawing, detector)
            rows.append(row)
            tiles.append((row.overlaps[Part.FULL], _tile(drawing, found, f"{seed} {row.group}")))
            if options.each:
                _line(f"{seed} {row.group}", [row])
    _table(rows)
    if options.sheet:
        worst = [tile for _, tile in sorted(tiles, key=lambda pair: pair[0])[:12]]
        Image.fromarray(np.vstack([np.hstack(worst[i : i + 6]) for i in (0, 6)])).save(options.sheet)


def _one(seed: int, spec: Spec, drawing: Drawing, detector: MediaPipeDetector) -> tuple[Row, Proposals]:
    seen = detector.detect(drawing.picture)
    started = time.perf_counter()
    pose, person = (None, None) if seen is None else (seen.pose, seen.person_mask)
    found = propose(drawing.picture, pose=pose, person_mask=person)
    seconds = time.perf_counter() - started
    group = f"{'mannequin' if spec.person.mannequin else 'person'}, {'no pose' if seen is None else 'pose'}"
    overlaps = {part: overlap(_found(found, part, drawing), true) for part, true in _truth(drawing).items()}
    return Row(seed, group, overlaps, seconds), found


def _truth(drawing: Drawing) -> dict[Part, Mask]:
    masks = drawing.masks
    worn = [masks[name] for name in ("full", "upper", "lower") if name in masks]
    truth = {Part.FULL: merge(*worn), Part.PERSON: masks["person"]}
    for part in (Part.UPPER, Part.LOWER):
        if part.value in masks and masks[part.value].mean() > 0.005:
            truth[part] = masks[part.value]
    return truth


def _found(found: Proposals, part: Part, drawing: Drawing) -> Mask:
    return found[part].mask if part in found else np.zeros(drawing.masks["person"].shape, np.bool_)


def _table(rows: list[Row]) -> None:
    head = "".join(f"{part.value:>16}" for part in Part)
    print(f"{'mean (10th percentile) IoU':<30}{'n':>4}{head}{'seconds':>10}")
    for group in sorted({row.group for row in rows}):
        _line(group, [row for row in rows if row.group == group])
    _line("all", rows)


def _line(name: str, rows: list[Row]) -> None:
    cells = []
    for part in Part:
        values = [row.overlaps[part] for row in rows if part in row.overlaps]
        cells.append(f"{np.mean(values):.3f} ({np.percentile(values, 10):.2f})" if values else "-")
    seconds = np.median([row.seconds for row in rows])
    print(f"{name:<30}{len(rows):>4}" + "".join(f"{cell:>16}" for cell in cells) + f"{seconds:>10.2f}")


def _tile(drawing: Drawing, found: Proposals, name: str) -> np.ndarray:
    picture = np.array(drawing.picture)
    shown = [picture]
    truth = _truth(drawing)
    for mask in (_found(found, Part.FULL, drawing), truth[Part.FULL], _found(found, Part.UPPER, drawing)):
        shown.append(np.where(mask[..., None], picture, (picture * 0.2 + (0, 110, 0)).astype(np.uint8)))
    tile = cv2.resize(np.hstack(shown), None, fx=0.35, fy=0.35, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.putText(tile, name, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (255, 0, 0), 1))


if __name__ == "__main__":
    main()
