"""Which pictures are trained on when: one bucket a batch, regularisation pictures in every other place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from studio.dataset.buckets import best_shape, buckets, shapes_of
from studio.dataset.types import DataSet
from studio.errors import InputError
from studio.lora.cache import Pick
from studio.lora.pictures import Size, picture_size
from studio.lora.types import Plan

LONGEST = 2.0
ORDER = 3  # the stream of numbers that order and mirroring are drawn from


def bucket_sizes(dataset: DataSet, plan: Plan) -> tuple[Size, ...]:
    """Each entry's bucket: the garment's as :func:`studio.dataset.buckets.buckets` has them, the regularisation
    pictures' among those, because a batch has one size.

    Raises:
        InputError: ``pictures_missing``; ``picture_unreadable``, ``picture_too_large``.
    """
    if not dataset.trained:
        raise InputError("pictures_missing", "There is no picture to train on: add photos of the garment.")
    sizes = [picture_size(entry) for entry in dataset.entries]
    base, step = (plan.width, plan.height), plan.bucket_step
    trained = [size for size, entry in zip(sizes, dataset.entries, strict=True) if entry in dataset.trained]
    open_ = {(one.width, one.height) for one in buckets(trained, base=base, step=step, longest=LONGEST)}
    every = shapes_of(base=base, step=step, longest=LONGEST)
    return tuple(
        best_shape(size, sorted(open_) if entry.kind == "prior" else every)
        for size, entry in zip(sizes, dataset.entries, strict=True)
    )


def batches(dataset: DataSet, sizes: Sequence[Size], plan: Plan) -> Iterator[tuple[Pick, ...]]:
    """Batches without end, each of ``plan.batch_size`` pictures of one bucket; equal arguments, equal batches.

    Buckets come as often as their share of the pictures; within one, every picture (as often as it repeats) is seen
    before any is seen again. Where a bucket has regularisation pictures, every other picture is one.
    """
    rng = np.random.default_rng((plan.seed, ORDER))
    garment, prior = _by_bucket(dataset, sizes, "garment"), _by_bucket(dataset, sizes, "prior")
    open_ = sorted(garment)
    odds = np.array([len(garment[size]) for size in open_], float)
    streams = {size: (_shuffled(garment[size], rng), _shuffled(prior.get(size, []), rng)) for size in open_}
    seen = 0
    while True:
        size = open_[int(rng.choice(len(open_), p=odds / odds.sum()))]
        batch = []
        for _ in range(plan.batch_size):
            regular = seen % 2 == 1 and size in prior
            index = next(streams[size][1 if regular else 0])
            batch.append((index, _mirrored(dataset, index, plan, rng)))
            seen += 1
        yield tuple(batch)


def _mirrored(dataset: DataSet, index: int, plan: Plan, rng: np.random.Generator) -> bool:
    chance = bool(rng.random() < 0.5)  # drawn for every picture: one entry's flag does not move the others' order
    return chance and plan.flip and dataset.entries[index].flip


def _by_bucket(dataset: DataSet, sizes: Sequence[Size], kind: str) -> dict[Size, list[int]]:
    found: dict[Size, list[int]] = {}
    for index, (entry, size) in enumerate(zip(dataset.entries, sizes, strict=True)):
        if entry.kind == kind and not entry.held_out:
            found.setdefault(size, []).extend([index] * entry.repeats)
    return found


def _shuffled(indices: Sequence[int], rng: np.random.Generator) -> Iterator[int]:
    while True:
        yield from (indices[int(place)] for place in rng.permutation(len(indices)))
