"""One, two, three and nobody: on real photos side by side, on drawn scenes, and on pictures without anybody."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from bench import dataset_scenes as scenes
from studio.dataset.people import MediaPipeFaces, Person, box_of, crops_of, find_people
from studio.pose.detect import MediaPipeDetector
from studio.pose.types import J


@pytest.mark.parametrize("gap", [0, 60])
@pytest.mark.parametrize("swapped", [False, True])
def test_two_real_photos_side_by_side_are_two_people_each_in_a_crop_of_their_own(
    detector: MediaPipeDetector, faces: MediaPipeFaces, gap: int, swapped: bool
) -> None:
    photos = [scenes.astronaut(), scenes.officer()]
    left, right = reversed(photos) if swapped else photos
    both = scenes.side_by_side(left, right, gap=gap)
    found = find_people(both, detector, faces)
    assert len(found) == 2
    crops = [crop.box for crop in crops_of(found, both.size)]
    for one, crop in zip(found, crops, strict=True):
        held = [_shoulders_in(crop, other) for other in found]
        assert held == [2 if other is one else 0 for other in found]
    assert all(crop[2] - crop[0] > 300 and crop[3] == 600 for crop in crops)


def _shoulders_in(crop: tuple[int, int, int, int], one: Person) -> int:
    assert one.pose is not None
    xs = one.pose.points[[J.LEFT_SHOULDER, J.RIGHT_SHOULDER], 0]
    return int(((xs >= crop[0]) & (xs < crop[2])).sum())


def test_one_person_is_one_and_three_are_three(detector: MediaPipeDetector, faces: MediaPipeFaces) -> None:
    astronaut, officer = scenes.astronaut(), scenes.officer()
    assert len(find_people(astronaut, detector, faces)) == 1
    assert len(find_people(officer, detector, faces)) == 1
    three = scenes.side_by_side(scenes.side_by_side(astronaut, officer), astronaut)
    assert len(find_people(three, detector, faces)) == 3


def test_two_drawn_people_are_parted_so_that_each_crop_holds_one_garment(
    detector: MediaPipeDetector, faces: MediaPipeFaces
) -> None:
    pair = scenes.pair(54)
    crops = crops_of(find_people(pair.picture, detector, faces), pair.picture.size)
    shares = np.asarray(
        [[mask[c.box[1] : c.box[3], c.box[0] : c.box[2]].sum() / mask.sum() for mask in pair.garments] for c in crops]
    )
    assert shares.shape == (2, 2)
    assert np.sort(shares.max(axis=1)).min() > 0.95 and shares.min(axis=1).max() < 0.03
    assert set(shares.argmax(axis=1)) == {0, 1}
    assert all(crop.clean for crop in crops)


def test_a_mannequin_beside_a_person_counts_before_a_plain_background(
    detector: MediaPipeDetector, faces: MediaPipeFaces
) -> None:
    pair = scenes.pair(11)
    assert pair.mannequin
    assert len(find_people(pair.picture, detector, faces)) == 2


def test_nobody_is_nobody(detector: MediaPipeDetector, faces: MediaPipeFaces) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (300, 200, 3), np.uint8)
    for picture in (Image.fromarray(noise), Image.new("RGB", (200, 300), (240, 240, 240)), Image.new("RGB", (3, 900))):
        assert find_people(picture, detector, faces) == ()


def _box(left: int, right: int, size: tuple[int, int] = (100, 60)) -> Person:
    mask = np.zeros((size[1], size[0]), np.bool_)
    mask[10:50, left:right] = True
    return Person(box_of(mask), mask, None, "outline")


def test_a_crop_ends_in_the_middle_of_the_gap_and_says_when_somebody_reaches_into_it() -> None:
    apart = crops_of([_box(10, 40), _box(60, 90)], (100, 60))
    assert [crop.box for crop in apart] == [(8, 8, 42, 52), (58, 8, 92, 52)]
    near = crops_of([_box(10, 49), _box(51, 90)], (100, 60))
    assert near[0].box[2] == near[1].box[0] == 50
    assert all(crop.clean for crop in (*apart, *near))
    crossing = _box(10, 49)
    crossing.mask[20:40, 49:80] = True  # an arm across the other
    other = _box(51, 90)
    other.mask[20:40, 51:80] = False
    reached = crops_of([Person(box_of(crossing.mask), crossing.mask, None, "pose"), other], (100, 60))
    assert not reached[1].clean
