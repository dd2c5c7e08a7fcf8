"""A merchant's own persona, scene and pose do what the bundled ones do, and a recipe keeps them whole."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from studio.errors import InputError
from studio.pose.body import Proportions
from studio.pose.library import POSES
from studio.pose.retarget import retarget
from studio.pose.types import J
from studio.shoot.finish import finished
from studio.shoot.flow import check, replay
from studio.shoot.own import persona_from, pose_from, posed, preset_json, scene_from
from studio.shoot.presets import Kind, OwnPose
from studio.shoot.run import Crew
from studio.shoot.types import Order
from tests.studio.shoot.conftest import take

FRAME = (400, 600)
PERSONA = {"name": "Zoë", "words": "a woman with silver hair", "below": "plaid kilt", "above": "lace blouse"}
SCENE = {"name": "Our shop", "words": "shop with oak shelves"}


def rows_of(name: str) -> list[list[float]]:
    """A library pose as somebody's own landmarks."""
    pose = retarget(name, Proportions(), FRAME)
    return [[*map(float, point), 1.0] for point in pose.points]


def own(name: str = "mine", **more: Any) -> dict[str, Any]:
    return {"name": name, "landmarks": rows_of("hands-on-hips"), **more}


def skeleton(choice: Any) -> np.ndarray:
    return retarget(posed(choice) if isinstance(choice, OwnPose) else choice, Proportions(), FRAME).points[:, :2]


@pytest.mark.parametrize("name", ["hands-on-hips", "arms-open", "walking", "back"])
def test_own_landmarks_stand_as_the_pose_they_show(name: str) -> None:
    joints = [j for j in J if J.LEFT_SHOULDER <= j <= J.RIGHT_WRIST or J.LEFT_HIP <= j <= J.RIGHT_ANKLE]
    mine = pose_from({"name": "mine", "landmarks": rows_of(name)})
    apart = np.linalg.norm(skeleton(mine)[joints] - skeleton(name)[joints], axis=1)
    other = np.linalg.norm(skeleton("front")[joints] - skeleton(name)[joints], axis=1)
    assert apart.max() < 0.05 * FRAME[1]
    assert apart.mean() < 0.5 * other.mean()


def test_the_unit_of_landmarks_does_not_matter() -> None:
    small = [[x / 600, y / 600, z / 600, c] for x, y, z, c in rows_of("arms-open")]
    large = pose_from({"name": "a", "landmarks": rows_of("arms-open")})
    assert np.allclose(skeleton(pose_from({"name": "a", "landmarks": small})), skeleton(large), atol=0.5)


@pytest.mark.parametrize(
    ("name", "view"),
    [("front", "front view"), ("three-quarter-left", "three quarter view"), ("side-left", "side view"),
     ("side-right", "side view"), ("back", "back view")],
)  # fmt: skip
def test_the_view_is_read_off_the_shoulders(name: str, view: str) -> None:
    assert POSES[name].view == view
    assert pose_from({"name": "mine", "landmarks": rows_of(name)}).view == view  # type: ignore[union-attr]


def test_rows_of_a_proposal_are_taken_as_they_are() -> None:
    rows = [[*row, "seen"] for row in rows_of("front")]
    assert pose_from({"name": "p", "landmarks": rows}) == pose_from({"name": "p", "landmarks": rows_of("front")})


def test_own_words_are_in_the_prompt_and_the_recipe_replays(crew: Crew, mannequin: Image.Image) -> None:
    order = Order(
        kind=Kind.MODEL,
        photo=mannequin,
        persona=persona_from(PERSONA),
        scene=scene_from(SCENE),
        pose=pose_from(own(words="dancing")),
        garment="upper",
        steps=2,
        size=(256, 384),
    )
    shot = take(crew, order).shots[0]
    recipe = json.loads(json.dumps(shot.recipe))
    for words in ("silver hair", "plaid kilt", "dancing", "oak shelves"):
        assert words in recipe["prompt"]
    assert recipe["presets"]["persona"] == PERSONA
    assert recipe["pose"]["name"] == "mine"
    again = replay(recipe, photo=mannequin, engine=crew.engine, detector=crew.detector, weights=crew.weights)
    assert finished(again.shots[0], "png", kept=True) == finished(shot, "png", kept=True)
    named = take(crew, Order(photo=mannequin, garment="upper", steps=2, size=(256, 384)))
    assert np.abs(named.table.asked.points - take(crew, order).table.asked.points).max() > 10


def test_json_of_ones_own_comes_back_equal() -> None:
    pose = pose_from(own(view="side view"))
    assert pose_from(json.loads(json.dumps(preset_json(pose)))) == pose
    assert persona_from(preset_json(persona_from(PERSONA))) == persona_from(PERSONA)
    assert preset_json("park") == scene_from("park") == "park"


@pytest.mark.parametrize(
    ("read", "value", "code"),
    [
        (persona_from, 7, "order_persona_invalid"),
        (persona_from, {**PERSONA, "age": "30"}, "order_persona_invalid"),
        (persona_from, {"name": "x", "words": "y", "below": "z"}, "order_persona_invalid"),
        (persona_from, {**PERSONA, "words": " "}, "order_persona_invalid"),
        (persona_from, {**PERSONA, "words": "w" * 501}, "order_persona_invalid"),
        (scene_from, {"name": "a\nb", "words": "x"}, "order_scene_invalid"),
        (scene_from, ["park"], "order_scene_invalid"),
        (pose_from, own(landmarks=[]), "order_pose_invalid"),
        (pose_from, own(landmarks=[[0, 0, 0]] * 33), "order_pose_invalid"),
        (pose_from, own(landmarks=[[0, 0, 0, 1]] * 33), "order_pose_invalid"),
        (pose_from, own(landmarks=[[i, i, 0, 0.1] for i in range(33)]), "order_pose_invalid"),
        (pose_from, own(landmarks=[[i, float("nan"), 0, 1] for i in range(33)]), "order_pose_invalid"),
        (pose_from, own(landmarks=[[i, True, 0, 1] for i in range(33)]), "order_pose_invalid"),
        (pose_from, own(landmarks=[[i, 1e9 * i, 0, 1] for i in range(33)]), "order_pose_invalid"),
        (pose_from, own(colour="red"), "order_pose_invalid"),
    ],
)
def test_what_is_no_preset_is_refused_by_field(read: Any, value: object, code: str) -> None:
    with pytest.raises(InputError) as caught:
        read(value)
    assert caught.value.code == code


def test_an_own_pose_is_pose_enough_for_a_pose_change(mannequin: Image.Image) -> None:
    check(Order(kind=Kind.POSE, photo=mannequin, pose=pose_from(own())))
