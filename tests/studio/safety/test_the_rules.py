"""The rules flag a bare figure, an empty picture and an odd shape, and nothing that comes with the repository."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from studio.pose.detect import Detection, MediaPipeDetector
from studio.pose.types import LANDMARKS, observed
from studio.safety import bring_up
from studio.safety.rules import RulesChecker, skin_coloured
from tests.studio.safety.pictures import PAPER, SKIN, bare_figure, samples


@pytest.fixture(scope="module")
def checker() -> Iterator[RulesChecker]:
    with MediaPipeDetector() as detector:
        yield RulesChecker(detector)


class Sees:
    """Finds somebody in the left half of every picture."""

    def detect(self, image: Image.Image) -> Detection:
        mask = np.zeros((image.height, image.width), np.float32)
        mask[:, : image.width // 2] = 1
        return Detection(
            observed(np.zeros((LANDMARKS, 3), np.float32), np.ones(LANDMARKS, np.float32), image.size), mask
        )


def codes(checker: RulesChecker, picture: Image.Image) -> list[str]:
    found = checker.look([picture])[0]
    assert found.flagged == bool(found.reasons)
    return [reason.code for reason in found.reasons]


def test_no_sample_of_the_repository_is_flagged(checker: RulesChecker) -> None:
    pictures = samples()
    found = dict(zip(pictures, checker.look(list(pictures.values())), strict=True))
    assert len(found) > 20
    assert {name: finding.reasons for name, finding in found.items() if finding.flagged} == {}


def test_a_bare_figure_is_flagged_for_its_skin(checker: RulesChecker) -> None:
    assert codes(checker, bare_figure()) == ["much_skin"]
    assert codes(checker, bare_figure((40, 90, 160))) == []


def test_skin_is_measured_inside_of_the_person_where_one_is_found() -> None:
    """A wall in the colour of skin does not count, a bare person before a white one does."""
    wall = Image.new("RGB", (200, 200), SKIN)
    wall.paste((40, 90, 160), (0, 0, 100, 200))
    person = Image.new("RGB", (200, 200), PAPER)
    person.paste(SKIN, (0, 0, 100, 200))
    assert codes(RulesChecker(Sees()), wall) == []
    assert codes(RulesChecker(Sees()), person) == ["much_skin"]


def test_without_a_person_a_wall_in_the_colour_of_skin_does_not_count() -> None:
    wall = Image.new("RGB", (200, 300), SKIN)
    wall.paste((20, 90, 30), (60, 60, 140, 300))
    assert codes(RulesChecker(None), wall) == []


def test_an_empty_picture_and_a_strip_are_flagged() -> None:
    checker = RulesChecker(None)
    noise = np.random.default_rng(1).integers(0, 255, (40, 300, 3), np.uint8)
    assert codes(checker, Image.new("RGB", (300, 300), (128, 128, 128))) == ["blank"]
    assert codes(checker, Image.fromarray(noise)) == ["odd_shape"]


@pytest.mark.parametrize(
    "colour, skin",
    [((214, 160, 130), True), ((96, 60, 40), True), ((95, 60, 40), False), ((200, 190, 186), False),
     ((120, 130, 90), False), ((140, 130, 90), False)],
)  # fmt: skip
def test_skin_is_what_the_published_rule_says(colour: tuple[int, int, int], skin: bool) -> None:
    assert bool(skin_coloured(np.array([[colour]], np.uint8))[0, 0]) is skin


def test_rules_look_where_there_are_no_weights(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("IMODEL_WEIGHTS", str(tmp_path))
    assert isinstance(bring_up(None), RulesChecker)
