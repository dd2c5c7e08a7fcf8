"""Proposals on the two real photos, checked at places anyone can point at, and on drawings whose masks are known."""

from __future__ import annotations

from pathlib import Path

import cv2
import matplotlib
import numpy as np
import pytest
import skimage.data
from PIL import Image

from studio.errors import InputError
from studio.pose.detect import Detection, MediaPipeDetector
from studio.segmentation.masks import overlap
from studio.segmentation.proposals import Part, Proposals, propose

Seen = tuple[Image.Image, Detection]


@pytest.fixture(scope="module")
def detector() -> MediaPipeDetector:
    return MediaPipeDetector()


def _look(image: Image.Image, detector: MediaPipeDetector) -> Seen:
    found = detector.detect(image)
    assert found is not None
    return image, found


@pytest.fixture(scope="module")
def astronaut(detector: MediaPipeDetector) -> Seen:
    return _look(Image.fromarray(skimage.data.astronaut()), detector)


@pytest.fixture(scope="module")
def hopper(detector: MediaPipeDetector) -> Seen:
    path = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    return _look(Image.open(path).convert("RGB"), detector)


def _proposed(seen: Seen) -> Proposals:
    return propose(seen[0], pose=seen[1].pose, person_mask=seen[1].person_mask)


def _share(mask: np.ndarray, x: int, y: int, radius: int = 6) -> float:
    return float(mask[y - radius : y + radius + 1, x - radius : x + radius + 1].mean())


def test_the_astronauts_suit_is_proposed_without_face_hair_flag_shuttle_or_helmet(astronaut: Seen) -> None:
    mask = _proposed(astronaut).best().mask
    assert mask.shape == (512, 512)
    suit = {"left chest": (180, 300), "patch": (180, 385), "name": (303, 357), "sleeve": (60, 380), "ring": (215, 275)}
    other = {"face": (225, 130), "hair": (220, 40), "flag": (30, 180), "shuttle": (410, 200), "helmet": (400, 430)}
    assert {name: _share(mask, x, y) for name, (x, y) in suit.items()} == dict.fromkeys(suit, 1.0)
    assert {name: _share(mask, x, y) for name, (x, y) in other.items()} == dict.fromkeys(other, 0.0)
    assert 0.27 < mask.mean() < 0.45


def test_the_officers_jacket_is_proposed_without_face_hat_neck_flag_or_wall(hopper: Seen) -> None:
    mask = _proposed(hopper).best().mask
    jacket = {"chest": (300, 560), "left": (60, 500), "ribbons": (400, 515), "tag": (120, 500), "tie": (265, 430)}
    other = {"face": (265, 250), "hat": (265, 110), "neck": (265, 360), "flag": (60, 200), "wall": (450, 200)}
    assert {name: _share(mask, x, y) for name, (x, y) in jacket.items()} == dict.fromkeys(jacket, 1.0)
    assert {name: _share(mask, x, y) for name, (x, y) in other.items()} == dict.fromkeys(other, 0.0)
    assert 0.26 < mask.mean() < 0.42


def test_a_bust_has_an_upper_garment_and_a_person_but_no_lower_one(hopper: Seen) -> None:
    found = _proposed(hopper)
    assert Part.LOWER not in found
    np.testing.assert_array_equal(found[Part.UPPER].mask, found[Part.FULL].mask)
    person = found[Part.PERSON].mask
    assert _share(person, 265, 250) == 1.0
    assert not (found[Part.FULL].mask & ~person).any()
    with pytest.raises(KeyError):
        found[Part.LOWER]


def test_a_large_photo_gets_the_same_garment_at_its_own_size(hopper: Seen) -> None:
    image, seen = hopper
    size = (image.width * 4, image.height * 4)
    large = propose(
        image.resize(size, Image.Resampling.BICUBIC),
        pose=seen.pose.scaled(4, size=size),
        person_mask=cv2.resize(seen.person_mask, size),
    ).best()
    assert large.mask.shape == (2400, 2048)
    small = np.asarray(Image.fromarray(_proposed(hopper).best().mask).resize(size))
    assert overlap(large.mask, small) > 0.97


