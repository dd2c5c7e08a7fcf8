"""The choice among checkpoints: by held-out pictures, never by the training loss; over-training is named when seen."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from studio.lora.choosing import LOSS_LINE, choose, smoothed


@dataclass(frozen=True)
class Point:
    """A checkpoint as a plot has it."""

    step: int
    smoothed_loss: float
    validation_loss: float | None = None
    similarity: float | None = None


def run(losses: list[float], validation: list[float | None], similarity: list[float | None]) -> list[Point]:
    rows = zip(losses, validation, similarity, strict=True)
    return [Point(100 * (k + 1), *row) for k, row in enumerate(rows)]


FALLING = [0.20, 0.15, 0.11, 0.08, 0.06, 0.04]
NONE: list[float | None] = [None] * 6


def test_the_lowest_training_loss_does_not_win() -> None:
    found = choose(run(FALLING, [0.30, 0.25, 0.22, 0.23, 0.25, 0.28], [0.4, 0.6, 0.74, 0.73, 0.62, 0.5]))
    assert found.best == 300
    assert set(found.reasons) == {"highest_similarity", "lowest_validation"}


def test_similarity_and_validation_are_weighed_against_each_other() -> None:
    """At 500 the samples are a hair better, for a validation loss of a tenth more: not worth it."""
    found = choose(run(FALLING, [0.30, 0.26, 0.22, 0.20, 0.22, 0.23], [0.4, 0.5, 0.60, 0.70, 0.71, 0.70]))
    assert found.best == 400


def test_the_earliest_of_equals_is_taken() -> None:
    found = choose(run(FALLING, NONE, [0.3, 0.5, 0.700, 0.701, 0.702, 0.703]))
    assert found.best in (300, 400)
    assert "earliest_of_equals" in found.reasons


def test_one_lucky_sample_does_not_win_over_its_neighbours() -> None:
    found = choose(run(FALLING, NONE, [0.2, 0.66, 0.2, 0.6, 0.64, 0.62]))
    assert found.best == 500


def test_over_training_is_named_with_its_first_step() -> None:
    found = choose(run(FALLING, [0.30, 0.25, 0.22, 0.224, 0.26, 0.30], [0.4, 0.6, 0.74, 0.73, 0.72, 0.72]))
    assert (found.overtrained_from, found.signs) == (500, ("validation_rises",))


def test_a_validation_that_rises_with_the_training_loss_is_no_over_training() -> None:
    found = choose(run([0.20, 0.15, 0.11, 0.18, 0.25, 0.3], [0.30, 0.25, 0.22, 0.25, 0.3, 0.4], NONE))
    assert found.overtrained_from is None


def test_falling_similarity_is_over_training_too_once_it_lasts() -> None:
    lasting = choose(run(FALLING, NONE, [0.4, 0.6, 0.74, 0.72, 0.64, 0.5]))
    assert (lasting.overtrained_from, lasting.signs) == (500, ("similarity_falls",))
    once = choose(run(FALLING, NONE, [0.4, 0.6, 0.74, 0.60, 0.72, 0.73]))
    assert once.overtrained_from is None


def test_samples_that_copy_the_training_pictures_are_over_training() -> None:
    points = run(FALLING, NONE, [0.4, 0.5, 0.6, 0.7, 0.8, 0.8])
    found = choose(points, copied={100: 0.0, 300: 0.2, 500: 0.7, 600: 0.8})
    assert (found.overtrained_from, found.signs) == (500, ("copies_training_pictures",))


@pytest.mark.parametrize(("lowest", "flag"), [(LOSS_LINE, "reached"), (LOSS_LINE + 0.001, "not_reached")])
def test_the_old_loss_line_is_a_flag_and_chooses_nothing(lowest: float, flag: str) -> None:
    points = [Point(100, 0.2, 0.2, 0.8), Point(200, lowest, 0.3, 0.3)]
    found = choose(points)
    assert f"loss_line_{flag}" in found.flags
    assert found.best == 100


def test_without_held_out_pictures_the_last_is_taken_and_that_is_said() -> None:
    found = choose(run(FALLING, NONE, NONE))
    assert (found.best, found.reasons) == (600, ("nothing_to_judge_by",))
    assert {"no_held_out_pictures", "no_similarity"} <= set(found.flags)


def test_a_checkpoint_of_which_less_is_known_does_not_win_by_that() -> None:
    """A wish of "save now" gives one that was never sampled."""
    found = choose([Point(100, 0.2, 0.25, 0.6), Point(150, 0.18, 0.20, None), Point(200, 0.15, 0.22, 0.75)])
    assert found.best == 200


def test_a_training_that_still_improves_says_so() -> None:
    found = choose(run(FALLING, [0.3, 0.28, 0.26, 0.24, 0.22, 0.20], [0.3, 0.4, 0.5, 0.6, 0.7, 0.8]))
    assert found.best == 600
    assert "still_improving" in found.flags


def test_one_checkpoint_is_its_own_choice() -> None:
    assert choose([Point(40, 0.2)]).reasons == ("only_checkpoint",)
    with pytest.raises(ValueError, match="no checkpoint"):
        choose([])


def test_the_smoothed_loss_has_no_bias_towards_its_start() -> None:
    assert smoothed([3.0, 3.0, 3.0]) == pytest.approx([3.0, 3.0, 3.0])
    late = smoothed([1.0] * 10 + [2.0] * 200)[-1]
    assert late == pytest.approx(2.0, abs=1e-3)
    assert smoothed([1.0, 2.0])[1] == pytest.approx((0.95 + 2.0) / 1.95)
