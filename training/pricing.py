"""What trainings and grids cost: said before they start, and kept to at their end."""

from __future__ import annotations

from math import ceil

STEPS_A_CREDIT = 25  # at the family's own resolution; rounded up
PICTURE = 1  # credits for each picture that is prepared
CELL = 1  # credits for each cell of a grid; the first grid comes with the training


def price_of_training(*, steps: int, pictures: int) -> int:
    """Credits that a training reserves.

    Args:
        steps: of the optimizer.
        pictures: that take part, held out ones included.
    """
    return ceil(steps / STEPS_A_CREDIT) + PICTURE * pictures


def cost_of_training(*, price: int, steps_total: int, steps_done: int) -> int:
    """Credits that a training costs at its end; one that was stopped pays for the steps it made.

    The whole price when all steps were made, and never more than that.
    """
    unmade = max(0, steps_total - steps_done)
    return max(0, price - unmade // STEPS_A_CREDIT)


def price_of_grid(cells: int) -> int:
    """Credits that a grid of one's own reserves."""
    return CELL * cells
