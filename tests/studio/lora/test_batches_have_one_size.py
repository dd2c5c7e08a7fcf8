"""Buckets and order: one size a batch, every picture as often as it repeats, regularisation pictures in between."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from studio.dataset.types import DataSet
from studio.errors import InputError
from studio.lora.order import batches, bucket_sizes
from tests.studio.lora.conftest import PLAN
from tests.studio.lora.sets import entry, small_set

SQUARE = replace(PLAN, width=96, height=96, batch_size=3)


def test_a_batch_has_one_size_and_buckets_their_share(tmp_path: Path) -> None:
    tall = [entry(tmp_path, n, size=(64, 128)) for n in range(6)]
    wide = [entry(tmp_path, 10 + n, size=(128, 64)) for n in range(2)]
    dataset = DataSet("zkx", (*tall, *wide))
    sizes = bucket_sizes(dataset, SQUARE)
    assert set(sizes[:6]) == {(64, 128)} and set(sizes[6:]) == {(128, 64)}
    some = list(islice(batches(dataset, sizes, SQUARE), 400))
    assert all(len({sizes[index] for index, _ in batch}) == 1 for batch in some)
    wide_share = sum(sizes[batch[0][0]] == (128, 64) for batch in some) / 400
    assert 0.18 < wide_share < 0.32


def test_every_picture_is_seen_as_often_as_it_repeats(tmp_path: Path) -> None:
    entries = (entry(tmp_path, 0, repeats=3), entry(tmp_path, 1), entry(tmp_path, 2), entry(tmp_path, 3, held_out=True))
    dataset = DataSet("zkx", entries)
    plan = replace(PLAN, batch_size=5)
    first = next(batches(dataset, bucket_sizes(dataset, plan), plan))
    assert Counter(index for index, _ in first) == {0: 3, 1: 1, 2: 1}


def test_regularisation_pictures_come_every_other_time(tmp_path: Path) -> None:
    dataset = small_set(tmp_path, trained=2, held_out=0, prior=3)
    for batch_size in (1, 3, 4):
        plan = replace(PLAN, batch_size=batch_size)
        order = [
            index for batch in islice(batches(dataset, bucket_sizes(dataset, plan), plan), 12) for index, _ in batch
        ]
        assert [index >= 2 for index in order] == [n % 2 == 1 for n in range(len(order))]


def test_order_and_mirroring_follow_the_seed(tmp_path: Path) -> None:
    dataset = small_set(tmp_path, trained=5)
    sizes = bucket_sizes(dataset, PLAN)
    first, again, other = (
        list(islice(batches(dataset, sizes, plan), 40)) for plan in (PLAN, PLAN, replace(PLAN, seed=9))
    )
    assert first == again != other
    flips = [flip for batch in first for _, flip in batch]
    assert 20 < sum(flips) < 60
    still = replace(PLAN, flip=False)
    assert [[index for index, _ in batch] for batch in first] == [
        [index for index, flip in batch if not flip] for batch in islice(batches(dataset, sizes, still), 40)
    ]


def test_a_regularisation_picture_takes_a_bucket_of_the_garments(tmp_path: Path) -> None:
    entries = (entry(tmp_path, 0, size=(64, 128)), entry(tmp_path, 1, size=(128, 64), kind="prior", masked=False))
    assert bucket_sizes(DataSet("zkx", entries), SQUARE)[1] == (64, 128)


def test_a_set_with_nothing_to_train_on_is_refused(tmp_path: Path) -> None:
    dataset = DataSet("zkx", (entry(tmp_path, 0, held_out=True), entry(tmp_path, 1, kind="prior", masked=False)))
    with pytest.raises(InputError) as caught:
        bucket_sizes(dataset, PLAN)
    assert caught.value.code == "pictures_missing"
