"""Front, side, back, how much is in the frame, colours, patterns, sleeves, wearer, scene."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bench import dataset_scenes as scenes
from studio.dataset import facts, naming
from studio.dataset.people import MediaPipeFaces, face_seen, find_people
from studio.dataset.views import stance_of, view_of
from studio.mini.world import Garment, Person, Spec, draw
from studio.pose.body import landmarks, place
from studio.pose.detect import MediaPipeDetector
from studio.pose.library import POSES
from studio.pose.types import J
from studio.segmentation.proposals import propose

RED = Garment("t-shirt", "red", "plain", "white", "short")


@pytest.mark.parametrize(
    ("pose", "view"),
    [("front", "front"), ("walking", "front"), ("side-left", "side"), ("side-right", "side"), ("back", "back")],
)
def test_the_view_is_read_from_landmarks(pose: str, view: str) -> None:
    body = landmarks(POSES[pose].angles, Person().proportions)
    assert view_of(place(body, size=(256, 384), stature=340, hips=(128, 190))) == view


def test_photos_of_a_person_say_front_side_and_back(detector: MediaPipeDetector, faces: MediaPipeFaces) -> None:
    said = []
    for pose in ("front", "side-right", "back"):
        drawing = scenes.worn(RED, 12, pose, size=(320, 480), wearer=12)
        (one,) = find_people(drawing.picture, detector, faces)
        assert one.pose is not None
        seen = face_seen(one, np.asarray(drawing.picture), faces)
        said.append(stance_of(one.pose, one.mask, face=seen).view)
    assert said == ["front", "side", "back"]


def test_a_face_overrules_landmarks_that_read_a_back_and_its_absence_doubts_a_front(
    detector: MediaPipeDetector, faces: MediaPipeFaces
) -> None:
    said = {}
    for pose in ("front", "back"):
        drawing = scenes.worn(scenes.some_garment(602), 602, pose, wearer=602, size=(320, 480))
        (one,) = find_people(drawing.picture, detector, faces)
        assert one.pose is not None
        said[pose] = face_seen(one, np.asarray(drawing.picture), faces)
        turned = replace(one.pose, points=one.pose.points * (-1, 1, 1) + (320, 0, 0))
        assert stance_of(one.pose, one.mask, face=said[pose]).view == pose
        # The same landmarks, left and right exchanged: what MediaPipe does now and then.
        assert stance_of(turned, one.mask[:, ::-1], face=said[pose]).view == ("front" if pose == "front" else "unsure")
    assert said == {"front": True, "back": False}


def test_a_headless_mannequin_is_unsure_of_front_and_back(detector: MediaPipeDetector) -> None:
    for seed in (3, 4):
        spec = Spec(person=Person(mannequin=True, skin="grey"), upper=RED, lower=Garment("trousers", "navy"),
                    angles=POSES["front"].angles, seed=seed)  # fmt: skip
        drawing = draw(spec, (320, 480), oversample=1)
        found = detector.detect(drawing.picture)
        assert found is not None
        stance = stance_of(found.pose, drawing.masks["person"])
        assert stance.headless and stance.view == "unsure" and stance.guess in ("front", "side", "back")
        words = facts.wearer_words(drawing.picture, found.pose, drawing.masks["person"],
                                   drawing.masks["upper"] | drawing.masks["lower"], headless=True)  # fmt: skip
        assert words == "a headless grey mannequin"


def test_real_busts_are_fronts_from_the_waist_up(detector: MediaPipeDetector, faces: MediaPipeFaces) -> None:
    for photo in (scenes.astronaut(), scenes.officer()):
        (one,) = find_people(photo, detector, faces)
        assert one.pose is not None
        stance = stance_of(one.pose, one.mask, face=face_seen(one, np.asarray(photo), faces))
        assert (stance.view, stance.headless, stance.crop) == ("front", False, "waist")


@pytest.mark.parametrize(("crop", "word"), [("head-to-toe", "full"), ("knee-up", "knee"), ("waist-up", "waist")])
def test_the_crop_says_how_far_down_the_frame_goes(detector: MediaPipeDetector, crop: str, word: str) -> None:
    spec = Spec(upper=RED, lower=Garment("trousers", "navy"), angles=POSES["front"].angles, crop=crop, seed=6)
    drawing = draw(spec, (320, 480), oversample=1)
    found = detector.detect(drawing.picture)
    assert found is not None
    assert stance_of(found.pose, drawing.masks["person"]).crop == word


@pytest.mark.parametrize("pose", ["hands-on-hips", "sitting", "hand-raised", "walking-side"])
def test_a_pose_is_called_as_in_the_library(pose: str) -> None:
    from studio.dataset.views import pose_words

    body = landmarks(POSES[pose].angles, Person().proportions)
    view = "side" if "side" in pose else "front"
    assert pose_words(place(body, size=(400, 600), stature=500, hips=(200, 300)), view) == POSES[pose].words


@pytest.mark.parametrize("colour", ["white", "black", "navy", "blue", "red", "burgundy", "olive", "beige", "purple"])
def test_a_plain_garments_colour_has_its_name_in_any_light(colour: str) -> None:
    for seed in (1, 2):
        drawing = scenes.worn(Garment("t-shirt", colour), seed, "front")
        cloth = naming.cloth_of(drawing.picture, drawing.garment)
        assert cloth == naming.Cloth(colour, "", "plain")


@pytest.mark.parametrize("pattern", ["striped", "pinstriped", "checked", "dotted", "floral"])
def test_a_pattern_has_its_name_and_both_its_colours(pattern: str) -> None:
    drawing = scenes.worn(Garment("dress", "navy", pattern, "yellow"), 21, "front", size=(320, 480))
    cloth = naming.cloth_of(drawing.picture, drawing.garment)
    assert cloth is not None and cloth.pattern == pattern
    assert {"navy", "yellow"} & {cloth.colour, cloth.second}


def test_real_photos_have_their_colours(detector: MediaPipeDetector) -> None:
    for photo, colours in ((scenes.astronaut(), {"orange", "red"}), (scenes.officer(), {"black"})):
        found = detector.detect(photo)
        assert found is not None
        garment = propose(photo, pose=found.pose, person_mask=found.person_mask).best().mask
        cloth = naming.cloth_of(photo, garment)
        assert cloth is not None and cloth.colour in colours


def test_buttons_and_a_pocket_make_no_pattern() -> None:
    drawing = scenes.worn(Garment("shirt", "green", "plain", "beige"), 42, "front", size=(320, 480))
    cloth = naming.cloth_of(drawing.picture, drawing.garment)
    assert cloth is not None and cloth.pattern == "plain"


@pytest.mark.parametrize("sleeve", ["none", "short", "long"])
def test_sleeves_are_read_from_the_arms(detector: MediaPipeDetector, sleeve: str) -> None:
    drawing = scenes.worn(Garment("dress", "teal", sleeve=sleeve), 15, "front", size=(320, 480), wearer=15)
    found = detector.detect(drawing.picture)
    assert found is not None
    assert facts.sleeve_of(drawing.garment, found.pose) == sleeve


def test_sleeves_out_of_the_frame_are_not_guessed(detector: MediaPipeDetector) -> None:
    drawing = scenes.worn(Garment("dress", "teal", sleeve="none"), 14, "front", size=(320, 480), wearer=14)
    found = detector.detect(drawing.picture)
    assert found is not None
    joints = [J.LEFT_ELBOW, J.RIGHT_ELBOW, J.LEFT_WRIST, J.RIGHT_WRIST]
    found.pose.confidence[joints] = 0
    assert facts.sleeve_of(drawing.garment, found.pose) == ""
    assert facts.sleeve_of(drawing.garment, None) == ""


@pytest.mark.parametrize("length", ["short", "knee", "long"])
def test_a_dress_ends_where_it_ends(detector: MediaPipeDetector, length: str) -> None:
    drawing = scenes.worn(Garment("dress", "teal", length=length), 15, "front", size=(320, 480), wearer=14)
    found = detector.detect(drawing.picture)
    assert found is not None
    assert facts.length_of(drawing.garment, found.pose) == length


def test_wearer_and_scene_in_the_drawn_worlds_words(detector: MediaPipeDetector) -> None:
    for skin, hair in (("dark", "grey"), ("fair", "red")):
        spec = Spec(person=Person(skin=skin, hair="short", hair_colour=hair), upper=RED,
                    lower=Garment("trousers", "navy"), angles=POSES["front"].angles, scene="park", seed=5)  # fmt: skip
        drawing = draw(spec, (320, 480), oversample=1)
        found = detector.detect(drawing.picture)
        assert found is not None
        person = drawing.masks["person"]
        words = facts.wearer_words(drawing.picture, found.pose, person, drawing.garment, headless=False)
        assert words == f"a person with {skin} skin and short {hair} hair"
        assert facts.named(words, "woman") == f"a woman with {skin} skin and short {hair} hair"
        assert facts.scene_words(drawing.picture, person, language="mini") == "park"
        assert facts.scene_words(drawing.picture, person, language="english") == ""


def test_a_studio_is_called_by_its_colour_in_english() -> None:
    for scene, words in (("white studio", "white background"), ("blue studio", "blue background")):
        spec = Spec(upper=RED, lower=Garment("trousers", "navy"), angles=POSES["front"].angles, scene=scene, seed=5)
        drawing = draw(spec, (256, 384), oversample=1)
        assert facts.scene_words(drawing.picture, drawing.masks["person"], language="english") == words
