"""What a merchant says of how the body stands in the photo is what the engine is told, as it is."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from studio.diffusion.types import Generate, Result
from studio.errors import InputError
from studio.pose.openpose import COLOURS, render_skeleton
from studio.pose.types import J, JointState
from studio.serve.orders import order_of
from studio.shoot.finish import finished
from studio.shoot.flow import replay, shoot
from studio.shoot.own import photo_pose_from
from studio.shoot.prepare import look_at, survey
from studio.shoot.presets import Kind, Landmarks
from studio.shoot.recipe import pose_rows
from studio.shoot.run import Crew
from studio.shoot.types import Order, Outcome
from tests.studio.shoot.conftest import take

SMALL = {"garment": "upper", "steps": 2, "size": (256, 384)}


class Tap:
    """The engine itself; it remembers what it was asked."""

    def __init__(self, engine: Any) -> None:
        self.engine, self.asked = engine, Generate("")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)

    def generate(self, request: Generate, **how: Any) -> Result:
        self.asked = request
        done: Result = self.engine.generate(request, **how)
        return done


@pytest.fixture(scope="module")
def seen(crew: Crew, mannequin: Image.Image) -> list[list[Any]]:
    """The rows that a proposal of the photo holds."""
    pose = survey(mannequin, crew.detector).pose
    assert pose is not None
    return pose_rows(pose)


def moved(rows: list[list[Any]], joint: J, by: tuple[float, float]) -> Landmarks:
    """The rows with one joint elsewhere, as the editor would save them."""
    out = [list(row[:4]) for row in rows]
    out[joint] = [out[joint][0] + by[0], out[joint][1] + by[1], out[joint][2], 1.0]
    found = photo_pose_from(out)
    assert found is not None
    return found


def controlled(crew: Crew, order: Order) -> tuple[np.ndarray, Outcome]:
    """The very picture that ControlNet got."""
    tap = Tap(crew.engine)
    outcome = shoot(order, engine=tap, detector=crew.detector, weights=crew.weights)  # type: ignore[arg-type]  # all of it
    return np.asarray(tap.asked.controls[0].image), outcome


def centre(picture: np.ndarray, joint: int) -> np.ndarray:
    """Where the disc of one of the 18 joints lies: limbs are drawn at 60 % of these colours."""
    ys, xs = np.nonzero((picture == COLOURS[joint]).all(axis=2))
    return np.array([xs.mean(), ys.mean()])


def test_the_engine_is_given_the_skeleton_that_was_said(
    crew: Crew, mannequin: Image.Image, seen: list[list[Any]]
) -> None:
    before, plain = controlled(crew, Order(photo=mannequin, **SMALL))
    rows = moved(seen, J.LEFT_WRIST, (30, -90))
    after, outcome = controlled(crew, Order(photo=mannequin, photo_pose=rows, **SMALL))
    left_wrist, right_wrist = 7, 4
    assert np.array_equal(after, np.asarray(render_skeleton(outcome.table.asked, after.shape[1::-1])))
    # One pixel of the photo on the engine's picture: both are 2:3 and the crop differs by what was moved alone.
    (x, y), scale = centre(after, left_wrist), _scale(after, rows)
    told = np.array([rows[J.LEFT_WRIST][k] - rows[J.RIGHT_WRIST][k] for k in (0, 1)])
    assert np.allclose(np.array([x, y]) - centre(after, right_wrist), told * scale, atol=1.5)
    old = np.array([seen[J.LEFT_WRIST][k] - seen[J.RIGHT_WRIST][k] for k in (0, 1)])
    assert np.allclose(centre(before, left_wrist) - centre(before, right_wrist), old * _scale(before, rows), atol=1.5)
    assert plain.table.asked.points[J.LEFT_WRIST, 1] - outcome.table.asked.points[J.LEFT_WRIST, 1] > 30


def _scale(picture: np.ndarray, rows: Landmarks) -> float:
    """Pixels of the drawing for one of the photo, by two joints that stay."""
    shoulder, hip = 2, 8
    drawn = np.linalg.norm(centre(picture, shoulder) - centre(picture, hip))
    apart = np.subtract(rows[J.RIGHT_SHOULDER][:2], rows[J.RIGHT_HIP][:2])
    return float(drawn / np.linalg.norm(apart))


def test_a_recipe_of_it_makes_the_same_bytes_again(crew: Crew, mannequin: Image.Image, seen: list[list[Any]]) -> None:
    order = Order(photo=mannequin, photo_pose=moved(seen, J.LEFT_WRIST, (30, -90)), seed=4, **SMALL)
    shot = take(crew, order).shots[0]
    recipe = json.loads(json.dumps(shot.recipe))
    again = replay(recipe, photo=mannequin, engine=crew.engine, detector=crew.detector, weights=crew.weights).shots[0]
    assert finished(again, "png", kept=True) == finished(shot, "png", kept=True)
    plain = take(crew, replace(order, photo_pose=None)).shots[0]
    assert plain.image.tobytes() != shot.image.tobytes()
    assert "photo_pose" not in plain.recipe


def test_a_known_joint_that_is_moved_lets_its_sleeve_go(
    crew: Crew, mannequin: Image.Image, seen: list[list[Any]]
) -> None:
    arm = J.LEFT_ELBOW  # the coat's outline shows it
    plain = take(crew, Order(photo=mannequin, **SMALL)).table
    table = take(crew, Order(photo=mannequin, photo_pose=moved(seen, arm, (0, -90)), **SMALL)).table
    assert plain.kept.sum() == plain.garment.sum()
    assert 0.5 < table.kept.sum() / table.garment.sum() < 0.99
    assert table.found is not None
    assert np.linalg.norm(table.found.points[arm, :2] - table.asked.points[arm, :2]) > 20


def test_a_guessed_joint_that_is_moved_is_known_better(crew: Crew, hopper: Image.Image) -> None:
    pose = survey(hopper, crew.detector).pose
    assert pose is not None
    assert pose.states[J.LEFT_KNEE] is JointState.INVENTED  # it is a bust
    rows = moved(pose_rows(pose), J.LEFT_KNEE, (40, 10))
    known = look_at(Order(photo=hopper, photo_pose=rows), hopper, crew.detector).pose
    assert np.allclose(known.points[J.LEFT_KNEE, :2], rows[J.LEFT_KNEE][:2])
    assert known.states[J.LEFT_KNEE] is JointState.SEEN
    assert np.allclose(known.points[J.NOSE], pose.points[J.NOSE], atol=1e-3)


@pytest.mark.parametrize("order", [{"kind": Kind.POSE, "pose": "arms-open"}, {"pose": "walking"}])
def test_a_chosen_pose_does_not_read_it(
    crew: Crew, mannequin: Image.Image, seen: list[list[Any]], order: dict[str, Any]
) -> None:
    plain = take(crew, Order(photo=mannequin, **SMALL, **order)).table
    rows = moved(seen, J.LEFT_WRIST, (30, -90))
    table = take(crew, Order(photo=mannequin, photo_pose=rows, **SMALL, **order)).table
    assert np.array_equal(table.asked.points, plain.asked.points)
    assert np.array_equal(table.kept, plain.kept)


def test_an_order_carries_it_as_rows(mannequin: Image.Image, seen: list[list[Any]], tmp_path: Any) -> None:
    path = tmp_path / "photo.png"
    mannequin.save(path)
    order = order_of({"photo": str(path), "photo_pose": seen})
    assert order.photo_pose == photo_pose_from([row[:4] for row in seen])
    assert order_of({"photo": str(path)}).photo_pose is None


@pytest.mark.parametrize("rows", [[], "front", [[0, 0, 0, 1]] * 33, [[i, i, 0, 2] for i in range(33)]])
def test_what_is_no_skeleton_is_refused(rows: object) -> None:
    with pytest.raises(InputError) as caught:
        order_of({"photo": "/nowhere.png", "photo_pose": rows})
    assert caught.value.code == "order_photo_pose_invalid"


def test_it_belongs_to_a_photo(seen: list[list[Any]]) -> None:
    with pytest.raises(InputError) as caught:
        order_of({"kind": "text", "photo_pose": seen})
    assert caught.value.code == "order_photo_pose_invalid"
