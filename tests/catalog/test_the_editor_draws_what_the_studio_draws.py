"""The skeleton editor's own numbers are the studio's: which joints there are, how they hang together, their colours."""

from __future__ import annotations

import json
import re
from pathlib import Path

from django.utils.translation import override

from catalog.services.libraries import PAIRS
from catalog.skeleton_words import crop_words, joint_names, words
from studio.pose.complete import PARENT, TRUNK
from studio.pose.openpose import COLOURS, FROM_33, LIMBS
from studio.pose.types import LANDMARKS, J
from studio.shoot.presets import CROP_WORDS

ROOM = Path(__file__).resolve().parents[2] / "frontend" / "src" / "skeleton"
FIGURE = json.loads((ROOM / "figure.json").read_text())


def test_limbs_colours_and_joints_are_those_of_the_drawing() -> None:
    assert FIGURE["limbs"] == [list(limb) for limb in LIMBS]
    assert FIGURE["colours"] == [list(colour) for colour in COLOURS]
    assert FIGURE["sources"] == [[int(joint) for joint in sources] for sources in FROM_33]


def test_left_is_exchanged_for_right_and_limbs_hang_as_in_the_studio() -> None:
    assert FIGURE["pairs"] == [list(pair) for pair in PAIRS]
    assert FIGURE["trunk"] == [int(joint) for joint in TRUNK]
    assert FIGURE["parents"] == sorted([int(child), int(parent)] for child, parent in PARENT.items())


def test_each_joint_and_frame_has_a_name() -> None:
    with override("en"):
        names = joint_names()
        assert [value for value, _label in crop_words()] == list(CROP_WORDS)
        spoken = words()
    assert len(set(names)) == LANDMARKS
    assert (names[J.LEFT_WRIST], names[J.RIGHT_FOOT]) == ("Left wrist", "Right toes")
    for joint in J:
        sided = [side for side in ("left", "right") if side.upper() in joint.name]
        assert [side for side in ("left", "right") if side in names[joint].lower()] == sided, joint
    assert spoken["joint-15"] == "Left wrist"


def test_the_scripts_use_no_word_that_the_page_does_not_bring() -> None:
    with override("en"):
        there = set(words())
    used = {key for path in ROOM.glob("*.ts*") for key in re.findall(r'\bsay\("([\w-]+)"\)', path.read_text())}
    assert len(used) > 30 and used <= there
