"""Aspect-ratio buckets: pictures of one shape are trained together, each at a size of about the same area.

Source: NovelAI, "Improvements on Stable Diffusion" (2022), aspect ratio bucketing; as kohya's scripts do it
(``make_bucket_resolutions``), except that a picture goes to the bucket that cuts the least of it away.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from studio.errors import InputError

Size = tuple[int, int]
SLACK = 1.1  # a bucket's area over the base's: what rounding to the step may add, and memory must bear


@dataclass(frozen=True)
class Bucket:
    """Pictures that are trained at one size.

    Attributes:
        width, height: pixels, multiples of the step.
        pictures: indices, ascending.
        cut: the largest share, 0..1, of one of its pictures that falls outside of the frame.
    """

    width: int
    height: int
    pictures: tuple[int, ...]
    cut: float


def buckets(sizes: Sequence[Size], *, base: Size, step: int, longest: float = 2.0) -> tuple[Bucket, ...]:
    """The buckets of a set, the fullest first.

    Args:
        sizes: (width, height) in pixels of each picture.
        base: (width, height) the family is trained at: it gives the area, and is a bucket itself.
        step: pixels that both sides are a multiple of (64 for Stable Diffusion, 32 for ``mini``).
        longest: the largest ratio of a bucket's long side to its short one.

    Raises:
        InputError: ``bucket_size_invalid``.
    """
    if step < 1 or min(base) < step or base[0] % step or base[1] % step or longest < 1:
        raise InputError("bucket_size_invalid", f"{base[0]} x {base[1]} must be multiples of the step {step}.")
    if any(min(size) < 1 for size in sizes):
        raise InputError("bucket_size_invalid", "A picture has no pixels.")
    shapes = shapes_of(base=base, step=step, longest=longest)
    chosen: dict[Size, list[int]] = {}
    for index, size in enumerate(sizes):
        chosen.setdefault(best_shape(size, shapes), []).append(index)
    made = [Bucket(*shape, tuple(held), max(cut_away(sizes[i], shape) for i in held)) for shape, held in chosen.items()]
    return tuple(sorted(made, key=lambda one: (-len(one.pictures), one.width, one.height)))


def shapes_of(*, base: Size, step: int, longest: float) -> tuple[Size, ...]:
    """Every (width, height) in multiples of ``step``, of about the base's area; each lies on its side, too."""
    area = base[0] * base[1]
    found = {base, (base[1], base[0])}
    for width in range(step, int(math.sqrt(area * longest)) + step, step):
        height = max(step, round(area / width / step) * step)
        if width * height <= area * SLACK and max(width, height) / min(width, height) <= longest:
            found |= {(width, height), (height, width)}
    return tuple(sorted(found))


def best_shape(size: Size, shapes: Iterable[Size]) -> Size:
    """The shape that cuts the least of the picture away; of equals, the largest."""
    return min(shapes, key=lambda shape: (round(cut_away(size, shape), 6), -shape[0] * shape[1], shape))


def cut_away(size: Size, shape: Size) -> float:
    """The share, 0..1, of a picture that is lost when it is scaled to cover the shape."""
    ratio = (size[0] / size[1]) / (shape[0] / shape[1])
    return 1 - min(ratio, 1 / ratio)