def test_the_same_photo_gives_the_same_bytes_whatever_was_looked_at_before(astronaut: Seen) -> None:
    first = _proposed(astronaut).best().mask
    cv2.setRNGSeed(99)
    cv2.randu(np.zeros(7, np.uint8), 0, 255)
    np.testing.assert_array_equal(_proposed(astronaut).best().mask, first)


def _mannequin(neck: tuple[int, int, int]) -> tuple[Image.Image, np.ndarray, np.ndarray]:
    """A headless mannequin with bare neck and forearms in a striped red top: picture, garment, bare parts."""
    rng = np.random.default_rng(4)
    height, width = 480, 360
    picture = np.full((height, width, 3), 205, np.float64) + np.linspace(-12, 12, width)[None, :, None]
    bare, garment = np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8)
    cv2.rectangle(bare, (162, 50), (198, 120), 1, -1)
    for side in (-1, 1):
        arm = [(180 + side * 75, 120), (180 + side * 118, 300)]
        cv2.line(bare, arm[0], (180 + side * 128, 380), 1, 26)
        cv2.line(garment, arm[0], arm[1], 1, 44)
    outline = [(105, 100), (150, 92), (180, 108), (210, 92), (255, 100), (245, 250), (258, 430), (102, 430), (115, 250)]
    cv2.fillPoly(garment, [np.array(outline)], 1)
    picture[bare > 0] = neck
    stripes = np.where((np.arange(height) // 14) % 2 == 0, 1.0, 0.72)[:, None, None] * (190, 40, 50)
    picture = np.where(garment[..., None] > 0, stripes, picture) + rng.normal(0, 3, picture.shape)
    only_bare = (bare > 0) & (garment == 0)
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8)), garment > 0, only_bare


@pytest.mark.parametrize("neck", [(222, 184, 150), (246, 246, 244), (90, 92, 96)], ids=["skin", "white", "grey"])
def test_a_headless_mannequin_is_undressed_of_its_bare_neck_and_arms(neck: tuple[int, int, int]) -> None:
    picture, garment, bare = _mannequin(neck)
    found = propose(picture, pose=None).best()
    assert found.part is Part.FULL
    assert overlap(found.mask, garment) > 0.93
    assert found.mask[bare].mean() < 0.1


def test_a_flat_lay_keeps_its_collar_and_its_print() -> None:
    picture = np.full((300, 400, 3), (196, 178, 150), np.uint8)
    garment = np.zeros((300, 400), np.uint8)
    corners = [(60, 60), (160, 40), (200, 55), (240, 40), (340, 60), (330, 120), (270, 110), (270, 270), (130, 270)]
    cv2.fillPoly(garment, [np.array([*corners, (130, 110), (70, 120)])], 1)
    picture[garment > 0] = (40, 70, 140)
    cv2.circle(picture, (200, 160), 32, (240, 220, 40), -1)
    noise = np.random.default_rng(0).normal(0, 3, picture.shape)
    found = propose(Image.fromarray((picture + noise).clip(0, 255).astype(np.uint8)), pose=None).best()
    assert overlap(found.mask, garment > 0) > 0.95
    assert found.mask[160, 200]


def test_an_empty_wall_has_no_garment() -> None:
    with pytest.raises(InputError) as caught:
        propose(Image.new("RGB", (200, 300), (180, 180, 180)), pose=None).best()
    assert caught.value.code == "garment_not_found"


def test_a_person_mask_or_pose_of_another_photo_is_refused(astronaut: Seen) -> None:
    image, seen = astronaut
    with pytest.raises(InputError, match=r"512x400.*512x512") as caught:
        propose(image, pose=None, person_mask=seen.person_mask[:400])
    assert caught.value.code == "mask_wrong_size"
    with pytest.raises(InputError) as caught:
        propose(image, pose=seen.pose.scaled(2, size=(1024, 1024)))
    assert caught.value.code == "pose_wrong_size"


def test_a_landmark_that_is_not_a_number_is_refused(astronaut: Seen) -> None:
    image, seen = astronaut
    moved = seen.pose.moved(float("nan"), 0, size=seen.pose.size)
    with pytest.raises(InputError) as caught:
        propose(image, pose=moved, person_mask=seen.person_mask)
    assert caught.value.code == "pose_not_finite"
