"""Blur, near duplicates, hidden and cut garments, another garment: each planted, and each absent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bench import dataset_scenes as scenes
from studio.dataset.hidden import showing
from studio.dataset.people import box_of
from studio.dataset.quality import alike, duplicates, print_of, sharpness
from studio.dataset.records import BLURRED_BELOW, COVERED_FROM, STRANGE_BELOW
from studio.dataset.strangers import likenesses
from studio.lora.similarity import look
from studio.mini.world import Drawing, Garment
from studio.pose.detect import MediaPipeDetector

COAT = Garment("coat", "olive", "plain", "cream")
TEE = Garment("t-shirt", "navy", "striped", "white")


@pytest.fixture(scope="module")
def tees() -> list[Drawing]:
    """Seven photos of one garment."""
    return scenes.photos(TEE, 5)


@pytest.mark.parametrize("spoilt", [lambda p: scenes.blurred(p, 2.5), lambda p: scenes.moved(p, 17)])
def test_a_blurred_picture_is_told_from_a_sharp_one_whatever_it_shows(spoilt) -> None:  # type: ignore[no-untyped-def]
    plain = scenes.worn(COAT, 3, "front", size=(512, 768))
    striped = scenes.worn(TEE, 4, "front", size=(512, 768))
    shown = [(plain.picture, plain.masks["person"]), (striped.picture, striped.masks["person"])]
    shown += [(scenes.astronaut(), None), (scenes.officer(), None)]
    for picture, subject in shown:
        assert sharpness(picture, subject) > BLURRED_BELOW > sharpness(spoilt(picture), subject)


def test_a_sharp_background_does_not_save_a_blurred_person() -> None:
    drawing = scenes.worn(COAT, 3, "front", size=(512, 768))
    person = drawing.masks["person"]
    soft = np.asarray(scenes.blurred(drawing.picture, 4))
    noise = np.random.default_rng(0).integers(0, 255, soft.shape, np.uint8)
    around = np.asarray(scenes.Image.fromarray(person).resize((512, 768)))
    near = scenes.cv2.dilate(around.astype(np.uint8), np.ones((31, 31))) > 0
    mixed = scenes.Image.fromarray(np.where(near[..., None], soft, noise))
    assert sharpness(mixed, person) < BLURRED_BELOW < sharpness(mixed, None)


def test_other_files_of_one_picture_are_near_duplicates(tees: list[Drawing]) -> None:
    own = print_of(tees[0].picture)
    said = {name: alike(own, print_of(other)) for name, other in scenes.again(tees[0].picture).items()}
    assert said == dict.fromkeys(said, True) and len(said) == 6


def test_other_poses_views_and_garments_are_not(tees: list[Drawing]) -> None:
    prints = [print_of(one.picture) for one in tees]
    assert duplicates(prints) == ()
    same_pose = scenes.worn(replace(TEE, colour="red"), 5 * 31, "front", wearer=5)
    assert not alike(prints[0], print_of(same_pose.picture))


def test_one_cloth_in_another_tint_and_one_tint_in_another_weave_are_two_pictures(tees: list[Drawing]) -> None:
    pixels = np.asarray(tees[0].picture).astype(np.int16)
    tinted = pixels + np.where(tees[0].garment[..., None], (0, 0, 45), 0)
    other = scenes.Image.fromarray(tinted.clip(0, 255).astype(np.uint8))
    assert not alike(print_of(tees[0].picture), print_of(other))
    soft = np.asarray(scenes.blurred(tees[0].picture, 8)).astype(np.float64)
    rng = np.random.default_rng(3)
    weaves = [np.kron(rng.normal(0, 6, (96, 64)), np.ones((4, 4)))[..., None] for _ in range(2)]
    one, two = (scenes.Image.fromarray((soft + weave).clip(0, 255).astype(np.uint8)) for weave in weaves)
    assert alike(print_of(one), print_of(one.resize((128, 192)).resize((256, 384))))
    assert not alike(print_of(one), print_of(two))


def test_a_burst_is_one_group(tees: list[Drawing]) -> None:
    others = scenes.again(tees[2].picture)
    pictures = [tees[0].picture, tees[2].picture, others["cut by 3 %"], tees[3].picture, others["jpeg 40"]]
    assert duplicates([print_of(one) for one in pictures]) == ((1, 2, 4),)


def test_a_bag_before_the_garment_hides_it_and_the_frame_cuts_it(detector: MediaPipeDetector) -> None:
    drawing = scenes.worn(COAT, 8, "front", size=(320, 480))
    found = detector.detect(drawing.picture)
    assert found is not None
    mask = drawing.garment
    whole = showing(mask, found.pose, part="upper")
    assert not (whole.is_cut or whole.is_covered or whole.small)
    left, top, right, bottom = box_of(mask)
    behind = mask.copy()
    behind[top + 20 : (top + bottom) // 2 + 20] = False
    assert showing(behind, found.pose, part="upper").is_covered
    edge = (left + right) // 2
    half = found.pose.moved(-edge, 0, size=(mask.shape[1] - edge, mask.shape[0]))
    cut = showing(mask[:, edge:], half, part="upper")
    assert cut.is_cut and cut.cut == pytest.approx(1, abs=0.6)
    small = np.zeros((2000, 2000), np.bool_)
    small[:200, 900:1100] = True
    assert showing(small, None, part="upper").small


def test_crossed_bare_arms_hide_a_garment_and_sleeves_of_its_own_do_not(detector: MediaPipeDetector) -> None:
    said = {}
    for sleeve in ("none", "long"):
        shirt = Garment("t-shirt", "teal", "plain", "white", sleeve)
        drawing = scenes.worn(shirt, 31, "arms-crossed", size=(320, 480))
        found = detector.detect(drawing.picture)
        assert found is not None
        covered = showing(drawing.garment, found.pose, part="upper").covered
        assert covered is not None
        said[sleeve] = covered
    assert said["none"] > said["long"] + 0.08 and said["none"] >= COVERED_FROM > said["long"]


def test_another_garment_is_found_among_seven_photos_of_one(tees: list[Drawing]) -> None:
    own = [look(one.picture, one.garment) for one in tees]
    for other in (COAT, replace(TEE, colour="red"), Garment("dress", "navy", "plain")):
        stranger = scenes.worn(other, 77, "front", wearer=5)
        values = likenesses([*own[:3], look(stranger.picture, stranger.garment), *own[3:]])
        strange = [i for i, value in enumerate(values) if value is not None and value < STRANGE_BELOW]
        assert strange == [3]


def test_three_photos_can_not_tell_and_say_so(tees: list[Drawing]) -> None:
    own = [look(one.picture, one.garment) for one in tees[:3]]
    assert likenesses(own) == [None, None, None]
    assert likenesses([*own, None])[3] is None
    known = likenesses([*own, None, look(tees[3].picture, tees[3].garment)])
    assert known[3] is None and None not in (*known[:3], known[4])
